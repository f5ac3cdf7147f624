"""Predictions and truth → losses: of times, of mels, those of a GAN, and of changes of phase (§5.3; HiFi-GAN, 1–6)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

FEATURE_WEIGHT, MEL_WEIGHT = 2.0, 45.0


def timing_loss(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the squared error of onsets plus that of durations, averaged over notes. output, target: (B, N, 2)."""
    return (torch.square(output - target).sum(2) * mask).sum() / mask.sum().clamp(min=1)


def absolute_timing_loss(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the absolute error of onsets plus that of durations, averaged over notes. output, target: (B, N, 2)."""
    return ((output - target).abs().sum(2) * mask).sum() / mask.sum().clamp(min=1)


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


def angular_loss(changes: Tensor, after: Tensor, before: Tensor) -> Tensor:
    """Return the mean of 1 − cos of the error of a change of phase, weighted by the root of magnitude.

    changes: rad. after, before: spectra. All have one shape.
    """
    weights = (after.abs() * before.abs()).pow(0.25)
    true = torch.angle(after * before.conj())
    return (weights * (1 - torch.cos(changes - true))).sum() / weights.sum().clamp(min=1e-8)
