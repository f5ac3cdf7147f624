"""Dynamic time warping within a band, row by row in NumPy, with memory in proportion to the band.

Symbols: N frames of the reference, M of the recording, W of the band, F features. The cost of a pair is the Euclidean
distance of its features; steps are (1, 0), (1, 1) and (0, 1), all of weight 1, as in librosa's default.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
UP, DIAGONAL, LEFT = range(
    3
)  # where a cell is reached from: the frame before of the reference, of both, of the recording


@dataclasses.dataclass(frozen=True)
class Band:
    """The frames of the recording that each frame of the reference may belong to: `width` from `first` on.

    first: (N,), not falling; a row begins within the row before.
    """

    first: NDArray[np.int64]
    width: int

    @classmethod
    def full(cls, reference: int, recording: int) -> Band:
        """Return the band that leaves nothing out."""
        return cls(np.zeros(reference, np.int64), recording)

    @classmethod
    def around(cls, centers: NDArray[np.float64], half: int, recording: int) -> Band:
        """Return the band of `half` frames on either side of each center, (N,)."""
        width = min(2 * half + 1, recording)
        first = np.clip(np.rint(centers).astype(np.int64) - half, 0, recording - width)
        first = np.maximum.accumulate(first)
        # Where the centers leap, the band sets out early, so that each row overlaps the one before.
        leap, rows = max(width // 2, 1), np.arange(len(first))
        first = rows * leap + np.maximum.accumulate((first - rows * leap)[::-1])[::-1]
        return cls(np.maximum(first, 0), width)


@dataclasses.dataclass(frozen=True)
class Path:
    """A warping path. reference, recording: (steps,) frames, not falling. cost: mean distance of its pairs."""

    reference: NDArray[np.int64]
    recording: NDArray[np.int64]
    cost: float

    def at(self, frames: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the frames of the recording at (fractional) frames of the reference, interpolated."""
        known, index, counts = np.unique(self.reference, return_inverse=True, return_counts=True)
        return np.interp(frames, known, np.bincount(index, self.recording) / counts)


def warp(reference: Features, recording: Features, band: Band | None = None) -> Path:
    """Return the cheapest path of (N, F) and (M, F) from the first to the last cell of a band (None: the full one)."""
    band = band or Band.full(len(reference), len(recording))
    steps = np.empty((len(reference), band.width), np.uint8)
    lengths, others = np.square(reference).sum(1), np.square(recording).sum(1)
    total = np.zeros(0)
    for row, first in enumerate(band.first.tolist()):
        inside = slice(first, first + band.width)
        squares = lengths[row] + others[inside] - 2 * (recording[inside] @ reference[row])
        costs = np.sqrt(np.maximum(squares, 0)).astype(np.float64)
        if row == 0:
            total = np.cumsum(costs)
            steps[0] = LEFT
        else:
            total, steps[row] = _next_row(total, costs, first - int(band.first[row - 1]))
    return _trace(steps, band.first, float(total[-1]))


def _next_row(
    before: NDArray[np.float64], costs: NDArray[np.float64], shift: int
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the cheapest sums of a row and how each is reached, both (W,).

    before: the row before, whose band begins `shift` frames earlier. A run of steps to the right from cell k costs the
    difference of running sums, so that its minimum over k is a running minimum: no loop over cells is needed.
    """
    width = len(costs)
    up, diagonal = np.full(width, np.inf), np.full(width, np.inf)
    up[: width - shift] = before[shift:]
    if shift:
        reach = min(width, width - shift + 1)
        diagonal[:reach] = before[shift - 1 : shift - 1 + reach]
    else:
        diagonal[1:] = before[:-1]
    sums = np.cumsum(costs)
    entered = np.minimum(up, diagonal) + costs - sums
    best = np.minimum.accumulate(entered)
    steps = np.where(best < entered, LEFT, np.where(diagonal <= up, DIAGONAL, UP)).astype(np.uint8)
    return best + sums, steps


def _trace(steps: NDArray[np.uint8], first: NDArray[np.int64], total: float) -> Path:
    """Follow the steps back from the last cell; a loop over the path, which has at most N + M of them."""
    row, column = steps.shape[0] - 1, steps.shape[1] - 1
    pairs = [(row, int(first[row]) + column)]
    while row or column:
        step = steps[row, column]
        if step == LEFT:
            column -= 1
        else:
            shift = int(first[row] - first[row - 1])
            row, column = row - 1, column + shift - (step == DIAGONAL)
        pairs.append((row, int(first[row]) + column))
    reference, recording = np.array(pairs[::-1], np.int64).T
    return Path(reference, recording, total / len(pairs))
