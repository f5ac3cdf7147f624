"""Tracks → messages of their channels: programs, controls, bends, notes (part of midi_writer.py)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import Table, new_array
from muspy_core.events import OFF_KINDS, Note
from muspy_core.io._midi_messages import MessageBuffer, Rank, in_range
from muspy_core.music import Track

DRUM_CHANNEL = 9
NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, BEND = range(0x80, 0xF0, 0x10)
BANK_SELECT = (0, 32)
BY_NOTE_OFF, BY_NOTE_ON, OPEN = 1, 2, 3
DEFAULT_OFF_VELOCITY = 64
MAX_TIME = 2**40  # far beyond anything a file can reach in steps of 28 bits; keeps sums within 64 bits


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a track is written. is_kept: it was read from there."""

    midi_track: int
    channel: int
    port: int | None
    is_kept: bool


def add_programs(buffer: MessageBuffer, tracks: Sequence[Track], places: Sequence[Place]) -> None:
    """Add the program changes that the tracks need beside those they hold, and their banks.

    A track that was read from a file needs none if it already has one, or plays program 0 from the start.
    """
    has_bank, started = set(), set()
    for track, place in zip(tracks, places, strict=True):
        if np.isin(track.control_changes.array["number"], BANK_SELECT).any():
            has_bank.add((place.midi_track, place.channel))
    for number, (track, place) in enumerate(zip(tracks, places, strict=True)):
        channel = (place.midi_track, place.channel)
        in_range(track.program, 0, 127, f"track {number}: program")
        in_range(place.channel, 0, 15, f"track {number}: channel")
        changes = track.program_changes.array
        own = changes["time"][(changes["program"] == -1) | (changes["program"] == track.program)]
        time = int(own.min()) if len(own) else _start(track) if channel in started else 0
        started.add(channel)
        if track.bank is not None and channel not in has_bank:
            in_range(track.bank, 0, 16383, f"track {number}: bank")
            halves = np.array(divmod(track.bank, 128))
            buffer.add(place.midi_track, time, Rank.PROGRAM, -1, CONTROL | place.channel, np.array(BANK_SELECT), halves)
            has_bank.add(channel)
        if not (len(own) or (place.is_kept and track.program == 0)):
            buffer.add(place.midi_track, time, Rank.PROGRAM, -1, PROGRAM | place.channel, track.program)


def _start(track: Track) -> int:
    """The time of the first note or control of a track."""
    times = [track.notes.array["time"], track.control_changes.array["time"]]
    return int(min((array.min() for array in times if len(array)), default=0))


def add_track(buffer: MessageBuffer, track: Track, place: Place, what: str, use_note_off_message: bool) -> None:
    """Add the messages of a track. what: its name in messages."""
    writer = _Writer(buffer, place, what)
    writer.add_events(track)
    default = BY_NOTE_OFF if use_note_off_message else BY_NOTE_ON
    if track.off_kind is not None:
        default = OFF_KINDS.index(track.off_kind) + 1
    off_velocity = DEFAULT_OFF_VELOCITY if track.off_velocity is None else track.off_velocity
    in_range(off_velocity, 0, 127, f"{what}: off_velocity")
    for notes in (track.notes.array, _notes_of_chords(track)):
        if len(notes):
            writer.add_notes(notes, default, off_velocity)


def _notes_of_chords(track: Track) -> Table:
    """One note for each pitch of each chord."""
    chords, pitches = track.chords.array, track.chords.side("pitches")
    sizes = [len(stack) for stack in pitches]
    notes = new_array(Note, sum(sizes))
    notes["pitch"] = [pitch for stack in pitches for pitch in stack]
    for name in ("time", "duration", "velocity"):
        notes[name] = np.repeat(chords[name], sizes)
    return notes


