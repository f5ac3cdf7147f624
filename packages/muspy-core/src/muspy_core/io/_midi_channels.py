"""Tracks → messages of their channels: programs, controls, bends, notes (part of midi_writer.py).

The rows of all tracks are gathered into one table for each kind, so that many short tracks cost no more calls than few
long ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import Table, new_array
from muspy_core.events import OFF_KINDS, Note
from muspy_core.io._midi_messages import MessageBuffer, Rank, has_repeats, in_range
from muspy_core.track import Track

Ints = NDArray[np.int64]

DRUM_CHANNEL = 9
NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, BEND = range(0x80, 0xF0, 0x10)
BANK_SELECT = (0, 32)
BY_NOTE_OFF, BY_NOTE_ON, OPEN = 1, 2, 3
DEFAULT_OFF_VELOCITY = 64
MAX_TIME = 2**40  # far beyond anything a file can reach in steps of 28 bits; keeps sums within 64 bits
SEVEN_BITS = (0, 127)
ORDERS = ("order", "off_order")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a track is written. is_kept: it was read from there."""

    midi_track: int
    channel: int
    port: int | None
    is_kept: bool


def add_tracks(
    buffer: MessageBuffer, tracks: Sequence[Track], places: Sequence[Place], use_note_off_message: bool
) -> None:
    """Add the messages of all tracks."""
    for number, (track, place) in enumerate(zip(tracks, places, strict=True)):
        in_range(track.program, 0, 127, f"{_title(number, track)}: program")
        in_range(place.channel, 0, 15, f"{_title(number, track)}: channel")
        in_range(track.off_velocity or 0, 0, 127, f"{_title(number, track)}: off_velocity")
        in_range(track.bank or 0, 0, 16383, f"{_title(number, track)}: bank")
    _add_programs(buffer, tracks, places)
    writer = _Writer(buffer, tracks, places)
    writer.add_controls()
    writer.add_notes(BY_NOTE_OFF if use_note_off_message else BY_NOTE_ON)


def _title(number: int, track: Track) -> str:
    return f"track {number} ({track.name})" if track.name else f"track {number}"


def _add_programs(buffer: MessageBuffer, tracks: Sequence[Track], places: Sequence[Place]) -> None:
    """Add the program changes that the tracks need beside those they hold, and their banks.

    A track that was read from a file needs none if it already has one, or plays program 0 from the start.
    """
    has_bank, started = set(), set()
    if any(track.bank is not None for track in tracks):
        for track, place in zip(tracks, places, strict=True):
            if len(track.control_changes) and np.isin(track.control_changes.array["number"], BANK_SELECT).any():
                has_bank.add((place.midi_track, place.channel))
    for track, place in zip(tracks, places, strict=True):
        channel = (place.midi_track, place.channel)
        time = _own_program_change(track)
        is_stated = time is not None
        if time is None:
            time = _start(track) if channel in started else 0
        started.add(channel)
        if track.bank is not None and channel not in has_bank:
            for number, value in zip(BANK_SELECT, divmod(track.bank, 128), strict=True):
                buffer.add(place.midi_track, time, Rank.BANK, -1, CONTROL | place.channel, number, value)
            has_bank.add(channel)
        if not (is_stated or (place.is_kept and track.program == 0)):
            buffer.add(place.midi_track, time, Rank.PROGRAM, -1, PROGRAM | place.channel, track.program)


def _own_program_change(track: Track) -> int | None:
    """The time of the first change to the track's own program that the track holds."""
    if not len(track.program_changes):
        return None
    changes = track.program_changes.array
    own = changes["time"][(changes["program"] == -1) | (changes["program"] == track.program)]
    return int(own.min()) if len(own) else None


def _start(track: Track) -> int:
    """The time of the first note or control of a track."""
    starts = [events.array["time"].min() for events in (track.notes, track.control_changes) if len(events)]
    return int(min(starts, default=0))


@dataclasses.dataclass(frozen=True)
class _Rows:
    """Rows of one kind. table: of all tracks. track: (rows,), the number of the track of each."""

    table: Table
    track: Ints

    def __getitem__(self, chosen: Any) -> _Rows:
        return _Rows(self.table[chosen], self.track[chosen])


