"""Music → note-on, note-off, time-shift and velocity events and back: the event-based representation.

The layout is that of MusPy (MusPy paper, Table 3; Oore et al., "This time with feeling", 2018):

    0–127      note on
    128–255    note off (with a single note-off event: 128 alone, and what follows moves down by 127)
    256–355    time shift by 1–100 steps (`max_time_shift` codes)
    356–387    velocity bin (`velocity_bins` codes; in the vocabulary also where velocities are not encoded)
    388        end of sequence, if used
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from muspy_core.events import DEFAULT_VELOCITY
from muspy_core.music import Music
from muspy_core.representations.note import Integers, NoteColumns, as_dtype, as_integers
from muspy_core.representations.pairing import duplicate_note_mode as checked_mode
from muspy_core.representations.pairing import pair_events
from muspy_core.timing import DEFAULT_RESOLUTION

N_PITCHES = 128


@dataclasses.dataclass(frozen=True)
class EventLayout:
    """Where each kind of event begins in the vocabulary."""

    single_note_off: bool = False
    max_time_shift: int = 100
    velocity_bins: int = 32
    end_of_sequence: bool = False

    def __post_init__(self) -> None:
        if self.max_time_shift < 1:
            raise ValueError(f"max_time_shift must be at least 1, got {self.max_time_shift}")
        if self.velocity_bins < 0:
            raise ValueError(f"velocity_bins must not be negative, got {self.velocity_bins}")

    @property
    def note_off(self) -> int:
        """First note-off code."""
        return N_PITCHES

    @property
    def time_shift(self) -> int:
        """First time-shift code, a shift by one step."""
        return self.note_off + (1 if self.single_note_off else N_PITCHES)

    @property
    def velocity(self) -> int:
        """First velocity code."""
        return self.time_shift + self.max_time_shift

    @property
    def eos(self) -> int:
        """Code of the end of the sequence, whether it is used or not."""
        return self.velocity + self.velocity_bins

    @property
    def size(self) -> int:
        """Size of the vocabulary."""
        return self.eos + self.end_of_sequence

    def bin_of(self, velocities: Integers) -> Integers:
        """Return the bins that velocities fall in."""
        return velocities * self.velocity_bins // 128

    def velocity_of(self, bins: Integers) -> Integers:
        """Return the lowest velocity of each bin, rounded down, as MusPy decodes it."""
        return (bins * (128 / max(self.velocity_bins, 1))).astype(np.int64)


def to_event_representation(
    music: Music,
    use_single_note_off_event: bool = False,
    use_end_of_sequence_event: bool = False,
    encode_velocity: bool = False,
    force_velocity_event: bool = True,
    max_time_shift: int = 100,
    velocity_bins: int = 32,
    dtype: DTypeLike = int,
) -> NDArray[Any]:
    """Encode music as a sequence of event codes (see the module for the layout).

    All tracks are merged, drums included. Events at one time stand in the order of their notes, sorted by time, pitch,
    duration and velocity: velocity, note-on, and then the note-off where its time comes. A time shift longer than
    `max_time_shift` takes several events, and nothing follows the last note-off.

    Args:
        music: The music.
        use_single_note_off_event: Whether one code ends all sounding notes.
        use_end_of_sequence_event: Whether the sequence ends with a code of its own; music may then lack notes.
        encode_velocity: Whether there are velocity events.
        force_velocity_event: Whether each note has one; else only those whose bin differs from the last.
        max_time_shift: Longest time shift of one event, in steps.
        velocity_bins: Number of velocity bins.
        dtype: Type of the array.

    Returns (M, 1) for M events. Raises `NoNotesError` (a RuntimeError) without a note, `RepresentationError` for a
    pitch or encoded velocity that is not 0–127 or a code that does not fit the dtype.
    """
    layout = EventLayout(use_single_note_off_event, max_time_shift, velocity_bins, use_end_of_sequence_event)
    notes = NoteColumns.of(music)
    if not use_end_of_sequence_event:
        notes = notes.require()
    notes = notes.require_midi(velocities=encode_velocity).sorted()
    offs = np.full(len(notes), layout.note_off) + (0 if use_single_note_off_event else notes.pitch)
    if encode_velocity:
        bins = layout.bin_of(notes.velocity)
        shown = np.ones((len(notes), 3), bool)
        if not force_velocity_event:
            shown[1:, 0] = bins[1:] != bins[:-1]
        times = np.stack([notes.time, notes.time, notes.end], axis=1)[shown]
        codes = np.stack([layout.velocity + bins, notes.pitch, offs], axis=1)[shown]
    else:
        times = np.stack([notes.time, notes.end], axis=1).reshape(-1)
        codes = np.stack([notes.pitch, offs], axis=1).reshape(-1)
    order = np.argsort(times, kind="stable")
    sequence = with_time_shifts(times[order], codes[order], layout)
    if use_end_of_sequence_event:
        sequence = np.append(sequence, layout.eos)
    return as_dtype(sequence.reshape(-1, 1), dtype)


def with_time_shifts(times: Integers, codes: Integers, layout: EventLayout) -> Integers:
    """Insert time-shift codes between events sorted by time, and before the first if it is later than 0.

    times, codes: (events,). Returns (events + time shifts,).
    """
    if not len(times):
        return codes
    shifts = np.diff(np.maximum(times, 0), prepend=0)
    counts = -(-shifts // layout.max_time_shift)
    places = np.cumsum(counts + 1) - 1
    sequence = np.full(int(places[-1]) + 1, layout.time_shift + layout.max_time_shift - 1)
    sequence[places] = codes
    # The last time shift before an event is what the full ones leave, 1 to `max_time_shift`.
    shifted = np.flatnonzero(counts)
    last = shifts[shifted] - (counts[shifted] - 1) * layout.max_time_shift
    sequence[places[shifted] - 1] = layout.time_shift + last - 1
    return sequence


def from_event_representation(
    array: NDArray[Any],
    resolution: int = DEFAULT_RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    use_single_note_off_event: bool = False,
    use_end_of_sequence_event: bool = False,
    max_time_shift: int = 100,
    velocity_bins: int = 32,
    default_velocity: int = DEFAULT_VELOCITY,
    duplicate_note_mode: str = "fifo",
) -> Music:
    """Decode a sequence of event codes into music with one track.

    Codes outside the vocabulary and note-offs that end nothing are skipped, notes that nothing ends are dropped, and
    what follows an end-of-sequence event is not read.

    Args:
        array: Integers of any shape, read in order.
        resolution: Time steps per quarter note.
        program: General MIDI program of the track.
        is_drum: Whether it is a percussion track.
        use_single_note_off_event: Whether one code ends all sounding notes.
        use_end_of_sequence_event: Whether the vocabulary has an end-of-sequence event.
        max_time_shift: Longest time shift of one event, in steps.
        velocity_bins: Number of velocity bins.
        default_velocity: Velocity of the notes before the first velocity event.
        duplicate_note_mode: Which of several sounding notes of its pitch a note-off ends: "fifo" (the first), "lifo"
            (the last) or "all".

    Raises TypeError unless the array is of integers, ValueError for an unknown mode.
    """
    mode = checked_mode(duplicate_note_mode)
    layout = EventLayout(use_single_note_off_event, max_time_shift, velocity_bins, use_end_of_sequence_event)
    codes = as_integers(array).reshape(-1)
    if use_end_of_sequence_event:
        codes = codes[: int(np.argmax(np.append(codes, layout.eos) == layout.eos))]
    codes = codes[(codes >= 0) & (codes < layout.eos)]
    times, velocities = running_state(codes, layout, default_velocity)
    note = np.flatnonzero(codes < layout.time_shift)
    is_on = codes[note] < layout.note_off
    if use_single_note_off_event:
        ons, offs = pair_events(np.zeros(len(note), np.int64), is_on, "all")
    else:
        ons, offs = pair_events(codes[note] % N_PITCHES, is_on, mode)
    ons, offs = note[ons], note[offs]
    notes = NoteColumns(times[ons], codes[ons], times[offs] - times[ons], velocities[ons])
    return notes.to_music(resolution, program, is_drum)


def running_state(codes: Integers, layout: EventLayout, default_velocity: int) -> tuple[Integers, Integers]:
    """Return the time and the velocity that hold at each event.

    codes: (events,). Returns times (steps) and velocities, each (events,).
    """
    is_shift = (codes >= layout.time_shift) & (codes < layout.velocity)
    times = np.cumsum(np.where(is_shift, codes - layout.time_shift + 1, 0))
    is_velocity = (codes >= layout.velocity) & (codes < layout.eos)
    last = np.maximum.accumulate(np.where(is_velocity, np.arange(len(codes)), -1))
    velocities = layout.velocity_of(codes[last] - layout.velocity) if len(codes) else codes
    return times, np.where(last < 0, int(default_velocity), velocities)
