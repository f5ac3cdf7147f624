"""Sounds → whether they are real, for training vocoders: by periods, and by spectra at several resolutions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1
PERIODS = (2, 3, 5, 7, 11)
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # n_fft, hop, window


class Judgement(NamedTuple):
    """What a discriminator says. score: any shape, 1 for real. features: of every layer before."""

    score: Tensor
    features: list[Tensor]


class PeriodDiscriminator(nn.Module):
    """Looks at every p-th sample together (Kong et al. 2020: HiFi-GAN).

    Args:
        period: p.
        channels: Of the first layer; the full size is 32.
    """

    def __init__(self, period: int, channels: int = 32) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 4 * channels, 16 * channels, 32 * channels, 32 * channels]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (3 if index < 4 else 1, 1), padding=(2, 0)))
            for index, (before, after) in enumerate(itertools.pairwise(widths))
        )
        self.last = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, waves: Tensor) -> Judgement:
        """waves: (B, N)."""
        missing = -waves.shape[-1] % self.period
        padded = F.pad(waves[:, None], (0, missing), mode="reflect")
        return _judge(padded.unflatten(-1, (-1, self.period)), self.layers, self.last)


class ResolutionDiscriminator(nn.Module):
    """Looks at the magnitudes of a Fourier transform (Jang et al. 2021: UnivNet).

    Args:
        resolution: Points, hop and window of the transform.
        channels: Of every layer; the full size is 32.
    """

    def __init__(self, resolution: tuple[int, int, int], channels: int = 32) -> None:
        super().__init__()
        self.resolution = resolution
        layers = [nn.Conv2d(1, channels, (3, 9), padding=(1, 4))]
        layers += [nn.Conv2d(channels, channels, (3, 9), (1, 2), padding=(1, 4)) for _ in range(3)]
        layers += [nn.Conv2d(channels, channels, 3, padding=1)]
        self.layers = nn.ModuleList(weight_norm(layer) for layer in layers)
        self.last = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, waves: Tensor) -> Judgement:
        """waves: (B, N)."""
        points, hop, length = self.resolution
        padding = (points - hop) // 2
        padded = F.pad(waves[:, None], (padding, padding), mode="reflect")[:, 0]
        window = torch.hann_window(length, device=waves.device)
        spectrum = torch.stft(padded, points, hop, length, window, center=False, return_complex=True)
        magnitudes = (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()
        return _judge(magnitudes[:, None], self.layers, self.last)


class Discriminators(nn.Module):
    """All of them, each with an opinion of its own.

    Args:
        channels: See the two kinds.
        periods: Of the first kind; empty: none of it.
        resolutions: Of the second kind.
    """

    def __init__(
        self,
        channels: int = 32,
        periods: Sequence[int] = PERIODS,
        resolutions: Sequence[tuple[int, int, int]] = RESOLUTIONS,
    ) -> None:
        super().__init__()
        self.all = nn.ModuleList(
            [
                *(PeriodDiscriminator(period, channels) for period in periods),
                *(ResolutionDiscriminator((r[0], r[1], r[2]), channels) for r in resolutions),
            ]
        )

    def forward(self, waves: Tensor) -> list[Judgement]:
        """waves: (B, N)."""
        return [discriminator(waves) for discriminator in self.all]


def _judge(image: Tensor, layers: nn.ModuleList, last: nn.Module) -> Judgement:
    features = []
    for layer in layers:
        image = F.leaky_relu(layer(image), SLOPE)
        features.append(image)
    return Judgement(last(image), features)
