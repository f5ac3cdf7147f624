"""A running average of weights, which is what is validated, saved and sampled from."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average(nn.Module):
    """The exponential moving average of a module's weights (decay 0.9999 in the paper).

    It starts short, so that the first steps are forgotten: the decay is min(decay, (1 + n) / (10 + n)) at step n.

    Args:
        module: Whose weights are averaged.
        decay: Above 0 and below 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        super().__init__()
        if not 0 < decay < 1:
            raise ValueError(f"the decay of an average must be above 0 and below 1, got {decay}")
        self.decay = decay
        self.module = copy.deepcopy(module).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move the average towards the weights after a step. step: its number, from 0."""
        rate = 1 - min(self.decay, (1 + step) / (10 + step))
        means, weights = list(self.module.parameters()), list(module.parameters())
        torch._foreach_lerp_(means, weights, rate)

    def train(self, mode: bool = True) -> Average:
        """Stay as for inference."""
        super().train(False)
        return self
