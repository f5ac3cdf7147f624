"""Logits → parts: the best legal assignment of each onset's notes (§4.4.3 has none; this goes beyond the paper).

Onset by onset, every note gets exactly one part so that the sum of -log probability and of the penalties of
`DecodingConfig` is smallest: for notes of the onset that share a part, for a part in which an earlier note still
sounds, for pitches outside a part's range. What sounds is known from the note-offs until then, so the assignment is
legal online.

Symbols: n notes, K parts, m notes of one onset.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arranger.config import DecodingConfig
from arranger.mixture import Integers, Mixture
from arranger.parts import PartSet

Floats = NDArray[np.floating]

FREE = -1  # the value in `locks` of a note that is free to go anywhere
_FORBIDDEN = 1e9
_LARGEST_TABLE = 4096  # assignments that are simply all tried; above it the Hungarian method is faster


def log_softmax(logits: Floats) -> NDArray[np.float64]:
    """Return log probabilities over the last axis."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    normed: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normed


def decode(
    mixture: Mixture,
    logits: Floats,
    parts: PartSet,
    config: DecodingConfig | None = None,
    locks: Integers | None = None,
) -> Integers:
    """Return the part of every note, (n,).

    logits: (n, K). locks: (n,), the part that a note must have, or FREE. Notes are never left out: where there are
    more notes than parts, some parts get several.
    """
    config = config or DecodingConfig()
    state = Occupancy(len(parts))
    costs = note_costs(mixture, logits, parts, config, locks)
    labels = np.zeros(len(mixture), np.int64)
    starts = np.flatnonzero(np.diff(mixture.onset, prepend=mixture.onset[:1] - 1)).tolist()
    offsets, onsets = mixture.offset.tolist(), mixture.onset.tolist()
    for start, stop in zip(starts, [*starts[1:], len(mixture)], strict=True):
        entering = config.overlap_penalty * state.at(onsets[start])
        chosen = assign(costs[start:stop] + entering, config.chord_penalty)
        labels[start:stop] = chosen
        state.add(chosen, offsets[start:stop])
    return labels


def decode_causally(mixture: Mixture, logits: Floats, parts: PartSet, config: DecodingConfig | None = None) -> Integers:
    """Return the part of every note, (n,), decided note by note before the next one is seen, even in a chord."""
    config = config or DecodingConfig()
    state = Occupancy(len(parts))
    costs = note_costs(mixture, logits, parts, config, None)
    labels = np.zeros(len(mixture), np.int64)
    for i, (onset, offset) in enumerate(zip(mixture.onset.tolist(), mixture.offset.tolist(), strict=True)):
        sounding, same_onset = state.at(onset), state.started_at(onset)
        total = costs[i] + config.overlap_penalty * (sounding - same_onset) + config.chord_penalty * same_onset
        labels[i] = int(total.argmin())
        state.add([int(labels[i])], [offset], onset)
    return labels


class Occupancy:
    """How many notes sound in each part, as time goes on."""

    def __init__(self, parts: int) -> None:
        self._ends: list[list[int]] = [[] for _ in range(parts)]
        self._onset, self._started = -1, np.zeros(parts, np.int64)

    def at(self, onset: int) -> Integers:
        """Return the number of notes that still sound at `onset`, (K,), and forget those that have ended."""
        self._ends = [[end for end in ends if end > onset] if ends else ends for ends in self._ends]
        return np.array([len(ends) for ends in self._ends])

    def started_at(self, onset: int) -> Integers:
        """Return the number of notes entered with exactly this onset, (K,)."""
        return self._started.copy() if onset == self._onset else np.zeros_like(self._started)

    def add(self, labels: list[int] | Integers, ends: list[int], onset: int = -1) -> None:
        """Enter notes of one onset that have just been given to parts."""
        if onset != self._onset:
            self._onset, self._started = onset, np.zeros_like(self._started)
        for label, end in zip(labels, ends, strict=True):
            self._ends[int(label)].append(end)
            self._started[int(label)] += 1


