"""Predictions and truth → losses: of times, of mels, and those of a GAN (§5.3; HiFi-GAN, equations 1–6)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

FEATURE_WEIGHT, MEL_WEIGHT = 2.0, 45.0


def timing_loss(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the squared error of onsets plus that of durations, averaged over notes. output, target: (B, N, 2)."""
    return (torch.square(output - target).sum(2) * mask).sum() / mask.sum().clamp(min=1)


def mel_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error of log-mel spectrograms, (B, T, M)."""
    return F.mse_loss(output, target)


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Return the least-squares loss of discriminators: scores of real sound should be 1, of fake 0."""
    return torch.stack([(1 - r).square().mean() + f.square().mean() for r, f in zip(real, fake, strict=True)]).sum()


def generator_loss(fake: Sequence[Tensor]) -> Tensor:
    """Return the least-squares loss of a generator: its scores should be 1."""
    return torch.stack([(1 - score).square().mean() for score in fake]).sum()


def feature_loss(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the summed L1 distance of the features of all layers of all discriminators, scores included."""
    return torch.stack(
        [F.l1_loss(f, r.detach()) for rs, fs in zip(real, fake, strict=True) for r, f in zip(rs, fs, strict=True)]
    ).sum()
