"""What defines a model, without torch: its kind, size and masks; saved beside its weights (dissertation chapter 6)."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args

Kind = Literal["clipsep", "clipsep-nit", "pit", "labelsep", "bertsep", "sop", "early", "middle"]
MaskType = Literal["binary", "ratio"]
NoiseInput = Literal["sum", "mean"]

KINDS: tuple[Kind, ...] = get_args(Kind)
# The signal front end of chapter 6; a checkpoint has no other.
SAMPLE_RATE = 16000
N_FFT = 1024
HOP_LENGTH = 256
CLIP_SAMPLES = 65535  # 4.1 s, so that centred frames are 256
LINEAR_BINS = N_FFT // 2 + 1
LOG_BINS = 256
MIN_DEPTH = 5


class ConfigError(ValueError):
    """A model that cannot be: the message names the field, its value and what is allowed."""


@dataclasses.dataclass(frozen=True)
class CLIPSepConfig:
    """A U-Net whose maps are mixed by a query (§6.3); the defaults are the paper's CLIPSep.

    kind: `clipsep`; `clipsep-nit` (with noise heads, §6.4); `pit` (no query, §6.5); `labelsep` and `bertsep` (queries
    by label and by sentence vector); `sop` (Sound of Pixels: by vectors of a frozen ResNet); `early` and `middle`
    (the query enters the U-Net at its input or its bottleneck). width: channels of the first block of the U-Net. depth:
    its blocks. maps: number of intermediate masks, K in the paper. query_dim: length of a query's vector; 0: that of
    the paper. sources: sounds of a training mixture. labels: names of LabelSep's classes, in their order. mask: what
    the network learns. noise_input: what noise heads see of several queries: the sum of their projections as in the
    paper, or the mean as in the published code.
    """

    kind: Kind = "clipsep"
    width: int = 64
    depth: int = 7
    maps: int = 32
    query_dim: int = 0
    sources: int = 2
    labels: tuple[str, ...] = ()
    mask: MaskType = "binary"
    noise_input: NoiseInput = "sum"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("kind", self.kind, KINDS),
            ("mask", self.mask, get_args(MaskType)),
            ("noise_input", self.noise_input, get_args(NoiseInput)),
        ):
            if value not in allowed:
                raise ConfigError(f"{name}={value!r}: choose one of {', '.join(allowed)}")
        object.__setattr__(self, "labels", tuple(self.labels))
        if self.query_dim == 0:
            object.__setattr__(self, "query_dim", 256 if self.kind == "bertsep" else 512)
        if self.depth < MIN_DEPTH:
            raise ConfigError(f"depth={self.depth}: the U-Net has at least {MIN_DEPTH} blocks")
        if min(self.width, self.maps, self.query_dim) < 1:
            raise ConfigError(f"width={self.width}, maps={self.maps} and query_dim={self.query_dim} must be positive")
        if self.sources < 2:
            raise ConfigError(f"sources={self.sources}: a mixture has at least 2")
        if self.kind == "sop" and self.query_dim != 512:
            raise ConfigError(f"query_dim={self.query_dim}: the ResNet of sop makes vectors of length 512")

    @property
    def frame_multiple(self) -> int:
        """What the number of frames of an input is a multiple of."""
        return int(2**self.depth)

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return {**dataclasses.asdict(self), "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CLIPSepConfig:
        """Build from `to_dict`'s result; raises TypeError for an unknown key."""
        return cls(**values)
