"""Figures of rows → what was aimed at, and whether it was reached (results → page)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A figure with its aim. value: None where a row that it needs was not run."""

    about: str
    aim: str
    value: float | None
    reached: bool

    @property
    def line(self) -> str:
        """A row of a Markdown table."""
        if self.value is None:
            return f"| {self.about} | {self.aim} | not run | |"
        return f"| {self.about} | {self.aim} | {self.value:.3f} | {'reached' if self.reached else 'missed'} |"


def targets(rows: Mapping[str, Figures]) -> list[Target]:
    """Return the targets of the experiment. rows: figures by the name of their row; those not run are missing."""
    made, mean, fewer, paper = (rows.get(name) for name in ("tta-s0", "mean-mel", "tta-25-few", "tta-ddpm-few"))
    ours, peer = rows.get("copy-istft"), rows.get("copy-griffin-lim")
    accuracy = _ratio(made, "accuracy", made, "accuracy_real")
    distance = _ratio(made, "fd_aisfx", mean, "fd_aisfx")
    error = _ratio(ours, "log_mel_error", peer, "log_mel_error")
    steps = _ratio(fewer, "fd_aisfx", paper, "fd_aisfx")
    shuffled = None if made is None else float(made["accuracy_shuffled"])
    return [
        Target(
            "judge's accuracy of generated sounds, over that of real ones", "≥ 0.8", accuracy, (accuracy or 0) >= 0.8
        ),
        Target("the same with shuffled labels, itself", "≤ 0.15", shuffled, (shuffled or 0) <= 0.15),
        Target("FD-aisfx, over that of mean spectrograms", "< 0.5", distance, (distance or 0) < 0.5),
        Target("log-mel error of the vocoder, over that of Griffin-Lim", "≤ 0.6", error, (error or 0) <= 0.6),
        Target("FD-aisfx of 25 steps, over that of 1,000", "≤ 1.1", steps, (steps or 0) <= 1.1),
    ]


def _ratio(over: Figures | None, name: str, under: Figures | None, other: str) -> float | None:
    if over is None or under is None or name not in over or not under.get(other):
        return None
    return float(over[name]) / float(under[other])
