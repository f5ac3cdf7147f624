"""Music → note rows and back, and note rows on disk (§3.3.1): what every encoding of this package starts from.

Note rows are an integer array (n, 5): beat, position, pitch, duration, program; 12 time steps a beat, a beat is a
quarter note. Drums, velocities, tempi and meters are left out, as in the paper.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from muspy_core import Music, Note, Tempo, Track
from muspy_core.columns import EventList, new_array
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

from mmt.instruments import CODE_OF_PROGRAM, NAMES

RESOLUTION = 12  # time steps a quarter note
COLUMNS = ("beat", "position", "pitch", "duration", "program")
BEAT, POSITION, PITCH, DURATION, PROGRAM = range(5)
DEFAULT_VELOCITY = 64
DEFAULT_QPM = 100.0  # tempo of music made from rows, which have none

NoteRows = NDArray[np.int64]


class EncodingError(MuspyError):
    """Rows or codes that no music has, or files that do not hold them."""


def notes_of(music: Music, *, from_first: bool = False) -> NoteRows:
    """Return the pitched notes of all instruments that the model knows, (n, 5), sorted and each once.

    Onsets and ends are rounded to the grid each for itself, halves up; what would have no duration keeps one step.
    from_first: whether beats are counted from the beat of the first note on, as when a corpus is prepared.
    """
    onset, pitch, duration, program = columns_of(music)
    rows = unique_rows(np.column_stack([onset // RESOLUTION, onset % RESOLUTION, pitch, duration, program]))
    if from_first and len(rows):
        rows[:, BEAT] -= rows[0, BEAT]
    return rows


def columns_of(music: Music) -> tuple[NDArray[np.int64], ...]:
    """Return onset, pitch, duration and program of the same notes, (n,) each; times in steps, in the tracks' order."""
    tracks = [
        track
        for track in music.tracks
        if not track.is_drum and 0 <= track.program < 128 and CODE_OF_PROGRAM[track.program] and len(track.notes)
    ]
    if not tracks:
        return tuple(np.zeros((4, 0), np.int64))
    tables = [track.notes.array for track in tracks]
    time, pitch, duration = (
        np.concatenate([table[name] for table in tables]).astype(np.int64) for name in ("time", "pitch", "duration")
    )
    program = np.repeat([track.program for track in tracks], [len(table) for table in tables])
    if music.resolution == RESOLUTION:
        return time, pitch, np.maximum(duration, 1), program
    double = 2 * music.resolution
    start = (2 * RESOLUTION * time + music.resolution) // double
    end = (2 * RESOLUTION * (time + duration) + music.resolution) // double
    return start, pitch, np.maximum(end - start, 1), program


def music_of(notes: NoteRows, *, qpm: float = DEFAULT_QPM, velocity: int = DEFAULT_VELOCITY) -> Music:
    """Return music with one track for each program, ascending.

    notes: (n, 5). qpm: quarter notes a minute. Raises EncodingError for values that no note has.
    """
    notes = checked_rows(notes)
    tracks = [_track_of(notes[notes[:, PROGRAM] == program], velocity) for program in np.unique(notes[:, PROGRAM])]
    return Music(resolution=RESOLUTION, tempos=[Tempo(0, qpm)], tracks=tracks)


def _track_of(notes: NoteRows, velocity: int) -> Track:
    table = new_array(Note, len(notes))
    table["time"] = notes[:, BEAT] * RESOLUTION + notes[:, POSITION]
    table["pitch"] = notes[:, PITCH]
    table["duration"] = notes[:, DURATION]
    table["velocity"] = velocity
    program = int(notes[0, PROGRAM])
    code = int(CODE_OF_PROGRAM[program])
    track = Track(program=program, name=NAMES[code - 1] if code else None)
    track.notes = EventList.from_columns(Note, table)
    return track


def checked_rows(notes: NoteRows) -> NoteRows:
    """Return the rows as an integer array; raises EncodingError for another shape or values out of range."""
    rows = np.asarray(notes)
    if rows.ndim != 2 or rows.shape[1] != len(COLUMNS) or not np.issubdtype(rows.dtype, np.integer):
        raise EncodingError(f"note rows are integers (n, {len(COLUMNS)}), got {rows.dtype} {rows.shape}")
    rows = rows.astype(np.int64, copy=False)
    for column, low, high in (
        (BEAT, 0, None),
        (POSITION, 0, RESOLUTION - 1),
        (PITCH, 0, 127),
        (DURATION, 1, None),
        (PROGRAM, 0, 127),
    ):
        values = rows[:, column]
        wrong = (values < low) | (False if high is None else values > high)
        if wrong.any():
            row = int(np.argmax(wrong))
            allowed = f"at least {low}" if high is None else f"from {low} to {high}"
            raise EncodingError(f"note row {row}: {COLUMNS[column]} is {values[row]}, it must be {allowed}")
    return rows


def unique_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows, (n, columns), sorted by their columns from left to right, each once."""
    ordered = rows[np.lexsort(rows.T[::-1])]
    first = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))[: len(ordered)]
    distinct: NDArray[np.int64] = ordered[first]
    return distinct


# --- on disk ---------------------------------------------------------------------------------------------------------


def save_rows(path: str | os.PathLike[str], rows: NDArray[np.integer], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows as .npy or, with a header of the column names, as .csv. Raises ValueError for another extension."""
    target = Path(path)
    if target.suffix not in (".npy", ".csv"):
        raise ValueError(f"{target}: the extension is neither .npy nor .csv")
    with write_atomically(target) as temporary:
        if target.suffix == ".npy":
            np.save(temporary, rows, allow_pickle=False)
        else:
            np.savetxt(temporary, rows, fmt="%d", delimiter=",", header=",".join(columns), comments="")


def load_rows(path: str | os.PathLike[str], columns: Sequence[str] = COLUMNS) -> NDArray[np.int64]:
    """Read what `save_rows` wrote. Raises EncodingError, naming the file, if it holds no such rows."""
    source = Path(path)
    try:
        if source.suffix == ".npy":
            rows = np.load(source, allow_pickle=False)
        else:
            with source.open(encoding="utf-8") as file:
                header = file.readline().strip().split(",")
                if header != list(columns):
                    raise ValueError(f"the columns are {','.join(header)}, expected {','.join(columns)}")
                rows = np.loadtxt(file, dtype=np.int64, delimiter=",", ndmin=2).reshape(-1, len(columns))
    except (ValueError, EOFError) as error:
        raise EncodingError(f"{source.name}: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != len(columns) or not np.issubdtype(rows.dtype, np.integer):
        raise EncodingError(f"{source.name}: {rows.dtype} {rows.shape} is no table of {','.join(columns)}")
    loaded: NDArray[np.int64] = rows.astype(np.int64)
    return loaded
