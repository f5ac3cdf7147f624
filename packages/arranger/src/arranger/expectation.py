"""Chords of which only some notes have come: which parts are about to play, and which the notes are near (`live`).

A hand's chord may take longer than a note can wait. The model has learned whole chords: it takes the first note of one
for a voice that moves alone. But a part that has just been released will most probably play again with the chord that
has begun, and near its last pitch; so while parts are missing, the smallest leaps decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import permutations
from math import perm

EXPECT_S = 0.08  # a part that was released at most so long before a chord began is expected in it
STRANGER = 12  # semitones that a part which is not expected counts as away
_MOST_WAYS = 5_000  # above it, nearly all of a large chord is there, and the model may judge


def nearest_parts(
    pitches: Sequence[int], free: Sequence[int], last_pitch: Mapping[int, int], expected: Collection[int]
) -> tuple[int, ...] | None:
    """Return a part of its own for each of the pitches, so that the sum of the leaps is smallest.

    free: the parts that they may have. last_pitch: by part, of its last note. expected: the parts that are about to
    play. None if there are too few parts, or too many ways.
    """
    if len(pitches) > len(free) or perm(len(free), len(pitches)) > _MOST_WAYS:
        return None

    def leap(pitch: int, part: int) -> int:
        return abs(pitch - last_pitch[part]) if part in expected else STRANGER

    ways = permutations(free, len(pitches))
    return min(ways, key=lambda way: sum(leap(p, k) for p, k in zip(pitches, way, strict=True)))
