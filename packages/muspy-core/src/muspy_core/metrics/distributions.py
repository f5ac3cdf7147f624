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

# Points at which a density is evaluated, bandwidths that they reach beyond the data, and points that stand for larger
# samples.
GRID = 2048
REACH = 8.0
MAX_POINTS = 2048
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
    densities = _densities(first, second)
    if densities is None:
        return math.nan
    points = np.sort(np.concatenate([density.grid() for density in densities]))
    lower = np.minimum(*(np.exp(density.log(points)) for density in densities))
    return min(_integral(lower, points), 1.0)


def kl_divergence(first: ArrayLike, second: ArrayLike) -> float:
    """Return ∫ p log(p / q) in nats for the densities p, q of two samples; NaN if a sample has no spread.

    first, second: any shape; NaN is left out. Densities are Gaussian kernel estimates with Scott's bandwidth, whose
    logarithms stay finite where the densities vanish.
    """
    densities = _densities(first, second)
    if densities is None:
        return math.nan
    p, q = densities
    points = np.sort(np.concatenate([p.grid(), q.grid()]))
    points = points[(points >= p.grid()[0]) & (points <= p.grid()[-1])]
    log_p = p.log(points)
    return max(_integral(np.exp(log_p) * (log_p - q.log(points)), points), 0.0)


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
        """Estimate the density of a sample; None for fewer than two different values."""
        values = np.sort(_present(sample))
        if len(values) < 2 or values[0] == values[-1]:
            return None
        bandwidth = float(values.std(ddof=1)) * len(values) ** -0.2
        if len(values) <= MAX_POINTS:
            return cls(values, np.full(len(values), -math.log(len(values))), bandwidth)
        points, weights = _gathered(values)
        return cls(points, np.log(weights), bandwidth)

    def grid(self) -> Floats:
        """Return points that cover all of the density that matters; (GRID,)."""
        reach = REACH * self.bandwidth
        return np.linspace(self.points[0] - reach, self.points[-1] + reach, GRID)

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


def _gathered(values: Floats) -> tuple[Floats, Floats]:
    """Return a regular grid and the share of the values at each of its points, split between the two nearest."""
    points = np.linspace(values[0], values[-1], MAX_POINTS)
    places = (values - values[0]) / (points[1] - points[0])
    left = np.minimum(places.astype(np.int64), MAX_POINTS - 2)
    share = places - left
    weights = np.bincount(left, 1 - share, MAX_POINTS) + np.bincount(left + 1, share, MAX_POINTS)
    used = weights > 0
    return points[used], weights[used] / len(values)


def _densities(first: ArrayLike, second: ArrayLike) -> tuple[Density, Density] | None:
    p, q = Density.of(first), Density.of(second)
    return None if p is None or q is None else (p, q)


def _compare(reference: Floats, other: Floats, method: str) -> SetComparison:
    if method == "distances":
        lower = np.tril_indices(len(reference), -1)
        first = np.abs(reference[:, None] - reference)[lower]
        second = np.abs(reference[:, None] - other).reshape(-1)
    else:
        first, second = reference, other
    return SetComparison(
        overlap_area(first, second),
        kl_divergence(first, second),
        *_moments(reference),
        len(reference),
        *_moments(other),
        len(other),
    )


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
