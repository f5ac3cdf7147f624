"""Logits → parts for a whole piece: the cheapest path through all onsets, for models that read ahead (beyond §4.4.3).

`decoding.decode` settles an onset before it looks at the next, as it must online. Offline, a choice that seems as good
as another (two voices in unison, one of which ends sooner) is left open until later notes tell which part is free.

Symbols: n notes, K parts, m notes of one onset.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from arranger.config import DecodingConfig
from arranger.decoding import Floats, assign, assignments, note_costs
from arranger.mixture import Integers, Mixture
from arranger.parts import PartSet

BEAM = 16  # hypotheses that are kept
MARGIN = 7.0  # nats by which a hypothesis may be worse than the best one; 12 changes no validation figure
CHOICES = 8  # assignments of an onset that are tried
OVERLAP_PENALTY = 2.0  # chosen on validation pieces of the chorales; 2 to 20 differ by less than 0.1 points
_LARGEST_TABLE = 4096

Choice = tuple[float, tuple[int, ...]]


def decode_jointly(
    mixture: Mixture,
    logits: Floats,
    parts: PartSet,
    config: DecodingConfig | None = None,
    locks: Integers | None = None,
) -> Integers:
    """Return the part of every note, (n,), by beam search over the onsets.

    Costs are those of `decoding.decode`, but for one: what still sounds in a part counts once, whatever it is.
    """
    config = config or replace(DecodingConfig(), overlap_penalty=OVERLAP_PENALTY)
    costs = note_costs(mixture, logits, parts, config, locks)
    starts = np.flatnonzero(np.diff(mixture.onset, prepend=mixture.onset[:1] - 1))
    sizes = np.diff(np.append(starts, len(mixture)))
    choices = _choices(costs, starts, sizes, config.chord_penalty)
    penalty = config.overlap_penalty
    onsets, ends = mixture.onset[starts].tolist(), mixture.offset.tolist()
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, (-1,) * len(parts))]  # cost, and where each part's notes end
    history: list[list[tuple[int, tuple[int, ...]]]] = []  # for each onset and hypothesis: its predecessor, its choice
    for start, onset, options in zip(starts.tolist(), onsets, choices, strict=True):
        best: dict[tuple[int, ...], tuple[float, int, tuple[int, ...]]] = {}
        bound = math.inf
        for parent, (cost, state) in enumerate(beam):
            sounding = [end if end > onset else -1 for end in state]
            for own, chosen in options:
                total = cost + own
                if total > bound:  # options are sorted by cost, hypotheses too
                    break
                after = sounding.copy()
                for part, end in zip(chosen, ends[start : start + len(chosen)], strict=True):
                    if sounding[part] >= 0:
                        total += penalty
                    if end > after[part]:
                        after[part] = end
                if total > bound:
                    continue
                bound = min(bound, total + MARGIN)
                key = tuple(after)
                if key not in best or total < best[key][0]:
                    best[key] = total, parent, chosen
        ranked = sorted(best.items(), key=lambda item: item[1][0])[:BEAM]
        bound = ranked[0][1][0] + MARGIN  # of the best one found, not the best one then
        kept = [(key, found) for key, found in ranked if found[0] <= bound]
        beam = [(cost, key) for key, (cost, _, _) in kept]
        history.append([(parent, chosen) for _, (_, parent, chosen) in kept])
    return _trace(history, starts, len(mixture))


def _choices(costs: NDArray[np.float64], starts: Integers, sizes: Integers, penalty: float) -> list[list[Choice]]:
    """Return the assignments of each onset that are worth trying, the cheapest first; onsets of one size at once."""
    parts = costs.shape[1]
    result: list[list[Choice]] = [[]] * len(starts)
    for size in np.unique(sizes).tolist():
        where = np.flatnonzero(sizes == size)
        rows = costs[starts[where][:, None] + np.arange(size)]  # (onsets, m, K)
        if parts**size > _LARGEST_TABLE:
            for place, own in zip(where.tolist(), rows, strict=True):
                result[place] = [(0.0, tuple(assign(own, penalty).tolist()))]
            continue
        table, pairs = assignments(size, parts)
        totals = rows[:, np.arange(size), table].sum(axis=2) + penalty * pairs
        kept = min(CHOICES, len(table))
        nearest = np.argsort(totals, axis=1, kind="stable")[:, :kept]
        nearest_costs = np.take_along_axis(totals, nearest, axis=1)
        worth = nearest_costs <= nearest_costs[:, :1] + MARGIN
        for place, own, order, good in zip(where.tolist(), nearest_costs.tolist(), nearest, worth, strict=True):
            result[place] = [(own[i], tuple(table[order[i]].tolist())) for i in np.flatnonzero(good).tolist()]
    return result


def _trace(history: list[list[tuple[int, tuple[int, ...]]]], starts: Integers, count: int) -> Integers:
    """Return the labels along the best path, from its end to its beginning."""
    labels = np.zeros(count, np.int64)
    hypothesis = 0
    for start, step in zip(starts[::-1].tolist(), history[::-1], strict=True):
        hypothesis, chosen = step[hypothesis]
        labels[start : start + len(chosen)] = chosen
    return labels
