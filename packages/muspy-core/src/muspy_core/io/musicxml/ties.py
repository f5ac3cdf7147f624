"""Tied notes → one note each (sixth stage of reading MusicXML)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.io.musicxml.rows import TIE_START, TIE_STOP

Names = "list[str] | None"


def merge_ties(
    times: NDArray[np.int64],
    columns: dict[str, NDArray[Any]],
    side: dict[str, list[Any]],
) -> NDArray[np.bool_]:
    """Join notes that are tied to one another, in place, and return which notes remain.

    A note continues another if it stops a tie that the other starts, has the same instrument and pitch and begins where
    the other ends; where several fit, the one of the same voice is taken. A tie that no note stops is stopped by the
    next note of that pitch in the voice if it follows at once (files often lack the stop). The first note of a chain
    gets the duration of all, and the articulations and ornaments of all. Ties that lead nowhere stay in the column
    `tie`. Grace notes take no time and stay apart.

    times: (notes,), ticks. columns: tie (bits), grace, duration, pitch, voice, instrument, each (notes,).
    side: lists of the same length, of which "articulations" and "ornaments" are joined.
    """
    ties = columns["tie"]
    kept = np.ones(len(times), dtype=bool)
    tied = np.flatnonzero((ties != 0) & (columns["grace"] == 0))
    if not len(tied):
        return kept
    tied = tied[np.argsort(times[tied], kind="stable")]
    rows = zip(
        tied.tolist(),
        times[tied].tolist(),
        *(columns[name][tied].tolist() for name in ("duration", "pitch", "instrument", "voice", "tie")),
        strict=True,
    )
    heads: dict[tuple[int, int, int], list[tuple[int, int]]] = {}  # open ties by where they end: (voice, first note)
    for index, time, duration, pitch, instrument, voice, tie in rows:
        waiting = heads.get((instrument, pitch, time)) if tie & TIE_STOP else None
        head = index
        if waiting:
            head = _take(waiting, voice)
            _absorb(head, index, kept, columns, side)
        if tie & TIE_START and duration:
            heads.setdefault((instrument, pitch, time + duration), []).append((voice, head))
    _stop_open_ties(heads, times, kept, columns, side)
    return kept


def _absorb(
    head: int,
    index: int,
    kept: NDArray[np.bool_],
    columns: dict[str, NDArray[Any]],
    side: dict[str, list[Any]],
) -> None:
    """Make a note part of the one it is tied to."""
    kept[index] = False
    columns["duration"][head] += columns["duration"][index]
    # What the head stops from outside stays; what it started was the tie that is now inside the note.
    ties = columns["tie"]
    ties[head] = (ties[head] & TIE_STOP) | (ties[index] & TIE_START)
    for name in ("articulations", "ornaments"):
        side[name][head] = _join(side[name][head], side[name][index])


def _stop_open_ties(
    heads: dict[tuple[int, int, int], list[tuple[int, int]]],
    times: NDArray[np.int64],
    kept: NDArray[np.bool_],
    columns: dict[str, NDArray[Any]],
    side: dict[str, list[Any]],
) -> None:
    """Join ties that nothing stops with a note that follows at once; the last ties first, so that chains come whole."""
    unstopped = [(key, head) for key, waiting in heads.items() for head in waiting]
    if not unstopped:
        return
    ends = np.array(sorted({key[2] for key, _ in unstopped}))
    candidates = np.flatnonzero(
        kept & (columns["grace"] == 0) & (columns["tie"] & TIE_STOP == 0) & np.isin(times, ends)
    )
    names = ("instrument", "pitch", "voice")
    keys = zip(*(columns[name][candidates].tolist() for name in names), times[candidates].tolist(), strict=True)
    followers = dict(zip(keys, candidates.tolist(), strict=True))
    for (instrument, pitch, end), (voice, head) in sorted(unstopped, key=lambda item: -item[0][2]):
        index = followers.pop((instrument, pitch, voice, end), None)
        if index is not None and kept[index] and index != head:
            _absorb(head, index, kept, columns, side)


def _take(waiting: list[tuple[int, int]], voice: int) -> int:
    """Remove and return the first note of a waiting chain, one in the same voice if there is one."""
    for place, (other, _) in enumerate(waiting):
        if other == voice:
            return waiting.pop(place)[1]
    return waiting.pop(0)[1]


def _join(first: Sequence[str] | None, second: Sequence[str] | None) -> list[str] | None:
    """Return both lists in order, without what the first one has already; a fermata holds the end of tied notes."""
    if not first and not second:
        return None
    names = list(first or ())
    names += [name for name in second or () if name not in names]
    return sorted(names, key=lambda name: name == "fermata")
