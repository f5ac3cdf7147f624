"""Finished rows → matrices of nats an event, means over seeds, and what they have in common (Figs. 2.8–2.10).

Symbols: A models trained on (rows of the matrix), B test sets (columns).
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.experiments.corpora import MONOPHONIC, NAMES
from muspy_core.experiments.model import ModelName

MIXED = ("unified", "stratified")
TRAINED_ON = (*NAMES, *MIXED)


@dataclasses.dataclass(frozen=True)
class Results:
    """The rows of one table, by what was trained: (trained on, model) → its rows, one a seed."""

    rows: dict[tuple[str, ModelName], list[dict[str, Any]]]

    @classmethod
    def load(cls, folder: Path, windows: int) -> Results:
        """Read the rows in a folder whose training saw so many windows."""
        rows: dict[tuple[str, ModelName], list[dict[str, Any]]] = {}
        for path in sorted(folder.glob("*.json")):
            row = json.loads(path.read_text(encoding="utf-8"))
            if row["windows"] == windows:
                rows.setdefault((row["trained_on"], row["kind"]), []).append(row)
        return cls(rows)

    def seeds(self, trained_on: str, kind: ModelName) -> list[int]:
        """Return the seeds of the rows there are."""
        return [row["seed"] for row in self.rows.get((trained_on, kind), [])]

    def nats(self, trained_on: str, kind: ModelName, test: str) -> NDArray[np.float64]:
        """Return nats an event on a test set, (seeds,)."""
        rows = self.rows.get((trained_on, kind), [])
        return np.array([row["test"][test]["nll"] for row in rows if test in row["test"]], dtype=np.float64)

    def mean(self, trained_on: str, kind: ModelName, test: str) -> float:
        """Return the mean over seeds, NaN without rows."""
        values = self.nats(trained_on, kind, test)
        return float(values.mean()) if len(values) else math.nan

    def overall(self, trained_on: str, kind: ModelName) -> float:
        """Return the mean of a mixed training over all test sets, or of another over its own, in nats."""
        own = NAMES if trained_on in MIXED else (trained_on,)
        return float(np.mean([self.mean(trained_on, kind, name) for name in own]))

    def hours(self, trained_on: str, kind: ModelName = "lstm") -> float:
        """Return the hours of music trained on, NaN without rows."""
        rows = self.rows.get((trained_on, kind), [])
        return float(rows[0]["train_hours"]) if rows else math.nan

    def matrix(self, kind: ModelName, trained_on: Sequence[str] = TRAINED_ON) -> NDArray[np.float64]:
        """Return nats an event, (A, B), means over seeds; NaN where there are no rows."""
        return np.array([[self.mean(name, kind, test) for test in NAMES] for name in trained_on])

    def excess(self, kind: ModelName) -> NDArray[np.float64]:
        """Return how much worse a foreign model is than the test set's own, (B, B) in nats; 0 on the diagonal.

        Row: trained on. Column: test set. A test set that is hard for its own model does not count against others.
        """
        square = self.matrix(kind, NAMES)
        return square - np.diag(square)


@dataclasses.dataclass(frozen=True)
class RankCorrelation:
    """Spearman's ρ, with the exact share of orders of the second variable that give at least so high a value."""

    rho: float
    p: float
    n: int


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation:
    """Return Spearman's rank correlation of up to nine pairs without ties; NaN for fewer than three."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if not (math.isnan(a) or math.isnan(b))]
    n = len(pairs)
    if n < 3:
        return RankCorrelation(math.nan, math.nan, n)
    if n > 9:
        raise ValueError(f"the exact test takes at most 9 pairs, got {n}")
    ranks = np.array([np.argsort(np.argsort(values)) for values in zip(*pairs, strict=True)], dtype=np.float64)
    rho = spearman(ranks[0], ranks[1])
    orders = np.array(list(itertools.permutations(range(n))))
    others = 1 - 6 * ((ranks[0] - orders) ** 2).sum(1) / (n * (n**2 - 1))
    return RankCorrelation(rho, float((others >= rho - 1e-9).mean()), n)


def spearman(first: Sequence[float] | NDArray[np.float64], second: Sequence[float] | NDArray[np.float64]) -> float:
    """Return Spearman's ρ of pairs without ties."""
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    n = len(ranks[0])
    return 1 - 6 * float(((ranks[0] - ranks[1]) ** 2).sum()) / (n * (n**2 - 1))


def group(name: str) -> str:
    """Return "monophonic" or "multi-pitch"."""
    return "monophonic" if name in MONOPHONIC else "multi-pitch"
