"""What one player could play."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from arranger.mixture import Mixture
from arranger.playability import FINGERS, SPAN, playable
from hypothesis import given
from mixtures import mixture_of, mixtures


def by_definition(mixture: Mixture, onset: int) -> bool:
    """Try every way to give the lower notes to the left hand."""
    sounds = sorted(mixture.pitch[(mixture.onset <= onset) & (mixture.offset > onset)].tolist())

    def reaches(hand: list[int]) -> bool:
        return len(hand) <= FINGERS and all(b - a <= SPAN for a, b in combinations(hand, 2))

    return any(reaches(sounds[:cut]) and reaches(sounds[cut:]) for cut in range(len(sounds) + 1))


@given(mixtures)
def test_a_moment_is_playable_if_two_hands_reach_it(mixture: Mixture) -> None:
    found = playable(mixture)
    assert found.tolist() == [by_definition(mixture, onset) for onset in mixture.onset.tolist()]


def test_three_notes_far_apart_are_too_much() -> None:
    assert playable(mixture_of([(0, 36, 4), (0, 60, 4), (0, 84, 4)])).tolist() == [False] * 3
    assert playable(mixture_of([(0, 36, 4), (0, 55, 4), (0, 84, 4)])).all()
    assert np.array_equal(playable(mixture_of([])), np.zeros(0, bool))
