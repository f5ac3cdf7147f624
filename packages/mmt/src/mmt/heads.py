"""From the last layer to the fields of the next event: all at once, or one after the other (§3.3.2).

`ParallelHeads` is the paper's: the fields of an event are independent given the events before it. `ConditionalHeads`
are ours: each field is told those of the same event that were decided before it, at the cost of a lookup and a narrow
layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BOTTLENECK = 128


class ParallelHeads(nn.Module):
    """One linear layer to the logits of all fields."""

    def __init__(self, dim: int, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.logits = nn.Linear(dim, sum(sizes))

    def forward(self, hidden: Tensor, targets: Tensor) -> list[Tensor]:
        """hidden: (…, D). targets: (…, fields), not looked at. Returns for each field (…, size)."""
        return list(self.logits(hidden).split(self.sizes, dim=-1))

    def start(self, hidden: Tensor) -> Tensor:
        """Return the state before the first field is decided. hidden: (B, D)."""
        state: Tensor = self.logits(hidden)
        return state

    def field(self, state: Tensor, index: int) -> Tensor:
        """Return the logits of a field, (B, size)."""
        start = sum(self.sizes[:index])
        return state[:, start : start + self.sizes[index]]

    def given(self, state: Tensor, index: int, values: NDArray[np.int64]) -> Tensor:
        """Return the state when a field has been decided; here it changes nothing."""
        return state


class ConditionalHeads(nn.Module):
    """Logits of each field given those before it in the same event.

    An embedding of each decided field is added to the hidden state; a residual layer of 128 units before the logits of
    a field lets them depend on one another.
    """

    offsets: Tensor

    def __init__(self, dim: int, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.register_buffer(
            "offsets", torch.tensor([sum(self.sizes[:i]) for i in range(len(sizes))]), persistent=False
        )
        self.conditions = nn.Embedding(sum(sizes), dim)
        nn.init.zeros_(self.conditions.weight)
        self.fields = nn.ModuleList(FieldHead(dim, size) for size in sizes)

    def forward(self, hidden: Tensor, targets: Tensor) -> list[Tensor]:
        """hidden: (…, D). targets: (…, fields), the true codes of the event. Returns for each field (…, size)."""
        embedded = self.conditions(targets[..., :-1] + self.offsets[:-1])  # (…, fields - 1, D)
        states = torch.cat([hidden.unsqueeze(-2), hidden.unsqueeze(-2) + embedded.cumsum(-2)], dim=-2)
        return [head(state) for head, state in zip(self.fields, states.unbind(-2), strict=True)]

    def start(self, hidden: Tensor) -> Tensor:
        """Return the state before the first field is decided. hidden: (B, D)."""
        return hidden

    def field(self, state: Tensor, index: int) -> Tensor:
        """Return the logits of a field, (B, size), given those that `given` has been told."""
        logits: Tensor = self.fields[index](state)
        return logits

    def given(self, state: Tensor, index: int, values: NDArray[np.int64]) -> Tensor:
        """Return the state when a field has been decided. values: (B,)."""
        rows = torch.from_numpy(values + sum(self.sizes[:index])).to(state.device)
        return state + self.conditions.weight[rows]


class FieldHead(nn.Module):
    """A narrow residual layer and the logits of one field."""

    def __init__(self, dim: int, size: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, BOTTLENECK), nn.GELU(), nn.Linear(BOTTLENECK, dim)
        )
        self.logits = nn.Linear(dim, size)

    def forward(self, state: Tensor) -> Tensor:
        """state: (…, D). Returns (…, size)."""
        logits: Tensor = self.logits(state + self.narrow(state))
        return logits
