"""Classifier-free guidance: predictions with and without the query, combined (§7.3.1).

The guided prediction is ε_∅ + w · (ε_c - ε_∅): w = 0 is the unconditional model, w = 1 the conditional one, and larger
w follow the query more. The formula is missing in the dissertation's text; its sentence that w = 1 is the model without
guidance excludes the other common form, in which that is w = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from clipsonic.config import ModelError
from clipsonic.model import Output, SoundDiffusion


@dataclass(frozen=True)
class Guided:
    """A network with queries: a function of noisy spectrograms and steps.

    condition: of the queries, (B, C), as `SoundDiffusion.condition` gives it. against: what is moved away from, (B, C):
    the null, or negative queries. weight: w.
    """

    network: SoundDiffusion
    condition: Tensor
    against: Tensor
    weight: float = 1.5

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise ModelError(f"the guidance must be a finite number, got {self.weight}")

    def __call__(self, mels: Tensor, step: Tensor) -> Output:
        """Return the guided prediction. mels: (B, 1, M, T). step: a whole number, ().

        Both predictions are made in one pass of the network, and one alone where the other has no weight. Variances
        are those with the query.
        """
        items = len(mels)
        steps = step.expand(items)
        if self.weight in (0, 1):
            alone: Output = self.network(mels, steps, self.condition if self.weight else self.against)
            return alone
        both: Output = self.network(mels.repeat(2, 1, 1, 1), steps.repeat(2), torch.cat([self.condition, self.against]))
        with_query, without = both.prediction[:items], both.prediction[items:]
        guided = without + self.weight * (with_query - without)
        return Output(guided, None if both.variance is None else both.variance[:items])

    def repeat(self, items: list[int]) -> Guided:
        """Return the same for a batch made of these items, which may repeat."""
        return Guided(self.network, self.condition[items], self.against[items], self.weight)


def guided(network: SoundDiffusion, queries: Tensor, negatives: Tensor | None = None, weight: float = 1.5) -> Guided:
    """Return a network with queries. queries: (B, D). negatives: (B, D), in place of the learned null; None: the null.

    Raises ModelError for a weight that is not finite.
    """
    condition = network.condition(queries)
    against = network.unconditional(len(queries)) if negatives is None else network.condition(negatives)
    return Guided(network, condition, against, weight)
