"""Tied notes → one note each (sixth stage of reading MusicXML)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.io.musicxml.part import TIE_START, TIE_STOP

Names = "list[str] | None"


def merge_ties(
    times: NDArray[np.int64],
    columns: dict[str, NDArray[Any]],
    side: dict[str, list[Any]],
) -> NDArray[np.bool_]:
    """Join notes that are tied to one another, in place, and return which notes remain.

    A note continues another if it stops a tie that the other starts, has the same instrument and pitch and begins where
    the other ends; where several fit, the one of the same voice is taken. The first note of a chain gets the duration
    of all, and the articulations and ornaments of all. Ties that lead nowhere stay in the column `tie`. Grace notes
    take no time and stay apart.

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
            kept[index] = False
            columns["duration"][head] += duration
            # What the head starts from outside stays; what it started inside is now inside the note.
            ties[head] = (ties[head] & TIE_STOP) | (tie & TIE_START)
            for name in ("articulations", "ornaments"):
                side[name][head] = _join(side[name][head], side[name][index])
        if tie & TIE_START and duration:
            heads.setdefault((instrument, pitch, time + duration), []).append((voice, head))
    return kept


def _take(waiting: list[tuple[int, int]], voice: int) -> int:
    """Remove and return the first note of a waiting chain, one in the same voice if there is one."""
    for place, (other, _) in enumerate(waiting):
        if other == voice:
            return waiting.pop(place)[1]
    return waiting.pop(0)[1]


def _join(first: Sequence[str] | None, second: Sequence[str] | None) -> list[str] | None:
    """Return both lists in order, without what the first one has already."""
    if not second:
        return list(first) if first else None
    names = list(first or ())
    return names + [name for name in second if name not in names]
