"""Music → what is written at its notes, articulations and ornaments, and ornaments as notes that are played.

Not the paper's, whose notes have none. Symbols: n notes, K kinds of marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from muspy_core import Music, Track
from numpy.typing import NDArray

from deepperformer.errors import NotesError
from deepperformer.features.notes import (
    DURATION,
    ONSET,
    PITCH,
    RESOLUTION,
    NoteRows,
    Rows,
    row_order,
    some_rows,
    track_rows,
    tracks_of,
)

# Names of MusicXML. Models know the first so many of them, so that new ones come at the end.
MARKS = (
    "staccato", "staccatissimo", "spiccato", "detached-legato", "tenuto", "accent", "strong-accent", "fermata",
    "up-bow", "down-bow", "harmonic", "trill-mark", "mordent", "inverted-mordent", "turn", "inverted-turn", "tremolo",
)  # fmt: skip
FAMILIES = ("fermata", "tremolo")  # whose names say more than that: its shape, its strokes
ORNAMENT_STEPS = 3  # of a note of an ornament: 1/32, 83 ms at 90 qpm
# Steps of the scale above the written note, one after another; a trill goes on with its pair.
FIGURES = {
    "trill-mark": (1, 0),
    "mordent": (0, -1, 0),
    "inverted-mordent": (0, 1, 0),
    "turn": (1, 0, -1, 0),
    "inverted-turn": (-1, 0, 1, 0),
}
MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
MINOR_FIFTHS = -3  # a minor key has three flats more than the major one of its root

Marks = NDArray[np.bool_]
Ornaments = Literal["written", "played"]


def marked_rows(
    music: Music, rows: Rows = "score", part: str | None = None, ornaments: Ornaments = "written"
) -> tuple[NoteRows, Marks]:
    """Return the notes of a piece, (n, 4), as `features.notes.rows_of` does, and which marks each has, (n, K).

    ornaments: `written` leaves them marks; `played` makes notes of trills (from the upper note on), mordents and turns,
    of 1/32 each, within the scale of the key signature. Raises NotesError if there are no notes.
    """
    if ornaments not in get_args(Ornaments):
        raise NotesError(f"ornaments={ornaments!r}: choose one of {', '.join(get_args(Ornaments))}")
    tracks = tracks_of(music, part)
    tables = [track_rows(track, music.resolution, rows) for track in tracks]
    table = some_rows(np.concatenate([*tables, np.zeros((0, 4), np.int64)]), part)
    marks = np.concatenate([_track_marks(track, rows) for track in tracks])
    if ornaments == "played":
        table, marks = play_ornaments(table, marks, fifths_at(music, table[:, ONSET]))
    order = row_order(table)
    return table[order], marks[order]


def no_marks(count: int) -> Marks:
    """Return the marks of notes that have none, (count, K)."""
    return np.zeros((count, len(MARKS)), np.bool_)


def _track_marks(track: Track, rows: Rows) -> Marks:
    """Return the marks of the rows of a track, in their order."""
    notes = track.notes
    marks = no_marks(len(notes))
    for name in ("articulations", "ornaments"):
        if notes.has_side(name):
            # Strings of single notes, and few have any: a loop.
            for index, written in enumerate(notes.side(name)):
                marks[index, [MARKS.index(kind) for kind in _known(written or ())]] = True
    return marks[notes.array["grace"] == 0] if rows == "released" else marks


def _known(names: list[str] | tuple[str, ...]) -> Iterator[str]:
    for name in names:
        family = name.partition("-")[0]
        kind = family if family in FAMILIES else name
        if kind in MARKS:
            yield kind


# --- ornaments as notes ----------------------------------------------------------------------------------------------


def play_ornaments(rows: NoteRows, marks: Marks, fifths: NDArray[np.int64]) -> tuple[NoteRows, Marks]:
    """Return rows, not sorted, in which trills, mordents and turns are notes, and their marks: what was played is none.

    rows: (n, 4). marks: (n, K). fifths: (n,), key signature at each note. An ornament fills its note, whose other marks
    all its notes have; a note too short for it stays as it is.
    """
    ornaments = [MARKS.index(name) for name in FIGURES]
    is_plain = ~marks[:, ornaments].any(1)
    made, of = [rows[is_plain]], [np.flatnonzero(is_plain)]
    for index in np.flatnonzero(~is_plain).tolist():
        name = MARKS[ornaments[int(marks[index, ornaments].argmax())]]
        figure = _figure(rows[index], name, int(fifths[index]))
        made.append(figure)
        of.append(np.full(len(figure), index))
    left = marks.copy()
    left[:, ornaments] = False
    return np.concatenate(made), left[np.concatenate(of)]


def _figure(row: NDArray[np.int64], name: str, fifths: int) -> NoteRows:
    """Return the notes of an ornament, (notes, 4)."""
    duration = int(row[DURATION])
    pairs = max(duration // (2 * ORNAMENT_STEPS), 1) if name == "trill-mark" else 1
    degrees = FIGURES[name] * pairs
    length = min(ORNAMENT_STEPS, duration // len(degrees))
    if not length:
        return row[None]
    made = np.repeat(row[None], len(degrees), axis=0)
    made[:, ONSET] += length * np.arange(len(degrees))
    made[:, DURATION] = length
    made[-1, DURATION] = duration - length * (len(degrees) - 1)
    made[:, PITCH] = [neighbour(int(row[PITCH]), degree, fifths) for degree in degrees]
    return made


def neighbour(pitch: int, degree: int, fifths: int) -> int:
    """Return the pitch a degree of -1, 0 or 1 away in the scale of a key signature; accidentals are not looked at."""
    scale = set(((7 * fifths + MAJOR) % 12).tolist())
    found = pitch + degree
    while degree and found % 12 not in scale:
        found += degree
    return min(max(found, 0), 127)


def fifths_at(music: Music, onsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sharps (+) or flats (−) of the key signature at onsets in steps of note rows, (n,); none where unsaid.

    A key that only names its root and mode has those of its scale.
    """
    keys = sorted(music.key_signatures, key=lambda key: key.time)
    times = np.array([round(key.time * RESOLUTION / music.resolution) for key in keys], np.int64)
    fifths = [0]
    for key in keys:
        of_root = (7 * (key.root or 0) + 5) % 12 - 5 + (MINOR_FIFTHS if key.mode == "minor" else 0)
        fifths.append(of_root if key.fifths is None else key.fifths)
    found: NDArray[np.int64] = np.array(fifths, np.int64)[np.searchsorted(times, onsets, "right")]
    return found
