"""Activations without aliasing: up by two, a periodic non-linearity, down by two (Lee et al. 2023, §3.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TAPS = 12
TINY = 1e-9


def kaiser_sinc(taps: int = TAPS, cutoff: float = 0.25, half_width: float = 0.3) -> Tensor:
    """Return a low-pass filter of sum 1, (taps,). cutoff, half_width: of its transition, in cycles a sample."""
    attenuation = 2.285 * (taps // 2 - 1) * math.pi * 4 * half_width + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation >= 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    else:
        beta = 0.0
    times = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    window = torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)
    weights = 2 * cutoff * torch.sinc(2 * cutoff * times) * window
    return (weights / weights.sum()).float()


class SnakeBeta(nn.Module):
    """x + sin²(αx)/β, where α and β are learned for each channel as logarithms (Lee et al. 2023).

    Args:
        channels: How many channels there are.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(channels))
        self.log_beta = nn.Parameter(torch.zeros(channels))

    def forward(self, waves: Tensor) -> Tensor:
        """waves: (B, channels, N)."""
        alpha, beta = self.log_alpha.exp()[:, None], self.log_beta.exp()[:, None]
        return waves + (waves * alpha).sin().square() / (beta + TINY)


class AntialiasedSnake(nn.Module):
    """`SnakeBeta` at twice the rate, so that the harmonics it makes do not fold back.

    Args:
        channels: How many channels there are.
    """

    lowpass: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.snake = SnakeBeta(channels)
        self.register_buffer("lowpass", kaiser_sinc().view(1, 1, TAPS), persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """(B, channels, N) → (B, channels, N)."""
        return self.down(self.snake(self.up(waves)))

    def up(self, waves: Tensor) -> Tensor:
        """(B, C, N) → (B, C, 2N)."""
        side = TAPS // 2 - 1
        padded = F.pad(waves, (side, side), mode="replicate")
        doubled = F.conv_transpose1d(padded, 2 * self._filter(), stride=2, groups=self.channels)
        cut = 2 * side + (TAPS - 2) // 2
        return doubled[..., cut : doubled.shape[-1] - cut]

    def down(self, waves: Tensor) -> Tensor:
        """(B, C, 2N) → (B, C, N)."""
        padded = F.pad(waves, (TAPS // 2 - 1, TAPS // 2), mode="replicate")
        return F.conv1d(padded, self._filter(), stride=2, groups=self.channels)

    def _filter(self) -> Tensor:
        """The low-pass filter for each channel; their number is known, as exported convolutions want it."""
        return self.lowpass.expand(self.channels, -1, -1)
