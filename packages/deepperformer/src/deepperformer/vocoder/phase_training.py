"""Training of a `PhaseInverter`: levels and changes of phase against those of the sound itself, without a GAN.

As what the network says is local, a step needs no inverse transform and no discriminators: it is cheap enough to train
on a CPU within minutes. Symbols as in `griffin_lim`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.nn import functional as F

from deepperformer.config import PhaseConfig
from deepperformer.features.spectrogram import MelDefinition, mel_weights, torch_log_mel
from deepperformer.initial import architecture_of
from deepperformer.losses import angular_loss
from deepperformer.vocoder.phase import PhaseInverter, transform

BETAS = (0.8, 0.99)
QUIETEST = 1e-4  # magnitude below which levels do not matter


class PhaseModule(L.LightningModule):
    """Training by AdamW, whose rate falls in a straight line to nothing at the trainer's last step.

    Args:
        config: The inverter.
        mel: Definition of the mels it reads.
        learning_rate: At the beginning.
        warmup_steps: In which the rate rises.
        noise: Standard deviation of what is added to mels in training, so that it can read those of a model.
    """

    def __init__(
        self,
        config: PhaseConfig,
        mel: MelDefinition | None = None,
        learning_rate: float = 1e-3,
        warmup_steps: int = 100,
        noise: float = 0.05,
    ) -> None:
        super().__init__()
        self.config, self.mel = config, mel or MelDefinition()
        config.check_hop(self.mel)
        self.learning_rate, self.warmup_steps, self.noise = learning_rate, warmup_steps, noise
        self.model = PhaseInverter(config)
        self.register_buffer("weights", torch.from_numpy(mel_weights(self.mel)), persistent=False)

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return architecture_of(self.config, self.mel)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""
        self.model.load_state_dict(dict(weights))

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        """Return the loss of a batch of samples, (B, S)."""
        target = torch_log_mel(batch, self.mel).transpose(1, 2)
        levels, advances, slopes = self.model.changes(target + self.noise * torch.randn_like(target))
        spectrum = transform(batch, self.model.window, self.config.hop_length)
        losses = {
            "train_level": F.l1_loss(levels, torch.log(spectrum.abs().clamp(min=QUIETEST))),
            "train_mel": F.l1_loss(self._mel_of(levels), target),
            "train_advance": angular_loss(advances[:, 1:], spectrum[:, 1:], spectrum[:, :-1]),
            "train_slope": angular_loss(slopes[:, :, 1:], spectrum[:, :, 1:], spectrum[:, :, :-1]),
        }
        loss = torch.stack(list(losses.values())).sum()
        self.log_dict({"train_loss": loss, **losses}, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Tensor, batch_index: int) -> None:
        """Log the mean absolute and squared error of log mels of the sound that is made."""
        theirs = torch_log_mel(batch, self.mel)
        ours = torch_log_mel(self.model(theirs.transpose(1, 2)), self.mel)
        values = {"val_mel": F.l1_loss(ours, theirs), "val_mse": F.mse_loss(ours, theirs)}
        self.log_dict(values, batch_size=len(batch), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW and its falling rate."""
        optimizer = torch.optim.AdamW(self.parameters(), self.learning_rate, BETAS)
        last = self.trainer.max_steps

        def rate(step: int) -> float:
            return min(1.0, (step + 1) / self.warmup_steps) * max(0.01, 1 - step / last if last > 0 else 1.0)

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _mel_of(self, levels: Tensor) -> Tensor:
        """The log mels of log magnitudes, so that the energy of noise is right too."""
        assert isinstance(self.weights, Tensor)
        magnitudes = torch.sqrt(torch.exp(levels).square() + 1e-9)
        return torch.log((magnitudes @ self.weights.T).clamp(min=self.mel.floor))
