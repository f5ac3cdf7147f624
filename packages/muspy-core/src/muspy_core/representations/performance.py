"""Music → the default and the performance event sequences and back.

Both are note-on, note-off and time-shift events in the layout of `event.py`; the performance sequence has a velocity
event before every note-on as well (388 events; Oore et al., "This time with feeling", 2018). Unlike the event-based
representation they take the notes track after track, so that events at one time stand in the order of the tracks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from muspy_core.events import DEFAULT_VELOCITY
from muspy_core.music import Music
from muspy_core.representations.event import EventLayout, from_event_representation, with_time_shifts
from muspy_core.representations.note import Integers, NoteColumns, as_dtype
from muspy_core.representations.sequence import EventSequence, Indexer, time_shift_events
from muspy_core.timing import DEFAULT_RESOLUTION

LAYOUT = EventLayout()


def get_default_indexer() -> Indexer:
    """Return the vocabulary of the default event sequence: note_on_0–127, note_off_0–127, time_shift_1–100."""
    return Indexer.of_names(
        [
            *(f"note_on_{pitch}" for pitch in range(128)),
            *(f"note_off_{pitch}" for pitch in range(128)),
            *(f"time_shift_{steps}" for steps in range(1, LAYOUT.max_time_shift + 1)),
        ]
    )


def get_performance_indexer() -> Indexer:
    """Return the vocabulary of the performance event sequence: the default one, then velocity_0–31."""
    bins = (f"velocity_{velocity_bin}" for velocity_bin in range(LAYOUT.velocity_bins))
    return Indexer.of_names([*get_default_indexer(), *bins])


class DefaultEventSequence(EventSequence):
    """A sequence of note-on, note-off and time-shift events."""

    def __init__(self, codes: list[int] | None = None, indexer: Mapping[str, int] | None = None) -> None:
        super().__init__(codes, get_default_indexer() if indexer is None else indexer)

    @classmethod
    def to_note_on_event(cls, pitch: int) -> str:
        """Return the name of the note-on event of a pitch."""
        return f"note_on_{pitch}"

    @classmethod
    def to_note_off_event(cls, pitch: int) -> str:
        """Return the name of the note-off event of a pitch."""
        return f"note_off_{pitch}"

    @classmethod
    def to_time_shift_events(cls, time_shift: int) -> list[str]:
        """Return the names of the events of a time shift in steps."""
        return time_shift_events(time_shift, LAYOUT.max_time_shift)


class PerformanceEventSequence(DefaultEventSequence):
    """A sequence of note-on, note-off, time-shift and velocity events."""

    def __init__(self, codes: list[int] | None = None, indexer: Mapping[str, int] | None = None) -> None:
        super().__init__(codes, get_performance_indexer() if indexer is None else indexer)

    @classmethod
    def to_velocity_event(cls, velocity: int) -> str:
        """Return the name of the event of a velocity 0–127."""
        return f"velocity_{velocity // 4}"


def to_default_event_sequence(music: Music, resolution: int | None = None) -> DefaultEventSequence:
    """Return music as a default event sequence.

    resolution: time steps per quarter note to count in; by default the music's own. The music is not changed.
    Raises `NoNotesError` (a RuntimeError) without a note, `RepresentationError` for a pitch that is not 0–127.
    """
    return DefaultEventSequence(_codes(music, resolution, encode_velocity=False).tolist())


def to_default_event_representation(music: Music, dtype: DTypeLike = int) -> NDArray[Any]:
    """Encode music as the codes of its default event sequence, (M,); raises as `to_default_event_sequence` does."""
    return as_dtype(_codes(music, None, encode_velocity=False), dtype)


def to_performance_event_sequence(music: Music, resolution: int | None = None) -> PerformanceEventSequence:
    """Return music as a performance event sequence.

    resolution: time steps per quarter note to count in; by default the music's own. The music is not changed.
    Raises `NoNotesError` (a RuntimeError) without a note, `RepresentationError` for a pitch or velocity that is not
    0–127.
    """
    return PerformanceEventSequence(_codes(music, resolution, encode_velocity=True).tolist())


def to_performance_event_representation(music: Music, dtype: DTypeLike = int) -> NDArray[Any]:
    """Encode music as the codes of its performance event sequence, (M,).

    Raises as `to_performance_event_sequence` does.
    """
    return as_dtype(_codes(music, None, encode_velocity=True), dtype)


def from_default_event_representation(
    array: ArrayLike | EventSequence,
    resolution: int = DEFAULT_RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    default_velocity: int = DEFAULT_VELOCITY,
    duplicate_note_mode: str = "fifo",
) -> Music:
    """Decode a default event sequence, or the array of its codes, into music with one track.

    See `from_event_representation` for the arguments, for what is skipped and for the errors.
    """
    codes = np.asarray(array)
    codes = codes[codes < LAYOUT.velocity]
    return from_event_representation(
        codes, resolution, program, is_drum, default_velocity=default_velocity, duplicate_note_mode=duplicate_note_mode
    )


def from_performance_event_representation(
    array: ArrayLike | EventSequence,
    resolution: int = DEFAULT_RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    default_velocity: int = DEFAULT_VELOCITY,
    duplicate_note_mode: str = "fifo",
) -> Music:
    """Decode a performance event sequence, or the array of its codes, into music with one track.

    Velocities come back as the lowest of their bin of four. See `from_event_representation` for the arguments, for what
    is skipped and for the errors.
    """
    return from_event_representation(
        np.asarray(array),
        resolution,
        program,
        is_drum,
        default_velocity=default_velocity,
        duplicate_note_mode=duplicate_note_mode,
    )


def _codes(music: Music, resolution: int | None, *, encode_velocity: bool) -> Integers:
    """(events,), the codes of all notes: velocity, note-on, note-off, sorted stably by time."""
    notes = NoteColumns.of(music).require().require_midi(velocities=encode_velocity)
    notes = notes.at_resolution(music.resolution if resolution is None else resolution, music.resolution)
    times = [notes.time, notes.end]
    codes = [notes.pitch, LAYOUT.note_off + notes.pitch]
    if encode_velocity:
        times.insert(0, notes.time)
        codes.insert(0, LAYOUT.velocity + LAYOUT.bin_of(notes.velocity))
    all_times = np.stack(times, axis=1).reshape(-1)
    order = np.argsort(all_times, kind="stable")
    return with_time_shifts(all_times[order], np.stack(codes, axis=1).reshape(-1)[order], LAYOUT)
