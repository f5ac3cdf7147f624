"""Spectrogram → sound by one inverse Fourier transform for each frame (Siuzdak 2024: Vocos)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clipsonic.config import MelConfig
from clipsonic.vocoder.config import InverterConfig
from clipsonic.vocoder.stft import from_spectrum

LARGEST_MAGNITUDE = 100.0


class Block(nn.Module):
    """A ConvNeXt block over frames: (B, dim, T) → (B, dim, T)."""

    def __init__(self, config: InverterConfig) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(config.dim, config.dim, 7, padding=3, groups=config.dim)
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.widen = nn.Linear(config.dim, config.hidden)
        self.narrow = nn.Linear(config.hidden, config.dim)
        self.scale = nn.Parameter(torch.full((config.dim,), 1 / config.depth))

    def forward(self, frames: Tensor) -> Tensor:
        """Add what the block has to say."""
        hidden = self.norm(self.depthwise(frames).transpose(1, 2))
        hidden = self.scale * self.narrow(nn.functional.gelu(self.widen(hidden)))
        return frames + hidden.transpose(1, 2)


class Inverter(nn.Module):
    """Log-mel spectrograms → sounds, frame by frame.

    Args:
        config: Size.
        mel: The spectrogram.
    """

    def __init__(self, config: InverterConfig | None = None, mel: MelConfig | None = None) -> None:
        super().__init__()
        self.config, self.mel = config or InverterConfig(), mel or MelConfig()
        width = self.config.dim
        self.embed = nn.Conv1d(self.mel.n_mels, width, 7, padding=3)
        self.first_norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.ModuleList(Block(self.config) for _ in range(self.config.depth))
        self.last_norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, self.mel.n_fft + 2)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, mels: Tensor) -> Tensor:
        """Return sounds, (B, T · hop). mels: (B, M, T) within ±1."""
        magnitude, phase = self.spectrum(mels)
        return from_spectrum(torch.polar(magnitude.exp().clamp(max=LARGEST_MAGNITUDE), phase), self.mel)

    def spectrum(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        """Return log magnitudes and phases, (B, bins, T) each. mels: (B, M, T) within ±1."""
        frames = self.first_norm(self.embed(mels).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            frames = block(frames)
        magnitude, phase = self.head(self.last_norm(frames.transpose(1, 2))).transpose(1, 2).chunk(2, 1)
        return magnitude, phase
