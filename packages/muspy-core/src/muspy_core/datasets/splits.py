"""Splits: which pieces are for training, testing and validation.

All functions return lists of indices by the name of the part and draw from a generator that is passed to them. Groups
(versions of a tune, movements of a work) are never torn apart by `grouped_split`; `stratified_split` keeps the share of
every class in every part.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

Splits = dict[str, list[int]]

PART_NAMES = ("train", "test", "validation")
TOLERANCE = 1e-6


def shares_of(splits: float | Sequence[float]) -> tuple[float, ...]:
    """Return the shares of the parts: (f, 1 − f) for a number; two or three numbers as they are.

    Raises ValueError unless they are positive and sum to 1.
    """
    shares = (float(splits), 1.0 - float(splits)) if isinstance(splits, (int, float)) else tuple(map(float, splits))
    if not 2 <= len(shares) <= len(PART_NAMES):
        raise ValueError(f"a split has two or three parts (train, test, validation), got {len(shares)}")
    if min(shares) < 0 or abs(sum(shares) - 1.0) > TOLERANCE:
        raise ValueError(f"the shares of a split must not be negative and must sum to 1, got {shares}")
    return shares


def random_split(length: int, splits: float | Sequence[float], random_state: Any = None) -> Splits:
    """Draw a split of `length` pieces at random; the sizes are the shares, rounded down."""
    order = _generator(random_state).permutation(length)
    return _cut(order, shares_of(splits))


def grouped_split(groups: Sequence[Hashable], splits: float | Sequence[float], random_state: Any = None) -> Splits:
    """Draw a split that keeps pieces of the same group together.

    groups: the group of each piece. Whole groups, in random order, fill the parts up to their shares of pieces.
    """
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    keys = list(members)
    shares = shares_of(splits)
    bounds = np.cumsum(shares) * len(groups)
    parts: list[list[int]] = [[] for _ in shares]
    filled = 0
    for number in _generator(random_state).permutation(len(keys)).tolist():
        group_members = members[keys[number]]
        middle = filled + len(group_members) / 2
        parts[min(int(np.searchsorted(bounds, middle)), len(shares) - 1)] += group_members
        filled += len(group_members)
    return dict(zip(PART_NAMES, map(sorted, parts), strict=False))


def stratified_split(classes: Sequence[Hashable], splits: float | Sequence[float], random_state: Any = None) -> Splits:
    """Draw a split in which every class has the same share of every part.

    classes: the class of each piece.
    """
    generator = _generator(random_state)
    shares = shares_of(splits)
    parts: Splits = {name: [] for name in PART_NAMES[: len(shares)]}
    by_class: dict[Hashable, list[int]] = {}
    for index, label in enumerate(classes):
        by_class.setdefault(label, []).append(index)
    for indices in by_class.values():
        for name, chosen in _cut(np.array(indices)[generator.permutation(len(indices))], shares).items():
            parts[name] += chosen
    return {name: sorted(indices) for name, indices in parts.items()}


def _cut(order: Any, shares: tuple[float, ...]) -> Splits:
    # The tolerance keeps 0.7 + 0.2 + 0.1 from losing a piece to a rounding error.
    bounds = np.floor(np.cumsum(shares) * len(order) + TOLERANCE).astype(int)
    pieces = np.split(order, bounds[:-1])
    return dict(zip(PART_NAMES, (piece.tolist() for piece in pieces), strict=False))


def _generator(random_state: Any) -> Any:
    if isinstance(random_state, (np.random.Generator, np.random.RandomState)):
        return random_state
    return np.random.default_rng(random_state)
