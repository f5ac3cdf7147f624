"""Logits and true codes → the loss, and the negative log-likelihood of a note (§3.3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def field_sums(logits: Sequence[Tensor], targets: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each field the summed -log p in nats over the codes that are defined, and how many, both (F,).

    logits: for each field (B, L, size). targets: (B, L, F). mask: (B, L), False in padding. The first field is defined
    in every event, the others where their code is not 0: so neither padding nor undefined fields count.
    """
    sums, counts = [], []
    for index, scores in enumerate(logits):
        target = targets[..., index]
        defined = mask if index == 0 else mask & (target > 0)
        sums.append(F.cross_entropy(scores[defined].float(), target[defined], reduction="sum"))
        counts.append(defined.sum())
    return torch.stack(sums), torch.stack(counts)


def masked_loss(logits: Sequence[Tensor], targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean -log p of an event in nats, over what is defined."""
    sums, _ = field_sums(logits, targets, mask)
    return sums.sum() / mask.sum().clamp(min=1)


def published_loss(logits: Sequence[Tensor], targets: Tensor) -> Tensor:
    """Return the sum over fields of the mean -log p over all places, padding and undefined fields included.

    This is what the published code minimises, and reports as its loss.
    """
    terms = [F.cross_entropy(scores.flatten(0, 1), targets[..., i].flatten()) for i, scores in enumerate(logits)]
    return torch.stack(terms).sum()
