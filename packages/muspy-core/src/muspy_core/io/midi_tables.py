"""MIDI bytes → tables of events: the file's frame, and the choice between the two backends (before midi.py).

A MIDI file is a header and chunks; the bodies of its track chunks go to `_midi.c`, or where that is not built to
`_midi_twin.py`, which gives the same tables. A *group* becomes one `Track`: the notes and controls of one MIDI track,
channel and program.
"""

from __future__ import annotations

import array
import dataclasses
import functools
import logging
import os
import struct
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import Table, dtype_of
from muspy_core.errors import MIDIError
from muspy_core.events import Aftertouch, ControlChange, Note, NoteOff, PitchBend, ProgramChange

logger = logging.getLogger(__name__)

ABI = 1  # the same number stands in _midi.c
MODES = ("fifo", "lifo", "all")
GROUP_KINDS = (Note, ControlChange, PitchBend, Aftertouch, ProgramChange, NoteOff)

# `start` holds the first row of the group in the table of each kind; the next group's start is its end.
GROUP = np.dtype(
    [(name, "i4") for name in ("midi_track", "channel", "program", "bank", "off_kind", "off_velocity")]
    + [("start", "i4", (len(GROUP_KINDS),))]
)
TEMPO = np.dtype([("time", "i8"), ("microseconds", "u4"), ("midi_track", "i4"), ("order", "i4")])
# offset, length: the payload of a meta or system exclusive message, the data bytes of any other.
MESSAGE = np.dtype(
    [
        *[("time", "i8"), ("offset", "u4"), ("length", "u4"), ("midi_track", "i4"), ("order", "i4")],
        *[("status", "u1"), ("type", "u1")],
    ]
)
FAULT = np.dtype([("code", "i4"), ("midi_track", "i4"), ("offset", "u4")])

FAULTS = {
    1: "ends inside a message",
    2: "holds a number longer than 4 bytes",
    3: "holds a data byte above 127",
    4: "holds a data byte that no status byte precedes",
    5: "holds an undefined status byte",
}
MAX_MIDI_TRACKS = 32767
MAX_TRACKS = 10_000
MAX_MESSAGES = 200_000  # that are kept one by one, as Python values; files of music have hundreds
MAX_TWIN_SIZE = 16 * 1024 * 1024  # the twin needs some 100 bytes of memory for each byte of the file

Backend = Callable[[bytes, bytes, int, bool], "tuple[bytes | bytearray | NDArray[Any], ...]"]


@dataclasses.dataclass(frozen=True)
class MidiTables:
    """A MIDI file as tables.

    data: the bytes that the offsets of `messages` count in. format: 0, 1 or 2. division: the header's field, a signed
    16-bit number. n_midi_tracks: number of track chunks read. kinds: for each of `GROUP_KINDS` its rows, group by
    group. dropped: one sentence for each damage, when reading was tolerant.
    """

    data: bytes
    format: int
    division: int
    n_midi_tracks: int
    groups: Table
    kinds: tuple[Table, ...]
    tempos: Table
    messages: Table
    dropped: list[str]


@functools.cache
def _choose(setting: str) -> tuple[Literal["c", "python"], Backend]:
    from muspy_core.io import _midi_twin

    if setting != "0":
        try:
            from muspy_core.io import _midi
        except ImportError:
            logger.info("MIDI is parsed in Python: the compiled parser was not built")
        else:
            if _midi.ABI == ABI:
                return "c", _midi.parse
            logger.warning("MIDI is parsed in Python: the compiled parser is of another version; reinstall muspy-core")
    return "python", _midi_twin.parse


def backend() -> Literal["c", "python"]:
    """Return which parser reads MIDI: "c" (compiled) or "python" (its twin, slower, with the same results).

    The environment variable `MUSPY_CORE_EXTENSION=0` chooses the twin where both exist.
    """
    return _choose(os.environ.get("MUSPY_CORE_EXTENSION", "auto"))[0]


