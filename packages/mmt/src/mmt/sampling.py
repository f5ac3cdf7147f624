"""Logits of a field → a code: temperature, filters, a draw (§3.3.2).

A filter keeps the codes that may be drawn. Today's usual ones: `top-k` (a share of the field's codes: the paper's text,
"10 % of the number of possible outcomes per field"), `top-p`, `min-p`, `none`. The published code's, under names of
their own: `published-top-k`, `published-top-p`, `published-top-a`, `published-entmax`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

Filter = Literal[
    "none", "top-k", "top-p", "min-p", "published-top-k", "published-top-p", "published-top-a", "published-entmax"
]
ENTMAX_ALPHA = 1.3
ENTMAX_STEPS = 50
TOP_A_SHARE = 0.02
_FORBIDDEN = float("-inf")


@dataclass(frozen=True)
class Sampling:
    """How codes are drawn; each value is one for all fields or a tuple with one for each.

    temperature: what logits are divided by, above 0. filter: see the module. threshold: of the filter: for `top-k` the
    share of codes kept, for `top-p` the mass kept, for `min-p` the least probability relative to the largest; for the
    published filters what their `thres` was.
    """

    temperature: float | tuple[float, ...] = 1.0
    filter: Filter | tuple[Filter, ...] = "top-p"
    threshold: float | tuple[float, ...] = 0.95

    def __post_init__(self) -> None:
        for value in self.temperature if isinstance(self.temperature, tuple) else (self.temperature,):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"temperature={value} must be above 0")
        for value in self.threshold if isinstance(self.threshold, tuple) else (self.threshold,):
            if not 0 <= value <= 1:
                raise ValueError(f"threshold={value} must be from 0 to 1")
        for name in self.filter if isinstance(self.filter, tuple) else (self.filter,):
            if name not in get_args(Filter):
                raise ValueError(f"filter={name!r}: choose one of {', '.join(get_args(Filter))}")

    def of_field(self, index: int) -> tuple[float, Filter, float]:
        """Return temperature, filter and threshold of a field."""
        return (
            self.temperature[index] if isinstance(self.temperature, tuple) else self.temperature,
            self.filter[index] if isinstance(self.filter, tuple) else self.filter,
            self.threshold[index] if isinstance(self.threshold, tuple) else self.threshold,
        )


PAPER = Sampling(1.0, "published-top-k", 0.9)


def draw(logits: Tensor, sampling: Sampling, index: int, generators: list[torch.Generator]) -> Tensor:
    """Draw a code for each song, (B,).

    logits: (B, codes), -inf where a code is forbidden. index: of the field. generators: one a song, so that a song does
    not depend on those beside it. Raises ValueError if all codes of a song are forbidden.
    """
    temperature, name, threshold = sampling.of_field(index)
    probabilities = filtered(logits.float(), name, threshold, temperature)
    if not bool((probabilities.sum(-1) > 0).all()):
        raise ValueError("the constraints forbid every code of a field")
    if len(generators) == 1:
        return torch.multinomial(probabilities, 1, generator=generators[0])[:, 0]
    rows = [torch.multinomial(row, 1, generator=g) for row, g in zip(probabilities, generators, strict=True)]
    return torch.cat(rows)


def filtered(logits: Tensor, name: Filter, threshold: float, temperature: float = 1.0) -> Tensor:
    """Return the probabilities after a filter, (B, codes). logits: (B, codes)."""
    if name == "published-entmax":
        return entmax(logits / temperature, ENTMAX_ALPHA)
    if name == "published-top-a":
        return _published_top_a(logits)
    if name == "top-k":
        logits = keep_largest(logits, max(1, math.ceil(threshold * logits.shape[-1])))
    elif name == "published-top-k":
        logits = keep_largest(logits, max(1, math.ceil((1 - threshold) * logits.shape[-1])))
    elif name == "top-p":
        logits = keep_mass(logits / temperature, threshold) * temperature
    elif name == "published-top-p":
        logits = keep_mass(logits, 1 - threshold)
    elif name == "min-p":
        probabilities = (logits / temperature).softmax(-1)
        weak = probabilities < threshold * probabilities.max(-1, keepdim=True).values
        logits = logits.masked_fill(weak, _FORBIDDEN)
    return (logits / temperature).softmax(-1)


def keep_largest(logits: Tensor, count: int) -> Tensor:
    """Forbid all but the `count` largest logits; those equal to the last one that is kept stay too."""
    if count >= logits.shape[-1]:
        return logits
    least = logits.topk(count, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, _FORBIDDEN)


def keep_mass(logits: Tensor, mass: float) -> Tensor:
    """Forbid all but the most probable codes that together reach a probability; the most probable one always stays."""
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    forbidden = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= mass)
    forbidden.scatter_(-1, order[..., :1], False)
    return logits.masked_fill(forbidden, _FORBIDDEN)


def _published_top_a(logits: Tensor) -> Tensor:
    """Codes above 2 % of the squared largest probability (of the whole batch, as published), all equally likely."""
    probabilities = logits.softmax(-1)
    kept = probabilities >= probabilities.max() ** 2 * TOP_A_SHARE
    kept |= probabilities == probabilities.max(-1, keepdim=True).values
    return kept.float() / kept.sum(-1, keepdim=True)


def entmax(logits: Tensor, alpha: float) -> Tensor:
    """Return the α-entmax of logits by bisection (Peters, Niculae and Martins 2019), (…, codes); 1 < alpha < 2."""
    scaled = logits * (alpha - 1)
    high = scaled.max(-1, keepdim=True).values
    low = high - 1
    for _ in range(ENTMAX_STEPS):
        middle = (low + high) / 2
        mass = (scaled - middle).clamp(min=0).pow(1 / (alpha - 1)).sum(-1, keepdim=True)
        low, high = torch.where(mass >= 1, middle, low), torch.where(mass >= 1, high, middle)
    powers = (scaled - low).clamp(min=0).pow(1 / (alpha - 1))
    return powers / powers.sum(-1, keepdim=True)
