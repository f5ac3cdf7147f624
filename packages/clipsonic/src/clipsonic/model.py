"""Noisy spectrogram, step and query → what the noise was: diffusers' U-Net with our conditioning (§7.3.1).

Symbols as in `config`. Spectrograms are images of one channel, (B, 1, M, T), within ±1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clipsonic.config import NetworkConfig

if TYPE_CHECKING:
    from diffusers import UNet2DModel

# The published code shows the network steps of 1,000 whatever the length of the schedule.
TIME_SCALE = 1000.0


class Output(NamedTuple):
    """What the network says of noisy spectrograms: (B, 1, M, T) each; variance is None where it is fixed.

    prediction: noise or velocity. variance: the place of the variance's logarithm between its bounds, -1 to 1.
    """

    prediction: Tensor
    variance: Tensor | None


class SoundDiffusion(nn.Module):
    """A U-Net that is told of the diffusion step and of a query.

    The query's vector is normalised, scaled to unit variance for each of its values, and added through a linear layer
    to the embedding of the step. `null` stands in its place where no query is meant. Vectors that all lie near one
    direction are told apart better from `centre`, (D,), which is subtracted; it is 0 in the paper.

    Args:
        config: Size and kind.
    """

    centre: Tensor

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetworkConfig()
        self.unet = _unet(config)
        _zero_outputs(self.unet)
        self.project = nn.Linear(config.query_dim, 4 * config.channels[0])
        self.null = nn.Parameter(torch.randn(config.query_dim))
        self.register_buffer("centre", torch.zeros(config.query_dim))

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def condition(self, queries: Tensor, dropped: Tensor | None = None) -> Tensor:
        """Return what is added to the embedding of the step, (B, 4 · channels[0]).

        queries: (B, D), of any length but 0. dropped: (B,) bool, where the null stands in place of the query.
        """
        directions = F.normalize(F.normalize(queries, dim=-1) - self.centre, dim=-1)
        scaled = directions * self.config.query_dim**0.5
        if dropped is not None:
            scaled = torch.where(dropped[:, None], self.null, scaled)
        projected: Tensor = self.project(scaled)
        return projected

    def unconditional(self, items: int) -> Tensor:
        """Return the condition that stands for no query, (items, 4 · channels[0])."""
        projected: Tensor = self.project(self.null)
        return projected.expand(items, -1)

    def forward(self, mels: Tensor, steps: Tensor, condition: Tensor) -> Output:
        """Return the prediction.

        mels: (B, 1, M, T), M and T multiples of `config.multiple`. steps: (B,), 0 to `config.steps` - 1. condition: of
        `condition` or `unconditional`.
        """
        times = steps.float() * (TIME_SCALE / self.config.steps)
        patches = F.pixel_unshuffle(mels, self.config.patch)
        (output,) = self.unet(patches, times, class_labels=condition, return_dict=False)
        output = F.pixel_shuffle(output, self.config.patch)
        if self.config.variance == "fixed":
            return Output(output, None)
        return Output(output[:, :1], output[:, 1:])


def _unet(config: NetworkConfig) -> UNet2DModel:
    from diffusers import UNet2DModel

    kinds = [("AttnDownBlock2D", "AttnUpBlock2D") if has else ("DownBlock2D", "UpBlock2D") for has in config.attention]
    return UNet2DModel(
        sample_size=64,
        in_channels=config.patch**2,
        out_channels=config.patch**2 * (1 if config.variance == "fixed" else 2),
        layers_per_block=config.layers,
        block_out_channels=config.channels,
        down_block_types=tuple(down for down, _ in kinds),
        up_block_types=tuple(up for _, up in reversed(kinds)),
        resnet_time_scale_shift="scale_shift",
        attention_head_dim=config.head_dim,
        norm_num_groups=config.groups,
        # Without it, scale_shift leaves the attention of the middle block without a norm.
        attn_norm_num_groups=config.groups,
        dropout=config.dropout,
        class_embed_type="identity",
    )


def _zero_outputs(unet: UNet2DModel) -> None:
    """Let every residual branch, and the network, begin with 0, as the published code does and diffusers does not."""
    from diffusers.models.attention_processor import Attention
    from diffusers.models.resnet import ResnetBlock2D

    last: list[nn.Module] = [unet.conv_out]
    for module in unet.modules():
        if isinstance(module, ResnetBlock2D):
            last.append(module.conv2)
        elif isinstance(module, Attention):
            last.append(module.to_out[0])
    for layer in last:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
