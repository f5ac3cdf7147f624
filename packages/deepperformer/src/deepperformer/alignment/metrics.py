"""Timings beside a truth → errors in milliseconds: median, 95th percentile, and shares of gross errors (§5.3)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepperformer.errors import AlignmentError
from deepperformer.features.notes import Timings


@dataclasses.dataclass(frozen=True)
class OnsetErrors:
    """Errors of onsets in ms. bias: signed median. over_50, over_200: shares of notes in percent."""

    mean: float
    median: float
    p95: float
    maximum: float
    bias: float
    over_50: float
    over_200: float
    notes: int

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)


def onset_errors(estimated: Timings, true: Timings) -> OnsetErrors:
    """Compare the starts of the same notes, both (n, 2) in seconds. Raises AlignmentError if their numbers differ."""
    if estimated.shape != true.shape or not len(true):
        raise AlignmentError(f"timings of {len(estimated)} and {len(true)} notes cannot be compared")
    signed: NDArray[np.float64] = (estimated[:, 0] - true[:, 0]) * 1000
    size = np.abs(signed)
    return OnsetErrors(
        float(size.mean()),
        float(np.median(size)),
        float(np.percentile(size, 95)),
        float(size.max()),
        float(np.median(signed)),
        float(100 * (size > 50).mean()),
        float(100 * (size > 200).mean()),
        len(size),
    )
