"""Spectrograms: a tone lies where its frequency is, as bright as it is loud."""

from __future__ import annotations

import numpy as np
import pytest
from muspy_core import Audio
from muspy_core.errors import RenderError

pytest.importorskip("matplotlib", reason="matplotlib (muspy-core[render]) is not installed").use("Agg")

from muspy_core.rendering import show_spectrogram  # noqa: E402 - needs the above


def tone(frequency: float, level_db: float = 0.0, sample_rate: int = 44100, seconds: float = 1.0) -> Audio:
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return Audio(10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * time), sample_rate)


@pytest.mark.parametrize("frequency", [110.0, 440.0, 3520.0])
@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_a_tone_lies_at_its_frequency_and_has_its_level(frequency: float, sample_rate: int) -> None:
    axes = show_spectrogram(tone(frequency, -12.0, sample_rate), frequencies=(60, 16000))
    levels = np.asarray(axes.images[0].get_array())
    middle = levels[:, levels.shape[1] // 2]
    place = np.log(frequency / 60) / np.log(16000 / 60) * (len(middle) - 1)

    assert abs(int(middle.argmax()) - place) <= 2
    assert middle.max() == pytest.approx(-12, abs=2)


def test_above_half_the_sample_rate_there_is_nothing() -> None:
    levels = np.asarray(show_spectrogram(tone(1000, sample_rate=8000)).images[0].get_array())

    assert levels[-20:].max() <= -200


def test_a_long_sound_has_no_more_columns_than_a_picture() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 44100 * 60)
    axes = show_spectrogram(Audio(noise, 44100))

    assert np.asarray(axes.images[0].get_array()).shape[1] <= 1200
    assert axes.get_xlim() == (0, 60)


def test_a_sound_shorter_than_a_window_is_shown() -> None:
    assert np.asarray(show_spectrogram(tone(440, seconds=0.01)).images[0].get_array()).shape[1] == 1


@pytest.mark.parametrize("limits", [{"frequencies": (0, 100)}, {"frequencies": (200, 100)}, {"decibels": (0, -10)}])
def test_limits_that_cannot_be_are_refused(limits: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(RenderError, match="limits"):
        show_spectrogram(tone(440), **limits)


def test_silence_without_length_is_refused() -> None:
    with pytest.raises(RenderError, match="no sound"):
        show_spectrogram(Audio(np.zeros(0), 44100))
