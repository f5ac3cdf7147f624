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
    label, text, mean = (rows.get(name) for name in ("spread-label", "spread-s0", "mean-mel"))
    fewer, paper = (rows.get(name) for name in ("tta-25-few", "tta-ddpm-few"))
    ours, peer = rows.get("copy-istft-matched"), rows.get("copy-griffin-lim")
    found = []
    for asked, made in (("asked by labels", label), ("asked by texts of the test", text)):
        accuracy, distance = _ratio(made, "accuracy", made, "accuracy_real"), _ratio(made, "fd_aisfx", mean, "fd_aisfx")
        found += [
            Target(f"{asked}: accuracy over that of real sounds", "≥ 0.8", accuracy, (accuracy or 0) >= 0.8),
            Target(f"{asked}: FD-aisfx over that of mean spectrograms", "< 0.5", distance, (distance or 0) < 0.5),
        ]
    shuffled = None if label is None else float(label["accuracy_shuffled"])
    error = _ratio(ours, "log_mel_error", peer, "log_mel_error")
    steps = _ratio(fewer, "fd_aisfx", paper, "fd_aisfx")
    return [
        *found,
        Target("asked by labels: accuracy with shuffled labels", "≤ 0.15", shuffled, (shuffled or 0) <= 0.15),
        Target("log-mel error of the vocoder over that of Griffin-Lim", "≤ 0.6", error, (error or 0) <= 0.6),
        Target("FD-aisfx of 25 steps over that of 1,000", "≤ 1.1", steps, (steps or 0) <= 1.1),
    ]


def _ratio(over: Figures | None, name: str, under: Figures | None, other: str) -> float | None:
    if over is None or under is None or name not in over or not under.get(other):
        return None
    return float(over[name]) / float(under[other])
