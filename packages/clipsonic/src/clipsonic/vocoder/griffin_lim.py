"""Spectrogram → sound without a trained network: magnitudes by non-negative least squares, phases by Griffin-Lim."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from clipsonic.config import MelConfig
from clipsonic.features.spectrogram import filterbank_tensor, magnitudes_of
from clipsonic.vocoder.stft import from_spectrum, to_spectrum

MAGNITUDE_ITERATIONS = 200
TINY = 1e-8


def griffin_lim(
    mels: Tensor, config: MelConfig, *, iterations: int = 60, momentum: float = 0.99, seed: int = 0
) -> Tensor:
    """Return sounds, (B, T · hop), of log-mel spectrograms within ±1, (B, M, T).

    iterations, momentum: of the fast Griffin-Lim algorithm (Perraudin et al. 2013). seed: of the first phases; they are
    the same on every machine.
    """
    magnitudes = linear_magnitudes(mels, config)
    generator = torch.Generator().manual_seed(seed)
    angles = (2 * math.pi * torch.rand(magnitudes.shape, generator=generator)).to(magnitudes)
    spectrum = torch.polar(magnitudes, angles)
    before = torch.zeros_like(spectrum)
    for _ in range(iterations):
        consistent = to_spectrum(from_spectrum(spectrum, config), config)
        ahead = consistent + momentum * (consistent - before)
        spectrum = magnitudes * ahead / ahead.abs().clamp(min=TINY)
        before = consistent
    return from_spectrum(spectrum, config)


def linear_magnitudes(mels: Tensor, config: MelConfig) -> Tensor:
    """Return magnitudes of all frequencies, (B, F, T), that have these mel bands, (B, M, T) within ±1.

    Multiplicative updates (Lee and Seung 2001) find non-negative ones; what lies at the floor is silence.
    """
    bands = magnitudes_of(mels, config)
    bands = torch.where(mels <= -1, torch.zeros_like(bands), bands)
    weights = filterbank_tensor(config, bands)
    wanted = weights.T @ bands
    magnitudes = torch.linalg.pinv(weights) @ bands
    magnitudes = magnitudes.clamp(min=1e-3 * config.floor)
    for _ in range(MAGNITUDE_ITERATIONS):
        magnitudes = magnitudes * wanted / (weights.T @ (weights @ magnitudes)).clamp(min=TINY * TINY)
    return magnitudes
