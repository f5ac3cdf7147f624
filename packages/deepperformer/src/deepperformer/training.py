"""Models + losses + optimisers: the Lightning modules that `deepperformer fit` trains, but for inverters (§5.4)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from muspy_core import training
from torch import Tensor, nn

from deepperformer.checkpoint import Training, save_checkpoint
from deepperformer.config import AlignmentConfig, NoteConfig, SynthesisConfig
from deepperformer.data import Batch, ClipDataModule, SegmentDataModule
from deepperformer.errors import DataError
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.initial import architecture_of
from deepperformer.layers import PITCH, PITCHES
from deepperformer.losses import absolute_timing_loss, mel_loss, timing_loss
from deepperformer.model import AlignmentModel, SynthesisModel, constant_tempo, frames_per_step

Schedule = Literal["transformer", "constant"]
TimingLoss = Literal["squared", "absolute"]
BETAS, EPSILON = (0.9, 0.98), 1e-9


def rate_of(step: int, schedule: Schedule, dim: int, warmup: int, anneal: tuple[int, ...] = ()) -> float:
    """Return what the learning rate is multiplied by at a step.

    transformer: dim^-½ min(step^-½, step warmup^-3/2), halved at each step of `anneal`. constant: 1 after the warm-up.
    """
    step += 1
    if schedule == "constant":
        return min(1.0, step / max(warmup, 1))
    rate = dim**-0.5 * min(step**-0.5, step * warmup**-1.5)
    return float(rate * 0.5 ** sum(step > boundary for boundary in anneal))


class _NoteModule(L.LightningModule):
    """What the training of both models shares: Adam, the schedule, performers."""

    config: NoteConfig
    model: nn.Module

    def __init__(self, schedule: Schedule, learning_rate: float, warmup_steps: int, anneal: tuple[int, ...]) -> None:
        super().__init__()
        self.schedule, self.learning_rate = schedule, learning_rate
        self.warmup_steps, self.anneal = warmup_steps, tuple(anneal)
        self.mel = MelDefinition()

    def setup(self, stage: str) -> None:
        """Take up the mel definition, and refuse data with more performers than the model has."""
        data = self.trainer.datamodule
        self.mel = data.prepared.mel
        if self.config.performers and len(data.performers) > self.config.performers:
            raise DataError(f"the data have {len(data.performers)} performers, the model {self.config.performers}")

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return architecture_of(self.config, self.mel)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""
        self.model.load_state_dict(dict(weights))

    def tempo(self, qpm: Tensor) -> Tensor:
        """Return the classes of tempi, (B,)."""
        return (qpm / self.config.tempo_step).long().clamp(0, self.config.tempo_classes - 1)

    def configure_optimizers(self) -> Any:
        """Adam as in the Transformer, its rate times `rate_of` of the step."""
        return self.optimizer_of(self.parameters())

    def optimizer_of(self, parameters: Iterable[nn.Parameter]) -> dict[str, Any]:
        """Return the optimiser of parameters and its schedule, as Lightning takes them."""
        optimizer = torch.optim.Adam(parameters, self.learning_rate, BETAS, EPSILON)

        def rate(step: int) -> float:
            return rate_of(step, self.schedule, self.config.dim, self.warmup_steps, self.anneal)

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


class AlignmentModule(_NoteModule):
    """Training of an `AlignmentModel`; errors are logged in ms, beside those of constant tempo.

    Args:
        config: The model.
        schedule: Of the rate: `transformer` (the paper) or `constant`.
        learning_rate: Factor of the schedule.
        warmup_steps: Steps until the full rate.
        anneal: Steps at which the rate is halved; in the paper they lie beyond the end of training.
        loss: `squared` errors (the paper) or `absolute` ones, which single wrong notes trouble less.
        transpose: Semitones by which training clips are moved up or down at most; not in the paper.
        stretch: Factor by which they are made faster or slower at most; not in the paper. As each recording has a tempo
            of its own, the tempo would give away which recording it is.
    """

    def __init__(
        self,
        config: AlignmentConfig,
        schedule: Schedule = "transformer",
        learning_rate: float = 1.0,
        warmup_steps: int = 1000,
        anneal: tuple[int, ...] = (10_000, 20_000, 50_000),
        loss: TimingLoss = "squared",
        transpose: int = 0,
        stretch: float = 1.0,
    ) -> None:
        super().__init__(schedule, learning_rate, warmup_steps, anneal)
        self.config, self.transpose, self.stretch = config, transpose, stretch
        self.timing_loss = timing_loss if loss == "squared" else absolute_timing_loss
        self.model = AlignmentModel(config)
        if config.target != "absolute":
            self.model.start_from_constant_tempo()

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of a batch."""
        loss, _ = self._errors(varied(batch, self.transpose, self.stretch))
        self.log("train_loss", loss, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the loss and errors."""
        self._score(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """The same for test recordings."""
        self._score(batch, "test")

    def _errors(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and mean absolute errors over notes in ms: of the model, and of constant tempo."""
        pace = frames_per_step(batch.qpm, self.mel.frame_s)
        times = torch.stack([batch.onsets - batch.anchor[:, None], batch.durations], dim=2)
        output = self.model(batch.notes, batch.mask, batch.performer, self.tempo(batch.qpm), batch.marks)
        loss = self.timing_loss(output, self.model.encode(times, batch.notes, pace), batch.mask)
        predictions = {
            "": self.model.decode(output, batch.notes, pace),
            "constant_": constant_tempo(batch.notes, pace),
        }
        errors = {}
        for name, predicted in predictions.items():
            mean = ((predicted - times).abs() * batch.mask[..., None]).sum((0, 1)) / batch.mask.sum().clamp(min=1)
            for index, what in enumerate(("onset", "duration")):
                errors[f"{name}{what}_ms"] = mean[index].detach() * 1000 * self.mel.frame_s
        return loss, errors

    def _score(self, batch: Batch, stage: str) -> None:
        loss, errors = self._errors(batch)
        notes = int(batch.mask.sum())
        self.log(f"{stage}_loss", loss, batch_size=notes, sync_dist=True)
        logged = {f"{stage}_{name}": value for name, value in errors.items()}
        self.log_dict(logged, batch_size=notes, sync_dist=True)


def varied(batch: Batch, transpose: int, stretch: float) -> Batch:
    """Return clips at other pitches and other tempi, drawn for each clip; they sound as before otherwise.

    transpose: semitones, up or down at most. stretch: factor, faster or slower at most.
    """
    count = len(batch)
    moved = torch.randint(-transpose, transpose + 1, (count,), device=batch.notes.device)
    notes = batch.notes.clone()
    notes[..., PITCH] = (notes[..., PITCH] + moved[:, None]).clamp(0, PITCHES - 1)
    factor = torch.exp((2 * torch.rand(count, device=batch.onsets.device) - 1) * math.log(stretch))
    return dataclasses.replace(
        batch,
        notes=notes,
        onsets=batch.onsets * factor[:, None],
        durations=batch.durations * factor[:, None],
        anchor=batch.anchor * factor,
        qpm=batch.qpm / factor,
    )


class SynthesisModule(_NoteModule):
    """Training of a `SynthesisModel`; the error of the training data's mean is logged beside the model's.

    Args:
        config: The model.
        schedule: Of the rate: `transformer` (the paper) or `constant`, which short trainings want.
        learning_rate: Factor of the schedule.
        warmup_steps: Steps until the full rate.
        start_from_mean: Whether the output begins as the mean of the training data; not in the paper.
    """

    config: SynthesisConfig

    def __init__(
        self,
        config: SynthesisConfig,
        schedule: Schedule = "transformer",
        learning_rate: float = 1.0,
        warmup_steps: int = 4000,
        start_from_mean: bool = True,
    ) -> None:
        super().__init__(schedule, learning_rate, warmup_steps, ())
        self.config, self.start_from_mean = config, start_from_mean
        self.model = SynthesisModel(config)
        self.register_buffer("mean_mel", torch.zeros(config.n_mels))

    def setup(self, stage: str) -> None:
        """Begin at the mean mel, unless the training began with a model."""
        super().setup(stage)
        conditions = self.trainer.datamodule.conditions
        if self.config.conditions and len(conditions) > self.config.conditions:
            raise DataError(f"the data have {len(conditions)} recording conditions, the model {self.config.conditions}")
        self.mean_mel = self.trainer.datamodule.mean_mel().to(self.device)
        if self.start_from_mean:
            self.model.start_from_mean(self.mean_mel)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""
        super().begin_with(weights)
        self.start_from_mean = False

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of a batch."""
        loss = mel_loss(self.mel_of(batch), given_mel(batch.mel))
        self.log("train_loss", loss, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the squared error, and that of the mean mel."""
        self._score(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """The same for test recordings."""
        self._score(batch, "test")

    def mel_of(self, batch: Batch) -> Tensor:
        """Return the model's mels of clips, (B, T, M)."""
        frames = given_mel(batch.mel).shape[1]
        mel: Tensor = self.model(
            batch.notes,
            batch.mask,
            batch.performer,
            self.tempo(batch.qpm),
            batch.onsets,
            batch.durations,
            frames,
            batch.marks,
            batch.condition,
        )
        return mel

    def _score(self, batch: Batch, stage: str) -> None:
        target = given_mel(batch.mel)
        values = {
            "mse": mel_loss(self.mel_of(batch), target),
            "mean_mse": mel_loss(self.mean_mel.expand_as(target), target),
        }
        logged = {f"{stage}_{name}": value for name, value in values.items()}
        self.log_dict(logged, batch_size=len(batch), sync_dist=True)


def given_mel(mel: Tensor | None) -> Tensor:
    """Return the mels of clips as they are. Raises DataError if the clips have none."""
    if mel is None:
        raise DataError("clips have no mels: set data.sound to mel")
    return mel


class ExportBest(training.ExportBest):
    """Writes the best model so far as a folder that `load_checkpoint` reads.

    Args:
        folder: Where to; None: `export` in the trainer's log folder.
        monitor: The logged value that is to be smallest.
    """

    def __init__(self, folder: str | None = None, monitor: str = "val_loss") -> None:
        super().__init__(folder, monitor)

    def export(
        self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: training.History
    ) -> None:
        """Write the model with its mel definition and its performers."""
        model, mel = getattr(module, "model", None), getattr(module, "mel", None)
        if (
            not isinstance(model, nn.Module)
            or not isinstance(mel, MelDefinition)
            or not isinstance(data, (ClipDataModule, SegmentDataModule))
        ):
            raise TypeError("ExportBest works with this package's modules and data")
        learned = Training(history.steps, data.works, dict(history.scores), history.init_from)
        known = data.conditions if getattr(model.config, "conditions", 0) else ()
        save_checkpoint(folder, model, mel, data.performers, learned, known)
