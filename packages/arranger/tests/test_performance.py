"""Performances without a beat: what counts as one, and how it is read."""

from __future__ import annotations

import numpy as np
import pytest
from arranger.config import TEMPO_FREE_FEATURES
from arranger.features import extract
from arranger.mixture import Mixture
from arranger.performance import as_performed, is_on_grid
from arranger.separate import separate
from mixtures import random_piece
from muspy_core import Music, Note, Track


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


def recorded(seed: int) -> Music:
    """A performance as MIDI records it without a metronome: 480 ticks to a quarter at 120 quarters a minute."""
    mixture = random_piece(seed).mixture
    times = (np.round(seconds * 960 * 1.17).astype(int).tolist() for seconds in performed(mixture, seed))
    rows = zip(*times, mixture.pitch.tolist(), strict=True)
    return Music(resolution=480, tracks=[Track(notes=[Note(on, pitch, max(off - on, 1)) for on, off, pitch in rows])])


def test_offline_a_performance_without_a_beat_goes_to_the_model_without_time() -> None:
    music = recorded(0)
    offline, told = separate(music, mode="offline"), separate(music, mode="tempo-free")
    assert "as the notes keep to no beat" in offline.warnings[-1]
    assert np.array_equal(offline.label, told.label)
    assert "read by the model without time: " in told.warnings[-1]
    given = sorted((note.time, note.pitch, note.duration) for note in music.tracks[0].notes)
    kept = sorted((n.time, n.pitch, n.duration) for track in offline.music.tracks for n in track.notes)
    assert kept == given


def test_a_model_that_counts_on_the_beat_says_that_there_is_none() -> None:
    assert "keep to no beat" in separate(recorded(0), mode="online").warnings[-1]
    assert "keep to no beat" in separate(recorded(0), "string-quartets", "offline").warnings[-1]


def test_locked_notes_stay_locked_when_a_performance_is_read_in_its_own_order() -> None:
    music = recorded(1)
    free = separate(music, mode="tempo-free")
    locks = (free.label + 1) % 4
    assert np.array_equal(separate(music, mode="tempo-free", locks=locks).label, locks)
