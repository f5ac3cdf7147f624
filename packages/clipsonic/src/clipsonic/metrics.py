"""Vectors of sounds → distances between sets: Fréchet distance, its floor, diversity, cosines (§7.4.3).

A Fréchet distance bears the name of its embedding: FD-aisfx. FAD is that of VGGish alone, which is not here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipsonic.clips import DataError

Features = NDArray[np.float64]


class Floor(NamedTuple):
    """Distance of random halves of real sounds: mean and standard deviation over splits, and sounds in each half."""

    mean: float
    deviation: float
    n: int


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return |μ1 - μ2|² + tr(Σ1 + Σ2 - 2 (Σ1^½ Σ2 Σ1^½)^½) of two sets of vectors, (n, d) and (m, d).

    In double precision by symmetric eigenvalues, which stay real where there are fewer vectors than dimensions. It
    grows as n shrinks: only distances with equal n can be compared. Raises DataError for fewer than 2 vectors.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise DataError(f"two sets of at least 2 vectors of one length are compared, got {a.shape} and {b.shape}")
    mean = float(np.square(a.mean(0) - b.mean(0)).sum())
    one, two = np.cov(a, rowvar=False).reshape(a.shape[1], -1), np.cov(b, rowvar=False).reshape(b.shape[1], -1)
    values, directions = np.linalg.eigh(one)
    root = directions * np.sqrt(values.clip(min=0)) @ directions.T
    crossed = np.sqrt(np.linalg.eigvalsh(root @ two @ root).clip(min=0)).sum()
    return max(mean + float(np.trace(one) + np.trace(two) - 2 * crossed), 0.0)


def half_split_floor(real: NDArray[np.floating], rng: np.random.Generator, splits: int = 5) -> Floor:
    """Return how far random halves of real vectors, (n, d), are from each other."""
    half = len(real) // 2
    distances = []
    for _ in range(splits):
        order = rng.permutation(len(real))
        distances.append(frechet_distance(real[order[:half]], real[order[half : 2 * half]]))
    return Floor(float(np.mean(distances)), float(np.std(distances)), half)


def mean_pairwise_distance(vectors: NDArray[np.floating]) -> float:
    """Return the mean Euclidean distance of all pairs of vectors, (n, d): the diversity of a set."""
    array = np.asarray(vectors, np.float64)
    squares = np.square(array).sum(1)
    distances = np.sqrt((squares[:, None] + squares - 2 * array @ array.T).clip(min=0))
    n = len(array)
    return float(distances.sum() / max(n * (n - 1), 1))


def mean_cosine(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mean cosine of vectors, row by row, (n, d) each: Table 7.2 of query and true image vectors."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(1) / np.maximum(lengths, 1e-12)).mean())


def sliding_scores(scores: NDArray[np.floating]) -> dict[str, float]:
    """Return maximum, mean and minimum of the scores of a clip's windows (Table 7.5)."""
    return {"max": float(np.max(scores)), "mean": float(np.mean(scores)), "min": float(np.min(scores))}
