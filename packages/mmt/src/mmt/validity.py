"""Generated songs → shares of them with a fault (beyond the paper): what "always decodes" does not promise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmt.encoding import END_OF_SONG, INSTRUMENT, NOTE, TYPE, Codes, decode
from mmt.notes import BEAT, DURATION, POSITION, RESOLUTION, NoteRows

FAULTS = ("undecodable", "backwards", "duplicates", "undeclared", "unused", "empty", "bad_end")


@dataclass(frozen=True)
class Validity:
    """Shares of songs with a fault.

    undecodable: a note event with an undefined field. backwards: onsets that fall. duplicates: one instrument starts a
    pitch twice at once. undeclared: an instrument plays that was not listed. unused: one was listed and does not play.
    empty: no note. bad_end: no end of song, or not at the end. crowded: more notes sound at once than in any song that
    it is compared with; None without such songs.
    """

    undecodable: float
    backwards: float
    duplicates: float
    undeclared: float
    unused: float
    empty: float
    bad_end: float
    songs: int
    crowded: float | None = None


def validity(songs: Sequence[Codes], truth: Iterable[NoteRows] | None = None) -> Validity:
    """Look for faults in generated songs, codes (L, 6) each. truth: rows (n, 5) of songs to compare with."""
    faults = np.array([_faults(codes) for codes in songs], float).reshape(-1, len(FAULTS))
    shares = dict(zip(FAULTS, faults.mean(0).tolist(), strict=True))
    crowded = None
    if truth is not None:
        most = max(map(polyphony, truth), default=0)
        crowded = float(np.mean([polyphony(_decodable(codes)) > most for codes in songs]))
    return Validity(**shares, songs=len(songs), crowded=crowded)


def polyphony(rows: NoteRows) -> int:
    """Return the most notes that sound at once. rows: (n, 5)."""
    onsets = rows[:, BEAT] * RESOLUTION + rows[:, POSITION]
    ends = onsets + rows[:, DURATION]
    steps = np.zeros(int(ends.max(initial=0)) + 1, np.int64)
    np.add.at(steps, onsets, 1)
    np.add.at(steps, ends, -1)
    return int(steps.cumsum().max(initial=0))


def _decodable(codes: Codes) -> NoteRows:
    """The notes of a song but those that have an undefined field."""
    broken = (codes[:, TYPE] == NOTE) & (codes[:, 1:] == 0).any(1)
    return decode(codes[~broken])


def _faults(codes: Codes) -> list[bool]:
    notes = codes[codes[:, TYPE] == NOTE]
    onsets = notes[:, 1] * (RESOLUTION + 1) + notes[:, 2]
    starts = notes[:, [1, 2, 3, 5]]
    listed = set(codes[codes[:, TYPE] == INSTRUMENT, 5].tolist())
    playing = set(notes[:, 5].tolist())
    ends = np.flatnonzero(codes[:, TYPE] == END_OF_SONG)
    return [
        bool((notes[:, 1:] == 0).any()),
        bool((np.diff(onsets) < 0).any()),
        len(np.unique(starts, axis=0)) < len(starts),
        bool(playing - listed),
        bool(listed - playing),
        not len(notes),
        ends.tolist() != [len(codes) - 1],
    ]
