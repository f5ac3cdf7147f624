"""What belongs to the piece → meta and system messages: title, tempi, signatures, texts (part of midi_writer.py)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from muspy_core.errors import MIDIError
from muspy_core.io._midi_channels import MAX_TIME, Place
from muspy_core.io._midi_messages import MessageBuffer, encode_number, in_range
from muspy_core.music import Music

TEXT, LYRIC, MARKER, CUE, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x01, 0x05, 0x06, 0x07, 0x51, 0x58, 0x59
COPYRIGHT, NAME, CHANNEL_PREFIX, PORT, END_OF_TRACK = (bytes((0xFF, kind)) for kind in (0x02, 0x03, 0x20, 0x21, 0x2F))
OF_THE_LAYOUT = (NAME, CHANNEL_PREFIX, PORT, END_OF_TRACK)  # they say nothing once the tracks are laid out anew
TEXT_TYPES: dict[str | None, int] = {
    None: TEXT,
    "words": TEXT,
    "instrument": 4,
    "program": 8,
    "device": 9,
    "rehearsal": MARKER,
}
TEXT_TYPES.update({f"text-{kind}": kind for kind in range(10, 16)})
MAX_MICROSECONDS = 0xFFFFFF
# Semitones of the keynote above that of the major key with the same signature.
MODES = {
    "major": 0,
    "ionian": 0,
    "dorian": 2,
    "phrygian": 4,
    "lydian": 5,
    "mixolydian": 7,
    "minor": 9,
    "aeolian": 9,
    "locrian": 11,
}


class StatedEnd(NamedTuple):
    """An end-of-track message that did not simply stand after the last message of its MIDI track."""

    midi_track: int
    time: int
    order: int


def add_piece(buffer: MessageBuffer, music: Music, places: Sequence[Place]) -> list[StatedEnd]:
    """Add what belongs to the piece, and the names of its tracks; return the ends of tracks that the music states."""
    writer = _PieceWriter(buffer, music)
    ends = writer.add_messages(places)
    writer.add_tempos()
    writer.add_key_signatures()
    writer.add_time_signatures()
    writer.add_texts(places)
    return ends


class _PieceWriter:
    """Adds the lists of one piece to the buffer. Pieces not read from MIDI have all of it in the first MIDI track."""

    def __init__(self, buffer: MessageBuffer, music: Music) -> None:
        self.buffer, self.music = buffer, music
        self.is_kept = music.midi_format is not None
        self.charset = music.charset or "utf-8"

    def _rows(self, name: str) -> list[tuple[int, int, int]]:
        """Return MIDI track, time and order of the events of a list, after a look at the times."""
        if not len(events := getattr(self.music, name)):
            return []
        array = events.array
        in_range(array["time"], 0, MAX_TIME, f"{name}[{{}}].time")
        midi_track = np.maximum(array["midi_track"], 0) if self.is_kept else np.zeros(len(array), int)
        return list(zip(midi_track.tolist(), array["time"].tolist(), array["order"].tolist(), strict=True))

    def _encode(self, text: str, what: str) -> bytes:
        try:
            return text.encode(self.charset)
        except UnicodeEncodeError:
            raise MIDIError(
                f"{what}: {text!r} cannot be written in {self.charset}; set music.charset = None for UTF-8"
            ) from None
        except LookupError:
            raise MIDIError(f"music.charset={self.charset!r} is no encoding that Python knows") from None

    def _decode(self, payload: bytes) -> str:
        return payload.decode(self.charset, "replace")

    # --- messages kept as they are, and the names that stand among them ---------------------------------------------

    def add_messages(self, places: Sequence[Place]) -> list[StatedEnd]:
        """Add names, copyright and ports as they are now, and all messages without a place of their own.

        A message that the piece was read with keeps its place and its bytes as long as what it says still holds.
        """
        rows = self._rows("midi_messages")
        data = [_checked(message, i) for i, message in enumerate(self.music.midi_messages.side("data"))]
        ends = [StatedEnd(*row) for row, message in zip(rows, data, strict=True) if message[:2] == END_OF_TRACK]
        if not self.is_kept:
            data = [b"" if message[:2] in OF_THE_LAYOUT else message for message in data]
        self._renew_names(rows, data, places)
        self._renew_ports(rows, data, places)
        self._renew_copyright(rows, data)
        for (midi_track, time, order), message in zip(rows, data, strict=True):
            if message and message[:2] != END_OF_TRACK:
                self.buffer.add_bytes(midi_track, time, _framed(message), order)
        # Two messages that claim one place: the piece was put together from several files, so that no place counts.
        claims = [(row[0], row[2]) for row in rows if row[2] >= 0]
        mixed = {midi_track for midi_track, _ in claims} if len(set(claims)) < len(claims) else set()
        return [end for end in ends if end.midi_track not in mixed] if self.is_kept else []

    def _renew_names(self, rows: Sequence[tuple[int, int, int]], data: list[bytes], places: Sequence[Place]) -> None:
        """Let the last name in each MIDI track be the title, or that of one of its tracks."""
        names: dict[int, list[str | None]] = {}
        for track, place in zip(self.music.tracks, places, strict=True):
            names.setdefault(place.midi_track, []).append(track.name)
        title = self.music.metadata.title
        names[0] = names.get(0, []) if title is None else [title]
        found = {row[0]: i for i, (row, message) in enumerate(zip(rows, data, strict=True)) if message[:2] == NAME}
        for midi_track, given in names.items():
            stated, i = [name for name in given if name is not None], found.get(midi_track)
            if i is not None and self._decode(data[i][2:]) in stated:
                continue
            message = NAME + self._encode(stated[0], "a track name or title") if stated else b""
            if i is not None:
                data[i] = message
            elif message:
                self.buffer.add_bytes(midi_track, 0, _framed(message))

    def _renew_ports(self, rows: Sequence[tuple[int, int, int]], data: list[bytes], places: Sequence[Place]) -> None:
        """Let the last port in each MIDI track be that of one of its tracks, if they state one."""
        ports: dict[int, list[int]] = {}
        for number, place in enumerate(places):
            if place.port is not None:
                in_range(place.port, 0, 127, f"track {number}: port")
                ports.setdefault(place.midi_track, []).append(place.port)
        valid = [message[:2] == PORT and len(message) == 3 and message[2] < 128 for message in data]
        found = {rows[i][0]: i for i in range(len(rows)) if valid[i]}
        for midi_track, stated in ports.items():
            i = found.get(midi_track)
            if i is None:
                self.buffer.add_bytes(midi_track, 0, _framed(PORT + bytes(stated[:1])))
            elif data[i][2:] not in [bytes((port,)) for port in stated]:
                data[i] = PORT + bytes(stated[:1])

    def _renew_copyright(self, rows: Sequence[tuple[int, int, int]], data: list[bytes]) -> None:
        """Let the copyright messages, joined by spaces, be the copyright."""
        stated = self.music.metadata.copyright
        found = [i for i, message in enumerate(data) if message[:2] == COPYRIGHT]
        found.sort(key=rows.__getitem__)  # in the order of the file, as they were read
        if (" ".join(self._decode(data[i][2:]) for i in found) if found else None) == stated:
            return
        message = b"" if stated is None else COPYRIGHT + self._encode(stated, "metadata.copyright")
        for i in found:
            data[i], message = message, b""
        if message:
            self.buffer.add_bytes(0, 0, _framed(message))

    # --- lists ------------------------------------------------------------------------------------------------------

    def _add(self, row: tuple[int, int, int], kind: int, payload: bytes) -> None:
        midi_track, time, order = row
        self.buffer.add_bytes(midi_track, time, _framed(bytes((0xFF, kind)) + payload), order)

    def add_tempos(self) -> None:
        """Add tempi in whole microseconds a quarter note."""
        rows, qpm = self._rows("tempos"), self.music.tempos.array["qpm"].tolist()
        for i, (row, speed) in enumerate(zip(rows, qpm, strict=True)):
            microseconds = round(60e6 / speed) if speed > 0 and math.isfinite(speed) else 0
            if not 1 <= microseconds <= MAX_MICROSECONDS:
                slowest = 60e6 / MAX_MICROSECONDS
                raise MIDIError(f"tempos[{i}]: qpm={speed} is not {slowest:.3f} to 60,000,000, which MIDI can hold")
            self._add(row, SET_TEMPO, microseconds.to_bytes(3, "big"))

    def add_key_signatures(self) -> None:
        """Add key signatures; modes other than major and minor keep only their sharps or flats."""
        keys = self.music.key_signatures
        array, modes, root_names = keys.array, keys.side("mode"), keys.side("root_str")
        roots, fifths_of = array["root"].tolist(), array["fifths"].tolist()
        for row, root, fifths, mode, name in zip(
            self._rows("key_signatures"), roots, fifths_of, modes, root_names, strict=True
        ):
            signature = sharps_of(root, None if fifths == -128 else fifths, mode, name)
            if signature is not None:
                self._add(row, KEY_SIGNATURE, bytes((signature & 0xFF, mode in ("minor", "aeolian"))))

    def add_time_signatures(self) -> None:
        """Add time signatures."""
        columns = ("numerator", "denominator", "clocks_per_click", "thirty_seconds")
        array = self.music.time_signatures.array
        values = zip(*(array[name].tolist() for name in columns), strict=True)
        for i, (row, (numerator, denominator, clocks, thirty_seconds)) in enumerate(
            zip(self._rows("time_signatures"), values, strict=True)
        ):
            if not 1 <= numerator <= 255 or denominator < 1 or denominator & (denominator - 1):
                raise MIDIError(
                    f"time_signatures[{i}]: {numerator}/{denominator} is beyond MIDI, whose numerators go from 1 to 255"
                    " and whose denominators are powers of 2"
                )
            clocks, thirty_seconds = 24 if clocks < 0 else clocks, 8 if thirty_seconds < 0 else thirty_seconds
            in_range([clocks, thirty_seconds], 0, 255, f"time_signatures[{i}]: a metronome field")
            self._add(row, TIME_SIGNATURE, bytes((numerator, denominator.bit_length() - 1, clocks, thirty_seconds)))

    def add_texts(self, places: Sequence[Place]) -> None:
        """Add lyrics, texts, markers, and annotations that are strings."""
        music = self.music
        self._add_strings("lyrics", music.lyrics.side("lyric"), [LYRIC] * len(music.lyrics))
        kinds = [TEXT_TYPES.get(kind, TEXT) for kind in music.texts.side("kind")]
        self._add_strings("texts", music.texts.side("text"), kinds)
        kinds = [CUE if kind == "cue" else MARKER for kind in music.markers.side("kind")]
        self._add_strings("markers", music.markers.side("text"), kinds)
        kinds = [MARKER if group == "marker" else TEXT for group in music.annotations.side("group")]
        self._add_strings("annotations", music.annotations.side("annotation"), kinds)
        for track, place in zip(music.tracks, places, strict=True):
            if not len(track.lyrics):
                continue
            for time, text in zip(track.lyrics.array["time"].tolist(), track.lyrics.side("lyric"), strict=True):
                in_range(time, 0, MAX_TIME, f"{track.name}: time of a lyric")
                self._add((place.midi_track, time, -1), LYRIC, self._encode(text, "a lyric"))

    def _add_strings(self, name: str, texts: Sequence[object], kinds: Sequence[int]) -> None:
        for i, (row, text, kind) in enumerate(zip(self._rows(name), texts, kinds, strict=True)):
            if isinstance(text, str):
                self._add(row, kind, self._encode(text, f"{name}[{i}]"))


def sharps_of(root: int, fifths: int | None, mode: str | None, root_str: str | None = None) -> int | None:
    """Return the sharps (+) or flats (−) of a key, −7 to 7, or None where the key says too little.

    fifths counts unless root and mode contradict it. A keynote alone has two spellings at most: the one with fewer
    accidentals is chosen, and flats where both have six, unless `root_str` is spelled with a sharp.
    """
    offset = MODES.get(mode or "major")
    if offset is None or root < 0:
        return fifths if fifths is not None and abs(fifths) <= 7 else None
    sharps = (7 * (root - offset)) % 12
    if fifths is not None and abs(fifths) <= 7 and (fifths - sharps) % 12 == 0:
        return fifths
    if root_str and root_str[1:2] == "#" and sharps <= 7:
        return sharps
    return sharps if sharps < 6 else sharps - 12


def _checked(message: bytes, number: int) -> bytes:
    """Return the bytes of a `MidiMessage` if they are a whole message."""
    status = message[0] if message else 0
    lengths = {0xF1: 2, 0xF2: 3, 0xF3: 2, 0xF6: 1, 0xF8: 1, 0xFA: 1, 0xFB: 1, 0xFC: 1, 0xFE: 1}
    if status in (0xF0, 0xF7) or (status == 0xFF and len(message) >= 2):
        return message
    length = (2 if status & 0xE0 == 0xC0 else 3) if 0x80 <= status < 0xF0 else lengths.get(status)
    if length != len(message) or max(message[1:], default=0) > 127:
        raise MIDIError(f"midi_messages[{number}]: {message.hex(' ') or 'no bytes'} is not a MIDI message")
    return message


def _framed(message: bytes) -> bytes:
    """Add the length field that meta and system exclusive messages have in files."""
    if message[0] == 0xFF:
        return message[:2] + encode_number(len(message) - 2) + message[2:]
    if message[0] in (0xF0, 0xF7):
        return message[:1] + encode_number(len(message) - 1) + message[1:]
    return message
