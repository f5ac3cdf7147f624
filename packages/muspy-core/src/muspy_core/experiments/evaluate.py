"""Negative log-likelihood of test pieces, exact and as the published code counts it (§2.5.3)."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from muspy_core.experiments.data import IGNORE, Pieces, Windows, exact_windows
from muspy_core.experiments.training import EventModule, nll

BATCH = 256
# What the published figures call log-perplexity is the sum over 1,000 batches of 10 windows of 64 × the mean
# negative log-likelihood, divided by 9,999: 6.4006 nats an event.
PUBLISHED_BATCHES = 1000
PUBLISHED_BATCH_SIZE = 10
PUBLISHED_SCALE = 64 * PUBLISHED_BATCHES / (PUBLISHED_BATCHES * PUBLISHED_BATCH_SIZE - 1)


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """Negative log-likelihood in nats an event.

    mean: over events. standard_error: of the mean, with windows as the units. events: how many were predicted.
    """

    mean: float
    standard_error: float
    events: int


@torch.inference_mode()
def exact_nll(module: EventModule, corpus: Pieces, max_windows: int | None = None) -> Likelihood:
    """Return the negative log-likelihood of the pieces of a corpus.

    Every event but the first of each piece, and its end, is predicted once, from at most 64 events before it in its
    window. max_windows: of a larger corpus only so many windows, spread evenly over all of it.
    """
    module.eval()
    inputs, targets = exact_windows(corpus, max_windows)
    sums, counts = [], []
    for start in range(0, len(inputs), BATCH):
        batch_targets = targets[start : start + BATCH]
        losses = nll(module(inputs[start : start + BATCH]), batch_targets, reduction="none")
        sums.append(losses.view_as(batch_targets).double().sum(1))
        counts.append((batch_targets != IGNORE).sum(1))
    total, count = torch.cat(sums), torch.cat(counts)
    mean = total.sum() / count.sum()
    # The error of a ratio: how far the sum of each window is from what the mean makes of its number of events.
    error = torch.sqrt(((total - mean * count) ** 2).sum()) / count.sum()
    return Likelihood(float(mean), float(error), int(count.sum()))


@torch.inference_mode()
def upstream_nll(module: EventModule, corpus: Pieces, seed: int = 0, batches: int = PUBLISHED_BATCHES) -> float:
    """Return nats an event by the published code's arithmetic: random windows, state carried from batch to batch.

    Times `PUBLISHED_SCALE` it is the "log-perplexity" of the paper's axes.
    """
    module.eval()
    stream = iter(Windows([corpus], PUBLISHED_BATCH_SIZE, seed, protocol="upstream"))
    state = None
    losses = []
    for _ in range(batches):
        inputs, targets = next(stream)
        logits, state = module.model(inputs, state)
        losses.append(float(nll(logits, targets)))
    return float(np.mean(losses))
