"""Training of inverters: mel L1 alone at first, then with discriminators (HiFi-GAN's recipe), and the paper's baseline.

The generator's steps are the trainer's steps. Symbols as in `hifigan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized

from deepperformer.config import HiFiGANConfig, ISTFTConfig
from deepperformer.data import Batch
from deepperformer.errors import ModelError
from deepperformer.features.spectrogram import MelDefinition, torch_log_mel
from deepperformer.initial import architecture_of
from deepperformer.layers import rolls, sounding
from deepperformer.losses import FEATURE_WEIGHT, MEL_WEIGHT, discriminator_loss, feature_loss, generator_loss
from deepperformer.vocoder.discriminators import Discriminators
from deepperformer.vocoder.hifigan import HiFiGAN
from deepperformer.vocoder.istft import ISTFTInverter

BETAS = (0.8, 0.99)


class InverterModule(L.LightningModule):
    """Training of a `HiFiGAN` or an `ISTFTInverter` by AdamW, whose rate falls by `decay` each epoch.

    Args:
        config: The generator.
        mel: Definition of the mels it reads.
        learning_rate: Of both optimisers.
        decay: Factor of the rate for each epoch.
        warmup_steps: Steps with mel L1 alone; 0 in the published recipe.
        discriminator_scale: Factor of the discriminators' channels, 1/8 to 1; 0: none, mel L1 all the way.
    """

    def __init__(
        self,
        config: HiFiGANConfig | ISTFTConfig,
        mel: MelDefinition | None = None,
        learning_rate: float = 2e-4,
        decay: float = 0.999,
        warmup_steps: int = 0,
        discriminator_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self.mel = config, mel or MelDefinition()
        config.check_hop(self.mel)
        self.learning_rate, self.decay, self.warmup_steps = learning_rate, decay, warmup_steps
        self.model: HiFiGAN | ISTFTInverter = (
            HiFiGAN(config) if isinstance(config, HiFiGANConfig) else ISTFTInverter(config)
        )
        self.judges = Discriminators(discriminator_scale) if discriminator_scale else None

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return architecture_of(self.config, self.mel)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the folded weights of a model of the same architecture; the discriminators begin anew."""
        rest = dict(weights)
        for name, module in self.model.named_modules():
            if is_parametrized(module, "weight"):
                module.weight = rest.pop(f"{name}.weight")  # which splits it into direction and length again
        left = self.model.load_state_dict(rest, strict=False)
        missing = [key for key in left.missing_keys if "parametrizations" not in key]
        if missing or left.unexpected_keys:
            raise ModelError(f"weights that are missing or not of this inverter: {missing + left.unexpected_keys}")

    def training_step(self, batch: Tensor | Batch, batch_index: int) -> None:
        """Step the discriminators, once they take part, and then the generator."""
        real = self._real(batch)
        fake = self._fake(batch, real)
        optimizers = self.optimizers(use_pl_optimizer=False)
        generator_optimizer = optimizers[0] if isinstance(optimizers, list) else optimizers
        judged = self.judges is not None and self.global_step >= self.warmup_steps
        if judged and self.judges is not None and isinstance(optimizers, list):
            loss = discriminator_loss(self.judges(real)[0], self.judges(fake.detach())[0])
            optimizers[1].zero_grad()
            self.manual_backward(loss)
            optimizers[1].step()
            self.log("train_discriminator", loss, batch_size=len(real))
        loss = distance = self._distance(fake, real)
        if judged and self.judges is not None:
            scores, features = self.judges(fake)
            loss = MEL_WEIGHT * distance + generator_loss(scores)
            loss = loss + FEATURE_WEIGHT * feature_loss(self.judges(real)[1], features)
        generator_optimizer.zero_grad()
        self.manual_backward(loss)
        # Through Lightning's wrapper, which counts the step; the discriminators' is not counted.
        wrapped = self.optimizers()
        (wrapped[0] if isinstance(wrapped, list) else wrapped).step()
        self.log_dict({"train_mel": distance, "train_loss": loss}, batch_size=len(real))

    def validation_step(self, batch: Tensor | Batch, batch_index: int) -> None:
        """Log the mean absolute and squared error of log mels."""
        real = self._real(batch)
        fake = self._fake(batch, real)
        ours, theirs = torch_log_mel(fake, self.mel), torch_log_mel(real, self.mel)
        values = {"val_mel": F.l1_loss(ours, theirs), "val_mse": F.mse_loss(ours, theirs)}
        self.log_dict(values, batch_size=len(real), sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Let the rates fall."""
        schedulers = self.lr_schedulers()
        for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
            scheduler.step()  # type: ignore[union-attr, call-arg]

    def configure_optimizers(self) -> Any:
        """AdamW for the generator, and for the discriminators if there are any."""
        modules = [self.model, *([] if self.judges is None else [self.judges])]
        optimizers = [torch.optim.AdamW(module.parameters(), self.learning_rate, BETAS) for module in modules]
        schedulers = [torch.optim.lr_scheduler.ExponentialLR(optimizer, self.decay) for optimizer in optimizers]
        return optimizers, schedulers

    def _real(self, batch: Tensor | Batch) -> Tensor:
        if isinstance(batch, Tensor):
            return batch
        if batch.samples is None:
            raise ValueError("clips have no samples: set data.sound to samples")
        return batch.samples

    def _fake(self, batch: Tensor | Batch, real: Tensor) -> Tensor:
        """Return the generator's sound for real sound's mels, or, of the baseline, for the notes of clips."""
        if isinstance(batch, Tensor) or not isinstance(self.model, HiFiGAN) or self.model.rolls is None:
            made: Tensor = self.model(torch_log_mel(real, self.mel).transpose(1, 2))
            return made
        frames = real.shape[1] // self.mel.hop_length
        active, places = sounding(batch.onsets, batch.durations, batch.mask, frames)
        return self.model(rolls(batch.notes, active, places), batch.performer)

    def _distance(self, fake: Tensor, real: Tensor) -> Tensor:
        return F.l1_loss(torch_log_mel(fake, self.mel), torch_log_mel(real, self.mel))
