"""Spectrogram → sound by transposed convolutions with periodic activations (Lee et al. 2023: BigVGAN; §7.4.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from clipsonic.config import MelConfig, ModelError
from clipsonic.vocoder.antialiasing import AntialiasedSnake
from clipsonic.vocoder.config import BigVGANConfig


def convolution(inputs: int, outputs: int, kernel: int, dilation: int = 1, *, bias: bool = True) -> nn.Conv1d:
    """Return a weight-normalised convolution that keeps the length."""
    layer = nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2, bias=bias)
    nn.init.normal_(layer.weight, std=0.01)
    normed: nn.Conv1d = weight_norm(layer)
    return normed


class PeriodicBlock(nn.Module):
    """A residual block: for each dilation an activation, a dilated convolution, an activation, a plain one.

    Args:
        channels: Width.
        kernel: Of all convolutions.
        dilations: Of the first convolution of each pair.
    """

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.pairs = nn.ModuleList(
            nn.Sequential(
                AntialiasedSnake(channels),
                convolution(channels, channels, kernel, dilation),
                AntialiasedSnake(channels),
                convolution(channels, channels, kernel),
            )
            for dilation in dilations
        )

    def forward(self, waves: Tensor) -> Tensor:
        """(B, channels, N) → (B, channels, N)."""
        for pair in self.pairs:
            waves = waves + pair(waves)
        return waves


class BigVGAN(nn.Module):
    """Log-mel spectrograms → sounds.

    Args:
        config: Size.
        mel: The spectrogram, whose hop is the product of the rates.

    Raises ModelError if it is not.
    """

    def __init__(self, config: BigVGANConfig | None = None, mel: MelConfig | None = None) -> None:
        super().__init__()
        self.config, self.mel = config or BigVGANConfig(), mel or MelConfig()
        if self.config.hop_length != self.mel.hop_length:
            raise ModelError(
                f"the product of rates={self.config.rates} is {self.config.hop_length}, "
                f"but a frame of the spectrogram has {self.mel.hop_length} samples"
            )
        width = self.config.channels
        self.first = convolution(self.mel.n_mels, width, 7)
        self.upsamplers, self.stages = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(self.config.rates, self.config.kernels, strict=True):
            layer = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            nn.init.normal_(layer.weight, std=0.01)
            self.upsamplers.append(weight_norm(layer))
            width //= 2
            self.stages.append(
                nn.ModuleList(PeriodicBlock(width, size, self.config.dilations) for size in self.config.block_kernels)
            )
        self.activation = AntialiasedSnake(width)
        # A bias would be an offset of all sound.
        self.last = convolution(width, 1, 7, bias=False)

    def forward(self, mels: Tensor) -> Tensor:
        """Return sounds within ±1, (B, T · hop). mels: (B, M, T) within ±1."""
        waves = self.first(mels)
        for upsampler, blocks in zip(self.upsamplers, self.stages, strict=True):
            waves = upsampler(waves)
            waves = torch.stack([block(waves) for block in self._blocks(blocks)]).mean(0)
        sound: Tensor = torch.tanh(self.last(self.activation(waves)))[:, 0]
        return sound

    @staticmethod
    def _blocks(blocks: nn.Module) -> list[nn.Module]:
        return list(blocks.children())
