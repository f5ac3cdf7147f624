"""Music → one pitch a time step and back: the pitch-based representation of melodies (MusPy paper, Table 3).

Symbols: T time steps, up to the end of the last note.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from muspy_core.events import DEFAULT_VELOCITY
from muspy_core.music import Music
from muspy_core.representations.note import NoteColumns, as_dtype, as_integers
from muspy_core.timing import DEFAULT_RESOLUTION

REST = 128
HOLD = 129


def to_pitch_representation(music: Music, use_hold_state: bool = False, dtype: DTypeLike = int) -> NDArray[Any]:
    """Encode music as the pitch that sounds at each time step; made for monophonic melodies.

    All tracks are merged; where notes overlap, the one that starts last (then: the higher, the longer) is written over
    the others. As with MusPy, a rest is 0 without the hold state, so it cannot be told from pitch 0.

    Args:
        music: The music.
        use_hold_state: Whether a note is its pitch once and then 129, and a rest 128.
        dtype: Type of the array.

    Returns (T, 1). Raises `NoNotesError` (a RuntimeError) without a note, `RepresentationError` for a pitch that is
    not 0–127 or a code that does not fit the dtype.
    """
    notes = NoteColumns.of(music).require().require_midi().sorted()
    codes = np.full(max(int(notes.end.max()), 0), REST if use_hold_state else 0, np.int64)
    starts, ends = np.maximum(notes.time, 0).tolist(), np.maximum(notes.end, 0).tolist()
    # A loop: later notes win where notes overlap, and a slice costs less than an index a step.
    for start, end, pitch in zip(starts, ends, notes.pitch.tolist(), strict=True):
        if use_hold_state:
            codes[start : start + 1] = pitch
            codes[start + 1 : end] = HOLD
        else:
            codes[start:end] = pitch
    return as_dtype(codes.reshape(-1, 1), dtype)


def from_pitch_representation(
    array: NDArray[Any],
    resolution: int = DEFAULT_RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    use_hold_state: bool = False,
    default_velocity: int = DEFAULT_VELOCITY,
) -> Music:
    """Decode a sequence of pitches into music with one track; a run of the same pitch is one note.

    Args:
        array: (T, 1) or (T,) integers; 128 is a rest, with or without the hold state.
        resolution: Time steps per quarter note.
        program: General MIDI program of the track.
        is_drum: Whether it is a percussion track.
        use_hold_state: Whether 129 holds the note before it; one that follows a rest is skipped.
        default_velocity: Velocity of all notes.

    Raises TypeError unless the array is of integers.
    """
    codes = as_integers(array).reshape(-1)
    edges = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
    starts, lengths, values = edges[:-1], np.diff(edges), codes[edges[:-1]]
    is_note = values != REST
    if use_hold_state:
        is_hold = values == HOLD
        # Runs differ from their neighbours, so a run of holds that follows a note extends just that note.
        lengths = lengths + np.where(np.append(is_hold[1:], False), np.append(lengths[1:], 0), 0)
        is_note &= ~is_hold
    velocities = np.full(int(is_note.sum()), int(default_velocity))
    notes = NoteColumns(starts[is_note], values[is_note], lengths[is_note], velocities)
    return notes.to_music(resolution, program, is_drum)
