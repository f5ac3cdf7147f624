"""Musical time: steps and seconds, bar lines and beats, changes of resolution.

A step is 1/resolution of a quarter note. All functions are vectorised over NumPy arrays.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from muspy_core.columns import EventList
    from muspy_core.events import Tempo, TimeSignature

DEFAULT_RESOLUTION = 24
DEFAULT_QPM = 120.0
# More bar lines or beats than any music has: a damaged time would ask for all memory.
MAX_GRID_LINES = 10_000_000


@dataclasses.dataclass(frozen=True)
class TempoMap:
    """Exact, invertible conversion between steps and seconds.

    starts: (segments,), steps, increasing, the first is 0. seconds_at: (segments,), seconds at each start.
    seconds_per_step: (segments,).
    """

    starts: NDArray[np.int64]
    seconds_at: NDArray[np.float64]
    seconds_per_step: NDArray[np.float64]

    @classmethod
    def from_tempos(cls, tempos: EventList[Tempo], resolution: int) -> TempoMap:
        """Make the map of a piece; 120 qpm holds until the first tempo, the last of simultaneous tempi wins.

        Raises ValueError for a tempo that is not positive or a resolution below 1.
        """
        if resolution < 1:
            raise ValueError(f"resolution must be at least 1, got {resolution}")
        table = tempos.array
        if len(table) and not (table["qpm"] > 0).all():
            raise ValueError(f"a tempo must be positive, got {table['qpm'].min()} qpm")
        order = np.argsort(table["time"], kind="stable")
        starts, qpm = np.maximum(table["time"][order], 0), table["qpm"][order]
        if not len(starts) or starts[0] > 0:
            starts, qpm = np.insert(starts, 0, 0), np.insert(qpm, 0, DEFAULT_QPM)
        last = np.append(starts[1:] != starts[:-1], True)
        starts, qpm = starts[last], qpm[last]
        seconds_per_step = 60.0 / (qpm * resolution)
        seconds_at = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_step[:-1])])
        return cls(starts.astype(np.int64), seconds_at, seconds_per_step)

    def seconds(self, steps: ArrayLike) -> NDArray[np.float64]:
        """Return the seconds at which steps are reached; any shape, negative steps extend the first tempo."""
        steps = np.asarray(steps)
        segment = np.maximum(np.searchsorted(self.starts, steps, side="right") - 1, 0)
        offset: NDArray[np.float64] = (steps - self.starts[segment]) * self.seconds_per_step[segment]
        return self.seconds_at[segment] + offset

    def steps(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """Return the (fractional) steps reached at seconds: the inverse of `seconds`."""
        seconds = np.asarray(seconds, dtype=np.float64)
        segment = np.maximum(np.searchsorted(self.seconds_at, seconds, side="right") - 1, 0)
        return self.starts[segment] + (seconds - self.seconds_at[segment]) / self.seconds_per_step[segment]


def barline_times(time_signatures: EventList[TimeSignature], end: int, resolution: int) -> NDArray[np.int64]:
    """Return the starts of measures in steps: from each time signature to the next one or to `end` (exclusive)."""
    return _grid(time_signatures, end, lambda top, bottom: 4 * resolution * top / bottom)


def beat_times(time_signatures: EventList[TimeSignature], end: int, resolution: int) -> NDArray[np.int64]:
    """Return the positions of beats in steps, one every 4/denominator quarter notes, up to `end` (exclusive)."""
    return _grid(time_signatures, end, lambda _, bottom: 4 * resolution / bottom)


def _grid(
    time_signatures: EventList[TimeSignature], end: int, length_of: Callable[[int, int], float]
) -> NDArray[np.int64]:
    """Return a grid of steps; length_of: numerator, denominator → distance of its lines in steps.

    Raises ValueError for a time signature that is not positive, or more than ten million lines.
    """
    table = time_signatures.array[["time", "numerator", "denominator"]]
    rows = table[np.argsort(table["time"], kind="stable")].tolist()
    stops = [*(time for time, _, _ in rows[1:]), end][: len(rows)]
    parts = []
    for (start, numerator, denominator), stop in zip(rows, stops, strict=True):
        if numerator < 1 or denominator < 1:
            raise ValueError(f"a time signature must be positive, got {numerator}/{denominator} at step {start}")
        length = length_of(numerator, denominator)
        count = max(math.ceil((stop - start) / length), 0)
        if count > MAX_GRID_LINES:
            raise ValueError(f"{stop - start:,} steps of {numerator}/{denominator} would need {count:,} lines")
        parts.append(start + np.arange(count) * length)
    return round_half_up(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def round_half_up(values: ArrayLike) -> NDArray[np.int64]:
    """Round to the nearest integer, halves up, so that equal distances stay equal (unlike rounding to even)."""
    return np.floor(np.asarray(values) + 0.5).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class Rescale:
    """The function that takes steps at `resolution` to steps at `target`, in exact integer arithmetic.

    rounding: "round" (halves up), "floor" or "ceil". Works on integers and on integer arrays, which raise OverflowError
    rather than wrap around.
    """

    target: int
    resolution: int
    rounding: str = "round"

    def __post_init__(self) -> None:
        if self.rounding not in ("round", "floor", "ceil"):
            raise ValueError(f'rounding must be "round", "floor", "ceil" or a function, got {self.rounding!r}')

    @overload
    def __call__(self, steps: int) -> int: ...

    @overload
    def __call__(self, steps: NDArray[np.int64]) -> NDArray[np.int64]: ...

    def __call__(self, steps: Any) -> Any:
        """Return the step (or array of steps) at the target resolution."""
        if isinstance(steps, np.ndarray) and steps.size:
            limit = (np.iinfo(np.int64).max - self.resolution) // (2 * self.target)
            if max(int(steps.max()), -int(steps.min())) > limit:
                raise OverflowError(f"a time of {int(steps.max()):,} steps is too large to be rescaled")
        if self.rounding == "floor":
            return steps * self.target // self.resolution
        if self.rounding == "ceil":
            return -(-steps * self.target // self.resolution)
        return (2 * steps * self.target + self.resolution) // (2 * self.resolution)
