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
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

from muspy_core.experiments.corpora import Corpus, union
from muspy_core.experiments.data import Pieces, Protocol, Windows, exact_windows
from muspy_core.experiments.evaluate import BATCH, PUBLISHED_SCALE, exact_nll, upstream_nll
from muspy_core.experiments.model import EventModelConfig, ModelName
from muspy_core.experiments.training import EventModule

# Enough for a mean whose standard error is below a hundredth of a nat.
TEST_EVENTS = 100_000
VALIDATION_EVENTS = 20_000
VALIDATE_EVERY = 500
STEPS = 6000
CHECKPOINT_EVERY = datetime.timedelta(minutes=3)


@dataclasses.dataclass(frozen=True)
class Row:
    """What is trained. trained_on: name of a corpus, "unified" (all, by piece) or "stratified" (all, by corpus)."""

    trained_on: str
    kind: ModelName
    seed: int
    protocol: Protocol = "clean"
    steps: int = STEPS
    batch_size: int = 16

    @property
    def name(self) -> str:
        """File name of the row; one of another length than the table's stands apart from it."""
        name = f"{self.trained_on}-{self.kind}-{self.seed}"
        return name if self.steps == STEPS else f"{name}-{self.steps}-steps"


def make_row(row: Row, corpora: dict[str, Corpus], cache: Path, deadline: float) -> dict[str, Any] | None:
    """Train, test, and return the finished row; None if the deadline (of `time.monotonic`) came first.

    The weights that are tested are those with the lowest validation loss. Data are split once (seed 0); the row's seed
    is that of the weights and of the order of windows.
    """
    chosen = list(corpora.values()) if row.trained_on in ("unified", "stratified") else [corpora[row.trained_on]]
    folder = cache / "checkpoints" / row.protocol / row.name
    started = time.monotonic()
    module = _train(row, chosen, folder, deadline)
    if module is None:
        return None
    tests = {name: corpus.pieces.select(corpus.split()["test"]) for name, corpus in corpora.items()}
    return {
        **dataclasses.asdict(row),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "train_pieces": sum(len(pieces) for pieces in union(chosen, "train")),
        "train_hours": round(sum(float(c.hours[c.split()["train"]].sum()) for c in chosen), 3),
        "seconds": round(time.monotonic() - started, 1),
        "test": {name: _test(module, pieces, row.protocol) for name, pieces in tests.items()},
    }


def _test(module: EventModule, pieces: Pieces, protocol: Protocol) -> dict[str, float]:
    if protocol == "upstream":
        loss = upstream_nll(module, pieces)
        return {"nll": round(loss, 4), "published_axis": round(loss * PUBLISHED_SCALE, 3)}
    loss, count = exact_nll(module, pieces, TEST_EVENTS)
    return {"nll": round(loss, 4), "perplexity": round(math.exp(loss), 3), "events": count}


def _train(row: Row, corpora: list[Corpus], folder: Path, deadline: float) -> EventModule | None:
    last = folder / "last.ckpt"
    resumed = int(torch.load(last, weights_only=True)["global_step"]) if last.exists() else 0
    torch.manual_seed(row.seed)  # the runner owns its process, and Lightning draws from torch's own generator
    module = EventModule(EventModelConfig(kind=row.kind), protocol=row.protocol)
    # A resumed stream goes on with windows that the first part has not seen.
    stream = Windows(
        union(corpora, "train"),
        row.batch_size,
        row.seed + 1000 * resumed,
        stratified=row.trained_on == "stratified",
        protocol=row.protocol,
    )
    best = ModelCheckpoint(
        folder, filename="best", monitor="val/nll", save_weights_only=True, enable_version_counter=False
    )
    state = ModelCheckpoint(folder, filename="last", train_time_interval=CHECKPOINT_EVERY, enable_version_counter=False)
    stop = StopAt(deadline)
    trainer = pl.Trainer(
        max_steps=row.steps,
        accelerator="cpu",
        val_check_interval=min(VALIDATE_EVERY, row.steps),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        callbacks=[best, state, stop],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        DataLoader(stream, batch_size=None),
        _validation(corpora),
        ckpt_path=str(last) if last.exists() else None,
        weights_only=True,
    )
    if stop.stopped:
        trainer.save_checkpoint(last)
        return None
    module.load_state_dict(torch.load(best.best_model_path or folder / "best.ckpt", weights_only=True)["state_dict"])
    return module


def _validation(corpora: list[Corpus]) -> DataLoader[Any]:
    share = VALIDATION_EVENTS // len(corpora)
    windows = [exact_windows(pieces, share) for pieces in union(corpora, "validation") if len(pieces)]
    inputs, targets = (torch.cat(parts) for parts in zip(*windows, strict=True))
    return DataLoader(TensorDataset(inputs, targets), batch_size=BATCH)


class StopAt(Callback):
    """Stop training at a time of `time.monotonic`."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.stopped = False

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        """Look at the clock."""
        if time.monotonic() > self.deadline:
            self.stopped = trainer.should_stop = True
