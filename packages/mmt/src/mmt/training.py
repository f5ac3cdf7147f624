"""Model + loss + optimiser: the Lightning module that `mmt fit` trains (§3.4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from muspy_core import training
from muspy_core.fine_tuning import Initial
from torch import Tensor

from mmt.checkpoint import Training, load_checkpoint, save_checkpoint, with_beats
from mmt.config import MMTConfig
from mmt.data import FIELD_NAMES, Batch, SongDataModule
from mmt.losses import field_sums, masked_loss, published_loss
from mmt.model import MMT


class MMTModule(L.LightningModule):
    """Training of a `MMT` by Adam, with a linear warm-up and a linear decay.

    Args:
        config: The model.
        learning_rate: After the warm-up.
        weight_decay: Decoupled; 0 in the paper.
        warmup_steps: Steps until the full rate.
        decay_end_step: Step at which the decay ends.
        decay_end_rate: What is left of the rate then.
        masked_loss: Whether only defined codes count; False: the published loss, padding included.
        compile: Whether the network is compiled by `torch.compile`.
    """

    def __init__(
        self,
        config: MMTConfig,
        learning_rate: float = 5e-4,
        weight_decay: float = 0.0,
        warmup_steps: int = 5000,
        decay_end_step: int = 100_000,
        decay_end_rate: float = 0.1,
        masked_loss: bool = True,
        compile: bool = False,
    ) -> None:
        super().__init__()
        self.config = config
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.warmup_steps, self.decay_end_step, self.decay_end_rate = warmup_steps, decay_end_step, decay_end_rate
        self.masked = masked_loss
        self.model = MMT(config)
        self.network: Any = torch.compile(self.model) if compile else self.model

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of a batch."""
        codes, targets, counted = batch.codes[:, :-1], batch.codes[:, 1:], batch.counted[:, 1:]
        if self.masked:
            loss = masked_loss(self.network(codes, targets), targets, counted)
        else:
            loss = published_loss(self.network(codes, targets, batch.mask[:, :-1]), targets)
        self.log("train_loss", loss, batch_size=len(codes))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the masked loss, and -log p of a note, whole and by field."""
        self._score(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """The same for test songs."""
        self._score(batch, "test")

    def _score(self, batch: Batch, stage: str) -> None:
        codes, targets, counted = batch.codes[:, :-1], batch.codes[:, 1:], batch.counted[:, 1:]
        sums, _ = field_sums(self.network(codes, targets), targets, counted)
        events, notes = int(counted.sum()), int(batch.notes.sum())
        self.log(f"{stage}_loss", sums.sum() / events, batch_size=events, sync_dist=True)
        self.log(f"{stage}_nll_note", sums.sum() / notes, batch_size=notes, prog_bar=True, sync_dist=True)
        names = FIELD_NAMES[self.config.encoding]
        fields = {f"{stage}_nll_{name}": value / notes for name, value in zip(names, sums, strict=True)}
        self.log_dict(fields, batch_size=notes, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Adam, its rate times `rate_at` of the step."""
        optimizer = torch.optim.AdamW(self.parameters(), self.learning_rate, weight_decay=self.weight_decay)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate_at)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def rate_at(self, step: int) -> float:
        """Return what the learning rate is multiplied by: up to 1, then linearly down to `decay_end_rate`."""
        return training.linear_decay(step, self.warmup_steps, self.decay_end_step, self.decay_end_rate)

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return {"config": self.config.to_dict()}

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""
        self.model.load_state_dict(dict(weights))


def initial(name: str, model_class: str | None = None) -> Initial:
    """Return a trained model for `fit` to begin with, with the order and the beats that it knows.

    name: as `load_checkpoint` takes it. Raises ModelError.
    """
    checkpoint = load_checkpoint(name)
    config = checkpoint.model.config
    data: dict[str, Any] = {"order": checkpoint.training.order}
    if config.encoding in ("mmt", "extended"):
        data["max_beat"] = config.max_beat
    return Initial(name, {"config": config.to_dict()}, checkpoint.model.state_dict(), data)


class ExportBest(training.ExportBest):
    """Writes the best model so far as a folder that `MMT.from_pretrained` loads.

    Args:
        folder: Where to; None: `export` in the trainer's log folder.
        monitor: The logged value that is to be smallest.
    """

    def __init__(self, folder: str | None = None, monitor: str = "val_nll_note") -> None:
        super().__init__(folder, monitor)

    def export(
        self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: training.History
    ) -> None:
        """Write the model with the names of its songs, without the codes of beats that it has not seen."""
        if not isinstance(module, MMTModule) or not isinstance(data, SongDataModule):
            raise TypeError("ExportBest works with MMTModule and SongDataModule")
        songs = data.subsets["train"]
        scores = {name: history.scores[name] for name in history.scores if name == self.monitor}
        # What the model was trained on before has not been counted here.
        hours = songs.hours() if history.init_from is None else {}
        learned = Training(history.steps, songs.names, data.order, scores, hours, history.init_from)
        save_checkpoint(folder, with_beats(module.model, data.window.max_beat), learned)
