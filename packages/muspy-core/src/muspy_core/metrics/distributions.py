"""Two sets of pieces → how alike their metrics are (Yang and Lerch, "On the evaluation of generative models in music",
Neural Computing and Applications, 2020).

Values are smoothed by Gaussian kernels into densities, which are compared by their overlap and by the Kullback–Leibler
divergence.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from muspy_core.metrics.table import MetricTable

Floats = NDArray[np.float64]

# Densities are evaluated from REACH bandwidths below the data to as many above, at STEPS points a bandwidth. Samples of
# more than EXACT values are gathered first, at GATHER_STEPS points a bandwidth. No grid has more than MAX_POINTS.
REACH, STEPS, GATHER_STEPS, MAX_POINTS, EXACT = 8, 32, 8, 8192, 1000
ROWS_AT_ONCE = 256


@dataclasses.dataclass(frozen=True)
class SetComparison:
    """How one metric differs between a reference set and another set of pieces.

    overlap_area: 0 (apart) to 1 (alike). kl_divergence: in nats, of the other density from the reference's; 0 if they
    are alike. Both are NaN where a density cannot be estimated. Means and standard deviations are those of the metric
    itself, over the n pieces that have a value.
    """

    overlap_area: float
    kl_divergence: float
    reference_mean: float
    reference_sd: float
    reference_n: int
    other_mean: float
    other_sd: float
    other_n: int


def compare_metrics(
    reference: MetricTable,
    other: MetricTable,
    names: Sequence[str] | None = None,
    method: Literal["distances", "values"] = "distances",
) -> dict[str, SetComparison]:
    """Compare two sets of pieces metric by metric.

    Args:
        reference: Metrics of the reference set, say of the training data.
        other: Metrics of the other set, say of what a model generated.
        names: Metrics to compare; by default all that both tables have.
        method: What the densities are of. "distances", after Yang and Lerch: the distances of every two reference
            pieces (intra-set) and of every reference piece to every other piece (inter-set); the memory needed grows
            with the product of the sizes. "values": the values of the metric in each set.

    Raises ValueError for an unknown method or a metric that is not in both tables.
    """
    if method not in ("distances", "values"):
        raise ValueError(f'`method` must be "distances" or "values", got {method!r}')
    chosen = [name for name in reference.columns if name in other.columns] if names is None else list(names)
    for name in chosen:
        if name not in reference.columns or name not in other.columns:
            raise ValueError(f"{name} is not in both tables; compute it for both sets")
    return {name: _compare(_present(reference[name]), _present(other[name]), method) for name in chosen}


def overlap_area(first: ArrayLike, second: ArrayLike) -> float:
    """Return the area under both of the densities of two samples, 0–1; NaN if a sample has no spread.

    first, second: any shape; NaN is left out. Densities are Gaussian kernel estimates with Scott's bandwidth.
    """
    return _compared(first, second)[0]


def kl_divergence(first: ArrayLike, second: ArrayLike) -> float:
    """Return ∫ p log(p / q) in nats for the densities p, q of two samples; NaN if a sample has no spread.

    first, second: any shape; NaN is left out. Densities are Gaussian kernel estimates with Scott's bandwidth, whose
    logarithms stay finite where the densities vanish.
    """
    return _compared(first, second)[1]


def _compared(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Return overlap area and divergence of the densities of two samples."""
    p, q = Density.of(first), Density.of(second)
    if p is None or q is None:
        return math.nan, math.nan
    points = np.sort(np.concatenate([p.grid(), q.grid()]))
    log_p, log_q = p.log(points), q.log(points)
    overlap = _integral(np.exp(np.minimum(log_p, log_q)), points)
    divergence = _integral(np.exp(log_p) * (log_p - log_q), points)
    return min(overlap, 1.0), max(divergence, 0.0)


@dataclasses.dataclass(frozen=True)
class Density:
    """A Gaussian kernel density estimate.

    points, log_weights: (points,), the sample; many values are gathered on a regular grid. bandwidth: Scott's, the
    standard deviation times n^(−1/5).
    """

    points: Floats
    log_weights: Floats
    bandwidth: float

    @classmethod
    def of(cls, sample: ArrayLike) -> Density | None:
        """Estimate the density of a sample; None for fewer than two different values, or infinite ones."""
        values = np.sort(_present(sample))
        if len(values) < 2 or values[0] == values[-1] or not np.isfinite(values[[0, -1]]).all():
            return None
        bandwidth = float(values.std(ddof=1)) * len(values) ** -0.2
        if bandwidth == 0:  # too small a spread for a float
            return None
        grid = _grid(values[0], values[-1], bandwidth / GATHER_STEPS)
        if len(values) <= max(len(grid), EXACT):
            return cls(values, np.full(len(values), -math.log(len(values))), bandwidth)
        weights = _gathered(values, grid)
        return cls(grid[weights > 0], np.log(weights[weights > 0]), bandwidth)

    def grid(self) -> Floats:
        """Return points that cover all of the density that matters."""
        reach = REACH * self.bandwidth
        return _grid(self.points[0] - reach, self.points[-1] + reach, self.bandwidth / STEPS)

    def log(self, at: Floats) -> Floats:
        """Return the logarithm of the density at some places; finite everywhere. (places,)."""
        parts = [self._log(at[i : i + ROWS_AT_ONCE]) for i in range(0, len(at), ROWS_AT_ONCE)]
        return np.concatenate(parts) - math.log(self.bandwidth * math.sqrt(2 * math.pi))

    def _log(self, at: Floats) -> Floats:
        exponents = self.log_weights - 0.5 * ((at[:, None] - self.points) / self.bandwidth) ** 2
        largest = exponents.max(axis=1)
        sums: Floats = np.exp(exponents - largest[:, None]).sum(axis=1)
        logs: Floats = largest + np.log(sums)
        return logs


def _grid(low: float, high: float, step: float) -> Floats:
    """Return points from `low` to `high` that are at most `step` apart, unless they would be too many."""
    return np.linspace(low, high, int(min((high - low) / step + 2, MAX_POINTS)))


def _gathered(values: Floats, grid: Floats) -> Floats:
    """Return the share of the values at each point of a regular grid, each split between the two nearest points."""
    places = (values - grid[0]) / (grid[1] - grid[0])
    left = np.minimum(places.astype(np.int64), len(grid) - 2)
    share = places - left
    weights = np.bincount(left, 1 - share, len(grid)) + np.bincount(left + 1, share, len(grid))
    shares: Floats = weights / len(values)
    return shares


def _compare(reference: Floats, other: Floats, method: str) -> SetComparison:
    if method == "distances":
        lower = np.tril_indices(len(reference), -1)
        first = np.abs(reference[:, None] - reference)[lower]
        second = np.abs(reference[:, None] - other).reshape(-1)
    else:
        first, second = reference, other
    return SetComparison(*_compared(first, second), *_moments(reference), len(reference), *_moments(other), len(other))


def _moments(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation, NaN where there are too few values."""
    mean = float(values.mean()) if len(values) else math.nan
    return mean, float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _present(sample: ArrayLike) -> Floats:
    values = np.asarray(sample, np.float64).reshape(-1)
    return values[~np.isnan(values)]


def _integral(values: Floats, points: Floats) -> float:
    """Integrate by the trapezoidal rule."""
    return float(((values[1:] + values[:-1]) / 2 * np.diff(points)).sum())
