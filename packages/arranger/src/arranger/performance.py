"""Played music without a usable beat → a mixture that knows what comes after what, but no time (before features).

Models read steps of 1/24 quarter. Of a performance whose file has no beats, such steps say nothing: chords are spread,
and a quarter may last anything. A model without time (mode `tempo-free`) reads the order of the chords, and what
sounds while they begin.

Symbols: n notes, C chords.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arranger.mixture import RESOLUTION, Integers, Mixture, sort_order

CHORD_S = 0.035  # fingers that come within this after a chord's first one play that chord, as in `live`
LEGATO_S = 0.08  # a finger that stays so long on its key, into the next chord, is no held note
_COMMON = np.isin(np.arange(RESOLUTION), [0, 4, 6, 8, 12, 16, 18, 20])  # sixteenths, and eighths of triplets
_FEWEST = 16  # onsets that tell something
_SHARE = 0.5  # of onsets in these places; by chance it is a third


def is_on_grid(time: Integers, resolution: int) -> bool:
    """Whether music keeps to the beats of its file.

    time: onsets in steps of 1/`resolution` quarter note. Scores do: their onsets are multiples of 1/24 quarter, or near
    sixteenths and triplets. A performance recorded without a metronome does not. Few onsets tell nothing: True.
    """
    onsets = np.unique(time.astype(np.int64))
    if len(onsets) < _FEWEST or (onsets * RESOLUTION % resolution == 0).mean() > _SHARE:
        return True
    steps = (2 * onsets * RESOLUTION + resolution) // (2 * resolution)
    return bool(_COMMON[steps % RESOLUTION].mean() >= _SHARE)


def as_performed(
    onset_s: NDArray[np.float64], end_s: NDArray[np.float64], pitch: Integers, velocity: Integers
) -> tuple[Mixture, Integers]:
    """Return played notes as a mixture in which every chord lasts a quarter, and its order.

    onset_s, end_s: (n,) seconds. The order, (n,), says of each note of the mixture which of the given ones it is.
    A note sounds on while a later chord begins if its end is more than 80 ms, or half the time to the chord after that
    one, behind that beginning.
    """
    if not len(onset_s):
        empty = np.zeros(0, np.int64)
        return Mixture(empty, empty, empty, empty), empty
    chord, begin = _chords(onset_s)
    enough = begin + np.minimum(LEGATO_S, 0.5 * np.diff(begin, append=np.inf))
    last = np.maximum(np.searchsorted(enough, end_s, side="left"), chord + 1)
    onset, duration = chord * RESOLUTION, (last - chord) * RESOLUTION
    order = sort_order(onset, pitch, duration, velocity)
    return Mixture(onset[order], pitch[order], duration[order], velocity[order]), order


def _chords(onset_s: NDArray[np.float64]) -> tuple[Integers, NDArray[np.float64]]:
    """Return the chord of every note, (n,), and when each chord begins, (C,)."""
    order = np.argsort(onset_s, kind="stable")
    chord, begin = np.zeros(len(onset_s), np.int64), [float(onset_s[order[0]])]
    for note, time in zip(order.tolist(), onset_s[order].tolist(), strict=True):
        if time - begin[-1] > CHORD_S:
            begin.append(time)
        chord[note] = len(begin) - 1
    return chord, np.array(begin)
