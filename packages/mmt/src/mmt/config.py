"""What defines a model, without torch: its fields, size, positions and heads; saved beside its weights."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args

from mmt import extended
from mmt.baselines import mmm, remi
from mmt.encoding import CONTEXT, field_sizes

Encoding = Literal["mmt", "extended", "mmm", "remi"]
Positions = Literal["absolute", "rotary", "relative", "none"]
Heads = Literal["parallel", "conditional"]

HEAD_DIM = 64


@dataclasses.dataclass(frozen=True)
class MMTConfig:
    """A decoder-only transformer over events of one or more fields (§3.3.2); the defaults are the paper's.

    encoding: what its codes mean: `mmt`, `extended` (with velocity, tempo, time signature and drums; not in the paper),
    or a baseline's `mmm` or `remi`. sizes: number of codes of each field; empty:
    those of the encoding, with 256 beats. dim: width, 64 times the number of attention heads. depth: blocks.
    max_length: events that the model sees at once. positions: `absolute` (learned, the paper's choice), `rotary` (on
    half of each head: the paper's relative variant), `relative` (Huang et al. 2019), `none`. heads: `parallel` (each
    field by itself, as in the paper) or `conditional` (each field given those before it in the same event). tasks:
    whether the model knows notes that are given as context, for filling in and accompanying (not in the paper).
    """

    encoding: Encoding = "mmt"
    sizes: tuple[int, ...] = ()
    dim: int = 512
    depth: int = 6
    max_length: int = 1024
    positions: Positions = "absolute"
    heads: Heads = "parallel"
    dropout: float = 0.2
    tasks: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes) or default_sizes(self.encoding, self.tasks))
        for name, value, allowed in (
            ("encoding", self.encoding, get_args(Encoding)),
            ("positions", self.positions, get_args(Positions)),
            ("heads", self.heads, get_args(Heads)),
        ):
            if value not in allowed:
                raise ValueError(f"{name}={value!r}: choose one of {', '.join(allowed)}")
        if self.tasks and self.encoding != "mmt":
            raise ValueError(f"tasks need the encoding mmt, not {self.encoding}")
        if self.dim < HEAD_DIM or self.dim % HEAD_DIM:
            raise ValueError(f"dim={self.dim} must be a multiple of {HEAD_DIM}, the width of an attention head")
        if min(self.depth, self.max_length) < 1 or min(self.sizes) < 2:
            raise ValueError(
                f"depth={self.depth}, max_length={self.max_length} and sizes={self.sizes} must be positive"
            )

    @property
    def attention_heads(self) -> int:
        """Number of attention heads of a block."""
        return self.dim // HEAD_DIM

    @property
    def max_beat(self) -> int:
        """Number of beats that have a code, where there is a field of beats."""
        return self.sizes[1] - 1

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MMTConfig:
        """Build from `to_dict`'s result; raises TypeError for an unknown key."""
        return cls(**{**values, "sizes": tuple(values.get("sizes", ()))})


def default_sizes(encoding: Encoding, tasks: bool = False) -> tuple[int, ...]:
    """Return the number of codes of each field as in the paper; tasks: with one type more, that of context."""
    if encoding == "mmm":
        return (mmm.vocabulary_size(),)
    if encoding == "remi":
        return (remi.vocabulary_size(),)
    if encoding == "extended":
        return extended.field_sizes(256)
    sizes = field_sizes(256)
    return (CONTEXT + 1, *sizes[1:]) if tasks else sizes
