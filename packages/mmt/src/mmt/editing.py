"""Music with some of its notes written anew: all else stays bit for bit (after filling in, going on, accompanying).

Models work on a grid of 12 steps a beat, and most of them without drums, tempi and velocities. Here new notes come into
the piece that they were written for, which keeps all of these.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from muspy_core import Music, Note, Track
from muspy_core.columns import EventList, new_array
from muspy_core.rendering.summary import bar_times
from numpy.typing import NDArray

from mmt.continuing import go_on
from mmt.extended import DRUM_PROGRAM, DRUMS, VELOCITY
from mmt.formats import WHOLE, format_of
from mmt.generate import Options
from mmt.infilling import accompany, rewritten_players, write_span
from mmt.instruments import CODE_OF_PROGRAM, NAMES
from mmt.model import MMT
from mmt.notes import (
    BEAT,
    DEFAULT_VELOCITY,
    DURATION,
    PITCH,
    POSITION,
    PROGRAM,
    RESOLUTION,
    EncodingError,
    NoteRows,
    notes_of,
)


def fill_in(
    model: MMT,
    music: Music,
    start: int,
    stop: int,
    options: Options | None = None,
    names: Iterable[str] | None = None,
) -> Music:
    """Return a piece whose notes in beats `start` to `stop` (exclusive) are written anew by its instruments.

    names: of the instruments whose notes are written anew; None: all. Drums and instruments that the model does not
    know play on. A note belongs to where it begins: what begins outside the span stays, also where it sounds into it,
    and no new note sounds behind it. Raises as `infilling.infill`.
    """
    rows = notes_of(music)
    players = rewritten_players(rows, names)
    result = music.deepcopy()
    for track in result.tracks:
        if _is_known(track) and CODE_OF_PROGRAM[track.program] in players:
            onset = track.notes.array["time"]
            stays = (onset < start * music.resolution) | (onset >= stop * music.resolution)
            track.notes = [note for note, kept in zip(track.notes, stays.tolist(), strict=True) if kept]
    return _with_notes(result, write_span(model, rows, notes_of(result), (start, stop), players, options))


def continue_piece(model: MMT, music: Music, beats: int, options: Options | None = None) -> Music:
    """Return the first beats of a piece as they are, drums and tempi too, and what the model writes after them.

    Notes that begin before the beat keep their ends. Models of whole music write drums, velocities, tempi and time
    signatures too. Raises as `continuing.go_on`.
    """
    form = format_of(model)
    rows = form.rows_of(music)
    new = go_on(model, rows, beats, options)
    result, end = music.deepcopy(), beats * music.resolution
    held = [[note for note in track.notes if note.time < end] for track in music.tracks]
    result.trim(end)
    for track, notes in zip(result.tracks, held, strict=True):
        track.notes = notes
    if form is WHOLE:
        _add_changes(result, rows[rows[:, BEAT] < beats], new, end)
    return _with_notes(result, new)


def add_instruments(model: MMT, music: Music, names: Iterable[str], options: Options | None = None) -> Music:
    """Return a piece with more instruments, each in a track of its own. Raises as `infilling.accompany`."""
    new = accompany(model, notes_of(music), names, options)
    result = music.deepcopy()
    for program in np.unique(new[:, PROGRAM]).tolist():
        result.tracks.append(_added_track(music, new[new[:, PROGRAM] == program]))
    return result


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


def _add_changes(music: Music, before: NoteRows, new: NoteRows, end: int) -> None:
    """Add the tempi and time signatures of new rows to a piece, from a step on, where they change.

    before: rows of the piece, which are read as the model reads them, so that nothing changes by its grid alone.
    """
    song = WHOLE.music_of(np.concatenate([WHOLE.decode(WHOLE.encode(before)), new]))
    song.adjust_resolution(music.resolution)
    music.tempos += [tempo for tempo in song.tempos if tempo.time >= end]
    music.time_signatures += [meter for meter in song.time_signatures if meter.time >= end]


def _is_known(track: Track) -> bool:
    return not track.is_drum and 0 <= track.program < 128 and bool(CODE_OF_PROGRAM[track.program])


def _program(track: Track) -> int | None:
    """Return the program of a track as it stands in rows, None for one that no model writes."""
    if track.is_drum:
        return DRUM_PROGRAM
    return track.program if _is_known(track) else None


def _with_notes(music: Music, new: NoteRows) -> Music:
    """Add new notes to the tracks of their programs, or to tracks of their own where there are none.

    Where several tracks have a program, a note goes to the one whose mean pitch is nearest.
    """
    for program in np.unique(new[:, PROGRAM]).tolist():
        tracks = [track for track in music.tracks if _program(track) == program]
        rows = new[new[:, PROGRAM] == program]
        if not tracks:
            music.tracks.append(_added_track(music, rows))
            continue
        height = [float(track.notes.array["pitch"].mean()) if len(track.notes) else np.inf for track in tracks]
        nearest = np.abs(rows[:, PITCH, None] - np.array(height)).argmin(1)
        for index, track in enumerate(tracks):
            added = _events(rows[nearest == index], music.resolution)
            track.notes = sorted([*track.notes, *added], key=lambda note: note.time)
    return music


def _added_track(music: Music, rows: NoteRows) -> Track:
    program = int(rows[0, PROGRAM])
    if program == DRUM_PROGRAM:
        track = Track(is_drum=True, name=DRUMS)
    else:
        track = Track(program=program, name=NAMES[int(CODE_OF_PROGRAM[program]) - 1])
    track.notes = _events(rows, music.resolution)
    return track


def _events(rows: NoteRows, resolution: int) -> EventList[Note]:
    """Rows as notes in the piece's own steps, rounded to the nearest."""
    onset = rows[:, BEAT] * RESOLUTION + rows[:, POSITION]
    times, ends = (
        (2 * steps * resolution + RESOLUTION) // (2 * RESOLUTION) for steps in (onset, onset + rows[:, DURATION])
    )
    table = new_array(Note, len(rows))
    table["time"], table["pitch"] = times, rows[:, PITCH]
    table["duration"] = np.maximum(ends - times, 1)
    table["velocity"] = rows[:, VELOCITY] if rows.shape[1] > VELOCITY else DEFAULT_VELOCITY
    return EventList.from_columns(Note, table)
