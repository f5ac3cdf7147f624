"""Generated songs → how much of them stands in the training songs, note by note (beyond the paper)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmt.notes import BEAT, PITCH, POSITION, RESOLUTION, NoteRows
from mmt.songs import Songs

# Multiplier of the hashes of runs, which are taken modulo 2^64; any odd number with mixed bits does.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_NEVER = 1 << 40  # a step that stands between songs, and in none


def longest_copies(songs: Sequence[NoteRows], corpus: Songs) -> NDArray[np.int64]:
    """Return for each song the length in notes of its longest run that a corpus holds, transposed or not, (songs,).

    songs: rows (n, 5) each. Compared are the steps from note to note in time and pitch, whatever the instruments and
    durations are. 0: not even two notes are common.
    """
    given, owner = _joined(songs)
    known, _ = _joined(corpus[index] for index in range(len(corpus)))
    places, candidates = np.arange(len(given)), np.arange(len(known))
    hashes, known_hashes = np.zeros(len(given), np.uint64), np.zeros(len(known), np.uint64)
    longest = np.zeros(len(songs), np.int64)
    length = 0
    # A run of m + 1 steps is common only where a run of m steps is: so few places are left soon.
    while len(places) and len(candidates):
        places, hashes = _longer(given, places, hashes, length)
        candidates, known_hashes = _longer(known, candidates, known_hashes, length)
        common = np.isin(hashes, known_hashes)
        candidates, known_hashes = _kept(candidates, known_hashes, np.isin(known_hashes, hashes))
        places, hashes = _kept(places, hashes, common)
        length += 1
        longest[owner[places]] = length + 1  # so many notes have so many steps between them
    return longest


def longest_copy(song: NoteRows, corpus: Songs) -> int:
    """Return the length in notes of the longest run of one song, (n, 5), that a corpus holds."""
    return int(longest_copies([song], corpus)[0])


def _joined(songs: Iterable[NoteRows]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The steps of songs, one song after the other with a mark between them, and the number of the song of each."""
    steps, owners = [], []
    for index, rows in enumerate(songs):
        time = rows[:, BEAT] * RESOLUTION + rows[:, POSITION]
        part = np.append(np.diff(time) * 256 + np.diff(rows[:, PITCH]), _NEVER)
        steps.append(part)
        owners.append(np.full(len(part), index))
    if not steps:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(steps), np.concatenate(owners)


def _longer(
    steps: NDArray[np.int64], places: NDArray[np.int64], hashes: NDArray[np.uint64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Runs from places on, one step longer than `length`; those that would pass the end of a song are left out."""
    inside = places + length < len(steps)
    inside[inside] = steps[places[inside] + length] != _NEVER
    places, hashes = _kept(places, hashes, inside)
    return places, hashes * _FACTOR + steps[places + length].astype(np.uint64) + np.uint64(1)


def _kept(
    places: NDArray[np.int64], hashes: NDArray[np.uint64], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    return places[kept], hashes[kept]
