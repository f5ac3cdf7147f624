"""Metrics of pitch: which pitches are used, how they are distributed, how many sound at once (MusPy's definitions).

Drum tracks do not count in any of them. Everything is computed from note columns; no piano roll is made.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from muspy_core.metrics.columns import Integers, length_of, note_columns, require_tracks, sounding_time, spans_by_pitch
from muspy_core.music import Music

MAJOR = (0, 2, 4, 5, 7, 9, 11)
NATURAL_MINOR = (0, 2, 3, 5, 7, 8, 10)


def n_pitches_used(music: Music) -> int:
    """Return the number of different pitches, 0 without a note."""
    return int(np.count_nonzero(_histogram(music)))


def n_pitch_classes_used(music: Music) -> int:
    """Return the number of different pitch classes, 0 without a note."""
    return int(np.count_nonzero(_class_histogram(music)))


def pitch_range(music: Music) -> int:
    """Return the distance from the lowest to the highest pitch in semitones, 0 without a note."""
    (pitches,) = note_columns(music, "pitch", drums=False)
    return int(pitches.max()) - int(pitches.min()) if len(pitches) else 0


def polyphony(music: Music) -> float:
    """Return the mean number of different pitches that sound, over the time steps at which any sounds.

    NaN if nothing sounds. Raises ValueError without a track.
    """
    require_tracks(music)
    starts, ends, _ = spans_by_pitch(music)
    steps = sounding_time(starts, ends, at_least=1)
    return float((ends - starts).sum()) / steps if steps else math.nan


def polyphony_rate(music: Music, threshold: int = 2) -> float:
    """Return the share of time steps at which more than `threshold` different pitches sound (not: at least as many).

    NaN for music of length 0. Raises ValueError without a track.
    """
    length = length_of(music)
    if length < 1:
        return math.nan
    starts, ends, _ = spans_by_pitch(music)
    at_least = math.floor(threshold) + 1
    return sounding_time(starts, ends, at_least) / length if at_least > 0 else 1.0


def pitch_in_scale_rate(music: Music, root: int, mode: str) -> float:
    """Return the share of notes that belong to a scale.

    root: pitch class of the tonic. mode: "major" or "minor" (natural minor). NaN without a note. Raises ValueError for
    another mode.
    """
    scale = _scale(root, mode.lower())
    histogram = _class_histogram(music)
    total = int(histogram.sum())
    return int(histogram[scale].sum()) / total if total else math.nan


def scale_consistency(music: Music) -> float:
    """Return the largest share of notes that belong to one of the 24 scales; NaN without a note."""
    histogram = _class_histogram(music)
    total = int(histogram.sum())
    if not total:
        return math.nan
    return max(int(histogram[_scale(root, mode)].sum()) for mode in ("major", "minor") for root in range(12)) / total


def pitch_entropy(music: Music) -> float:
    """Return the Shannon entropy of the pitches of the notes in bits; NaN without a note."""
    return _entropy(_histogram(music))


def pitch_class_entropy(music: Music) -> float:
    """Return the Shannon entropy of the pitch classes of the notes in bits; NaN without a note."""
    return _entropy(_class_histogram(music))


def _histogram(music: Music) -> Integers:
    """(128,), how many notes each pitch has; raises ValueError for a pitch that is not 0–127."""
    (pitches,) = note_columns(music, "pitch", drums=False)
    if len(pitches) and (pitches.min() < 0 or pitches.max() > 127):
        raise ValueError(f"pitches must be 0–127, got {pitches.min()} to {pitches.max()}")
    return np.bincount(pitches, minlength=128)


def _class_histogram(music: Music) -> Integers:
    """(12,), how many notes each pitch class has."""
    (pitches,) = note_columns(music, "pitch", drums=False)
    return np.bincount(pitches % 12, minlength=12)


def _scale(root: int, mode: str) -> NDArray[np.int64]:
    """(7,), the pitch classes of a scale."""
    if mode not in ("major", "minor"):
        raise ValueError(f"`mode` must be either 'major' or 'minor', got {mode!r}")
    return (np.array(MAJOR if mode == "major" else NATURAL_MINOR) + root) % 12


def _entropy(histogram: Integers) -> float:
    counts = histogram[histogram > 0]
    if not len(counts):
        return math.nan
    shares = counts / counts.sum()
    return abs(float((shares * np.log2(shares)).sum()))