class _Writer:
    """Adds the rows of all tracks to the buffer."""

    def __init__(self, buffer: MessageBuffer, tracks: Sequence[Track], places: Sequence[Place]) -> None:
        self.buffer, self.tracks = buffer, tracks
        self.midi_track = np.array([place.midi_track for place in places], np.int64)
        self.channel = np.array([place.channel for place in places], np.int64)

    def _gather(self, name: str, kind: str, **ranges: tuple[int, int]) -> Iterator[_Rows]:
        """Yield the rows of a list of all tracks, if there are any, after a look at times and values."""
        lists = [getattr(track, name) for track in self.tracks]
        tables = [events.array for events in lists if len(events)]
        if tables:
            # As raw rows: NumPy would compare the fields of each two tables.
            raw = np.concatenate([table.view(np.dtype((np.void, table.itemsize))) for table in tables])
            track = np.repeat(np.arange(len(lists)), [len(events) for events in lists])
            yield self._checked(_Rows(raw.view(tables[0].dtype), track), kind, ranges)

    def _checked(self, rows: _Rows, kind: str, ranges: dict[str, tuple[int, int]]) -> _Rows:
        for name, (low, high) in {"time": (0, MAX_TIME), **ranges}.items():
            values = rows.table[name]
            if values.min() < low or values.max() > high:
                place = int(np.flatnonzero((values < low) | (values > high))[0])
                number = int(rows.track[place])
                place -= int(np.searchsorted(rows.track, number))
                what = f"{_title(number, self.tracks[number])}, {kind} {place}: {name}"
                in_range(values[rows.track == number], low, high, what)
        return rows

    def _add(self, rows: _Rows, rank: Rank | Ints, status: Any, first: Any, second: Any = None) -> None:
        table, track = rows.table, rows.track
        status = status | self.channel[track]
        self.buffer.add(self.midi_track[track], table["time"], rank, table["order"], status, first, second)

    def add_controls(self) -> None:
        """Add everything but notes."""
        for rows in self._gather("program_changes", "program change", program=(-1, 127)):
            own = np.array([track.program for track in self.tracks])[rows.track]
            program = rows.table["program"]
            self._add(rows, Rank.PROGRAM, PROGRAM, np.where(program < 0, own, program))
        for rows in self._gather("control_changes", "control change", number=SEVEN_BITS, value=SEVEN_BITS):
            number = rows.table["number"]
            rank = np.where(np.isin(number, BANK_SELECT), Rank.BANK, Rank.CONTROL)
            self._add(rows, rank, CONTROL, number, rows.table["value"])
        for rows in self._gather("pitch_bends", "pitch bend", value=(-8192, 8191)):
            value = rows.table["value"].astype(np.int64) + 8192
            self._add(rows, Rank.BEND, BEND, value & 0x7F, value >> 7)
        for rows in self._gather("aftertouches", "aftertouch", value=SEVEN_BITS, pitch=(-1, 127)):
            key, channel = rows[rows.table["pitch"] >= 0], rows[rows.table["pitch"] < 0]
            self._add(key, Rank.AFTERTOUCH, KEY_PRESSURE, key.table["pitch"], key.table["value"])
            self._add(channel, Rank.AFTERTOUCH, CHANNEL_PRESSURE, channel.table["value"])
        for rows in self._gather("unmatched_note_offs", "note-off", pitch=SEVEN_BITS, velocity=SEVEN_BITS):
            by_note_on = rows.table["off_kind"] == BY_NOTE_ON
            status = np.where(by_note_on, NOTE_ON, NOTE_OFF)
            velocity = np.where(by_note_on, 0, rows.table["velocity"])
            self._add(rows, Rank.NOTE_OFF, status, rows.table["pitch"], velocity)

    def add_notes(self, default: int) -> None:
        """Add notes and chords. default: how notes end where neither they nor their tracks say it."""
        ranges = dict(pitch=SEVEN_BITS, velocity=SEVEN_BITS, duration=(0, MAX_TIME))
        for rows in self._gather("notes", "note", **ranges, channel=(-1, 15), off_velocity=(-1, 127)):
            self._add_notes(rows, default)
        for number, track in enumerate(self.tracks):
            if len(track.chords) and len(notes := _notes_of_chords(track)):
                rows = _Rows(notes, np.full(len(notes), number))
                self._add_notes(self._checked(rows, "note of the chords", ranges), default)

    def _ends(self, rows: _Rows, default: int) -> tuple[Ints, Ints]:
        """How each note ends, and with which velocity."""
        kinds = [OFF_KINDS.index(track.off_kind) + 1 if track.off_kind else default for track in self.tracks]
        velocities = [DEFAULT_OFF_VELOCITY if t.off_velocity is None else t.off_velocity for t in self.tracks]
        said, velocity = rows.table["off_kind"], rows.table["off_velocity"]
        kind = np.where(said > 0, said, np.array(kinds)[rows.track])
        # Only a note-off can carry the release velocity that a note has.
        kind[(said == 0) & (velocity >= 0) & (kind == BY_NOTE_ON)] = BY_NOTE_OFF
        velocity = np.where(velocity < 0, np.array(velocities)[rows.track], velocity)
        return kind, np.where(kind == BY_NOTE_OFF, velocity, 0)

    def _add_notes(self, rows: _Rows, default: int) -> None:
        notes = rows.table
        midi_track = self.midi_track[rows.track]
        channel = np.where(notes["channel"] < 0, self.channel[rows.track], notes["channel"])
        kind, release = self._ends(rows, default)
        on, off = NOTE_ON | channel, np.where(kind == BY_NOTE_OFF, NOTE_OFF, NOTE_ON) | channel
        time, pitch, velocity = notes["time"], notes["pitch"], np.maximum(notes["velocity"], 1)
        order, off_order = (notes[name] if self.buffer.keep_order else np.full(len(notes), -1) for name in ORDERS)
        momentary = notes["duration"] == 0
        instant = momentary & (order < 0) & (kind != OPEN)
        # The end of a note of no duration may not come before its onset, which has a place in the file.
        off_order = np.where((off_order < 0) & momentary, order, off_order)
        lasting = ~instant
        self.buffer.add(
            *(midi_track[lasting], time[lasting], Rank.NOTE_ON, order[lasting]),
            *(on[lasting], pitch[lasting], velocity[lasting]),
        )
        ended = np.flatnonzero((kind != OPEN) & lasting)
        ended = _distinct_ends(rows, ended)
        self.buffer.add(
            *(midi_track[ended], (time + notes["duration"])[ended], Rank.NOTE_OFF, off_order[ended]),
            *(off[ended], pitch[ended], release[ended]),
        )
        which = np.repeat(np.flatnonzero(instant), 2)
        is_end = np.arange(len(which)) % 2 == 1
        self.buffer.add(
            *(midi_track[which], time[which], Rank.INSTANT_NOTE, -1, np.where(is_end, off[which], on[which])),
            *(pitch[which], np.where(is_end, release[which], velocity[which])),
        )


