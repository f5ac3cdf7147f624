"""Predictions → the loss of the diffusion network: simple, or hybrid with learned variances."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from clipsonic.config import NetworkConfig
from clipsonic.model import Output
from clipsonic.schedule import CosineSchedule

# Of the variational bound, relative to the simple loss (Nichol and Dhariwal 2021, eq. 16), for the bound in bits.
BOUND_WEIGHT = 0.001


def diffusion_loss(
    output: Output, clean: Tensor, noise: Tensor, steps: Tensor, config: NetworkConfig, schedule: CosineSchedule
) -> Tensor:
    """Return the loss of each item, (B,): the squared error, with learned variances plus the bound.

    clean, noise: (B, 1, M, T). steps: (B,).
    """
    target = schedule.target(config.prediction, clean, noise, steps)
    simple = (output.prediction - target).square().flatten(1).mean(1)
    if output.variance is None:
        return simple
    noisy = schedule.add_noise(clean, noise, steps)
    # The mean is not taught by the bound, only the variance is.
    bound = variational_bound(output.prediction.detach(), output.variance, clean, noisy, steps, config, schedule)
    return simple + BOUND_WEIGHT * config.steps * bound


def variational_bound(
    prediction: Tensor,
    variance: Tensor,
    clean: Tensor,
    noisy: Tensor,
    steps: Tensor,
    config: NetworkConfig,
    schedule: CosineSchedule,
) -> Tensor:
    """Return the term of the variational bound that belongs to each item's step, in bits for each value, (B,).

    It is the divergence of the model's step from the true one. Step 0, at which the published code counts the bins of
    8-bit images, has none here: spectrograms are no integers, and the sampler adds no noise after it.
    """
    true_mean, true_log = schedule.posterior(clean, noisy, steps)
    said = schedule.clean(config.prediction, prediction, noisy, steps).clamp(-1, 1)
    mean, _ = schedule.posterior(said, noisy, steps)
    log = schedule.log_variance(variance, steps)
    divergence = 0.5 * (log - true_log - 1 + (true_log - log).exp() + (true_mean - mean).square() * (-log).exp())
    bits = divergence.flatten(1).mean(1) / math.log(2)
    return torch.where(steps == 0, torch.zeros_like(bits), bits)
