"""Rows → trainings → figures: every run is trained, measured, and kept as one JSON file (tables → page).

Weights stand in `runs/TABLE/CONFIGURATION/VERSION`, figures in `docs/deepperformer/results/TABLE/CONFIGURATION/
VERSION.json`. What is there is not done again, and a training that was cut off goes on from its last checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from muspy_core.runs import Figures, do_missing, train_once

from deepperformer.experiments.tables import Row, Table


@dataclass(frozen=True)
class Run:
    """One training."""

    table: Table
    row: Row
    seed: int
    split: str

    @property
    def version(self) -> str:
        """Split and seed as they stand in paths."""
        return f"{self.split}-s{self.seed}"

    def folder(self, runs: Path) -> Path:
        """Return where its weights and checkpoints are."""
        return runs / self.table.name / self.row.configuration / self.version

    def result(self, results: Path) -> Path:
        """Return the file of its figures."""
        return results / self.table.name / self.row.configuration / f"{self.version}.json"

    def training(self, data: str) -> list[str]:
        """Return the arguments of `deepperformer fit`."""
        return [
            "-c", self.row.configuration, *self.row.options, "--seed_everything", str(self.seed), "--data.folder", data,
            "--data.split", self.split, "--data.seed", "0", "--trainer.logger.init_args.version", self.version,
        ]  # fmt: skip


def runs_of(table: Table) -> Iterator[Run]:
    """Yield the runs of a table in the order of their worth: one seed of every row, more seeds, other folds."""
    yield from (Run(table, row, 0, table.split) for row in table.rows)
    for seed in range(1, max(row.seeds for row in table.rows)):
        yield from (Run(table, row, seed, table.split) for row in table.rows if seed < row.seeds)
    for fold in table.folds:
        yield from (Run(table, row, 0, fold) for row in table.rows if row.seeds > 1)


def run_missing(
    table: Table, runs: Path, results: Path, budget_s: float, source: Path, options: tuple[str, ...] = ()
) -> Iterator[str]:
    """Do the runs that have no figures yet, and yield a line for each; none is begun once the budget is spent.

    source: the prepared data. options: further arguments of `fit`, kept with the figures.
    """
    return do_missing(
        runs_of(table),
        lambda run: run.result(results),
        lambda run: _figures(run, runs, source, options),
        budget_s,
        lambda run, figures: f"{table.name} {run.row.configuration} {run.version}: {headline(table, figures):.4f}",
    )


def _figures(run: Run, runs: Path, source: Path, options: tuple[str, ...]) -> Figures:
    began = time.perf_counter()
    train(run, runs, source, options)
    figures = measure(run, runs, source)
    figures["training"].update(options=list(options), minutes=round((time.perf_counter() - began) / 60, 2))
    return figures


def headline(table: Table, figures: Figures) -> float:
    """Return the figure that a run stands for."""
    return float(figures["model"]["onset_ms" if table.kind == "alignment" else "mse"]["mean"])


def train(run: Run, runs: Path, source: Path, options: tuple[str, ...] = ()) -> None:
    """Train a run's model to its end, from its last checkpoint if there is one; nothing is done if it is finished."""
    from deepperformer.fit import fit

    arguments = [*run.training(str(source)), *options, "--trainer.enable_model_summary", "false"]
    train_once(run.folder(runs), fit, [*arguments, "--trainer.logger.init_args.save_dir", str(runs / run.table.name)])


def measure(run: Run, runs: Path, source: Path) -> Figures:
    """Return the figures of a run on its test part, what it was trained with, and the command that makes it."""
    from deepperformer.checkpoint import load_checkpoint
    from deepperformer.data import ClipDataModule
    from deepperformer.evaluate import evaluate_alignment, evaluate_synthesis

    checkpoint = load_checkpoint(run.folder(runs) / "export")
    alignment = run.table.kind == "alignment"
    data = ClipDataModule(str(source), "none" if alignment else "mel", split=run.split, seed=0)
    figures = (evaluate_alignment if alignment else evaluate_synthesis)(checkpoint, data)
    training = {"steps": checkpoint.training.steps, "seed": run.seed, "scores": dict(checkpoint.training.scores)}
    command = f"deepperformer fit {' '.join(run.training('DATA'))}"
    return {**figures, "training": training, "command": command}
