"""What defines a vocoder, without torch: its kind and size (§7.4.1), saved beside its weights."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

from clipsonic.config import ModelError

Kind = Literal["istft", "bigvgan"]


@dataclasses.dataclass(frozen=True)
class InverterConfig:
    """An iSTFT inverter: ConvNeXt blocks at the rate of the frames, then magnitudes and phases (Siuzdak 2024).

    The default is the small one, 1.8 million parameters. dim: width. hidden: of the blocks. depth: blocks.
    """

    dim: int = 192
    hidden: int = 576
    depth: int = 6

    def __post_init__(self) -> None:
        if min(self.dim, self.hidden, self.depth) < 1:
            raise ModelError(f"{self}: sizes must be positive")


@dataclasses.dataclass(frozen=True)
class BigVGANConfig:
    """BigVGAN at the rate of the package (Lee et al. 2023); the defaults are the base size, 13.9 million parameters.

    channels: before the first upsampling; each halves them. rates: of upsampling, whose product is the hop. kernels: of
    the transposed convolutions. block_kernels, dilations: of the residual blocks that are averaged at each stage.
    """

    channels: int = 512
    rates: tuple[int, ...] = (8, 8, 4, 2)
    kernels: tuple[int, ...] = (16, 16, 8, 4)
    block_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)

    def __post_init__(self) -> None:
        for name in ("rates", "kernels", "block_kernels", "dilations"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if len(self.rates) != len(self.kernels) or not self.rates:
            raise ModelError(f"rates={self.rates} and kernels={self.kernels} need one value for each stage")
        if any((kernel - rate) % 2 or kernel < rate for rate, kernel in zip(self.rates, self.kernels, strict=True)):
            raise ModelError(
                f"kernels={self.kernels} must be as large as rates={self.rates}, or larger by even numbers"
            )
        if self.channels % 2 ** len(self.rates):
            raise ModelError(f"channels={self.channels} must be divisible by 2 at each of {len(self.rates)} stages")

    @property
    def hop_length(self) -> int:
        """Samples that each frame becomes."""
        return math.prod(self.rates)


def vocoder_config(kind: Kind, values: dict[str, Any]) -> InverterConfig | BigVGANConfig:
    """Build the configuration of a kind; raises TypeError for an unknown key, ModelError for an unknown kind."""
    if kind == "istft":
        return InverterConfig(**values)
    if kind == "bigvgan":
        return BigVGANConfig(**values)
    raise ModelError(f"vocoder kind={kind!r}: choose one of istft, bigvgan")
