"""The mel definition: frames, values beside librosa's, NumPy beside torch, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from deepperformer.errors import MelError
from deepperformer.features.spectrogram import PAPER_44K, MelDefinition, log_mel, mel_of, mel_weights, torch_log_mel
from muspy_core import Audio

NOISE = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)


@pytest.mark.parametrize("samples", [385, 512, 4000, 79_872, 80_000])
def test_there_is_a_frame_for_every_whole_hop(samples: int) -> None:
    noise = np.resize(NOISE, samples)
    assert log_mel(noise, MelDefinition()).shape == (samples // 256, 80)
    assert torch_log_mel(torch.from_numpy(noise), MelDefinition()).shape == (80, samples // 256)


@pytest.mark.parametrize("definition", [MelDefinition(), PAPER_44K, MelDefinition(fmin=50, fmax=7000, n_mels=40)])
def test_the_bands_are_librosas(definition: MelDefinition) -> None:
    librosa = pytest.importorskip("librosa")
    theirs = librosa.filters.mel(
        sr=definition.sample_rate,
        n_fft=definition.n_fft,
        n_mels=definition.n_mels,
        fmin=definition.fmin,
        fmax=definition.fmax,
    )
    assert np.abs(mel_weights(definition) - theirs).max() < 1e-7


def test_the_values_are_those_of_librosas_transform() -> None:
    librosa = pytest.importorskip("librosa")
    padded = np.pad(NOISE, 384, mode="reflect")
    magnitude = np.abs(librosa.stft(padded, n_fft=1024, hop_length=256, center=False))
    theirs = np.log(np.maximum(librosa.feature.melspectrogram(S=magnitude, sr=16000, power=1.0, n_mels=80), 1e-5))
    assert np.abs(log_mel(NOISE, MelDefinition()) - theirs.T).max() < 1e-3


def test_numpy_and_torch_agree_also_in_silence() -> None:
    samples = np.concatenate([NOISE, np.zeros(8000, np.float32)])
    ours = log_mel(samples, MelDefinition())
    theirs = torch_log_mel(torch.from_numpy(samples)[None], MelDefinition())[0].T.numpy()
    assert np.abs(ours - theirs).max() < 2e-3
    assert ours[-1].max() < -8


def test_stereo_is_averaged_and_other_rates_are_resampled() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100).astype(np.float32)
    mel = mel_of(Audio(np.stack([tone, tone]), 44_100))
    centre = mel[20:-20].mean(0).argmax()
    assert mel.shape == (62, 80)
    assert mel_weights(MelDefinition())[:, round(440 / 16000 * 1024)].argmax() == centre


def test_a_loss_can_look_through_the_spectrogram() -> None:
    samples = torch.from_numpy(NOISE[:2048]).requires_grad_()
    torch_log_mel(samples, MelDefinition()).sum().backward()
    assert samples.grad is not None
    assert torch.isfinite(samples.grad).all()


def test_the_fingerprint_tells_definitions_apart() -> None:
    assert MelDefinition().fingerprint == MelDefinition().fingerprint != MelDefinition(hop_length=128).fingerprint
    MelDefinition().check(MelDefinition(), "model")
    with pytest.raises(MelError, match=r"model: .*hop_length 128 \(not 256\)"):
        MelDefinition().check(MelDefinition(hop_length=128), "model")


@pytest.mark.parametrize("values", [{"hop_length": 255}, {"fmax": 9000.0}, {"n_mels": 0}, {"floor": 0.0}])
def test_definitions_that_cannot_be_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(MelError):
        MelDefinition(**values)


def test_a_sound_that_is_too_short_is_refused() -> None:
    with pytest.raises(MelError, match="384 samples is too short"):
        log_mel(NOISE[:384], MelDefinition())
