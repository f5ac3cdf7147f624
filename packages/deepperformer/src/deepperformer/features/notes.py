"""Music ⇄ note rows at 24 steps a quarter note, and the CSV files of the Bach Violin Dataset (§5.3).

A row is onset, duration, pitch, velocity; symbols: n notes. Rows are sorted by onset, duration and pitch, as the
released ones are. Repeats are played and ties merged by muspy-core's readers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from muspy_core import Music, Note, Tempo, Track, read
from muspy_core.io.files import read_text, write_atomically
from numpy.typing import NDArray

from deepperformer.errors import NotesError

RESOLUTION = 24
ONSET, DURATION, PITCH, VELOCITY = range(4)
FIELDS = ("onset", "duration", "pitch", "velocity")
CSV_FIELDS = ("onset", "offset", "pitch", "velocity")
TIMING_FIELDS = ("start", "end")
VIOLIN = 40
GRACE_STEPS = 2  # of a grace note: 1/12 of a quarter note, 56 ms at 90 qpm; not the paper's, which has none
RELEASED_VELOCITY = 64
FINE_RESOLUTION = 480

Rows = Literal["score", "released"]
NoteRows = NDArray[np.int64]
Timings = NDArray[np.float64]


def rows_of(music: Music, rows: Rows = "score", part: str | None = None) -> NoteRows:
    """Return the notes of a piece, (n, 4).

    rows: `score` plays grace notes, `GRACE_STEPS` each, before the note they lead to; `released` gives the rows of
    the Bach Violin Dataset, without grace notes and with one velocity. (There, chords of the chaconne BWV 1004 sound
    again where they are tied; here they do not.) part: name or number (from 1) of the only track to take; None: all.
    Raises NotesError if nothing is left.
    """
    if rows not in get_args(Rows):
        raise NotesError(f"rows={rows!r}: choose one of {', '.join(get_args(Rows))}")
    tables = [track_rows(track, music.resolution, rows) for track in tracks_of(music, part)]
    return sort_rows(some_rows(np.concatenate([*tables, np.zeros((0, 4), np.int64)]), part))


def played_rows(music: Music, part: str | None = None) -> tuple[NoteRows, Timings]:
    """Return the notes of music that was played, such as expressive MIDI, and their exact times in seconds, (n, 2).

    Raises NotesError if there are none.
    """
    tracks = tracks_of(music, part)
    tables = [track_rows(track, music.resolution, "score") for track in tracks]
    rows = some_rows(np.concatenate([*tables, np.zeros((0, 4), np.int64)]), part)
    times = np.concatenate([track.notes.array["time"] for track in tracks])
    ends = times + np.concatenate([track.notes.array["duration"] for track in tracks])
    timings = np.stack([music.tempo_map.seconds(times), music.tempo_map.seconds(ends)], axis=1)
    order = row_order(rows)
    return rows[order], timings[order]


def tracks_of(music: Music, part: str | None) -> list[Track]:
    """Return the tracks of a piece that are no drums, or the one that is asked for."""
    return [track for track in (music.tracks if part is None else [part_of(music, part)]) if not track.is_drum]


def some_rows(rows: NoteRows, part: str | None) -> NoteRows:
    """Return rows as they are. Raises NotesError if there are none."""
    if not len(rows):
        raise NotesError("the score has no notes" if part is None else f"part {part!r} has no notes")
    return rows


def part_of(music: Music, part: str) -> Track:
    """Return the track with a name (case does not matter) or number from 1. Raises NotesError, with the names."""
    names = [track.name or f"part {index}" for index, track in enumerate(music.tracks, 1)]
    for index, name in enumerate(names):
        if part.casefold() == name.casefold() or part == str(index + 1):
            return music.tracks[index]
    raise NotesError(f"no part {part!r}; the parts are {', '.join(f'{i} ({name})' for i, name in enumerate(names, 1))}")


def track_rows(track: Track, resolution: int, rows: Rows) -> NoteRows:
    """Return the notes of a track in its own order, (n, 4); see `rows_of`."""
    table = track.notes.array
    if rows == "released":
        table = table[table["grace"] == 0]
    # MusPy rounds onset and duration each by itself, halves to even; so do the released rows.
    onsets, durations = (
        np.rint(table[name] * RESOLUTION / resolution).astype(np.int64) for name in ("time", "duration")
    )
    grace = table["grace"] != 0
    if grace.any():
        onsets[grace] = _grace_onsets(onsets[grace])
        durations[grace] = GRACE_STEPS
    velocities = np.full(len(table), RELEASED_VELOCITY) if rows == "released" else table["velocity"]
    return np.stack([onsets, durations, table["pitch"], velocities], axis=1).astype(np.int64)


def _grace_onsets(onsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place grace notes one after another before the onset they lead to; at the start of a piece, on it."""
    _, group, counts = np.unique(onsets, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    place = np.empty(len(onsets), np.int64)
    place[order] = np.arange(len(onsets)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.maximum(onsets - GRACE_STEPS * (counts[group] - place), 0)


def sort_rows(rows: NoteRows) -> NoteRows:
    """Return rows sorted by onset, duration, pitch and velocity."""
    return rows[row_order(rows)]


def row_order(rows: NoteRows) -> NDArray[np.int64]:
    """Return the indices that sort rows by onset, duration, pitch and velocity."""
    return np.lexsort((rows[:, VELOCITY], rows[:, PITCH], rows[:, DURATION], rows[:, ONSET]))


def music_of(rows: NoteRows, qpm: float = 120.0, program: int = VIOLIN) -> Music:
    """Return rows as music of one track at a constant tempo."""
    notes = [Note(onset, pitch, duration, velocity) for onset, duration, pitch, velocity in rows.tolist()]
    return Music(resolution=RESOLUTION, tempos=[Tempo(0, qpm)], tracks=[Track(program, notes=notes)])


def performed_music(rows: NoteRows, timings: Timings, program: int = VIOLIN) -> Music:
    """Return rows played at other times as music: 480 steps a quarter note at 60 qpm, about 2 ms a step.

    timings: (n, 2), start and end of each note in seconds.
    """
    steps = np.rint(timings * FINE_RESOLUTION).astype(np.int64)
    notes = [
        Note(start, pitch, max(end - start, 1), velocity)
        for (start, end), pitch, velocity in zip(
            steps.tolist(), rows[:, PITCH].tolist(), rows[:, VELOCITY].tolist(), strict=True
        )
    ]
    return Music(resolution=FINE_RESOLUTION, tempos=[Tempo(0, 60.0)], tracks=[Track(program, notes=notes)])


# --- files -----------------------------------------------------------------------------------------------------------


def read_rows(path: str | os.PathLike[str]) -> NoteRows:
    """Read a CSV of onset, offset, pitch, velocity in steps. Raises NotesError if it is none."""
    table = _read_csv(path, CSV_FIELDS)
    rows = np.rint(table).astype(np.int64)
    rows[:, DURATION] -= rows[:, ONSET]
    return rows


def write_rows(path: str | os.PathLike[str], rows: NoteRows, overwrite: bool = True) -> None:
    """Write rows as a CSV of onset, offset, pitch, velocity."""
    table = rows.copy()
    table[:, DURATION] += table[:, ONSET]
    _write_csv(path, CSV_FIELDS, table.tolist(), overwrite)


def read_timings(path: str | os.PathLike[str]) -> Timings:
    """Read a CSV of start and end in seconds, one line a note, (n, 2). Raises NotesError if it is none."""
    return _read_csv(path, TIMING_FIELDS)


def write_timings(path: str | os.PathLike[str], timings: Timings, overwrite: bool = True) -> None:
    """Write timings as a CSV of start and end in seconds, to a tenth of a millisecond."""
    _write_csv(path, TIMING_FIELDS, [[f"{value:.4f}" for value in line] for line in timings.tolist()], overwrite)


def write_alignment(path: str | os.PathLike[str], rows: NoteRows, timings: Timings, overwrite: bool = True) -> None:
    """Write rows and when they are played: `.mid` as music that plays so, anything else as a CSV of both."""
    if Path(path).suffix.lower() in (".mid", ".midi"):
        with write_atomically(path, overwrite) as temporary:
            performed_music(rows, timings).write_midi(temporary)
        return
    table = rows.copy()
    table[:, DURATION] += table[:, ONSET]
    lines = [
        [*row, *(f"{value:.4f}" for value in times)]
        for row, times in zip(table.tolist(), timings.tolist(), strict=True)
    ]
    _write_csv(path, (*CSV_FIELDS, *TIMING_FIELDS), lines, overwrite)


def read_alignment(path: str | os.PathLike[str], rows: NoteRows | None = None) -> tuple[NoteRows, Timings]:
    """Read rows and when they are played, as `write_alignment` writes them.

    rows: of the score; needed for MIDI, whose notes must be those of the score, and for a CSV of times alone. Raises
    NotesError if they do not belong together.
    """
    path = Path(path)
    if path.suffix.lower() in (".mid", ".midi"):
        music = read(path)
        if rows is None or not isinstance(music, Music):
            raise NotesError(f"{path}: timings in MIDI need the score beside them")
        return rows, _matched(rows, *played_rows(music), path)
    timings = read_timings(path)
    if rows is None:
        rows = read_rows(path)
    if len(rows) != len(timings):
        raise NotesError(f"{path}: has times of {len(timings)} notes, the score has {len(rows)}")
    if (timings[:, 1] < timings[:, 0]).any():
        raise NotesError(f"{path}: note {int((timings[:, 1] < timings[:, 0]).argmax()) + 1} ends before it starts")
    return rows, timings


def _matched(rows: NoteRows, played: NoteRows, timings: Timings, path: Path) -> Timings:
    """Give each note of the score the times of the note of its pitch with the same number in order."""
    found = np.empty((len(rows), 2))
    if sorted(rows[:, PITCH].tolist()) != sorted(played[:, PITCH].tolist()):
        raise NotesError(f"{path}: its {len(played)} notes are not the {len(rows)} of the score")
    for pitch in np.unique(rows[:, PITCH]):
        there = np.flatnonzero(played[:, PITCH] == pitch)
        found[np.flatnonzero(rows[:, PITCH] == pitch)] = timings[there[np.argsort(timings[there, 0], kind="stable")]]
    return found


def _read_csv(path: str | os.PathLike[str], fields: Sequence[str]) -> NDArray[np.float64]:
    path = Path(path)
    header, *lines = read_text(path, NotesError).splitlines() or [""]
    columns = [name.strip() for name in header.split(",")]
    missing = [name for name in fields if name not in columns]
    if missing:
        raise NotesError(f"{path}: has no column {missing[0]!r}; it needs {', '.join(fields)}")
    places = [columns.index(name) for name in fields]
    try:
        cells = [line.split(",") for line in lines if line.strip()]
        table = np.array([[float(cell[place]) for place in places] for cell in cells]).reshape(-1, len(fields))
    except (ValueError, IndexError) as error:
        raise NotesError(f"{path}: a line is not {len(columns)} numbers: {error}") from None
    if not np.isfinite(table).all():
        raise NotesError(f"{path}: holds a value that is not finite")
    return table


def _write_csv(path: str | os.PathLike[str], fields: Sequence[str], lines: Sequence[Any], overwrite: bool) -> None:
    text = "\n".join([",".join(fields), *(",".join(map(str, line)) for line in lines)])
    with write_atomically(path, overwrite) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
