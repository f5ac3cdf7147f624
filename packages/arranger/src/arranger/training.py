"""Model + loss + optimiser: the Lightning module that `arranger fit` trains (§4.5.2).

The paper's recipe is Adam at a constant rate of 1e-3. `warmup_steps` and `decay` add what trains faster: a linear
warm-up and a cosine to zero over the trainer's `max_steps` or `max_epochs`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from muspy_core import training
from muspy_core.fine_tuning import Initial
from torch import Tensor, nn

from arranger.checkpoint import MODES, load_checkpoint, save_checkpoint
from arranger.config import ModelConfig
from arranger.data import IGNORED, Batch, PieceDataModule
from arranger.model import PartTagger, build_model


class TaggerModule(L.LightningModule):
    """Cross-entropy training of a `PartTagger`.

    Args:
        config: The model.
        learning_rate: Of Adam.
        weight_decay: Decoupled; 0 in the paper.
        warmup_steps: Steps until the full rate.
        decay: Whether the rate falls to zero along a cosine.
        average: Decay of the running average of the weights that is validated and saved; 0: none, as in the paper.
        label_smoothing: Share of the target spread over all parts; 0 in the paper.
    """

    def __init__(
        self,
        config: ModelConfig,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        decay: bool = False,
        average: float = 0.0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.config = config
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.warmup_steps, self.decay, self.average = warmup_steps, decay, average
        self.model = build_model(config)
        self.averaged = copy.deepcopy(self.model).requires_grad_(False) if average else None
        self.loss = nn.CrossEntropyLoss(ignore_index=IGNORED, label_smoothing=label_smoothing)

    @property
    def best_model(self) -> PartTagger:
        """The weights to validate and save: the running average where there is one."""
        return self.model if self.averaged is None else self.averaged

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the mean cross-entropy over the notes of a batch."""
        logits = self.model(batch.columns, batch.lengths)
        loss: Tensor = self.loss(logits.flatten(0, 1), batch.labels.flatten())
        self.log("train_loss", loss, batch_size=len(batch.lengths))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_index: int) -> None:
        """Move the average towards the weights; it starts short, so that the first steps are forgotten."""
        if self.averaged is None:
            return
        rate = min(self.average, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for mean, weight in zip(self.averaged.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(weight, 1 - rate)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log loss and accuracy over notes."""
        self._score(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Log loss and accuracy over notes, before any decoding; `arranger evaluate` measures the whole chain."""
        self._score(batch, "test")

    def _score(self, batch: Batch, stage: str) -> None:
        self.best_model.eval()
        logits = self.best_model(batch.columns, batch.lengths)
        known = batch.labels != IGNORED
        loss = self.loss(logits.flatten(0, 1), batch.labels.flatten())
        accuracy = (logits.argmax(-1) == batch.labels)[known].float().mean()
        notes = int(known.sum())
        self.log_dict({f"{stage}_loss": loss, f"{stage}_accuracy": accuracy}, batch_size=notes, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Adam, with the schedule described above."""
        optimizer = torch.optim.AdamW(self.model.parameters(), self.learning_rate, weight_decay=self.weight_decay)
        if not (self.warmup_steps or self.decay):
            return optimizer
        total = int(self.trainer.estimated_stepping_batches)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self._rate(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _rate(self, step: int, total: int) -> float:
        warm = min((step + 1) / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        if not self.decay:
            return warm
        done = min(step / max(total, 1), 1.0)
        return warm * 0.5 * (1.0 + float(torch.cos(torch.tensor(done * torch.pi))))

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return {"config": self.config.to_dict()}

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture; the average begins there too."""
        for model in (self.model, *([] if self.averaged is None else [self.averaged])):
            model.load_state_dict(dict(weights))


def initial(name: str, model_class: str | None = None) -> Initial:
    """Return a trained model for `fit` to begin with.

    name: a bundled name or a folder, and `/MODE` behind it: `bach-chorales/offline`; without one `online`. Raises
    ModelError.
    """
    model, _, mode = name.rpartition("/")
    if mode not in MODES or os.path.isdir(name):
        model, mode = name, "online"
    checkpoint = load_checkpoint(model, mode)
    weights = {key: torch.from_numpy(value) for key, value in checkpoint.weights.items()}
    return Initial(name, {"config": checkpoint.config.to_dict()}, weights)


class ExportBest(training.ExportBest):
    """Writes the best model so far as an arranger checkpoint: safetensors weights and a JSON configuration.

    Args:
        folder: Where to; None: `export` in the trainer's log folder.
        name: File name without extension.
        monitor: The logged value that is to be largest.
    """

    def __init__(self, folder: str | None = None, name: str = "model", monitor: str = "val_accuracy") -> None:
        super().__init__(folder, monitor, "max")
        self.name = name

    def export(
        self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: training.History
    ) -> None:
        """Write the model with what it was trained on."""
        if not isinstance(module, TaggerModule) or not isinstance(data, PieceDataModule):
            raise TypeError("ExportBest works with TaggerModule and PieceDataModule")
        weights = {name: tensor.cpu().numpy() for name, tensor in module.best_model.state_dict().items()}
        learned = {
            "corpus": data.corpus,
            "split": data.split_name,
            "ties": data.augmentation.ties,
            "pieces": data.training_names,
            "epoch": history.epoch,
            "steps": history.steps,
            **({} if history.init_from is None else {"init_from": history.init_from}),
            **{name: score for name, score in history.scores.items() if name == self.monitor},
        }
        save_checkpoint(folder, self.name, weights, module.config, training=learned)
