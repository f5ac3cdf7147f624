"""Recordings → parts for training, validation and test that share no work.

`movement` keeps works together; `random` is the paper's (single clips are held out, so that recordings leak); `fold-1`
to `fold-5` hold out the works that two performers play, a fifth each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from muspy_core.datasets.splits import grouped_split

from deepperformer.errors import DataError

Subset = Literal["train", "valid", "test"]
SUBSETS: tuple[Subset, ...] = ("train", "valid", "test")
FOLDS = 5
SPLITS = ("movement", "random", *(f"fold-{number}" for number in range(1, FOLDS + 1)))
SHARES = (0.8, 0.1, 0.1)


def split_works(performers: Sequence[str], works: Sequence[str], split: str, seed: int = 0) -> dict[Subset, list[int]]:
    """Return the indices of the recordings of each part; `random` gives all of them to each.

    performers, works: of each recording. Raises DataError for an unknown split, or one that leaves a part empty.
    """
    if split not in SPLITS:
        raise DataError(f"split={split!r}: choose one of {', '.join(SPLITS)}")
    if split == "random":
        return {subset: list(range(len(works))) for subset in SUBSETS}
    if split == "movement":
        drawn = grouped_split(works, SHARES, np.random.default_rng(seed))
        parts = {"train": drawn["train"], "valid": drawn["validation"], "test": drawn["test"]}
    else:
        parts = _fold(performers, works, int(split.removeprefix("fold-")) - 1)
    for subset, indices in parts.items():
        if not indices:
            raise DataError(f"split={split}: {len(set(works))} works are too few, the {subset} part is empty")
    return {subset: parts[subset] for subset in SUBSETS}


def _fold(performers: Sequence[str], works: Sequence[str], fold: int) -> dict[str, list[int]]:
    """Hold out a fifth of the works with several performers; the first work of the next fifth is for validation."""
    played_by: dict[str, set[str]] = {}
    for performer, work in zip(performers, works, strict=True):
        played_by.setdefault(work, set()).add(performer)
    shared = sorted(work for work, names in played_by.items() if len(names) > 1)
    # Every fifth one, so that a fold has movements of several works.
    test, following = shared[fold::FOLDS], shared[(fold + 1) % FOLDS :: FOLDS]
    valid = following[:1]
    parts: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    for index, work in enumerate(works):
        parts["test" if work in test else "valid" if work in valid else "train"].append(index)
    return parts
