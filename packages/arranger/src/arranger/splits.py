"""Train, validation and test parts of a corpus, with and without related pieces on both sides (pieces → splits).

`paper` draws every piece on its own, as the paper does. `grouped` keeps together the pieces that share a tune or a
setting: Bach harmonised many tunes several times. In five draws of `paper`, more than half of the test pieces are
related to a training piece, and 2 to 6 of some 45 have a near copy there, often transposed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from typing import Any

import numpy as np
from muspy_core.errors import MuspyError

from arranger.mixture import RESOLUTION, Piece

SUBSETS = ("train", "valid", "test")
WEIGHTS = (8, 1, 1)

TUNE_LENGTH = 8  # successive intervals of a tune that are compared
# Of the 29 pairs with one title in music21's list of chorales, these leave apart only five, whose tunes do differ.
SAME_TUNE = 0.25
SAME_SETTING = 0.42
_SHIFTS = range(-2, 3)  # semitones tried around the difference of the median pitches


class SplitError(MuspyError):
    """An unknown split or subset, or one that a model must not be tested on."""


@dataclass(frozen=True)
class Split:
    """The names of the pieces in each subset."""

    name: str
    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]

    def subset(self, name: str) -> tuple[str, ...]:
        """Return a subset by its name; raises SplitError for an unknown one."""
        if name not in SUBSETS:
            raise SplitError(f"unknown subset {name!r}; there are {', '.join(SUBSETS)}")
        names: tuple[str, ...] = getattr(self, name)
        return names


def split_of(name: str, corpus: str, pieces: Sequence[str]) -> Split:
    """Return a split of a corpus: `paper`, `grouped`, or with a number (`grouped:3`) another draw of it; 0 by default;
    or `whole`, in which every piece is for testing.

    pieces: the names of all pieces of the corpus. Raises SplitError if the name or the pieces are not known.
    """
    kind, _, number = name.partition(":")
    if name == "whole":
        return Split(name, (), (), tuple(sorted(pieces)))
    if kind not in ("paper", "grouped") or not (number.isdigit() or not number):
        raise SplitError(f"unknown split {name!r}; there are paper, grouped, draws of them (grouped:3), and whole")
    seed = int(number or 0)
    if kind == "paper":
        return official_split(pieces) if corpus == "nes" else paper_split(pieces, seed)
    groups = shipped_groups(corpus)
    missing = sorted(set(pieces) ^ {piece for group in groups for piece in group})
    if missing:
        raise SplitError(f"{corpus}: {len(missing)} pieces differ from the shipped groups, the first is {missing[0]}")
    return grouped_split(groups, seed)


def paper_split(pieces: Sequence[str], seed: int = 0) -> Split:
    """Return the split 8:1:1 in which every piece is drawn on its own, over sorted names."""
    names = sorted(pieces)
    drawn = random.Random(seed).choices(SUBSETS, WEIGHTS, k=len(names))
    chosen = {subset: [n for n, s in zip(names, drawn, strict=True) if s == subset] for subset in SUBSETS}
    return Split(f"paper:{seed}", *(tuple(chosen[subset]) for subset in SUBSETS))


def official_split(pieces: Sequence[str]) -> Split:
    """Return the split that a data set comes with: the names begin with `train/`, `valid/` or `test/`."""
    return Split("official", *(tuple(n for n in sorted(pieces) if n.startswith(f"{subset}/")) for subset in SUBSETS))


def grouped_split(groups: Sequence[Sequence[str]], seed: int = 0) -> Split:
    """Return the split 8:1:1 of the pieces in which every group stays together.

    Groups that would fill more than half of the smallest subset are for training, so that what is tested stays varied;
    the others are taken in random order, and each goes where most pieces are missing in proportion.
    """
    ordered = sorted(sorted(group) for group in groups)
    random.Random(seed).shuffle(ordered)
    total = sum(len(group) for group in ordered)
    wanted = [weight * total / sum(WEIGHTS) for weight in WEIGHTS]
    chosen: list[list[str]] = [[] for _ in SUBSETS]
    large = [group for group in ordered if 2 * len(group) > min(wanted)]
    chosen[0] = [name for group in large for name in group]
    for group in ordered:
        if group in large:
            continue
        lacking = [(goal - len(have)) / goal for goal, have in zip(wanted, chosen, strict=True)]
        chosen[lacking.index(max(lacking))].extend(group)
    return Split(f"grouped:{seed}", *(tuple(sorted(names)) for names in chosen))


def shipped_groups(corpus: str) -> list[list[str]]:
    """Return the groups of related pieces of a corpus, as the package carries them (see `corpora.groups`)."""
    groups: list[list[str]] = _shipped(corpus)["groups"]
    return groups


def shipped_duplicates(corpus: str) -> list[str]:
    """Return the works of a corpus that are left out because another corpus has them."""
    works: list[str] = _shipped(corpus).get("duplicates", [])
    return works


def _shipped(corpus: str) -> dict[str, Any]:
    file = resources.files("arranger") / "corpora" / f"{corpus}-groups.json"
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SplitError(f"{corpus} has no groups of related pieces; use the paper split") from None
    return content


# ---- which pieces are related


def related_groups(pieces: Sequence[Piece]) -> list[list[str]]:
    """Return the pieces in groups: directly or through others they share a tune or a setting; names sorted."""
    tunes = {piece.name: tune_fragments(piece) for piece in pieces}
    return joined(
        [piece.name for piece in pieces],
        (
            (first.name, second.name)
            for first, second in combinations(pieces, 2)
            if shared_tune(tunes[first.name], tunes[second.name]) >= SAME_TUNE
            or shared_setting(first, second) >= SAME_SETTING
        ),
    )


def work_groups(pieces: Sequence[Piece]) -> list[list[str]]:
    """Return movements in groups: those of one work (all but the last word of `WORK-MOVEMENT`), or of one tune."""
    tunes = {piece.name: tune_fragments(piece) for piece in pieces}
    return joined(
        list(tunes),
        (
            (first, second)
            for first, second in combinations(tunes, 2)
            if work_of(first) == work_of(second) or shared_tune(tunes[first], tunes[second]) >= SAME_TUNE
        ),
    )


def work_of(movement: str) -> str:
    """Return the name of the work that a movement belongs to."""
    return movement.rpartition("-")[0] or movement


def joined(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the names in groups, so that those of a pair are in one; all sorted."""
    leader = {name: name for name in names}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for first, second in pairs:
        leader[find(first)] = find(second)
    groups: dict[str, list[str]] = {}
    for name in sorted(leader):
        groups.setdefault(find(name), []).append(name)
    return sorted(groups.values())