def note_costs(
    mixture: Mixture, logits: Floats, parts: PartSet, config: DecodingConfig, locks: Integers | None
) -> NDArray[np.float64]:
    """Return what giving a note to a part costs by itself, (n, K)."""
    costs = -log_softmax(logits) if len(mixture) else np.zeros((0, len(parts)))
    if config.range_penalty:
        low, high = np.array([[part.low, part.high] for part in parts.parts]).T
        pitch = mixture.pitch[:, None]
        costs = costs + config.range_penalty * (np.maximum(low - pitch, 0) + np.maximum(pitch - high, 0))
    if config.excluded_parts:
        costs[:, list(config.excluded_parts)] += _FORBIDDEN
    if locks is not None:
        locked = np.flatnonzero(locks != FREE)
        own = costs[locked, locks[locked]].copy()
        costs[locked] += 2 * _FORBIDDEN
        costs[locked, locks[locked]] = own
    return costs


def assign(costs: NDArray[np.float64], penalty: float) -> Integers:
    """Return the cheapest parts of the notes of one onset, (m,).

    costs: (m, K). Every pair of notes in one part costs `penalty`. Among equally cheap assignments the first in
    lexicographic order wins as long as there are at most 4,096 of them in all.
    """
    notes, parts = costs.shape
    if notes == 1:
        return np.asarray(costs.argmin(axis=1))
    if parts**notes <= _LARGEST_TABLE:
        table, pairs = _assignments(notes, parts)
        total = costs[np.arange(notes), table].sum(axis=1) + penalty * pairs
        return np.asarray(table[total.argmin()])
    # Every part is split into seats, and who takes the s-th meets s others: a linear assignment of notes to seats.
    wide = np.repeat(costs, notes, axis=1) + penalty * np.tile(np.arange(notes), parts)
    return np.asarray(linear_assignment(wide) // notes)


@lru_cache(maxsize=64)
def _assignments(notes: int, parts: int) -> tuple[Integers, Integers]:
    """All assignments, (K**m, m), in lexicographic order, and the pairs of notes that share a part in each."""
    table = np.stack(np.meshgrid(*[np.arange(parts)] * notes, indexing="ij"), axis=-1).reshape(-1, notes)
    counts = (table[:, :, None] == np.arange(parts)).sum(axis=1)
    return table, (counts * (counts - 1) // 2).sum(axis=1)


def linear_assignment(costs: NDArray[np.float64]) -> Integers:
    """Return the columns that give every row a column of its own at the smallest total cost, (rows,).

    costs: (rows, columns) with rows ≤ columns. The Hungarian method with potentials, one shortest augmenting path for
    each row (Kuhn 1955; Jonker and Volgenant 1987): O(rows² · columns).
    """
    rows, columns = costs.shape
    row_of = np.full(columns, -1)
    u, v = np.zeros(rows), np.zeros(columns)
    for row in range(rows):
        shortest = np.full(columns, np.inf)
        before = np.full(columns, -1)
        visited = np.zeros(columns, bool)
        current, column = row, -1
        while True:
            reduced = costs[current] - u[current] - v
            reach = 0.0 if column < 0 else shortest[column]
            better = ~visited & (reach + reduced < shortest)
            shortest[better] = reach + reduced[better]
            before[better] = column
            column = int(np.where(visited, np.inf, shortest).argmin())
            visited[column] = True
            if row_of[column] < 0:
                break
            current = int(row_of[column])
        length = shortest[column]
        reached = visited & (row_of >= 0)
        u[row] += length
        u[row_of[reached]] += length - shortest[reached]
        v[visited] += shortest[visited] - length
        while column >= 0:
            previous = int(before[column])
            row_of[column] = row if previous < 0 else row_of[previous]
            column = previous
    columns_of = np.empty(rows, np.int64)
    taken = np.flatnonzero(row_of >= 0)
    columns_of[row_of[taken]] = taken
    return columns_of