def _notes_of_chords(track: Track) -> Table:
    """One note for each pitch of each chord."""
    chords, pitches = track.chords.array, track.chords.side("pitches")
    sizes = [len(stack) for stack in pitches]
    notes = new_array(Note, sum(sizes))
    pitch = np.array([pitch for stack in pitches for pitch in stack], np.int64)
    in_range(pitch, 0, 127, f"{track.name or 'a track'}, chords: pitch")
    notes["pitch"] = pitch
    for name in ("time", "duration", "velocity"):
        notes[name] = np.repeat(chords[name], sizes)
    return notes


def _distinct_ends(rows: _Rows, ended: Ints) -> Ints:
    """Choose the notes whose end is written: where one message of the file ended several notes, the first of them.

    Notes with the same onset message, too, are copies, of which each has its own end.
    """
    off_order = rows.table["off_order"][ended].astype(np.int64)
    message, is_read = rows.track[ended] << 32 | off_order, off_order >= 0
    if not has_repeats(message[is_read]):
        return ended
    notes = rows.table[ended]
    shared = np.array([message, notes["time"] + notes["duration"], notes["pitch"]])
    _, first, group = np.unique(shared, axis=1, return_index=True, return_inverse=True)
    kept: Ints = ended[~is_read | (notes["order"] == notes["order"][first][group.reshape(-1)])]
    return kept