def parse_midi(data: bytes, name: str, duplicate_note_mode: str, tolerant: bool) -> MidiTables:
    """Parse a MIDI file (or one in a RIFF wrapper).

    Args:
        data: The file.
        name: Its name, for messages.
        duplicate_note_mode: Which of several open notes of a pitch a note-off closes: "fifo", "lifo" or "all".
        tolerant: Keep what stands before each damage instead of raising.

    Raises MIDIError if the file is damaged (if `tolerant`: if nothing can be read from it).
    """
    frame = _Frame(data, name, tolerant)
    which, parse = _choose(os.environ.get("MUSPY_CORE_EXTENSION", "auto"))
    if which == "python" and len(frame.data) > MAX_TWIN_SIZE:
        frame.stop(
            f"is larger than {MAX_TWIN_SIZE >> 20} MiB, the limit without the compiled parser (see `backend`)", 0
        )
    spans = array.array("I", frame.spans).tobytes()
    parsed = parse(frame.data, spans, MODES.index(duplicate_note_mode), tolerant)
    for fault in np.frombuffer(parsed[9], FAULT).tolist():
        code, midi_track, offset = fault
        frame.damage(f"track {midi_track + 1} of {frame.n_midi_tracks} {FAULTS[code]}", offset)
    groups, messages = np.frombuffer(parsed[6], GROUP), np.frombuffer(parsed[8], MESSAGE)
    if len(groups) > MAX_TRACKS:
        frame.stop(
            f"makes {len(groups):,} tracks of its MIDI tracks, channels and programs; the limit is {MAX_TRACKS:,}", 0
        )
    if len(messages) > MAX_MESSAGES:
        frame.stop(f"holds {len(messages):,} messages that are no notes or controls; the limit is {MAX_MESSAGES:,}", 0)
    return MidiTables(
        data=frame.data,
        format=frame.format,
        division=frame.division,
        n_midi_tracks=frame.n_midi_tracks,
        groups=groups,
        kinds=tuple(np.frombuffer(rows, dtype_of(kind)) for kind, rows in zip(GROUP_KINDS, parsed[:6], strict=True)),
        tempos=np.frombuffer(parsed[7], TEMPO),
        messages=messages,
        dropped=frame.dropped,
    )


class _Frame:
    """The header and the places of the track bodies.

    spans: begin and end of each body, flat. Offsets in messages count from the start of the whole file.
    """

    def __init__(self, data: bytes, name: str, tolerant: bool) -> None:
        self.name, self.tolerant = name, tolerant
        self.base = 0
        self.dropped: list[str] = []
        self.spans: list[int] = []
        self.data = self._unwrap(data)
        start = self._read_header()
        self._find_tracks(start)

    @property
    def n_midi_tracks(self) -> int:
        return len(self.spans) // 2

    def stop(self, reason: str, offset: int) -> None:
        raise MIDIError(f"{self.name}: {reason} (offset {self.base + offset})")

    def damage(self, reason: str, offset: int) -> None:
        """Raise the reason, or note it if damage is tolerated."""
        message = f"{reason} (offset {self.base + offset})"
        if not self.tolerant:
            raise MIDIError(f"{self.name}: {message}; use tolerant=True to keep what was read")
        self.dropped.append(message)

    def _unwrap(self, data: bytes) -> bytes:
        """Return the MIDI file inside a RIFF file of type RMID, or the data as they are."""
        if data[:4] != b"RIFF" or data[8:12] != b"RMID":
            return data
        at = 12
        while at + 8 <= len(data):
            kind, size = struct.unpack_from("<4sI", data, at)
            if kind == b"data":
                self.base = at + 8
                return data[at + 8 : at + 8 + size]
            at += 8 + size + (size & 1)
        self.stop("is a RIFF file without a `data` chunk", len(data))
        raise AssertionError

    def _read_header(self) -> int:
        data = self.data
        if not data:
            self.stop("is empty", 0)
        if data[:4] != b"MThd":
            self.stop(f"is no MIDI file: it starts with {data[:4]!r} instead of b'MThd'", 0)
        if len(data) < 14:
            self.stop("ends inside the header", len(data))
        length, self.format, self.declared, self.division = struct.unpack_from(">IHHh", data, 4)
        if length < 6:
            self.stop(f"claims a header of {length} bytes instead of 6", 4)
        if self.format > 2:
            self.damage(f"claims format {self.format} instead of 0, 1 or 2", 8)
            self.format = 1
        if self.division == 0 or (self.division < 0 and not self.division & 0xFF):
            self.stop("counts 0 ticks a quarter note or frame", 12)
        return 8 + int(length)

    def _find_tracks(self, at: int) -> None:
        data, size = self.data, len(self.data)
        while self.n_midi_tracks < self.declared or self.tolerant:
            if at + 8 > size:
                break
            kind, length = struct.unpack_from(">4sI", data, at)
            begin = at + 8
            at = begin + length
            if kind == b"MTrk":
                if at > size:
                    self.damage(f"ends inside track {self.n_midi_tracks + 1} of {self.declared}", size)
                    at = self._next_track(begin)
                self.spans += (begin, at)
            elif at > size:
                if not self.tolerant:
                    break
                at = self._next_track(begin - 7)
        if self.n_midi_tracks != self.declared:
            self.damage(
                f"holds {self.n_midi_tracks} of the {self.declared} tracks that its header claims", min(at, size)
            )
        if self.n_midi_tracks > MAX_MIDI_TRACKS:
            self.stop(f"holds {self.n_midi_tracks:,} tracks; {MAX_MIDI_TRACKS:,} are the limit", 10)

    def _next_track(self, begin: int) -> int:
        found = self.data.find(b"MTrk", begin)
        return len(self.data) if found < 0 else found


def smpte_resolution(frames_per_second: int, ticks_per_frame: int) -> int:
    """Return the ticks in half a second, which is a quarter note at 120 qpm; 29 stands for 30000/1001 frames."""
    rate = 30000 / 1001 if frames_per_second == 29 else frames_per_second
    return max(round(rate * ticks_per_frame / 2), 1)
