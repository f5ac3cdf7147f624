"""Score and recording → when each note was played: reference → CQT → DTW → timings → quality (§5.3)."""

from __future__ import annotations

from deepperformer.alignment.align import METHODS, Alignment, Method, align

__all__ = ["METHODS", "Alignment", "Method", "align"]