class _Writer:
    """Adds the rows of one track to the buffer."""

    def __init__(self, buffer: MessageBuffer, place: Place, what: str) -> None:
        self.buffer, self.place, self.what = buffer, place, what

    def add_events(self, track: Track) -> None:
        """Add everything but notes."""
        add = self._add
        rows = self._checked(track.program_changes.array, "program change", program=(-1, 127))
        if rows is not None:
            add(rows, Rank.PROGRAM, PROGRAM, np.where(rows["program"] < 0, track.program, rows["program"]))
        rows = self._checked(track.control_changes.array, "control change", number=(0, 127), value=(0, 127))
        if rows is not None:
            add(rows, Rank.CONTROL, CONTROL, rows["number"], rows["value"])
        rows = self._checked(track.pitch_bends.array, "pitch bend", value=(-8192, 8191))
        if rows is not None:
            value = rows["value"].astype(np.int64) + 8192
            add(rows, Rank.BEND, BEND, value & 0x7F, value >> 7)
        rows = self._checked(track.aftertouches.array, "aftertouch", value=(0, 127), pitch=(-1, 127))
        if rows is not None:
            of_key, of_channel = rows[rows["pitch"] >= 0], rows[rows["pitch"] < 0]
            add(of_key, Rank.AFTERTOUCH, KEY_PRESSURE, of_key["pitch"], of_key["value"])
            add(of_channel, Rank.AFTERTOUCH, CHANNEL_PRESSURE, of_channel["value"])
        rows = self._checked(track.unmatched_note_offs.array, "note-off", pitch=(0, 127), velocity=(0, 127))
        if rows is not None:
            by_note_on = rows["off_kind"] == BY_NOTE_ON
            status = np.where(by_note_on, NOTE_ON, NOTE_OFF)
            add(rows, Rank.NOTE_OFF, status, rows["pitch"], np.where(by_note_on, 0, rows["velocity"]))

    def _add(self, rows: Table, rank: Rank, status: Any, first: Any, second: Any = None) -> None:
        midi_track, channel = self.place.midi_track, self.place.channel
        self.buffer.add(midi_track, rows["time"], rank, rows["order"], status | channel, first, second)

    def _checked(self, rows: Table, kind: str, **ranges: tuple[int, int]) -> Table | None:
        """Return the rows if there are any, after a look at times and values."""
        if not len(rows):
            return None
        in_range(rows["time"], 0, MAX_TIME, f"{self.what}, {kind} {{}}: time")
        for name, (low, high) in ranges.items():
            in_range(rows[name], low, high, f"{self.what}, {kind} {{}}: {name}")
        return rows

    def add_notes(self, notes: Table, default: int, off_velocity: int) -> None:
        """Add notes. default: how those end that do not say it. off_velocity: of those that do not say it."""
        self._checked(
            notes,
            "note",
            pitch=(0, 127),
            velocity=(0, 127),
            duration=(0, MAX_TIME),
            channel=(-1, 15),
            off_velocity=(-1, 127),
        )
        channel = np.where(notes["channel"] < 0, self.place.channel, notes["channel"]).astype(np.int64)
        pitch, time, order, off_order = (notes[name] for name in ("pitch", "time", "order", "off_order"))
        if not self.buffer.keep_order:
            order = off_order = np.full(len(notes), -1)
        kind = np.where(notes["off_kind"] > 0, notes["off_kind"], default)
        unsaid = (notes["off_kind"] == 0) & (notes["off_velocity"] >= 0) & (kind == BY_NOTE_ON)
        kind[unsaid] = BY_NOTE_OFF  # only a note-off can carry the release velocity that the note has
        instant = (notes["duration"] == 0) & (order < 0) & (kind != OPEN)
        velocity = np.maximum(notes["velocity"], 1)
        lasting = np.flatnonzero(~instant)
        self.buffer.add(
            self.place.midi_track,
            *(time[lasting], Rank.NOTE_ON, order[lasting], NOTE_ON | channel[lasting]),
            *(pitch[lasting], velocity[lasting]),
        )
        by_off = kind == BY_NOTE_OFF
        status = np.where(by_off, NOTE_OFF, NOTE_ON) | channel
        release = np.where(by_off, np.where(notes["off_velocity"] < 0, off_velocity, notes["off_velocity"]), 0)
        ended = np.flatnonzero((kind != OPEN) & ~instant)
        ended = ended[_distinct_ends(notes[ended])]
        # The end of a note of no duration may not come before its onset, which has a place in the file.
        places = np.where((off_order < 0) & (notes["duration"] == 0), order, off_order)
        self.buffer.add(
            self.place.midi_track,
            *(time[ended] + notes["duration"][ended], Rank.NOTE_OFF, places[ended]),
            *(status[ended], pitch[ended], release[ended]),
        )
        if instant.any():
            which = np.repeat(np.flatnonzero(instant), 2)
            is_end = np.arange(len(which)) % 2 == 1
            self.buffer.add(
                self.place.midi_track,
                *(time[which], Rank.INSTANT_NOTE, -1),
                np.where(is_end, status[which], NOTE_ON | channel[which]),
                *(pitch[which], np.where(is_end, release[which], velocity[which])),
            )


def _distinct_ends(notes: Table) -> NDArray[Any]:
    """Choose the notes whose end is written: where one message of the file ended several notes, the first of them.

    Notes with the same onset message, too, are copies, of which each has its own end.
    """
    from_file = np.flatnonzero(notes["off_order"] >= 0)
    ends = notes["off_order"][from_file]
    if len(ends) < 2 or len(np.unique(ends)) == len(ends):
        return np.arange(len(notes))
    shared = np.array([notes["off_order"], notes["time"] + notes["duration"], notes["pitch"], notes["order"]])
    _, first_onset = np.unique(shared[:3], axis=1, return_index=True)
    chosen = {tuple(row) for row in shared[:, first_onset].T.tolist()}
    rows = shared.T.tolist()
    return np.array([i for i, row in enumerate(rows) if row[0] < 0 or tuple(row) in chosen])
