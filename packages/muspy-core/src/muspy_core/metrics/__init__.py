"""Objective metrics of music: MusPy's fourteen, tables of them for many pieces, and comparisons of two sets of pieces.

In reading order: `columns` (what the metrics are computed from), `pitch`, `rhythm`, `table`, `distributions`.
"""

from __future__ import annotations

from muspy_core.metrics.distributions import SetComparison, compare_metrics, kl_divergence, overlap_area
from muspy_core.metrics.pitch import (
    n_pitch_classes_used,
    n_pitches_used,
    pitch_class_entropy,
    pitch_entropy,
    pitch_in_scale_rate,
    pitch_range,
    polyphony,
    polyphony_rate,
    scale_consistency,
)
from muspy_core.metrics.rhythm import (
    drum_in_pattern_rate,
    drum_pattern_consistency,
    empty_beat_rate,
    empty_measure_rate,
    groove_consistency,
)
from muspy_core.metrics.table import MetricTable, compute_metrics

__all__ = [
    "MetricTable",
    "SetComparison",
    "compare_metrics",
    "compute_metrics",
    "drum_in_pattern_rate",
    "drum_pattern_consistency",
    "empty_beat_rate",
    "empty_measure_rate",
    "groove_consistency",
    "kl_divergence",
    "n_pitch_classes_used",
    "n_pitches_used",
    "overlap_area",
    "pitch_class_entropy",
    "pitch_entropy",
    "pitch_in_scale_rate",
    "pitch_range",
    "polyphony",
    "polyphony_rate",
    "scale_consistency",
]
