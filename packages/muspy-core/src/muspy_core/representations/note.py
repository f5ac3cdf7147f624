"""Music → rows of notes and back: the note-based representation, and the columns that all others start from.

Symbols: N notes. Times are in time steps, pitches are MIDI note numbers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.errors import NoNotesError, RepresentationError
from muspy_core.events import DEFAULT_VELOCITY, Note
from muspy_core.music import Music, Track
from muspy_core.timing import DEFAULT_RESOLUTION, Rescale

Integers = NDArray[np.int64]

COLUMNS = ("time", "pitch", "duration", "velocity")
# Up to here a time and a 16-bit pitch fit one 64-bit key.
LARGEST_PACKED_TIME = 2**46


def to_note_representation(
    music: Music, use_start_end: bool = False, encode_velocity: bool = True, dtype: DTypeLike = int
) -> NDArray[Any]:
    """Encode music as one row a note, sorted by time, pitch, duration and velocity (MusPy paper, Table 3).

    All tracks are merged, drums included.

    Args:
        music: The music.
        use_start_end: Whether the third column is the end of the note instead of its duration.
        encode_velocity: Whether there is a fourth column, the velocity.
        dtype: Type of the array.

    Returns (N, 4) or (N, 3): time, pitch, duration or end, velocity. Raises `NoNotesError` (a RuntimeError) without a
    note, `RepresentationError` if a value does not fit the dtype.
    """
    notes = NoteColumns.of(music).require().sorted()
    columns = [notes.time, notes.pitch, notes.end if use_start_end else notes.duration]
    if encode_velocity:
        columns.append(notes.velocity)
    return as_dtype(np.stack(columns, axis=1), dtype)


def from_note_representation(
    array: NDArray[Any],
    resolution: int = DEFAULT_RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    use_start_end: bool = False,
    encode_velocity: bool = True,
    default_velocity: int = DEFAULT_VELOCITY,
) -> Music:
    """Decode rows of notes into music with one track.

    Args:
        array: (N, 4) integers, or (N, 3) without velocities, in any order of rows.
        resolution: Time steps per quarter note.
        program: General MIDI program of the track.
        is_drum: Whether it is a percussion track.
        use_start_end: Whether the third column is the end of the note instead of its duration.
        encode_velocity: Whether the fourth column is the velocity.
        default_velocity: Velocity of all notes if it is not encoded.

    Raises TypeError unless the array is of integers, `RepresentationError` if it lacks a column.
    """
    rows = as_integers(array)
    needed = 4 if encode_velocity else 3
    if not rows.size:
        rows = np.empty((0, needed), np.int64)
    if rows.ndim != 2 or rows.shape[1] < needed:
        raise RepresentationError(f"expected an array of notes, (N, {needed}), got one of shape {rows.shape}")
    time, pitch, duration = rows[:, 0], rows[:, 1], rows[:, 2]
    if use_start_end:
        duration = duration - time
    velocity = rows[:, 3] if encode_velocity else np.full(len(rows), int(default_velocity))
    return NoteColumns(time, pitch, duration, velocity).to_music(resolution, program, is_drum)


@dataclasses.dataclass(frozen=True)
class NoteColumns:
    """The four numbers of N notes as columns: time, pitch, duration, velocity, each (N,) int64."""

    time: Integers
    pitch: Integers
    duration: Integers
    velocity: Integers

    @classmethod
    def of(cls, music: Music) -> NoteColumns:
        """Return the notes of all tracks, track after track."""
        tables = [track.notes.array for track in music.tracks if len(track.notes)]
        if not tables:
            return cls(*(np.empty(0, np.int64) for _ in COLUMNS))
        return cls(*(np.concatenate([t[name] for t in tables]).astype(np.int64, copy=False) for name in COLUMNS))

    def __len__(self) -> int:
        return len(self.time)

    @property
    def end(self) -> Integers:
        """(N,), time + duration."""
        return self.time + self.duration

    def require(self) -> NoteColumns:
        """Return the notes; raises `NoNotesError` if there are none."""
        if not len(self):
            raise NoNotesError("No notes found. An empty piece has no representation; leave it out of the data")
        return self

    def require_midi(self, velocities: bool = False) -> NoteColumns:
        """Return the notes; raises `RepresentationError` for a pitch (or velocity) that is not 0–127."""
        for name in ("pitch", "velocity") if velocities else ("pitch",):
            values: Integers = getattr(self, name)
            wrong = (values < 0) | (values > 127)
            if wrong.any():
                index = int(np.argmax(wrong))
                raise RepresentationError(
                    f"the note at time {self.time[index]} has {name} {values[index]}; only 0–127 can be encoded"
                )
        return self

    def take(self, index: Any) -> NoteColumns:
        """Return the notes chosen by an array of indices or a mask."""
        return NoteColumns(self.time[index], self.pitch[index], self.duration[index], self.velocity[index])

    def sorted(self) -> NoteColumns:
        """Return the notes sorted by time, pitch, duration and velocity."""
        if len(self) < 2:
            return self
        if self.time.min() < -LARGEST_PACKED_TIME or self.time.max() > LARGEST_PACKED_TIME:
            return self.take(np.lexsort((self.velocity, self.duration, self.pitch, self.time)))
        # One key sorts several times faster than four; the other two are needed only where it ties.
        key = self.time * 2**16 + self.pitch
        if (key[1:] > key[:-1]).all():
            return self
        order = np.argsort(key, kind="stable")
        in_order = key[order]
        ties = in_order[1:] == in_order[:-1]
        if ties.any():
            tied = np.flatnonzero(np.append(ties, False) | np.append(False, ties))
            rows = order[tied]
            order[tied] = rows[np.lexsort((self.velocity[rows], self.duration[rows], key[rows]))]
        return self.take(order)

    def at_resolution(self, target: int, resolution: int) -> NoteColumns:
        """Return the notes rescaled as `Music.adjust_resolution` does; a duration stays at least one step."""
        if target == resolution:
            return self
        scale = Rescale(target, resolution)
        start = scale(self.time)
        duration = scale(self.end) - start
        kept = np.where(self.duration > 0, np.maximum(duration, 1), duration)
        return NoteColumns(start, self.pitch, kept, self.velocity)

    def to_list(self) -> EventList[Note]:
        """Return an event list in the columnar state, sorted; raises `RepresentationError` if a value is too large."""
        notes = self.sorted()
        table = new_array(Note, len(notes))
        for name in COLUMNS:
            values: Integers = getattr(notes, name)
            table[name] = values
            if (table[name] != values).any():
                index = int(np.argmax(table[name] != values))
                raise RepresentationError(f"note {index}: {name} {values[index]} is out of range")
        return EventList.from_columns(Note, table)

    def to_music(self, resolution: int, program: int, is_drum: bool) -> Music:
        """Return music with these notes in its only track."""
        return Music(resolution=resolution, tracks=[Track(program, is_drum, notes=self.to_list())])


def as_integers(array: Any) -> Integers:
    """Return an array of integers as int64; raises TypeError for any other type."""
    values = np.asarray(array)
    if not np.issubdtype(values.dtype, np.integer):
        raise TypeError(f"Array must be of type int, got {values.dtype}; convert it, e.g. by array.astype(int)")
    return values.astype(np.int64, copy=False)


def as_dtype(codes: Integers, dtype: DTypeLike | None) -> NDArray[Any]:
    """Return codes as an array of a dtype (None: int); raises `RepresentationError` if one does not fit it."""
    target = np.dtype(int if dtype is None else dtype)
    if target.kind in "iu" and not np.can_cast(codes.dtype, target) and codes.size:
        bounds = np.iinfo(target)
        low, high = int(codes.min()), int(codes.max())
        if low < bounds.min or high > bounds.max:
            worst = low if low < bounds.min else high
            raise RepresentationError(f"{worst} does not fit {target}; choose a wider dtype")
    return codes.astype(target, copy=False)
