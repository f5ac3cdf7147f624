"""Training of the synthesis model with a discriminator of mel patches beside the squared error (not in the paper).

A squared error is smallest for the mean of all that could be, which is blurred; a discriminator that sees patches of
mels, real and made, asks for what could be real. Least-squares loss as HiFi-GAN's. Symbols: B clips, T frames, M bands.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from deepperformer.config import SynthesisConfig
from deepperformer.data import Batch
from deepperformer.errors import ModelError
from deepperformer.losses import discriminator_loss, generator_loss, mel_loss
from deepperformer.training import Schedule, SynthesisModule, given_mel

CHANNELS = (1, 16, 32, 64)
SLOPE = 0.2
SCALE = 0.2  # of log mels, which lie between -11.5 and 2, as the discriminator reads them
CLIP_NORM = 1.0


class PatchDiscriminator(nn.Module):
    """Says of each patch of a mel, 29 frames by 29 bands, whether it is real. 64,577 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(inputs, outputs, 5, 2, padding=2))
            for inputs, outputs in itertools.pairwise(CHANNELS)
        )
        self.last = spectral_norm(nn.Conv2d(CHANNELS[-1], 1, 1))

    def forward(self, mel: Tensor) -> Tensor:
        """mel: (B, T, M). Returns the scores of its patches, (B, T / 8, M / 8)."""
        hidden = SCALE * mel[:, None]
        for layer in self.layers:
            hidden = F.leaky_relu(layer(hidden), SLOPE)
        scores: Tensor = self.last(hidden)[:, 0]
        return scores


class AdversarialSynthesisModule(SynthesisModule):
    """Training of a `SynthesisModel` with a `PatchDiscriminator`; the model's steps are the trainer's steps.

    Args:
        config: The model.
        schedule: Of the rate: `transformer` (the paper) or `constant`, which short trainings want.
        learning_rate: Factor of the schedule.
        warmup_steps: Steps until the full rate.
        start_from_mean: Whether the output begins as the mean of the training data.
        adversarial_weight: Of the discriminator's verdict beside the squared error; 0: there is no discriminator.
        adversarial_start: Steps with the squared error alone.
        discriminator_rate: Learning rate of the discriminator.
    """

    def __init__(
        self,
        config: SynthesisConfig,
        schedule: Schedule = "transformer",
        learning_rate: float = 1.0,
        warmup_steps: int = 4000,
        start_from_mean: bool = True,
        adversarial_weight: float = 0.05,
        adversarial_start: int = 1000,
        discriminator_rate: float = 2e-4,
    ) -> None:
        super().__init__(config, schedule, learning_rate, warmup_steps, start_from_mean)
        if adversarial_weight < 0 or adversarial_start < 0:
            raise ModelError(f"{adversarial_weight=} and {adversarial_start=}: cannot be negative")
        self.automatic_optimization = False
        self.adversarial_weight, self.adversarial_start = adversarial_weight, adversarial_start
        self.discriminator_rate = discriminator_rate
        self.judge = PatchDiscriminator() if adversarial_weight else None

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Step the discriminator, once it takes part, and then the model; return the model's loss."""
        real = given_mel(batch.mel)
        fake = self.mel_of(batch)
        loss = mel_loss(fake, real)
        self.log("train_mse", loss, batch_size=len(batch))
        if self.judge is not None and self.global_step >= self.adversarial_start:
            self._step_judge(self.judge, real, fake.detach(), len(batch))
            loss = loss + self.adversarial_weight * generator_loss([self.judge(fake)])
        optimizer, *_ = self._optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        optimizer.step()
        scheduler = self.lr_schedulers()
        scheduler.step()  # type: ignore[union-attr, call-arg]  # there is one, of the model's optimiser
        self.log("train_loss", loss.detach(), batch_size=len(batch))
        return loss.detach()

    def _step_judge(self, judge: nn.Module, real: Tensor, fake: Tensor, count: int) -> None:
        loss = discriminator_loss([judge(real)], [judge(fake)])
        # Not through Lightning's wrapper, which would count the step.
        optimizer = self._optimizers()[1].optimizer
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        self.log("train_discriminator", loss.detach(), batch_size=count)

    def _optimizers(self) -> list[Any]:
        found = self.optimizers()
        return found if isinstance(found, list) else [found]

    def configure_optimizers(self) -> Any:
        """Adam for the model as without a discriminator, and one of a constant rate for the discriminator."""
        ours = self.optimizer_of(self.model.parameters())
        if self.judge is None:
            return ours
        theirs = torch.optim.Adam(self.judge.parameters(), self.discriminator_rate, (0.5, 0.9))
        return [ours["optimizer"], theirs], [ours["lr_scheduler"]]
