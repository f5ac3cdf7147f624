"""Performances without a beat: what counts as one, and how it is read."""

from __future__ import annotations

import numpy as np
import pytest
from arranger.config import TEMPO_FREE_FEATURES
from arranger.features import extract
from arranger.mixture import Mixture
from arranger.performance import as_performed, is_on_grid
from mixtures import random_piece


def test_a_score_is_on_the_grid_and_a_performance_is_not() -> None:
    rng = np.random.default_rng(0)
    score = np.arange(100) * 240  # eighths at 480 to the quarter
    assert is_on_grid(score, 480)
    assert is_on_grid(score + rng.integers(-8, 9, 100), 480), "a little late or early is still on the beat"
    assert is_on_grid(np.arange(100) * 160, 480), "triplets"
    assert not is_on_grid(np.sort(rng.integers(0, 48000, 100)), 480)


def test_few_onsets_tell_nothing() -> None:
    assert is_on_grid(np.array([7, 431, 977]), 480)
    assert is_on_grid(np.zeros(0, np.int64), 480)


def performed(mixture: Mixture, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Onsets and ends in seconds: hands spread chords by up to 25 ms and leave keys up to 50 ms early or late."""
    rng = np.random.default_rng(seed)
    onset = mixture.onset * 0.025 + rng.random(len(mixture)) * 0.025
    return onset, mixture.offset * 0.025 + rng.uniform(-0.05, 0.05, len(mixture))


@pytest.mark.parametrize("seed", range(3))
def test_a_spread_chord_is_one_chord_and_a_late_finger_holds_nothing(seed: int) -> None:
    score = random_piece(seed).mixture
    heard, order = as_performed(*performed(score, seed), score.pitch, score.velocity)
    by_score = extract(score, TEMPO_FREE_FEATURES)
    by_ear = extract(heard, TEMPO_FREE_FEATURES)
    assert np.array_equal(np.sort(order), np.arange(len(score)))
    for name in TEMPO_FREE_FEATURES:
        assert np.array_equal(by_ear[name], by_score[name][order]), name


def test_nothing_played_is_nothing_heard() -> None:
    nothing = np.zeros(0, np.int64)
    heard, order = as_performed(np.zeros(0), np.zeros(0), nothing, nothing)
    assert len(heard) == len(order) == 0
