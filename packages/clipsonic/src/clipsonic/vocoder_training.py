"""Vocoders + discriminators + optimisers: the Lightning module of vocoders that `clipsonic fit` trains (§7.4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import lightning as L
import torch
from muspy_core.training import History
from torch import Tensor

from clipsonic.averaging import Average
from clipsonic.checkpoint import build_vocoder, save_vocoder
from clipsonic.config import MelConfig
from clipsonic.data import ClipDataModule
from clipsonic.features.spectrogram import torch_mel_spectrogram
from clipsonic.initial import vocoder_architecture
from clipsonic.vocoder.discriminators import PERIODS, RESOLUTIONS, Discriminators
from clipsonic.vocoder.losses import (
    FEATURE_WEIGHT,
    MEL_WEIGHT,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    log_mel_error,
    mel_error,
    spectral_error,
)

if TYPE_CHECKING:
    from clipsonic.checkpoint import Vocoder


class VocoderModule(L.LightningModule):
    """Training of a vocoder against discriminators, with BigVGAN's losses; or without any, by spectra alone.

    Args:
        kind: "istft" or "bigvgan".
        config: Sizes of that kind, by name; see `vocoder.config`.
        mel: The spectrogram.
        learning_rate: 1e-4 in the paper, with betas 0.8 and 0.99.
        discriminator_channels: 32 in the paper; 0: no discriminators.
        periods: Of discriminators; five in the paper.
        resolutions: How many of the three resolutions have one.
        spectra_weight: Of `spectral_error` beside the other losses; 0 in the paper.
        noise: Standard deviation of noise on the spectrograms in training, within ±1: generated spectrograms are not
            as clean as real ones. 0 in the paper.
        average: Decay of the average of the weights.
        gradient_clip: Largest norm of gradients.
    """

    def __init__(
        self,
        kind: Literal["istft", "bigvgan"] = "bigvgan",
        config: dict[str, Any] | None = None,
        mel: MelConfig | None = None,
        learning_rate: float = 1e-4,
        discriminator_channels: int = 32,
        periods: tuple[int, ...] = PERIODS,
        resolutions: int = 3,
        spectra_weight: float = 0.0,
        noise: float = 0.0,
        average: float = 0.999,
        gradient_clip: float = 1000.0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.mel = mel or MelConfig()
        self.learning_rate, self.noise, self.gradient_clip = learning_rate, noise, gradient_clip
        self.spectra_weight = spectra_weight
        self.vocoder: Vocoder = build_vocoder(kind, dict(config or {}), self.mel)
        self.average = Average(self.vocoder, average)
        self.judge = (
            Discriminators(discriminator_channels, periods, RESOLUTIONS[:resolutions])
            if discriminator_channels
            else None
        )

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return vocoder_architecture(self.vocoder)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture; the discriminators begin anew."""
        for model in (self.vocoder, self.average.module):
            model.load_state_dict(dict(weights))

    def training_step(self, batch: list[Tensor], batch_index: int) -> None:
        """Teach the discriminators, then the vocoder."""
        real = batch[0]
        mels = torch_mel_spectrogram(real, self.mel)
        made = self.vocoder(mels + self.noise * torch.randn_like(mels))
        optimizers: Any = self.optimizers()
        vocoder_optimizer = optimizers if self.judge is None else optimizers[0]
        if self.judge is not None:
            loss = discriminator_loss(self.judge(real), self.judge(made.detach()))
            self._step(optimizers[1], loss)
            self.log("train_discriminator", loss, batch_size=len(real))
        error = mel_error(made, mels, self.mel)
        total = MEL_WEIGHT * error + self.spectra_weight * spectral_error(made, real)
        if self.judge is not None:
            says, said = self.judge(made), self.judge(real)
            total = total + adversarial_loss(says) + FEATURE_WEIGHT * feature_loss(said, says)
        self._step(vocoder_optimizer, total)
        self.log("train_mel", error, batch_size=len(real))
        self.average.update(self.vocoder, batch_index + self.current_epoch * max(self.trainer.num_training_batches, 1))

    def _step(self, optimizer: Any, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, gradient_clip_val=self.gradient_clip, gradient_clip_algorithm="norm")
        optimizer.step()

    def validation_step(self, batch: list[Tensor], batch_index: int) -> None:
        """Log the error of the averaged vocoder's log-mel bands in nats: copy-synthesis."""
        real = batch[0]
        made = self.average.module(torch_mel_spectrogram(real, self.mel))
        error = log_mel_error(made, real, self.mel)
        self.log("val_mel", error, batch_size=len(real), prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW for the vocoder, another for the discriminators."""
        modules = [self.vocoder] if self.judge is None else [self.vocoder, self.judge]
        return [torch.optim.AdamW(module.parameters(), self.learning_rate, betas=(0.8, 0.99)) for module in modules]

    def export(self, folder: Path, data: ClipDataModule, history: History) -> None:
        """Write the averaged vocoder."""
        vocoder: Any = self.average.module
        # Manual optimisation counts the steps of both optimisers.
        steps = history.steps if self.judge is None else history.steps // 2
        save_vocoder(folder, vocoder, steps, history.init_from)
