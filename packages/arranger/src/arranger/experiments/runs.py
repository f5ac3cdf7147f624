"""Rows → trainings → figures: every run is trained, measured, and kept as one JSON file (tables → page).

A run is a row of a column with a seed and a split. Its weights stand in `runs/CONFIGURATION/VERSION`, its figures in
`docs/arranger/results/COLUMN/ROW/VERSION.json`. What is there is not done again, and a training that was cut off
goes on from its last pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muspy_core.runs import Figures, do_missing, train_once

from arranger.checkpoint import model_folder
from arranger.evaluate import BASELINES, evaluate
from arranger.experiments.tables import SHIPPED, Column, Row, rows_of

SEEDS = range(5)
SPREAD = tuple(f"grouped:{draw}" for draw in range(1, 5))


@dataclass(frozen=True)
class Run:
    """One training, or one measurement of a baseline. model: as in a row. mode: of the model."""

    column: Column
    model: str
    mode: str
    seed: int = 0
    split: str = "grouped"

    @property
    def version(self) -> str:
        """Split and seed as they stand in paths."""
        return f"{self.split.replace(':', '')}-s{self.seed}"

    @property
    def is_baseline(self) -> bool:
        """Whether there is nothing to train."""
        return self.model in BASELINES

    @property
    def is_shipped(self) -> bool:
        """Whether the model is one that comes with the package."""
        return self.model.startswith("shipped-")

    @property
    def configuration(self) -> str:
        """The name of the configuration."""
        return f"{self.column.prefix}-{self.model}"

    def folder(self, runs: Path) -> Path:
        """Return where its weights and checkpoints are."""
        return runs / self.configuration / self.version

    def result(self, results: Path) -> Path:
        """Return where its figures are."""
        return results / self.column.name / self.model / f"{self.version}.json"

    @property
    def training(self) -> list[str]:
        """The arguments of `arranger fit`."""
        return [
            "-c", self.configuration, "--seed_everything", str(self.seed), "--data.seed", str(self.seed),
            "--data.split", self.split, "--trainer.logger.init_args.version", self.version,
        ]  # fmt: skip

    @property
    def command(self) -> str:
        """The commands that make its figures."""
        where = f"--dataset {self.column.corpus} --split {self.split}"
        if self.is_baseline:
            return f"arranger evaluate --model {self.model} {where}"
        if self.is_shipped:
            return f"arranger evaluate --model {self.column.bundled} --mode {self.mode} {where}"
        folder = f"runs/{self.configuration}/{self.version}/export"
        measuring = f"arranger evaluate --model {folder} --mode {self.mode} {where}"
        return f"arranger fit {' '.join(self.training)} && {measuring}"


def runs_of(column: Column) -> Iterator[Run]:
    """Yield the runs of a column in the order of their worth: one seed of every row, more seeds, other splits."""
    rows = {row.model: row.mode for row in rows_of(column)}
    trained = {model: mode for model, mode in rows.items() if model not in BASELINES}
    yield from (Run(column, model, mode) for model, mode in rows.items() if model in BASELINES)
    yield from (Run(column, row.model, row.mode) for row in shipped_rows(column))
    for seed in SEEDS:
        yield from (Run(column, model, mode, seed) for model, mode in trained.items())
    for split in SPREAD:
        yield from (Run(column, model, mode, 0, split) for model, mode in rows.items())
    for seed in SEEDS:
        yield from (Run(column, model, mode, seed, "paper") for model, mode in trained.items())


def shipped_rows(column: Column) -> list[Row]:
    """Return the rows of the shipped models of a column."""
    if not column.bundled:
        return []
    return [row for row in SHIPPED if (model_folder(column.bundled) / f"{row.mode}.json").exists()]


def run_missing(
    column: Column, runs: Path, results: Path, budget_s: float, source: Path | None = None
) -> Iterator[str]:
    """Do the runs that have no figures yet, and yield a line for each; none is begun once the budget is spent."""

    def figures(run: Run) -> Figures:
        if not (run.is_baseline or run.is_shipped):
            train(run, runs, source)
        return measure(run, runs, source)

    def line(run: Run, figures: Figures) -> str:
        return f"{column.name} {run.model} {run.version}: {figures['accuracy']:.4f}"

    yield from do_missing(runs_of(column), lambda run: run.result(results), figures, budget_s, line)


def train(run: Run, runs: Path, source: Path | None = None) -> None:
    """Train a run's model to its end, from its last pass if there is one; nothing is done if it is finished."""
    from arranger.fit import fit

    sources = [] if source is None else ["--data.source", str(source)]
    train_once(run.folder(runs), fit, [*run.training, "--trainer.logger.init_args.save_dir", str(runs), *sources])


def measure(run: Run, runs: Path, source: Path | None = None) -> Figures:
    """Return the figures of a run, what it was trained with, and the command that makes it."""
    if run.is_baseline:
        model, folder = run.model, None
    elif run.is_shipped:
        model, folder = run.column.bundled, model_folder(run.column.bundled)
    else:
        model, folder = run.configuration, run.folder(runs) / "export"
    figures = evaluate(
        model if folder is None or run.is_shipped else folder,
        run.mode or "online",
        dataset=run.column.corpus,
        split=run.split,
        source=source,
    ).to_dict()
    figures.pop("strictly_causal")  # has a row of its own
    figures["model"] = model
    training: dict[str, Any] = {}
    if folder is not None:
        described = json.loads((folder / f"{run.mode}.json").read_text(encoding="utf-8"))
        training = {name: value for name, value in described["training"].items() if name != "pieces"}
        training["seed"] = run.seed
    return {**figures, "training": training, "command": run.command}
