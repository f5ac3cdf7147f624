"""Which moments of a mixture one player could play on a keyboard (evaluation; the paper asks for this in its outlook).

Symbols: n notes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arranger.context import sounding_pairs
from arranger.mixture import Mixture

FINGERS = 5  # of a hand
SPAN = 19  # semitones that a hand reaches: a twelfth


def playable(mixture: Mixture) -> NDArray[np.bool_]:
    """Return for every note whether two hands can hold what sounds at its onset, (n,).

    Each hand takes at most five notes within a twelfth, and the hands do not cross.
    """
    if not len(mixture):
        return np.zeros(0, np.bool_)
    onsets, group = np.unique(mixture.onset, return_inverse=True)
    last = np.maximum(np.searchsorted(onsets, mixture.offset, side="left") - 1, group)
    note, at = sounding_pairs(group, last, 0, len(onsets))
    order = np.lexsort((mixture.pitch[note], at))
    pitch, at = mixture.pitch[note][order], at[order]
    start = np.searchsorted(at, np.arange(len(onsets)))
    size = np.bincount(at, minlength=len(onsets))
    lowest, highest = pitch[start], pitch[start + size - 1]
    in_left = np.bincount(at, pitch <= lowest[at] + SPAN, len(onsets))
    in_right = np.bincount(at, pitch >= highest[at] - SPAN, len(onsets))
    # The left hand takes the s lowest notes: is there an s that suits both hands?
    most = np.minimum(in_left, FINGERS)
    least = np.maximum(size - in_right, size - FINGERS)
    return np.asarray((np.maximum(least, 0) <= most)[group])
