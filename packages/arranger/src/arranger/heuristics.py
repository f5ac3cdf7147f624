"""Baselines that need no training or only counts: most common part, pitch zones, closest pitch (§4.4.4; no torch).

Zones are found exactly by dynamic programming, so that the oracle is cheap on any corpus.
Symbols: n notes, K parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from arranger.decoding import Occupancy
from arranger.mixture import Integers, Mixture, Piece

PITCHES = 128
MAX_PERMUTED_PARTS = 5


def most_common_part(pieces: Sequence[Piece], parts: int) -> int:
    """Return the part that has the most notes; given one piece, this is the oracle's choice for it."""
    return int(np.bincount(np.concatenate([piece.label for piece in pieces]), minlength=parts).argmax())


# ---- zones


@dataclass(frozen=True)
class Zones:
    """A division of the pitches into one zone for each part.

    boundaries: (K - 1) lowest pitches of all zones but the last, from high to low. order: the parts from the highest
    zone to the lowest.
    """

    boundaries: tuple[int, ...]
    order: tuple[int, ...]

    def predict(self, mixture: Mixture) -> Integers:
        """Return the part in whose zone each note lies, (n,)."""
        zone = (mixture.pitch[:, None] < np.array(self.boundaries, np.int64)).sum(axis=1)
        return np.asarray(np.array(self.order)[zone])


def fit_zones(pieces: Sequence[Piece], parts: int) -> Zones:
    """Return the zones that label the most notes of the pieces right, with the parts from high to low."""
    return best_zones(pitch_counts(pieces, parts), tuple(range(parts)))


def fit_zones_in_any_order(pieces: Sequence[Piece], parts: int) -> Zones:
    """Return the best zones over all orders of the parts; raises ValueError for more than 5 parts."""
    if parts > MAX_PERMUTED_PARTS:
        raise ValueError(f"{parts} parts have too many orders; at most {MAX_PERMUTED_PARTS} are tried")
    counts = pitch_counts(pieces, parts)
    return max((best_zones(counts, order) for order in permutations(range(parts))), key=lambda z: hits(counts, z))


def pitch_counts(pieces: Sequence[Piece], parts: int) -> Integers:
    """Return how often each part has each pitch, (K, 128)."""
    counts = np.zeros((parts, PITCHES), np.int64)
    for piece in pieces:
        np.add.at(counts, (piece.label, piece.mixture.pitch), 1)
    return counts


def best_zones(counts: Integers, order: Sequence[int]) -> Zones:
    """Return the best boundaries for a given order of the parts, by dynamic programming in O(K · 128).

    counts: (K, 128). With f_k(b) the most notes that the k highest zones can have right if they end at pitch b:
    f_k(b) = max over c ≥ b of f_{k-1}(c) + (notes of part k in [b, c)). Of equally good boundaries the lowest is taken.
    """
    below = np.concatenate([np.zeros((len(counts), 1), np.int64), np.cumsum(counts, axis=1)], axis=1)[list(order)]
    reached = below[0, -1] - below[0]  # f_1
    choices: list[Integers] = []
    for part in range(1, len(order)):
        gain = reached + below[part]
        best = np.maximum.accumulate(gain[::-1])[::-1]
        is_best = gain == best
        positions = np.where(is_best, np.arange(PITCHES + 1), PITCHES + 1)
        choices.append(np.minimum.accumulate(positions[::-1])[::-1])
        reached = best - below[part]
    boundaries, end = [], 0
    for choice in reversed(choices):
        end = int(choice[end])
        boundaries.append(end)
    return Zones(tuple(reversed(boundaries)), tuple(order))


def hits(counts: Integers, zones: Zones) -> int:
    """Return how many of the counted notes the zones label right."""
    edges = (PITCHES, *zones.boundaries, 0)
    return sum(int(counts[part, edges[i + 1] : edges[i]].sum()) for i, part in enumerate(zones.order))


# ---- closest pitch


def closest_pitch(mixture: Mixture, entries: Integers) -> Integers:
    """Give every note to the part whose last pitch is nearest, (n,).

    entries: (K,) index of each part's first note, which is known beforehand; a part takes no note before it. The notes
    of one onset are decided one by one from the state before the onset; of equally near parts the first wins.
    """
    return _closest(mixture, entries, monophonic=False)


def closest_pitch_monophonic(mixture: Mixture, entries: Integers) -> Integers:
    """The same, but a part in which a note sounds takes no other, and the notes of one onset go to different parts.

    The notes of an onset are assigned together. Of equally good assignments the last in lexicographic order wins, that
    is, low notes go to low parts. An onset with more notes than parts is decided as by `closest_pitch`.
    """
    return _closest(mixture, entries, monophonic=True)


_SOUNDING_PENALTY = 99_999
_NOT_YET = 10**9


def _closest(mixture: Mixture, entries: Integers, *, monophonic: bool) -> Integers:
    parts = len(entries)
    labels = np.zeros(len(mixture), np.int64)
    entry_part = {int(index): part for part, index in enumerate(entries.tolist()) if index < len(mixture)}
    last_pitch = np.array([mixture.pitch[i] if i < len(mixture) else 0 for i in entries])
    state = Occupancy(parts)
    starts = np.flatnonzero(np.diff(mixture.onset, prepend=mixture.onset[:1] - 1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(mixture)], strict=True):
        pitch = mixture.pitch[start:stop]
        costs = (pitch[:, None] - last_pitch) ** 2
        if monophonic:
            costs = costs + _SOUNDING_PENALTY * (state.at(int(mixture.onset[start])) > 0)
        note = np.arange(start, stop)[:, None]
        costs = np.where(note < entries, _NOT_YET, costs)
        for index in range(start, stop):
            if index in entry_part:
                costs[index - start] = np.where(np.arange(parts) == entry_part[index], -_NOT_YET, _NOT_YET)
        chosen = _jointly(costs) if monophonic and stop - start <= parts else costs.argmin(axis=1)
        labels[start:stop] = chosen
        state.add(chosen, mixture.offset[start:stop].tolist())
        last_pitch[chosen] = pitch
    return labels


def _jointly(costs: Integers) -> Integers:
    """Return the cheapest assignment of m notes to different parts, (m,), the last of equal ones. costs: (m, K)."""
    table = _permutations(costs.shape[1], costs.shape[0])
    total = costs[np.arange(len(costs)), table].sum(axis=1)
    return np.asarray(table[len(table) - 1 - int(total[::-1].argmin())])


@lru_cache(maxsize=64)
def _permutations(parts: int, notes: int) -> NDArray[np.int64]:
    return np.array(list(permutations(range(parts), notes)), dtype=np.int64).reshape(-1, notes)
