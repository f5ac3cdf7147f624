"""Sounds and judgements → the losses of vocoders (Lee et al. 2023, §3.1; Kong et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from clipsonic.config import MelConfig
from clipsonic.features.spectrogram import torch_mel_spectrogram
from clipsonic.vocoder.discriminators import Judgement

# Of the spectrogram and of the features, relative to the adversarial loss.
MEL_WEIGHT, FEATURE_WEIGHT = 45.0, 2.0
SPECTRA = (512, 1024, 2048)


def log_mel_error(made: Tensor, real: Tensor, config: MelConfig) -> Tensor:
    """Return the mean absolute difference of the natural logarithms of mel bands. made, real: (B, N)."""
    error = F.l1_loss(torch_mel_spectrogram(made, config), torch_mel_spectrogram(real, config))
    return error * _nats(config)


def mel_error(made: Tensor, mels: Tensor, config: MelConfig) -> Tensor:
    """Return the same for sounds of which the spectrograms are known. mels: (B, M, T) within ±1."""
    return F.l1_loss(torch_mel_spectrogram(made, config), mels) * _nats(config)


def spectral_error(made: Tensor, real: Tensor) -> Tensor:
    """Return how far spectra at three resolutions are apart: relative magnitudes and their logarithms.

    made, real: (B, N). It teaches the phases, which a mel spectrogram does not see, where there is no discriminator.
    """
    total = made.new_zeros(())
    for points in SPECTRA:
        window = torch.hann_window(points, device=made.device)
        ours, theirs = (
            torch.stft(waves, points, points // 4, window=window, return_complex=True).abs().clamp(min=1e-5)
            for waves in (made, real)
        )
        total = total + (theirs - ours).norm() / theirs.norm().clamp(min=1e-3) + F.l1_loss(ours.log(), theirs.log())
    return total / len(SPECTRA)


def discriminator_loss(real: Sequence[Judgement], made: Sequence[Judgement]) -> Tensor:
    """Return the least-squares loss of the discriminators: real sounds are 1, made ones 0."""
    pairs = zip(real, made, strict=True)
    return torch.stack([(1 - r.score).square().mean() + m.score.square().mean() for r, m in pairs]).sum()


def adversarial_loss(made: Sequence[Judgement]) -> Tensor:
    """Return the loss of a vocoder whose sounds are to be taken for real."""
    return torch.stack([(1 - judgement.score).square().mean() for judgement in made]).sum()


def feature_loss(real: Sequence[Judgement], made: Sequence[Judgement]) -> Tensor:
    """Return how far the layers of the discriminators are apart between real and made sounds."""
    terms = [
        F.l1_loss(ours, theirs.detach())
        for r, m in zip(real, made, strict=True)
        for theirs, ours in zip(r.features, m.features, strict=True)
    ]
    return torch.stack(terms).sum()


def _nats(config: MelConfig) -> float:
    """What 1 within ±1 is in natural logarithms."""
    import math

    return (config.ceiling - math.log(config.floor)) / 2
