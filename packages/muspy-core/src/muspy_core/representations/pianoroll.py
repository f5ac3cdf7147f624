"""Music → piano roll and back: velocities over time and pitch (MusPy paper, Table 3).

Symbols: T time steps, up to the end of the last note.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from muspy_core.errors import RepresentationError
from muspy_core.events import DEFAULT_VELOCITY
from muspy_core.music import Music
from muspy_core.representations.note import NoteColumns
from muspy_core.timing import DEFAULT_RESOLUTION

N_PITCHES = 128


def to_pianoroll_representation(
    music: Music, encode_velocity: bool = True, dtype: DTypeLike | None = None
) -> NDArray[Any]:
    """Encode music as a piano roll: at each time step and pitch a velocity, or whether it sounds.

    All tracks are merged; where notes of a pitch overlap, the later one is written over the earlier. As with MusPy,
    the roll ends with a row of zeros. The array is laid out pitch after pitch in memory (Fortran order), so that a note
    is one stretch of it; `numpy.ascontiguousarray` gives the other order.

    Args:
        music: The music.
        encode_velocity: Whether the values are velocities.
        dtype: Type of the array, by default uint8 with velocities and bool without.

    Returns (T + 1, 128). Raises `NoNotesError` (a RuntimeError) without a note, `RepresentationError` for a pitch that
    is not 0–127 or a velocity that does not fit the dtype.
    """
    notes = NoteColumns.of(music).require().require_midi().sorted()
    target = np.dtype(dtype if dtype is not None else np.uint8 if encode_velocity else bool)
    values = notes.velocity if encode_velocity else notes.velocity > 0
    if encode_velocity and target.kind in "iu":
        bounds = np.iinfo(target)
        if values.min() < bounds.min or values.max() > bounds.max:
            raise RepresentationError(f"velocities {values.min()} to {values.max()} do not fit {target}")
    length = max(int(notes.end.max()), 0) + 1
    roll = np.zeros((N_PITCHES, length), target)
    row = notes.pitch * length
    starts, ends = row + np.maximum(notes.time, 0), row + np.maximum(notes.end, 0)
    fill = _fill_bytes if target.itemsize == 1 else _fill
    fill(roll.reshape(-1), starts, ends, values)
    encoded: NDArray[Any] = roll.T
    return encoded


def _fill(flat: NDArray[Any], starts: NDArray[np.int64], ends: NDArray[np.int64], values: NDArray[Any]) -> None:
    """Fill stretches of a flat array, the later over the earlier. starts, ends, values: (stretches,).

    A loop: filling a slice costs less than building an index of each of its elements.
    """
    for start, end, value in zip(starts.tolist(), ends.tolist(), values.tolist(), strict=True):
        flat[start:end] = value


def _fill_bytes(flat: NDArray[Any], starts: NDArray[np.int64], ends: NDArray[np.int64], values: NDArray[Any]) -> None:
    """The same for elements of one byte: copying a string over a buffer takes half the time of filling an array."""
    lengths = np.maximum(ends - starts, 0)
    codes = lengths << 8 | values.astype(flat.dtype).view(np.uint8)
    known = np.unique(codes)
    if (known >> 8).sum() > flat.size:  # many long stretches, all of different lengths
        _fill(flat, starts, ends, values)
        return
    strings = {code: bytes((code & 0xFF,)) * (code >> 8) for code in known.tolist()}
    buffer = flat.view(np.uint8).data
    for start, end, code in zip(starts.tolist(), (starts + lengths).tolist(), codes.tolist(), strict=True):
        buffer[start:end] = strings[code]


def from_pianoroll_representation(
    array: NDArray[Any],
    resolution: int = DEFAULT_RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    encode_velocity: bool = True,
    default_velocity: int = DEFAULT_VELOCITY,
) -> Music:
    """Decode a piano roll into music with one track.

    A note is a run of values above 0 at one pitch; its velocity is the first of them. Notes of a pitch that touch are
    therefore one note.

    Args:
        array: (T, 128), integers with velocities, bool without.
        resolution: Time steps per quarter note.
        program: General MIDI program of the track.
        is_drum: Whether it is a percussion track.
        encode_velocity: Whether the values are velocities.
        default_velocity: Velocity of all notes if it is not encoded.

    Raises TypeError if the type of the array does not go with `encode_velocity`, `RepresentationError` for another
    shape.
    """
    roll = np.asarray(array)
    if encode_velocity and not np.issubdtype(roll.dtype, np.integer):
        raise TypeError(f"Array must be of type int when `encode_velocity` is True, got {roll.dtype}")
    if not encode_velocity and not np.issubdtype(roll.dtype, np.bool_):
        raise TypeError(f"Array must be of type bool when `encode_velocity` is False, got {roll.dtype}")
    if roll.ndim != 2 or roll.shape[1] != N_PITCHES:
        raise RepresentationError(f"expected a piano roll, (T, {N_PITCHES}), got an array of shape {roll.shape}")
    starts, ends, pitches = _runs(roll)
    if encode_velocity:
        velocities = roll[starts, pitches].astype(np.int64)
    else:
        velocities = np.full(len(starts), int(default_velocity))
    return NoteColumns(starts, pitches, ends - starts, velocities).to_music(resolution, program, is_drum)


def _runs(roll: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the runs of positive values along time. Returns starts, ends (exclusive), pitches, each (runs,)."""
    # Pitch-major with a silent step at both ends, runs cannot touch across pitches and alternate start, end.
    sounding = np.zeros((N_PITCHES, len(roll) + 2), bool)
    np.greater(roll.T, 0, out=sounding[:, 1:-1])
    flat = sounding.reshape(-1)
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    pitches, starts = np.divmod(edges[0::2], len(roll) + 2)
    return starts, edges[1::2] % (len(roll) + 2), pitches
