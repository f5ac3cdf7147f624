"""HiFi-GAN's generator, versions 1 to 3 (Kong et al. 2020), and the paper's baseline that reads piano rolls (§5.4).

Symbols: B clips, T frames, M mel bands, S samples, S = T × hop.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from deepperformer.config import HiFiGANConfig
from deepperformer.model import count_parameters

SLOPE = 0.1
LAST_SLOPE = 0.01  # the published code leaves the last activation at PyTorch's default
ROLLS = 256  # piano roll and position roll


class HiFiGAN(nn.Module):
    """Upsampling convolutions, each followed by the mean of residual blocks.

    Args:
        config: The version; 2 by default.
    """

    def __init__(self, config: HiFiGANConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HiFiGANConfig()
        self.rolls = nn.Linear(ROLLS, config.n_mels) if config.inputs == "rolls" else None
        self.performer = nn.Embedding(config.performers, config.n_mels) if config.performers else None
        self.first = weight_norm(nn.Conv1d(config.n_mels, config.channels, 7, padding=3))
        self.upsamplings, self.stages = nn.ModuleList(), nn.ModuleList()
        channels = config.channels
        for rate, kernel in zip(config.rates, config.kernels, strict=True):
            up = _started(nn.ConvTranspose1d(channels, channels // 2, kernel, rate, padding=(kernel - rate) // 2))
            channels //= 2
            self.upsamplings.append(up)
            self.stages.append(
                nn.ModuleList(
                    ResidualBlock(channels, size, dilations, config.block)
                    for size, dilations in zip(config.block_kernels, config.dilations, strict=True)
                )
            )
        self.last = _started(nn.Conv1d(channels, 1, 7, padding=3))

    @property
    def n_parameters(self) -> int:
        """Number of trainable values; weight normalisation adds a gain for each output channel."""
        return count_parameters(self)

    def forward(self, mel: Tensor, performer: Tensor | None = None) -> Tensor:
        """Return samples, (B, S). mel: (B, T, M), or rolls (B, T, 256). performer: (B,), of the baseline."""
        hidden = mel if self.rolls is None else self.rolls(mel)
        if self.performer is not None and performer is not None:
            hidden = hidden + self.performer(performer)[:, None]
        hidden = self.first(hidden.transpose(1, 2))
        for upsampling, blocks in zip(self.upsamplings, self.stages, strict=True):
            hidden = upsampling(F.leaky_relu(hidden, SLOPE))
            hidden = torch.stack([block(hidden) for block in blocks]).mean(0)  # type: ignore[operator]
        samples: Tensor = torch.tanh(self.last(F.leaky_relu(hidden, LAST_SLOPE)))[:, 0]
        return samples

    def fold(self) -> HiFiGAN:
        """Multiply weight normalisation into the weights, for inference and export, and return the model.

        Not under `torch.no_grad()`: there the folded weights would stop being parameters.
        """
        with torch.enable_grad():
            for module in list(self.modules()):
                if is_parametrized(module, "weight"):
                    remove_parametrizations(module, "weight")
        return self


class ResidualBlock(nn.Module):
    """Dilated convolutions with skips: of type 1 each followed by one without dilation, of type 2 alone."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], kind: int) -> None:
        super().__init__()

        def convolution(dilation: int) -> nn.Module:
            return _started(
                nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)
            )

        self.dilated = nn.ModuleList(convolution(dilation) for dilation in dilations)
        self.plain = nn.ModuleList(convolution(1) for _ in dilations) if kind == 1 else None

    def forward(self, hidden: Tensor) -> Tensor:
        """hidden: (B, C, S). Returns the same shape."""
        for index, dilated in enumerate(self.dilated):
            changed = dilated(F.leaky_relu(hidden, SLOPE))
            if self.plain is not None:
                changed = self.plain[index](F.leaky_relu(changed, SLOPE))
            hidden = hidden + changed
        return hidden


def _started(convolution: nn.Module) -> nn.Module:
    """Start the weights small, as published, and normalise them."""
    nn.init.normal_(convolution.weight, 0.0, 0.01)  # type: ignore[arg-type]
    return weight_norm(convolution)
