"""Timings → how far they can be trusted: spots where the tempo leaps, and how well the sounds match.

No truth is needed. `metrics.py` compares with a truth where there is one.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from deepperformer.features.notes import ONSET, NoteRows, Timings

SUSPICIOUS_RATIO = 4.0  # times faster or slower than the piece's median tempo
WINDOW = 2  # onsets on either side, over which a local tempo is taken
POOR_MATCH = 0.80  # of the distance of random frames: above it, it may be another piece
MANY = 0.05


@dataclasses.dataclass(frozen=True)
class Quality:
    """A report. distance: along the path, in units of that of random frames. suspicious: notes at tempo leaps."""

    notes: int
    distance: float
    suspicious: tuple[int, ...]

    @property
    def warnings(self) -> list[str]:
        """What should be looked at, in words; empty if nothing."""
        found = []
        if self.distance > POOR_MATCH:
            found.append(
                f"score and recording match poorly (distance {self.distance:.2f} of random): is it the same piece, "
                "with the same repeats?"
            )
        if len(self.suspicious) > MANY * self.notes:
            share = 100 * len(self.suspicious) / self.notes
            found.append(f"{share:.0f} % of the notes lie where the tempo leaps: gross errors are likely")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return {**dataclasses.asdict(self), "warnings": self.warnings}


def quality_of(rows: NoteRows, timings: Timings, distance: float) -> Quality:
    """Judge an alignment. distance: mean distance along the path, in units of that of random frames."""
    onsets, first = np.unique(rows[:, ONSET], return_index=True)
    starts = timings[first, 0]
    if len(onsets) < 2 * WINDOW + 2:
        return Quality(len(rows), round(float(distance), 4), ())
    before = np.maximum(np.arange(len(onsets)) - WINDOW, 0)
    after = np.minimum(np.arange(len(onsets)) + WINDOW, len(onsets) - 1)
    slopes = (starts[after] - starts[before]) / (onsets[after] - onsets[before])
    ratios = slopes / max(float(np.median(slopes)), 1e-9)
    leaping = onsets[(ratios > SUSPICIOUS_RATIO) | (ratios < 1 / SUSPICIOUS_RATIO)]
    return Quality(
        len(rows), round(float(distance), 4), tuple(np.flatnonzero(np.isin(rows[:, ONSET], leaping)).tolist())
    )
