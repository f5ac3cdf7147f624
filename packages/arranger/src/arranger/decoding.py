"""Logits → parts: the best legal assignment of each onset's notes (§4.4.3 has none; this goes beyond the paper).

Onset by onset, every note gets exactly one part so that the sum of -log probability and of the penalties of
`DecodingConfig` is smallest: for notes of the onset that share a part, for a part in which an earlier note still
sounds, for pitches outside a part's range. What sounds is known from the note-offs until then, so the assignment is
legal online.

Symbols: n notes, K parts, m notes of one onset.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arranger.config import DecodingConfig
from arranger.mixture import Integers, Mixture
from arranger.parts import PartSet

Floats = NDArray[np.floating]

FREE = -1  # the value in `locks` of a note that is free to go anywhere
NO_LIMIT = 0  # the value in `polyphony` of a part that is only advised to play one note at a time
LIMIT_PENALTY = 1e4  # of breaking what the user demands; more than any advice, less than a part that is left out
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
    polyphony: Integers | None = None,
) -> Integers:
    """Return the part of every note, (n,).

    logits: (n, K). locks: (n,), the part that a note must have, or FREE. polyphony: see `seat_costs`. Notes are never
    left out: where there are more notes than parts, some parts get several.
    """
    config = config or DecodingConfig()
    state = Occupancy(len(parts))
    costs = note_costs(mixture, logits, parts, config, locks)
    labels = np.zeros(len(mixture), np.int64)
    starts = np.flatnonzero(np.diff(mixture.onset, prepend=mixture.onset[:1] - 1)).tolist()
    offsets, onsets = mixture.offset.tolist(), mixture.onset.tolist()
    for start, stop in zip(starts, [*starts[1:], len(mixture)], strict=True):
        sounding = state.at(onsets[start])
        if polyphony is None:
            chosen = assign(costs[start:stop] + config.overlap_penalty * sounding, config.chord_penalty)
        else:
            seats = seat_costs(config, sounding, np.zeros_like(sounding), stop - start, polyphony)
            chosen = assign_seats(costs[start:stop], seats)
        labels[start:stop] = chosen
        state.add(chosen, offsets[start:stop])
    return labels


def decode_causally(
    mixture: Mixture,
    logits: Floats,
    parts: PartSet,
    config: DecodingConfig | None = None,
    locks: Integers | None = None,
    polyphony: Integers | None = None,
) -> Integers:
    """Return the part of every note, (n,), decided note by note before the next one is seen, even in a chord."""
    config = config or DecodingConfig()
    state = Occupancy(len(parts))
    costs = note_costs(mixture, logits, parts, config, locks)
    labels = np.zeros(len(mixture), np.int64)
    for i, (onset, offset) in enumerate(zip(mixture.onset.tolist(), mixture.offset.tolist(), strict=True)):
        sounding, same_onset = state.at(onset), state.started_at(onset)
        seats = seat_costs(config, sounding - same_onset, same_onset, 1, polyphony)
        labels[i] = int((costs[i] + seats[:, 0]).argmin())
        state.add([int(labels[i])], [offset], onset)
    return labels


def in_order_of_parts(labels: Integers, *columns: Integers) -> Integers:
    """Return the labels with those of notes that are equal in all columns sorted, (n,).

    Which of two equal notes goes to which part nobody can hear, so the first goes to the first of their parts. columns:
    onset and pitch, and whatever else is known of the notes.
    """
    if not len(labels):
        return labels
    group = np.unique(np.stack(columns), axis=1, return_inverse=True)[1].ravel()
    result = np.empty_like(labels)
    result[np.argsort(group, kind="stable")] = labels[np.lexsort((labels, group))]
    return result


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


def seat_costs(
    config: DecodingConfig, sounding: Integers, taken: Integers, notes: int, polyphony: Integers | None = None
) -> NDArray[np.float64]:
    """Return what the first, second, … m-th new note costs in each part because of the others there, (K, m).

    sounding: (K,) earlier notes that still sound. taken: (K,) notes of this onset that are decided already. notes: m.
    polyphony: (K,) notes that a part may play at once, freely; more is against the user's will. NO_LIMIT for a part
    that had better play one, as the penalties of the configuration say.
    """
    seat = np.arange(notes)
    advised = config.chord_penalty * (taken[:, None] + seat) + config.overlap_penalty * sounding[:, None]
    if polyphony is None:
        return np.asarray(advised)
    excess = np.maximum((sounding + taken)[:, None] + seat + 1 - polyphony[:, None], 0)
    return np.where(polyphony[:, None] == NO_LIMIT, advised, LIMIT_PENALTY * excess)


def assign(costs: NDArray[np.float64], penalty: float) -> Integers:
    """Return the cheapest parts of the notes of one onset, (m,).

    costs: (m, K). Every pair of notes in one part costs `penalty`. Among equally cheap assignments the first in
    lexicographic order wins as long as there are at most 4,096 of them in all.
    """
    notes, parts = costs.shape
    if notes == 1:
        return np.asarray(costs.argmin(axis=1))
    if parts**notes <= _LARGEST_TABLE:
        table, pairs = assignments(notes, parts)
        total = costs[np.arange(notes), table].sum(axis=1) + penalty * pairs
        return np.asarray(table[total.argmin()])
    return _seated(costs, penalty * np.tile(np.arange(notes, dtype=np.float64), (parts, 1)))


def assign_seats(costs: NDArray[np.float64], seats: NDArray[np.float64]) -> Integers:
    """Return the cheapest parts of the notes of one onset, (m,), where a part's notes have prices of their own.

    costs: (m, K). seats: (K, m), what the first, second, … note in a part costs besides; it must not fall.
    """
    notes, parts = costs.shape
    if parts**notes > _LARGEST_TABLE:
        return _seated(costs, seats)
    table, _ = assignments(notes, parts)
    prices = np.concatenate([np.zeros((parts, 1)), seats.cumsum(axis=1)], axis=1)  # of 0, 1, … m notes
    total = costs[np.arange(notes), table].sum(axis=1)
    total += prices[np.arange(parts), _counts(notes, parts)].sum(axis=1)
    return np.asarray(table[total.argmin()])


def _seated(costs: NDArray[np.float64], seats: NDArray[np.float64]) -> Integers:
    """Split every part into seats, and assign notes to seats, which is linear: who takes the s-th meets s others."""
    notes = len(costs)
    wide = np.repeat(costs, notes, axis=1) + seats.ravel()
    return np.asarray(linear_assignment(wide) // notes)


@lru_cache(maxsize=64)
def assignments(notes: int, parts: int) -> tuple[Integers, Integers]:
    """All assignments, (K**m, m), in lexicographic order, and the pairs of notes that share a part in each."""
    table = np.stack(np.meshgrid(*[np.arange(parts)] * notes, indexing="ij"), axis=-1).reshape(-1, notes)
    counts = (table[:, :, None] == np.arange(parts)).sum(axis=1)
    return table, (counts * (counts - 1) // 2).sum(axis=1)


@lru_cache(maxsize=64)
def _counts(notes: int, parts: int) -> Integers:
    """The notes that each part has in each of `assignments`, (K**m, K)."""
    table, _ = assignments(notes, parts)
    return np.asarray((table[:, :, None] == np.arange(parts)).sum(axis=1))


def unison_partners(
    mixture: Mixture, logits: Floats, labels: Integers, excluded: Sequence[int], probability: float
) -> tuple[Integers, Integers]:
    """Return the notes that a second part plays too, as rows and the parts that join: two parts in unison on one key.

    A part that is silent at an onset joins the note of that onset which it would most probably have, if the model gives
    it at least `probability`; no note is joined twice, and joining lasts as long as the note.
    """
    chances = np.exp(log_softmax(logits)) if len(mixture) else np.zeros((0, logits.shape[1]))
    parts = logits.shape[1]
    state = Occupancy(parts)
    rows, joining = [], []
    starts = np.flatnonzero(np.diff(mixture.onset, prepend=mixture.onset[:1] - 1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(mixture)], strict=True):
        onset, ends = int(mixture.onset[start]), mixture.offset[start:stop]
        busy = state.at(onset) + np.bincount(labels[start:stop], minlength=parts)
        state.add(labels[start:stop], ends.tolist())
        open_rows = list(range(start, stop))
        for part in np.flatnonzero(busy == 0).tolist():
            if part in excluded or not open_rows:
                continue
            best = max(open_rows, key=lambda row: float(chances[row, part]))
            if chances[best, part] >= probability:
                rows.append(best)
                joining.append(part)
                open_rows.remove(best)
                state.add([part], [int(ends[best - start])])
    return np.array(rows, np.int64), np.array(joining, np.int64)


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
