"""What defines the models, without torch: the spectrogram, the diffusion network, the prior; saved beside weights.

Symbols of the package: B items, M mel bands, T frames, D width of a query vector.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from typing import Any, Literal, get_args

from muspy_core.errors import MuspyError

Prediction = Literal["noise", "velocity"]
Variance = Literal["fixed", "learned"]


class ModelError(MuspyError):
    """A model that cannot be built, found or loaded, or models that do not fit each other."""


@dataclasses.dataclass(frozen=True)
class MelConfig:
    """The log-mel spectrogram that network and vocoder share (§7.4.1); the defaults are the paper's.

    sample_rate, low_hz, high_hz: Hz. n_fft, hop_length: samples; the window is a Hann window of n_fft samples. floor:
    smallest magnitude, whose natural logarithm stands at -1; ceiling: natural logarithm of the magnitude at +1. Louder
    bands are clipped. The range is that of the networks' inputs and outputs.
    """

    sample_rate: int = 16_000
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 64
    low_hz: float = 0.0
    high_hz: float = 8000.0
    floor: float = 1e-5
    ceiling: float = 2.0

    def __post_init__(self) -> None:
        if min(self.sample_rate, self.hop_length, self.n_mels) < 1 or self.n_fft < self.hop_length:
            raise ModelError(f"{self}: rate, hop and bands must be positive, and n_fft not below the hop")
        if (self.n_fft - self.hop_length) % 2:
            raise ModelError(
                f"n_fft - hop_length = {self.n_fft - self.hop_length} must be even, to pad both sides alike"
            )
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise ModelError(
                f"bands from {self.low_hz} to {self.high_hz} Hz do not fit below {self.sample_rate / 2} Hz"
            )
        if not 0 < self.floor < math.exp(self.ceiling):
            raise ModelError(f"floor={self.floor} must be above 0 and below exp(ceiling)={math.exp(self.ceiling):g}")

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that two spectrograms share only if they are made in the same way."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def frames(self, duration_s: float) -> int:
        """Number of frames that hold so many seconds."""
        return max(math.ceil(round(duration_s * self.sample_rate) / self.hop_length), 1)

    def seconds(self, frames: int) -> float:
        """Length of so many frames in seconds."""
        return frames * self.hop_length / self.sample_rate


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The diffusion network: diffusers' `UNet2DModel` over spectrograms, told of the query (§7.3.1).

    The defaults are the paper's: 121,057,026 parameters before the query is taken in, 4,000 steps of a cosine schedule,
    noise predicted, variances learned. query_dim: width of query vectors. channels: of each level; each level but the
    last halves the resolution. layers: residual blocks of a level. attention: whether a level has self-attention.
    head_dim: width of an attention head. groups: of group normalisation. prediction: what the network returns: the
    noise, or the velocity (Salimans and Ho 2022), with which few steps are stable. variance: `fixed`, or `learned` by
    the hybrid loss (Nichol and Dhariwal 2021). patch: side of the squares of the spectrogram that the U-Net reads as
    channels of one place (Hoogeboom et al. 2023, §3.2): 2 saves most of the first level's cost; the paper's is 1.
    """

    query_dim: int = 768
    channels: tuple[int, ...] = (128, 256, 384, 512)
    layers: int = 3
    attention: tuple[bool, ...] = (False, False, True, True)
    head_dim: int = 64
    groups: int = 32
    dropout: float = 0.0
    steps: int = 4000
    prediction: Prediction = "noise"
    variance: Variance = "learned"
    patch: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "attention", tuple(self.attention))
        for name, value, allowed in (
            ("prediction", self.prediction, get_args(Prediction)),
            ("variance", self.variance, get_args(Variance)),
        ):
            if value not in allowed:
                raise ModelError(f"{name}={value!r}: choose one of {', '.join(allowed)}")
        if not self.channels or len(self.channels) != len(self.attention):
            raise ModelError(f"channels={self.channels} and attention={self.attention} need one value for each level")
        if any(width % self.groups for width in self.channels):
            raise ModelError(f"channels={self.channels} must be multiples of groups={self.groups}")
        if min(self.query_dim, self.layers, self.head_dim, self.patch) < 1 or self.steps < 2:
            raise ModelError(
                f"query_dim, layers, head_dim and patch must be positive, and steps={self.steps} at least 2"
            )

    @property
    def multiple(self) -> int:
        """What bands and frames must be multiples of: the patch, which each level but the last doubles."""
        return int(self.patch * 2 ** (len(self.channels) - 1))

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        """Build from `to_dict`'s result; raises TypeError for an unknown key."""
        return cls(**values)


@dataclasses.dataclass(frozen=True)
class PriorConfig:
    """The diffusion prior: a causal transformer from vectors of texts to vectors of images (App. 7.A).

    The defaults are the paper's size: 12 layers, CLIP ViT-L/14's vectors and its 77 encoded text tokens. dim: width.
    query_dim: of vectors of texts and images. tokens: encoded text tokens that are read before the text's vector; 0:
    none. steps: of the cosine schedule.
    """

    query_dim: int = 768
    dim: int = 768
    depth: int = 12
    heads: int = 12
    tokens: int = 77
    dropout: float = 0.0
    steps: int = 1000

    def __post_init__(self) -> None:
        if min(self.query_dim, self.dim, self.depth, self.heads) < 1 or self.tokens < 0 or self.steps < 2:
            raise ModelError(f"{self}: sizes must be positive, tokens not negative, steps at least 2")
        if self.dim % self.heads:
            raise ModelError(f"dim={self.dim} must be a multiple of heads={self.heads}")

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)
