"""Metrics of time: empty beats and measures, drum patterns, groove (MusPy's definitions).

Drum tracks count in all of them; the drum metrics are about them alone. Measures have a fixed length, so the metrics by
measure suit music in one time signature.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from muspy_core.metrics.columns import length_of, merged_spans, note_columns
from muspy_core.music import Music


def empty_beat_rate(music: Music) -> float:
    """Return the share of beats (quarter notes) without a note.

    A note touches all beats from its onset to its end, that one included. NaN for music shorter than a step. Raises
    ValueError without a track.
    """
    return _empty_rate(music, music.resolution)


def empty_measure_rate(music: Music, measure_resolution: int) -> float:
    """Return the share of measures without a note.

    A note touches all measures from its onset to its end, that one included. NaN for music shorter than a step.

    measure_resolution: time steps in a measure. Raises ValueError if it is below 1 or there is no track.
    """
    return _empty_rate(music, _measure_length(measure_resolution))


def drum_in_pattern_rate(music: Music, meter: str) -> float:
    """Return the share of drum notes that fall on a regular division of the beat.

    meter: "duple" (quarters of a beat where the resolution is divisible by 4, else halves where it is even) or "triple"
    (thirds where it is divisible by 3); if the resolution cannot be divided, only the beat itself counts. NaN without a
    drum note. Raises ValueError for another meter.
    """
    divisions = {"duple": (4, 2, 1), "triple": (3, 1)}.get(meter.lower())
    if divisions is None:
        raise ValueError(f"Only duple and triple meters are supported, got {meter!r}")
    (onsets,) = note_columns(music, "time", drums=True)
    if not len(onsets):
        return math.nan
    parts = next(parts for parts in divisions if music.resolution % parts == 0)
    in_beat = onsets % music.resolution
    return int(np.count_nonzero(in_beat % (music.resolution // parts) == 0)) / len(onsets)


def drum_pattern_consistency(music: Music) -> float:
    """Return the larger of the drum-in-pattern rates of duple and triple meter; NaN without a drum note."""
    return max(drum_in_pattern_rate(music, meter) for meter in ("duple", "triple"))


def groove_consistency(music: Music, measure_resolution: int) -> float:
    """Return one minus the mean Hamming distance between the onset patterns of neighbouring measures.

    The pattern of a measure says at which of its steps any note begins (Wu and Yang, "The Jazz Transformer on the front
    line", 2020). The measures are those up to the end of the music, that one included; NaN for fewer than two.

    measure_resolution: time steps in a measure. Raises ValueError if it is below 1 or there is no track.
    """
    length = length_of(music)
    measure = _measure_length(measure_resolution)
    last = length // measure
    if last < 1:
        return math.nan
    (onsets,) = note_columns(music, "time")
    if not len(onsets):
        return 1.0
    onsets = np.sort(onsets)
    onsets = onsets[np.append(True, onsets[1:] != onsets[:-1])]
    # Every onset counts in the comparisons with the measure before and the one after, but in neither where its partner,
    # the onset one measure away, is there.
    at_edges = int(np.count_nonzero(onsets < measure)) + int(np.count_nonzero(onsets >= last * measure))
    partners = np.minimum(np.searchsorted(onsets, onsets + measure), len(onsets) - 1)
    shared = int(np.count_nonzero(onsets[partners] == onsets + measure))
    distance = 2 * len(onsets) - at_edges - 2 * shared
    return 1 - distance / (measure * last)


def _empty_rate(music: Music, unit: int) -> float:
    """Return the share of units of so many steps that no note touches."""
    length = length_of(music)
    if length < 1:
        return math.nan
    onsets, durations = note_columns(music, "time", "duration")
    first, last = onsets // unit, (onsets + durations) // unit
    touched = last >= first
    if not touched.any():
        return 1.0
    starts, ends = merged_spans(first[touched], last[touched] + 1)
    total = length // unit + 1
    return 1 - int((ends - starts).sum()) / total


def _measure_length(measure_resolution: int) -> int:
    length = operator.index(measure_resolution)
    if length < 1:
        raise ValueError(f"Measure resolution must be a positive integer, got {length}")
    return length
