"""One row of the table: train a model on one corpus (or all) and test it on every corpus."""

from __future__ import annotations

import dataclasses
import datetime
import math
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader

from muspy_core.experiments.corpora import Corpus, union
from muspy_core.experiments.data import Pieces, Protocol, Windows
from muspy_core.experiments.evaluate import PUBLISHED_SCALE, exact_nll, upstream_nll
from muspy_core.experiments.loading import validation_batches
from muspy_core.experiments.model import EventModelConfig, ModelName
from muspy_core.experiments.training import EventModule

# Of a foreign test set at most so many windows, spread over all its pieces; of the row's own every event.
TEST_WINDOWS = 512
# Batches of 10; the published code takes 1,000 and divides so that their number hardly matters.
UPSTREAM_BATCHES = 100
VALIDATIONS = 8
PATIENCE = 3
WINDOWS_SEEN = 10_000
# Of the rows that show what a longer training would bring, on the sets to which published figures are near.
LONG_WINDOWS = 40_000
# The best of those tried on the validation pieces of Essen before the rows began (the GRU's was the only one tried);
# the paper's is 1e-3 for all.
LEARNING_RATES: dict[ModelName, float] = {"lstm": 6e-3, "gru": 4e-3, "transformer": 2e-3, "rnn": 2e-3}
CHECKPOINT_EVERY = datetime.timedelta(minutes=3)


@dataclasses.dataclass(frozen=True)
class Row:
    """What is trained, and how long.

    trained_on: name of a corpus, "unified" (all, by piece) or "stratified" (all, by corpus). windows: how many windows
    the training sees, in steps of `batch_size`; the paper's are 800,000 in steps of 16. dropout: the paper's is 0.5.
    """

    trained_on: str
    kind: ModelName
    seed: int
    protocol: Protocol = "clean"
    windows: int = WINDOWS_SEEN
    batch_size: int = 8
    dropout: float = 0.0
    learning_rate: float = LEARNING_RATES["lstm"]

    @property
    def name(self) -> str:
        """File name of the row; one of another length than the table's stands apart from it."""
        name = f"{self.trained_on}-{self.kind}-{self.seed}"
        return name if self.windows == WINDOWS_SEEN else f"{name}-{self.windows}-windows"

    @property
    def steps(self) -> int:
        """Number of training steps."""
        return max(self.windows // self.batch_size, 1)


def row_of(trained_on: str, kind: ModelName, seed: int, protocol: Protocol = "clean") -> Row:
    """Return a row of the table, with the learning rate of its model."""
    return Row(trained_on, kind, seed, protocol, learning_rate=LEARNING_RATES[kind])


def make_row(row: Row, corpora: dict[str, Corpus], cache: Path, deadline: float) -> dict[str, Any] | None:
    """Train, test, and return the finished row; None if the deadline (of `time.monotonic`) came first.

    `cpu_seconds` is what the training took, or what was left of it after an interruption. The weights that are tested
    are those with the lowest validation loss. Data are split once (seed 0); the row's seed is that of the weights and
    of the order of windows.
    """
    chosen = list(corpora.values()) if row.trained_on in ("unified", "stratified") else [corpora[row.trained_on]]
    folder = cache / "checkpoints" / row.protocol / row.name
    started = time.process_time()
    trained = _train(row, chosen, folder, deadline)
    if trained is None:
        return None
    module, validation = trained
    seconds = time.process_time() - started
    parts = {name: corpus.pieces.select(corpus.split()["test"]) for name, corpus in corpora.items()}
    limits = {name: None if name == row.trained_on else TEST_WINDOWS for name in corpora}
    return {
        **dataclasses.asdict(row),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "train_pieces": sum(len(pieces) for pieces in union(chosen, "train")),
        "train_hours": round(sum(float(c.hours[c.split()["train"]].sum()) for c in chosen), 3),
        "cpu_seconds": round(seconds, 1),
        "validation": validation,
        "test": {name: _test(module, pieces, row.protocol, limits[name]) for name, pieces in parts.items()},
    }


def _test(module: EventModule, pieces: Pieces, protocol: Protocol, max_windows: int | None) -> dict[str, float]:
    if protocol == "upstream":
        loss = upstream_nll(module, pieces, batches=UPSTREAM_BATCHES)
        return {"nll": round(loss, 4), "published_axis": round(loss * PUBLISHED_SCALE, 3)}
    result = exact_nll(module, pieces, max_windows)
    return {
        "nll": round(result.mean, 4),
        "standard_error": round(result.standard_error, 4),
        "perplexity": round(math.exp(result.mean), 3),
        "events": result.events,
    }


def _train(row: Row, corpora: list[Corpus], folder: Path, deadline: float) -> tuple[EventModule, list[float]] | None:
    last = folder / "last.ckpt"
    resumed = int(torch.load(last, weights_only=True)["global_step"]) if last.exists() else 0
    torch.manual_seed(row.seed)  # the runner owns its process, and Lightning draws from torch's own generator
    module = EventModule(EventModelConfig(kind=row.kind, dropout=row.dropout), row.learning_rate, row.protocol)
    stream = Windows(
        union(corpora, "train"),
        row.batch_size,
        row.seed,
        first_batch=resumed,
        stratified=row.trained_on == "stratified",
        protocol=row.protocol,
    )
    best = ModelCheckpoint(
        folder, filename="best", monitor="val/nll", save_weights_only=True, enable_version_counter=False
    )
    state = ModelCheckpoint(folder, filename="last", train_time_interval=CHECKPOINT_EVERY, enable_version_counter=False)
    curve = Curve()
    stop = StopAt(deadline)
    trainer = pl.Trainer(
        max_steps=row.steps,
        accelerator="cpu",
        gradient_clip_val=1.0,
        val_check_interval=max(row.steps // VALIDATIONS, 1),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        callbacks=[best, state, curve, EarlyStopping("val/nll", patience=PATIENCE), stop],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        DataLoader(stream, batch_size=None),
        validation_batches(union(corpora, "validation")),
        ckpt_path=str(last) if last.exists() else None,
        weights_only=True,
    )
    if stop.stopped:
        trainer.save_checkpoint(last)
        return None
    module.load_state_dict(torch.load(best.best_model_path or folder / "best.ckpt", weights_only=True)["state_dict"])
    return module, curve.values


class Curve(Callback):
    """Keep the validation losses in the order of training, over interruptions."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_validation_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Note the loss."""
        self.values.append(round(float(trainer.callback_metrics["val/nll"]), 4))

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"values": self.values}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint has kept."""
        self.values = list(state_dict["values"])


class StopAt(Callback):
    """Stop training at a time of `time.monotonic`."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.stopped = False

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Look at the clock."""
        if time.monotonic() > self.deadline:
            self.stopped = trainer.should_stop = True
