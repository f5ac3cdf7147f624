"""Music with some of its notes written anew: all else stays bit for bit (the end of filling in and accompanying).

Models work on a grid of 12 steps a beat, without drums, tempi and velocities. Here new notes come into the piece that
they were written for, which keeps all of these.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from muspy_core import Music, Note, Track
from muspy_core.columns import EventList, new_array
from muspy_core.rendering.summary import bar_times
from numpy.typing import NDArray

from mmt.generate import Options
from mmt.infilling import accompany, infill
from mmt.instruments import CODE_OF_PROGRAM, NAMES
from mmt.model import MMT
from mmt.notes import BEAT, DURATION, PITCH, POSITION, PROGRAM, RESOLUTION, EncodingError, NoteRows, notes_of


def fill_in(model: MMT, music: Music, start: int, stop: int, options: Options | None = None) -> Music:
    """Return a piece whose notes in beats `start` to `stop` (exclusive) are written anew by its instruments.

    Drums and instruments that the model does not know play on. Raises EncodingError if the span is not in the piece.
    """
    new = infill(model, notes_of(music), start, stop, options)
    result = music.deepcopy()
    for track in result.tracks:
        if _is_known(track):
            onset = track.notes.array["time"]
            keep = (onset < start * music.resolution) | (onset >= stop * music.resolution)
            track.notes = [note for note, kept in zip(track.notes, keep.tolist(), strict=True) if kept]
    return _with_notes(result, new)


def add_instruments(model: MMT, music: Music, names: Iterable[str], options: Options | None = None) -> Music:
    """Return a piece with more instruments, each in a track of its own. Raises as `infilling.accompany`."""
    return _with_notes(music.deepcopy(), accompany(model, notes_of(music), names, options), new_tracks=True)


def beats_of_bars(music: Music, first: int, last: int) -> tuple[int, int]:
    """Return the whole beats (quarter notes) that lie in bars `first` to `last`, as (start, stop); stop is exclusive.

    Bars count from 1, both ends included; they are those of 4/4 where the piece says nothing. Raises EncodingError if
    the piece has no such bars or no whole beat is in them.
    """
    starts = _bar_starts(music)
    bars = len(starts) - 1
    if not 1 <= first <= last <= bars:
        raise EncodingError(f"bars {first}:{last}: the piece has bars 1 to {bars}")
    start, stop = -(-int(starts[first - 1]) // music.resolution), int(starts[last]) // music.resolution
    if start >= stop:
        raise EncodingError(f"bars {first}:{last} hold no whole quarter note")
    return start, stop


def _bar_starts(music: Music) -> NDArray[np.int64]:
    """Starts of bars in steps, and the end of the last."""
    end = music.get_end_time()
    starts = bar_times(music)
    if not len(starts):
        starts = np.arange(0, end, 4 * music.resolution)
    starts = np.unique(starts[starts < end])
    return np.append(starts, end) if len(starts) else np.zeros(1, np.int64)


def _is_known(track: Track) -> bool:
    return not track.is_drum and 0 <= track.program < 128 and bool(CODE_OF_PROGRAM[track.program])


def _with_notes(music: Music, new: NoteRows, *, new_tracks: bool = False) -> Music:
    """Add new notes to the tracks of their programs, or to tracks of their own."""
    for program in np.unique(new[:, PROGRAM]).tolist():
        rows = new[new[:, PROGRAM] == program]
        tracks = (
            [] if new_tracks else [track for track in music.tracks if _is_known(track) and track.program == program]
        )
        if not tracks:
            tracks = [Track(program=program, name=NAMES[int(CODE_OF_PROGRAM[program]) - 1])]
            music.tracks.append(tracks[0])
        notes = list(tracks[0].notes) + list(_events(rows, music.resolution))
        tracks[0].notes = sorted(notes, key=lambda note: (note.time, note.pitch))
    return music


def _events(rows: NoteRows, resolution: int) -> EventList[Note]:
    """Rows as notes in the piece's own steps, rounded to the nearest."""
    onset = rows[:, BEAT] * RESOLUTION + rows[:, POSITION]
    times, ends = (
        (2 * steps * resolution + RESOLUTION) // (2 * RESOLUTION) for steps in (onset, onset + rows[:, DURATION])
    )
    table = new_array(Note, len(rows))
    table["time"], table["pitch"] = times, rows[:, PITCH]
    table["duration"] = np.maximum(ends - times, 1)
    table["velocity"] = 64
    return EventList.from_columns(Note, table)
