"""Logits of a field → a code: temperature, filters, a draw (§3.3.2).

A filter keeps the codes that may be drawn. Today's usual ones: `top-k` (a share of the field's codes: the paper's text,
"10 % of the number of possible outcomes per field"), `top-p`, `min-p`, `none`. The published code's, under names of
their own: `published-top-k`, `published-top-p`, `published-top-a`, `published-entmax`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Logits = NDArray[np.floating[Any]]

Filter = Literal[
    "none", "top-k", "top-p", "min-p", "published-top-k", "published-top-p", "published-top-a", "published-entmax"
]
ENTMAX_ALPHA = 1.3
ENTMAX_STEPS = 50
TOP_A_SHARE = 0.02
FORBIDDEN = float("-inf")


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


def draw(logits: Tensor, sampling: Sampling, index: int, generators: Sequence[torch.Generator]) -> Tensor:
    """Draw a code for each song, (B,); see `draw_codes`. logits: (B, codes)."""
    return torch.from_numpy(draw_codes(logits.float().cpu().numpy(), sampling, index, generators))


def draw_codes(
    logits: Logits, sampling: Sampling, index: int, generators: Sequence[torch.Generator]
) -> NDArray[np.int64]:
    """Draw a code for each song, (B,).

    logits: (B, codes), -inf where a code is forbidden. index: of the field. generators: one a song, so that a song does
    not depend on those beside it. Raises ValueError if all codes of a song are forbidden.
    """
    temperature, name, threshold = sampling.of_field(index)
    # NumPy, because a call into torch costs more than the work on some dozen numbers does.
    if not np.isfinite(logits.max(-1)).all():
        raise ValueError("the constraints forbid every code of a field")
    mass = filtered(logits, name, threshold, temperature).cumsum(-1, dtype=np.float64)
    points = [float(torch.rand((), generator=generator)) for generator in generators]
    codes: NDArray[np.int64] = (mass <= np.array(points)[:, None] * mass[:, -1:]).sum(-1)
    return codes


def filtered(logits: Logits, name: Filter, threshold: float, temperature: float = 1.0) -> Logits:
    """Return the probabilities after a filter, (B, codes). logits: (B, codes)."""
    if name == "published-entmax":
        return entmax(logits / temperature, ENTMAX_ALPHA)
    if name == "published-top-a":
        return _published_top_a(softmax(logits))
    if name in ("top-k", "published-top-k"):
        share = threshold if name == "top-k" else 1 - threshold
        return softmax(keep_largest(logits, max(1, math.ceil(share * logits.shape[-1]))) / temperature)
    if name == "published-top-p":
        return softmax(keep_mass(logits, 1 - threshold) / temperature)
    if name == "top-p":
        return softmax(keep_mass(logits / temperature, threshold))
    probabilities = softmax(logits / temperature)
    if name == "min-p":
        probabilities[probabilities < threshold * probabilities.max(-1, keepdims=True)] = 0
    return probabilities


def softmax(logits: Logits) -> Logits:
    """Return probabilities, (…, codes)."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    result: Logits = powers / powers.sum(-1, keepdims=True)
    return result


def keep_largest(logits: Logits, count: int) -> Logits:
    """Forbid all but the `count` largest logits; those equal to the last one that is kept stay too."""
    if count >= logits.shape[-1]:
        return logits
    least = np.partition(logits, -count, axis=-1)[..., -count, None]
    return np.where(logits < least, FORBIDDEN, logits)


def keep_mass(logits: Logits, mass: float) -> Logits:
    """Forbid all but the most probable codes that together reach a probability; the most probable one always stays.

    Those equal to the last one that is kept stay too.
    """
    ordered = -np.sort(-logits, axis=-1)
    probabilities = softmax(ordered)
    before = probabilities.cumsum(-1) - probabilities
    count = np.maximum((before < mass).sum(-1, keepdims=True), 1)
    least = np.take_along_axis(ordered, count - 1, axis=-1)
    return np.where(logits < least, FORBIDDEN, logits)


def _published_top_a(probabilities: Logits) -> Logits:
    """Codes above 2 % of the squared largest probability (of the whole batch, as published), all equally likely."""
    kept = probabilities >= probabilities.max() ** 2 * TOP_A_SHARE
    kept |= probabilities == probabilities.max(-1, keepdims=True)
    result: Logits = kept / kept.sum(-1, keepdims=True, dtype=probabilities.dtype)
    return result


def entmax(logits: Logits, alpha: float) -> Logits:
    """Return the α-entmax of logits by bisection (Peters, Niculae and Martins 2019), (…, codes); 1 < alpha < 2."""
    scaled = logits * (alpha - 1)
    high = scaled.max(-1, keepdims=True)
    low = high - 1
    for _ in range(ENTMAX_STEPS):
        middle = (low + high) / 2
        reached = (np.maximum(scaled - middle, 0) ** (1 / (alpha - 1))).sum(-1, keepdims=True) >= 1
        low, high = np.where(reached, middle, low), np.where(reached, high, middle)
    powers = np.maximum(scaled - low, 0) ** (1 / (alpha - 1))
    result: Logits = powers / powers.sum(-1, keepdims=True)
    return result
