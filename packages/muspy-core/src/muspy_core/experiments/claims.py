"""Each claim of §2.5 beside what our rows say of it, computed from the rows.

A claim holds or is not confirmed by the rule that its function's docstring gives; the rules were written when six of
the rows had been seen. Numbers are nats an event of the LSTM, means over the seeds there are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from muspy_core.experiments.corpora import NAMES
from muspy_core.experiments.model import ModelName
from muspy_core.experiments.results import MIXED, Results, group, rank_correlation, spearman

MODELS: tuple[ModelName, ...] = ("rnn", "lstm", "gru", "transformer")
GAME_MUSIC = "freedoom"
CHORALES = "m21jsb"


@dataclasses.dataclass(frozen=True)
class Finding:
    """A claim of the dissertation, whether it holds here (None: rows are missing), and the numbers."""

    claim: str
    holds: bool | None
    evidence: str


def findings(results: Results) -> list[Finding]:
    """Return what there is to say of every claim."""
    return [_finding(claim, judge, results) for claim, judge in CLAIMS.items()]


Judgement = tuple[bool, str]


def _finding(claim: str, judge: Callable[[Results], Judgement | None], results: Results) -> Finding:
    judgement = judge(results)
    return Finding(claim, None, "its rows were not reached") if judgement is None else Finding(claim, *judgement)


def _tendencies(results: Results) -> Judgement | None:
    """Holds if the order of data sets by own nats of every model correlates by more than 0.8 with the LSTM's."""
    own = {kind: [results.overall(name, kind) for name in NAMES] for kind in MODELS}
    parts, values = [], []
    for kind in MODELS:
        both = ~np.isnan(own[kind]) & ~np.isnan(own["lstm"])
        if kind == "lstm" or both.sum() < 4:
            continue
        values.append(spearman(np.array(own[kind])[both], np.array(own["lstm"])[both]))
        parts.append(f"{kind} {values[-1]:.2f} (n = {both.sum()})")
    return (min(values) > 0.8, "Spearman's ρ with the LSTM's order: " + ", ".join(parts)) if values else None


def _size(results: Results) -> Judgement | None:
    """Holds if perplexity and hours are positively correlated in both groups, at p < 0.05."""
    parts, good = [], []
    for name in ("monophonic", "multi-pitch"):
        members = [member for member in NAMES if group(member) == name]
        found = rank_correlation(
            [results.hours(member) for member in members], [results.overall(member, "lstm") for member in members]
        )
        if np.isnan(found.rho):
            return None
        parts.append(f"{name}: ρ = {found.rho:.2f} (n = {found.n}, exact one-sided p = {found.p:.2f})")
        good.append(found.rho > 0 and found.p < 0.05)
    return all(good), "; ".join(parts)


def _asymmetry(results: Results) -> Judgement | None:
    """Holds if the two directions of a pair differ by more than half a nat for most pairs."""
    excess = results.excess("lstm")
    if np.isnan(excess).any():
        return None
    gaps = np.abs(excess - excess.T)[np.triu_indices(len(excess), 1)]
    large = int((gaps > 0.5).sum())
    return large > len(gaps) / 2, (
        f"the excess over the test set's own model differs by more than 0.5 nats in {large} of {len(gaps)} pairs, "
        f"by {np.median(gaps):.2f} in the median"
    )


def _multi_pitch_to_monophonic(results: Results) -> Judgement | None:
    """Holds if monophonic training costs more on multi-pitch sets than the reverse, by more than half a nat."""
    excess = results.excess("lstm")
    if np.isnan(excess).any():
        return None
    monophonic = np.array([group(name) == "monophonic" for name in NAMES])
    down, up = excess[np.ix_(~monophonic, monophonic)].mean(), excess[np.ix_(monophonic, ~monophonic)].mean()
    return bool(up - down > 0.5), (
        f"mean excess {down:.2f} nats from multi-pitch training to monophonic tests, {up:.2f} the other way round"
    )


