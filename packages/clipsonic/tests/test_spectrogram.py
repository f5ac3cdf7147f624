"""The spectrogram: equal in NumPy and torch, the filters of librosa, a hash that tells recipes apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from clipsonic.config import MelConfig, ModelError
from clipsonic.features.spectrogram import (
    filterbank,
    magnitudes_of,
    mel_spectrogram,
    normalize,
    torch_mel_spectrogram,
)
from muspy_core import Audio

CONFIG = MelConfig()


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(frames)).astype(np.float32)


def test_two_seconds_are_sixty_four_frames() -> None:
    assert mel_spectrogram(Audio(noise(32_768), 16_000)).shape == (64, 64)
    assert CONFIG.frames(2.048) == 64
    assert CONFIG.frames(2.05) == 65
    assert CONFIG.seconds(64) == 2.048


def test_numpy_and_torch_agree() -> None:
    samples = noise(16_384)
    ours = mel_spectrogram(Audio(samples, 16_000))
    theirs = torch_mel_spectrogram(torch.from_numpy(samples)[None], CONFIG)[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_the_filters_are_those_of_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=16_000, n_fft=2048, n_mels=64, fmin=0, fmax=8000)
    np.testing.assert_allclose(filterbank(CONFIG), expected, atol=1e-7)
    assert (filterbank(CONFIG).sum(1) > 0).all()


def test_silence_is_the_floor_and_nothing_passes_one() -> None:
    assert (mel_spectrogram(Audio(np.zeros(20_000, np.float32), 16_000)) < -0.9).all()
    assert mel_spectrogram(Audio(100 * noise(20_000), 16_000)).max() <= 1


def test_a_tone_is_in_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(32_000) / 16_000).astype(np.float32)
    band = mel_spectrogram(Audio(0.5 * tone, 16_000)).mean(1).argmax()
    centres = (filterbank(CONFIG) * np.linspace(0, 8000, 1025)).sum(1) / filterbank(CONFIG).sum(1)
    assert abs(centres[band] - 1000) < 60


def test_magnitudes_come_back() -> None:
    magnitudes = np.array([[1e-4, 0.1, 3.0]])
    mels = torch.from_numpy(normalize(magnitudes, CONFIG))
    np.testing.assert_allclose(magnitudes_of(mels, CONFIG).numpy(), magnitudes, rtol=1e-6)


def test_another_rate_and_two_channels_are_taken_in() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100).astype(np.float32)
    stereo = mel_spectrogram(Audio(np.stack([tone, tone]), 44_100))
    assert stereo.shape == (64, 32)
    assert mel_spectrogram(Audio(np.zeros((1, 3), np.float32), 16_000)).shape == (64, 2)


def test_every_value_of_the_recipe_is_in_its_fingerprint() -> None:
    changes = {"sample_rate": 22_050, "n_fft": 1024, "hop_length": 256, "n_mels": 80, "low_hz": 20.0,
               "high_hz": 7000.0, "floor": 1e-4, "ceiling": 1.0}  # fmt: skip
    assert set(changes) == {field.name for field in dataclasses.fields(MelConfig)}
    prints = {dataclasses.replace(CONFIG, **{name: value}).fingerprint for name, value in changes.items()}
    assert len(prints | {CONFIG.fingerprint}) == 1 + len(changes)


@pytest.mark.parametrize("changes", [{"n_mels": 0}, {"high_hz": 9000.0}, {"n_fft": 2047}, {"floor": 0.0}])
def test_impossible_recipes_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ModelError):
        MelConfig(**changes)
