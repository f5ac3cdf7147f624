"""The cosine schedule: how much of a spectrogram is noise at each step (Nichol and Dhariwal 2021; §7.4.1).

Step t of S is noisy by x_t = √ᾱ_t · x_0 + √(1 - ᾱ_t) · ε. Everything is computed in double precision, since √ᾱ is
1.2e-5 at the last of 4,000 steps.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from clipsonic.config import ModelError, Prediction

OFFSET, LARGEST_BETA = 0.008, 0.999


class CosineSchedule:
    """ᾱ and β of every step, (S,) float64.

    Args:
        steps: S, at least 2.
    """

    def __init__(self, steps: int) -> None:
        if steps < 2:
            raise ModelError(f"a schedule has at least 2 steps, got {steps}")
        self.steps = steps

        def kept(time: float) -> float:
            return math.cos((time + OFFSET) / (1 + OFFSET) * math.pi / 2) ** 2

        betas = [min(1 - kept((step + 1) / steps) / kept(step / steps), LARGEST_BETA) for step in range(steps)]
        self.betas = torch.tensor(betas, dtype=torch.float64)
        self.alpha_bars = torch.cumprod(1 - self.betas, 0)

    def signal(self, steps: Tensor, like: Tensor) -> Tensor:
        """Return √ᾱ of steps (B,), in the type of `like` and shaped to be multiplied with it."""
        return _shaped(self.alpha_bars.sqrt(), steps, like)

    def noise(self, steps: Tensor, like: Tensor) -> Tensor:
        """Return √(1 - ᾱ), as `signal` does."""
        return _shaped((1 - self.alpha_bars).sqrt(), steps, like)

    def add_noise(self, clean: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
        """Return x_t. clean, noise: (B, …). steps: (B,)."""
        return self.signal(steps, clean) * clean + self.noise(steps, clean) * noise

    def target(self, prediction: Prediction, clean: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
        """Return what the network should say: the noise, or the velocity √ᾱ · ε - √(1 - ᾱ) · x_0."""
        if prediction == "noise":
            return noise
        return self.signal(steps, clean) * noise - self.noise(steps, clean) * clean

    def clean(self, prediction: Prediction, output: Tensor, noisy: Tensor, steps: Tensor) -> Tensor:
        """Return the x_0 that the network's output stands for; not clipped."""
        signal, noise = self.signal(steps, noisy), self.noise(steps, noisy)
        if prediction == "noise":
            return (noisy - noise * output) / signal
        return signal * noisy - noise * output

    def posterior(self, clean: Tensor, noisy: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of q(x_{t-1} | x_t, x_0); the variance at step 0 is that at 1."""
        before = torch.cat([self.alpha_bars.new_ones(1), self.alpha_bars[:-1]])
        variance = self.betas * (1 - before) / (1 - self.alpha_bars)
        variance[0] = variance[1]
        of_clean = self.betas * before.sqrt() / (1 - self.alpha_bars)
        of_noisy = (1 - self.betas).sqrt() * (1 - before) / (1 - self.alpha_bars)
        mean = _shaped(of_clean, steps, clean) * clean + _shaped(of_noisy, steps, clean) * noisy
        return mean, _shaped(variance.log(), steps, clean)

    def log_variance(self, place: Tensor, steps: Tensor) -> Tensor:
        """Return the logarithm of a learned variance, between those of the posterior (-1) and of β (1)."""
        _, least = self.posterior(place, place, steps)
        most = _shaped(self.betas.log(), steps, place)
        fraction = (place + 1) / 2
        return fraction * most + (1 - fraction) * least


def _shaped(values: Tensor, steps: Tensor, like: Tensor) -> Tensor:
    # Only what is multiplied with spectrograms is in their precision; some devices know no other.
    chosen = values.to(like.dtype).to(like.device)[steps.to(like.device)]
    return chosen.view(-1, *[1] * (like.ndim - 1))