def tune_fragments(piece: Piece) -> set[tuple[int, ...]]:
    """Return all runs of 8 successive melodic intervals of the first part, repeated notes left out."""
    own = piece.label == piece.label.min()
    onset, pitch = piece.mixture.onset[own], piece.mixture.pitch[own]
    highest = np.append(onset[1:] != onset[:-1], True)  # the mixture goes upwards within an onset
    pitch = pitch[highest]
    pitch = pitch[np.append(True, np.diff(pitch) != 0)]
    steps = np.diff(pitch).tolist()
    return {tuple(steps[i : i + TUNE_LENGTH]) for i in range(len(steps) - TUNE_LENGTH + 1)}


def shared_tune(first: set[tuple[int, ...]], second: set[tuple[int, ...]]) -> float:
    """Return the share of the shorter tune's fragments that the other one has."""
    return len(first & second) / max(min(len(first), len(second)), 1)


def shared_setting(first: Piece, second: Piece) -> float:
    """Return the share of the shorter piece's notes that the other one has too, at the best transposition.

    Onsets are counted from each piece's first note; pieces that differ in length by more than half have none.
    """
    shorter, longer = sorted((first.mixture, second.mixture), key=len)
    if 2 * len(shorter) < len(longer):
        return 0.0
    width = 64 * RESOLUTION  # room for every pitch after a shift
    keys = np.unique((longer.onset - longer.onset[0]) * width + longer.pitch)
    base = (shorter.onset - shorter.onset[0]) * width + shorter.pitch
    shift = int(np.median(longer.pitch) - np.median(shorter.pitch))
    return max(float(np.isin(base + shift + s, keys, assume_unique=False).mean()) for s in _SHIFTS)