def _chorales(results: Results) -> Judgement | None:
    """Holds if chorales are the worst multi-pitch training for all the other sets."""
    means = _foreign_means(results)
    if np.isnan(means).any():
        return None
    multi = [name for name in NAMES if group(name) == "multi-pitch"]
    order = sorted(multi, key=lambda name: means[NAMES.index(name)])
    listed = ", ".join(f"{name} {means[NAMES.index(name)]:.2f}" for name in order)
    return order[-1] == CHORALES, f"mean nats on the ten other test sets: {listed}"


def _game_music(results: Results) -> Judgement | None:
    """Holds if game music is the test set with the largest mean excess of foreign models."""
    excess = results.excess("lstm")
    if np.isnan(excess).any():
        return None
    means = excess.sum(0) / (len(NAMES) - 1)
    order = np.argsort(-means)
    listed = ", ".join(f"{NAMES[place]} {means[place]:.2f}" for place in order[:4])
    return NAMES[order[0]] == GAME_MUSIC, f"mean excess of foreign models, largest first: {listed}"


def _largest(results: Results) -> Judgement | None:
    """Holds if the set of most hours has the lowest mean on the others."""
    means = _foreign_means(results)
    if np.isnan(means).any():
        return None
    hours = np.array([results.hours(name) for name in NAMES])
    order = np.argsort(means)
    largest = NAMES[int(hours.argmax())]
    listed = ", ".join(f"{NAMES[place]} {means[place]:.2f} ({hours[place]:.0f} h)" for place in order[:4])
    rank = [NAMES[place] for place in order].index(largest) + 1
    return rank == 1, f"mean nats on the ten other sets, best first: {listed}; the largest, {largest}, is number {rank}"


def _combining(results: Results) -> Judgement | None:
    """Holds if a mixed training has a lower mean over all eleven tests than every single one."""
    single = results.matrix("lstm", NAMES).mean(1)
    mixed = results.matrix("lstm", MIXED).mean(1)
    if np.isnan(single).any() or np.isnan(mixed).any():
        return None
    best = int(single.argmin())
    return bool(mixed.min() < single.min()), (
        f"mean over the eleven tests: unified {mixed[0]:.2f}, stratified {mixed[1]:.2f}, "
        f"best single ({NAMES[best]}) {single[best]:.2f}"
    )


def _stratified(results: Results) -> Judgement | None:
    """Holds if stratified is better than unified on more than half the sets, and worse on that of most pieces."""
    unified, stratified = results.matrix("lstm", MIXED)
    if np.isnan([unified, stratified]).any():
        return None
    gains = unified - stratified
    pieces = [results.rows[(name, "lstm")][0]["train_pieces"] if results.seeds(name, "lstm") else 0 for name in NAMES]
    largest = int(np.argmax(pieces))
    better = int((gains > 0).sum())
    return better > len(NAMES) / 2 and gains[largest] < 0, (
        f"better on {better} of {len(NAMES)} sets, by {gains.mean():.2f} nats in the mean; "
        f"on {NAMES[largest]}, which has the most pieces, {-gains[largest]:+.2f} nats"
    )


def _foreign_means(results: Results) -> NDArray[np.float64]:
    """Mean nats of a training on the ten test sets that are not its own, (B,)."""
    square = results.matrix("lstm", NAMES)
    return np.asarray((square.sum(1) - np.diag(square)) / (len(NAMES) - 1))


CLAIMS: dict[str, Callable[[Results], Judgement | None]] = {
    "All models have similar tendencies (§2.5.2)": _tendencies,
    "Within each group, perplexity grows with the size of a data set (§2.5.2)": _size,
    "Generalisability is not symmetric (§2.5.3)": _asymmetry,
    "Multi-pitch training serves monophonic tests, not the reverse (§2.5.3)": _multi_pitch_to_monophonic,
    "A model of chorales generalises to no other set (§2.5.3; there JSB at quarter notes, here music21's)": _chorales,
    "Most models do worse on game music than on other sets (§2.5.3; there NES, here Freedoom)": _game_music,
    "The largest, most diverse set generalises best (§2.5.3; there LMD, which we do not have)": _largest,
    "Combining data sets improves generalisability (§2.5.4)": _combining,
    "Stratified sampling helps most sets and costs the largest (§2.5.4)": _stratified,
}
