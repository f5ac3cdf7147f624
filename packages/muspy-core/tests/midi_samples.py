"""MIDI files for tests, written byte by byte: one with every kind of message, random ones, damaged ones."""

from __future__ import annotations

import collections
import io
import struct
from typing import Any

import mido
from hypothesis import strategies as st

END = b"\xff\x2f\x00"


def number(value: int) -> bytes:
    """A number as a variable-length quantity."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def meta(kind: int, payload: bytes) -> bytes:
    return bytes((0xFF, kind)) + number(len(payload)) + payload


def sysex(payload: bytes, status: int = 0xF0) -> bytes:
    return bytes((status,)) + number(len(payload)) + payload


def chunk(*events: tuple[int, bytes]) -> bytes:
    """A track chunk of (delta time, message) pairs."""
    body = b"".join(number(delta) + message for delta, message in events)
    return b"MTrk" + struct.pack(">I", len(body)) + body


def midi_file(*chunks: bytes, midi_format: int = 1, division: int = 480) -> bytes:
    header = struct.pack(">4sIHHh", b"MThd", 6, midi_format, len(chunks), division)
    return header + b"".join(chunks)


def every_message(title: bytes = b"Every message") -> bytes:
    """A file of format 1 with every kind of message a MIDI file can hold, in awkward orders, and odd ends of tracks."""
    piece = chunk(
        *[
            (0, meta(0x00, b"\x00\x07")),
            (0, meta(0x01, b"a text")),
            (0, meta(0x02, b"(c) 1897")),
            (0, meta(0x03, title)),
        ],
        *[
            (0, meta(0x02, b"(p) 1901")),
            (0, meta(0x04, b"Nickelodeon")),
            (5, meta(0x08, b"Patch")),
            (0, meta(0x09, b"Synth")),
        ],
        *[(0, meta(0x0A, b"ten")), (0, meta(0x0F, b"fifteen")), (0, meta(0x20, b"\x03")), (0, meta(0x21, b"\x01"))],
        *[
            (0, meta(0x51, b"\x07\xa1\x21")),
            (0, meta(0x54, b"\x60\x00\x03\x00\x00")),
            (0, meta(0x58, b"\x06\x03\x24\x08")),
        ],
        *[(0, meta(0x59, b"\xfe\x00")), (7, meta(0x59, b"\x07\x01")), (0, meta(0x58, b"\x03\x02\x18\x08"))],
        *[(0, meta(0x51, b"\x00\x00\x01")), (0, meta(0x51, b"\xff\xff\xff")), (0, meta(0x06, b"Trio"))],
        *[
            (0, meta(0x07, b"curtain")),
            (0, meta(0x05, b"la-")),
            (1, meta(0x05, b"")),
            (0, meta(0x7F, b"\x00\x00\x41\x01")),
        ],
        *[(0, meta(0x4B, b"unheard of")), (0, sysex(b"\x7e\x7f\x09\x01\xf7")), (3, meta(0x01, b""))],
        (96, END),  # a little after the last event
    )
    channel = chunk(
        *[(0, meta(0x03, b"Piano")), (0, b"\xe0\x00\x40"), (0, b"\xb0\x00\x01"), (0, b"\x20\x02"), (0, b"\xc0\x05")],
        *[(0, b"\x90\x3c\x40"), (0, b"\x3c\x41"), (0, b"\x40\x01"), (10, b"\x3c\x00"), (0, b"\x80\x3c\x00")],
        *[(0, b"\x40\x7f"), (0, b"\x41\x20"), (0, b"\x90\x42\x00")],  # the last two close nothing
        *[(5, b"\xa0\x3c\x11"), (0, b"\xd0\x12"), (0, b"\x13"), (0, b"\xe0\x00\x00"), (0, b"\x7f\x7f")],
        *[(0, b"\x90\x30\x40"), (0, b"\xc0\x06"), (200, b"\x80\x30\x40"), (0, b"\x90\x31\x7f"), (0, b"\x31\x00")],
        *[(0, b"\xc0\x07"), (0, b"\xc0\x06"), (0, sysex(b"\x01\x02", 0xF7)), (0, b"\xb0\x40\x7f"), (9, b"\x40\x00")],
        *[(0, b"\x99\x24\x64"), (0, meta(0x06, b"here, too")), (0, b"\x24\x00"), (20000, b"\x90\x50\x50")],
        *[(0, b"\xf1\x05"), (0, b"\xf2\x01\x02"), (0, b"\xf3\x09"), (0, b"\xf6"), (0, b"\xf8"), (0, b"\x90\x51\x50")],
        *[(0, b"\xe3\x01\x40"), (0, b"\xc3\x11"), (0, b"\xd3\x01"), (0, b"\x83\x10\x10")],  # no notes on channel 3
        (2_000_000, END),  # two notes are still open
    )
    after_end = chunk(
        *[(0, b"\x91\x3c\x40"), (10, b"\x81\x3c\x33"), (0, END), (10, b"\x91\x3e\x40"), (10, b"\x3e\x00"), (0, END)]
    )
    return midi_file(piece, channel, after_end, chunk((960, END)), chunk((0, END)))


# --- random files --------------------------------------------------------------------------------------------------

_deltas = st.sampled_from([0, 0, 0, 1, 5, 127, 128, 16383, 16384, 0x0FFFFFFF])
_channels = st.sampled_from([0, 1, 9])
_pitches = st.sampled_from([0, 60, 61, 127])
_data = st.sampled_from([0, 1, 32, 64, 127])
_notes = st.builds(
    lambda k, c, p, v: bytes((k | c, p, v)), st.sampled_from([0x80, 0x90, 0x90]), _channels, _pitches, _data
)
_two = st.builds(lambda k, c, a, b: bytes((k | c, a, b)), st.sampled_from([0xA0, 0xB0, 0xE0]), _channels, _data, _data)
_one = st.builds(lambda k, c, a: bytes((k | c, a)), st.sampled_from([0xC0, 0xC0, 0xD0]), _channels, _data)
_texts = st.builds(meta, st.integers(1, 15), st.binary(max_size=6))
_others = st.one_of(
    st.builds(meta, st.just(0x51), st.binary(min_size=3, max_size=3)),
    st.builds(lambda f, m: meta(0x59, bytes((f & 0xFF, m))), st.integers(-7, 7), st.integers(0, 1)),
    st.builds(
        lambda n, d, c: meta(0x58, bytes((n, d, c, 8))), st.integers(0, 255), st.integers(0, 20), st.integers(0, 99)
    ),
    st.builds(lambda p: meta(0x21, bytes((p,))), st.integers(0, 255)),
    st.builds(meta, st.sampled_from([0x10, 0x60, 0x7E, 0x7F]), st.binary(max_size=4)),
    st.builds(
        lambda s, p: sysex(bytes(p), s), st.sampled_from([0xF0, 0xF7]), st.lists(st.integers(0, 127), max_size=4)
    ),
    st.sampled_from([b"\xf1\x01", b"\xf2\x01\x02", b"\xf3\x03", b"\xf6", b"\xf8", b"\xfe", END]),
)
_messages = st.one_of(_notes, _notes, _notes, _two, _one, _texts, _others)


@st.composite
def _chunks(draw: st.DrawFn) -> bytes:
    """A track chunk with running status here and there, where mido can follow: not after system messages."""
    events = draw(st.lists(st.tuples(_deltas, _messages, st.booleans()), max_size=40))
    running, encoded = 0, []
    for delta, message, omit in [*events, (draw(_deltas), END, False)]:
        status = message[0]
        if status < 0xF0:
            encoded.append((delta, message[1:] if omit and status == running else message))
        else:
            encoded.append((delta, message))
        running = running if status == 0xFF else status
    return chunk(*encoded)


@st.composite
def midi_files(draw: st.DrawFn) -> bytes:
    """A valid MIDI file that mido reads."""
    chunks = draw(st.lists(_chunks(), max_size=4))
    division = draw(st.sampled_from([1, 24, 480, 32767, -25 * 256 + 40, -29 * 256 + 80]))
    return midi_file(*chunks, midi_format=draw(st.sampled_from([0, 1, 1, 2])), division=division)


# --- what mido sees ------------------------------------------------------------------------------------------------


def as_mido_sees(data: bytes) -> tuple[Any, ...]:
    """Header, the sequence of messages of each track and channel, and the multiset of (tick, track, message)."""
    file = mido.MidiFile(file=io.BytesIO(data))
    sequences: dict[Any, list[Any]] = collections.defaultdict(list)
    multiset: collections.Counter[Any] = collections.Counter()
    for index, track in enumerate(file.tracks):
        tick = 0
        for message in track:
            tick += message.time
            values = tuple(sorted((name, str(value)) for name, value in vars(message).items() if name != "time"))
            sequences[index, getattr(message, "channel", None)].append((tick, values))
            multiset[tick, index, values] += 1
    return (file.type, file.ticks_per_beat, len(file.tracks)), dict(sequences), multiset
