"""Rows → trainings → figures: every run is trained, measured, and kept as one JSON file (tables → page).

Weights stand in `runs/TABLE-ROW/s<seed>`, figures in `docs/clipsep/results/TABLE/ROW/s<seed>.json`. What is there is
not done again, and a training that was cut off goes on from its last checkpoint.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core.runs import Figures as RunFigures
from muspy_core.runs import do_missing, train_once
from numpy.typing import NDArray

from clipsep.checkpoint import Checkpoint, load_checkpoint
from clipsep.evaluate import Figures, Mixture, Separate, baselines, by_model, measure, middle
from clipsep.experiments.stems import Pair, pairs_of, unseen_pairs
from clipsep.experiments.tables import TABLES, Row
from clipsep.library import Library, LibraryError

METRICS = ("snr", "si_sdr", "sdr")
EACH = 4  # test mixtures of an ordered pair of classes: 528 of twelve classes
ABSENT_DB = -15.0  # beside the mixture: what is asked for and not there is hardly heard
SAMPLES = 65535


@dataclass(frozen=True)
class Run:
    """One training of a row."""

    table: str
    row: Row
    seed: int

    def folder(self, runs: Path) -> Path:
        """Return where its weights and checkpoints are."""
        return runs / f"{self.table}-{self.row.name}" / f"s{self.seed}"

    def result(self, results: Path) -> Path:
        """Return where its figures are."""
        return results / self.table / self.row.name / f"s{self.seed}.json"

    def training(self, data: Path, runs: Path) -> list[str]:
        """Return the arguments of `clipsep fit`."""
        begin = []
        if self.row.begin:
            first = Run(self.table, _row(self.table, self.row.begin), self.seed)
            begin = ["--init-from", str(first.folder(runs) / "export")]
        return [
            "-c", self.row.config, "--seed_everything", str(self.seed), "--data.seed", str(self.seed),
            "--data.folder", str(data), *self.row.arguments, *begin,
            "--trainer.logger.init_args.save_dir", str(runs),
            "--trainer.logger.init_args.name", f"{self.table}-{self.row.name}",
            "--trainer.logger.init_args.version", f"s{self.seed}",
        ]  # fmt: skip


def _row(table: str, name: str) -> Row:
    return next(row for row in TABLES[table] if row.name == name)


def runs_of(table: str) -> Iterator[Run]:
    """Yield the runs of a table: one seed of every row, then further seeds."""
    for seed in range(max(row.seeds for row in TABLES[table])):
        yield from (Run(table, row, seed) for row in TABLES[table] if seed < row.seeds)


def run_missing(table: str, data: Path, runs: Path, results: Path, budget_s: float) -> Iterator[str]:
    """Do the runs that have no figures yet, and yield a line for each; none is begun once the budget is spent."""
    library = Library.read(data)
    held_out = functools.cache(lambda noise: HeldOut.of(library, noise=noise))
    return do_missing(
        runs_of(table),
        lambda run: run.result(results),
        lambda run: _measured(run, data, runs, held_out),
        budget_s,
        _line,
    )


def _measured(run: Run, data: Path, runs: Path, held_out: Callable[[bool], HeldOut]) -> RunFigures:
    train(run, data, runs)
    figures = figures_of(run, held_out(run.row.noise), load_checkpoint(run.folder(runs) / "export"))
    figures["command"] = f"clipsep fit {' '.join(run.training(Path('DATA'), Path('runs')))}"
    return figures


def _line(run: Run, figures: RunFigures) -> str:
    gains = ", ".join(f"{kind} {made['si_sdr_gain']['mean']:+.2f}" for kind, made in figures["asked"].items())
    return f"{run.table} {run.row.name} s{run.seed}: SI-SDR gain in dB: {gains}"


def train(run: Run, data: Path, runs: Path) -> None:
    """Train a run's model to its end, from its last checkpoint if there is one; nothing is done if it is finished."""
    from clipsep.fit import fit

    train_once(run.folder(runs), fit, run.training(data, runs))


# --- figures ---------------------------------------------------------------------------------------------------------


def figures_of(run: Run, held_out: HeldOut, model: Checkpoint) -> dict[str, Any]:
    """Return the figures of a run: by kind of query, with those of the baselines.

    A model that takes queries is also asked for a class that is not in the mixture, one that takes texts for classes
    that it was never trained on.
    """
    library, pairs, mixtures, without = held_out.library, held_out.pairs, held_out.mixtures, held_out.without
    made = {}
    for kind in run.row.asked:
        method = _asked(kind, library, pairs, mixtures, model)
        made[kind] = measure(mixtures, method, metrics=METRICS, what=kind)
    if run.row.noise_heads:
        method = _asked(run.row.asked[-1], library, pairs, mixtures, model, noise_heads=True)
        made[f"{run.row.asked[-1]} with noise heads"] = measure(mixtures, method, metrics=METRICS)
    figures = {
        "table": run.table,
        "row": run.row.name,
        "seed": run.seed,
        "n": len(mixtures),
        "training": {"steps": model.training.steps, "data": model.training.data, "scores": dict(model.training.scores)},
        "baselines": {name: figures.to_dict() for name, figures in without.items()},
        "asked": {kind: _described(figures, without["mixture"]) for kind, figures in made.items()},
    }
    if run.row.asked[0] != "none":
        figures["absent"] = absent_levels(held_out, model)
    if run.row.asked[0] not in ("label", "none") and not run.row.noise:
        figures["unseen classes"] = _unseen(library, model)
    return figures


@dataclass(frozen=True)
class HeldOut:
    """The test mixtures, the same for every run. without: figures of what needs no model, by name."""

    library: Library
    pairs: list[Pair]
    mixtures: list[Mixture]
    without: dict[str, Figures]

    @classmethod
    def of(cls, library: Library, *, noise: bool) -> HeldOut:
        """Make the mixtures, with a third sound or without, and measure the baselines."""
        pairs = pairs_of(library, EACH, noise=noise)
        mixtures = [mixture_of(library, pair) for pair in pairs]
        without = {name: measure(mixtures, method, metrics=METRICS) for name, method in baselines().items()}
        return cls(library, pairs, mixtures, without)


def absent_levels(held_out: HeldOut, model: Checkpoint) -> dict[str, float]:
    """Return how loud the result is beside the mixture, in decibels, if a class is asked for that is not in it (C4).

    Which one is drawn by the index of the mixture. median, 90th percentile, and the share below `ABSENT_DB`.
    """
    library = held_out.library
    labels = sorted({mixture.label for mixture in held_out.mixtures})
    levels = []
    for number, (pair, mixture) in enumerate(zip(held_out.pairs, held_out.mixtures, strict=True)):
        heard = {library.manifest[index].label for index in (pair.target, pair.other, pair.noise) if index is not None}
        label = str(np.random.default_rng(number).choice([label for label in labels if label not in heard]))
        asked = dataclasses.replace(mixture, label=label)
        if model.model.config.kind == "labelsep":
            vector = np.array(model.model.config.labels.index(label))
        else:
            vector = np.asarray(library.vectors.text[library.vectors.wordings["name"][label][0]], np.float32)
        target, _ = by_model(model.model, functools.partial(_always, vector))(asked)
        energy = max(float(np.square(target, dtype=np.float64).sum()), 1e-12)
        levels.append(10 * np.log10(energy / float(np.square(mixture.heard, dtype=np.float64).sum())))
    return {
        "median_db": round(float(np.median(levels)), 2),
        "p90_db": round(float(np.percentile(levels, 90)), 2),
        "share_hardly_heard": round(float(np.mean(np.array(levels) <= ABSENT_DB)), 4),
        "n": len(levels),
    }


def _always(vector: NDArray[Any], mixture: Mixture) -> NDArray[Any]:
    return vector


def _unseen(library: Library, model: Checkpoint) -> dict[str, Any]:
    """Figures of classes that were never trained, beside trained ones, asked by name."""
    pairs = unseen_pairs(library, EACH)
    mixtures = [mixture_of(library, pair) for pair in pairs]
    without = measure(mixtures, baselines()["mixture"], metrics=METRICS[:2])
    made = measure(mixtures, _asked("name", library, pairs, mixtures, model), metrics=METRICS[:2])
    return {"n": len(pairs), **_described(made, without)}


def mixture_of(library: Library, pair: Pair) -> Mixture:
    """Return a test mixture as sound: target and other divided by two, a third as loud as the target."""
    target = middle(library.manifest, pair.target, SAMPLES) / 2
    others = 10 ** (pair.gain_db / 20) * middle(library.manifest, pair.other, SAMPLES) / 2
    if pair.noise is not None:
        others = others + middle(library.manifest, pair.noise, SAMPLES) / 2
    first, second = library.manifest[pair.target], library.manifest[pair.other]
    return Mixture(
        np.asarray(target, np.float32),
        np.asarray(others, np.float32),
        first.path,
        first.label or "",
        second.label or "",
    )


def _asked(
    kind: str,
    library: Library,
    pairs: Sequence[Pair],
    mixtures: Sequence[Mixture],
    model: Checkpoint,
    *,
    noise_heads: bool = False,
) -> Separate:
    """Return separation by a kind of query; which wording is taken is drawn by the index of the mixture."""
    labels = list(model.model.config.labels)
    if kind == "label":
        return by_model(model.model, lambda mixture: np.array(labels.index(mixture.label)))
    if kind == "none":
        return by_model(model.model, lambda mixture: np.zeros(0))
    rows = {
        id(mixture): _row_of(kind, library, pair, number)
        for number, (mixture, pair) in enumerate(zip(mixtures, pairs, strict=True))
    }
    text = library.vectors.text
    return by_model(
        model.model, lambda mixture: np.asarray(text[rows[id(mixture)]], np.float32), noise_heads=noise_heads
    )


def _row_of(kind: str, library: Library, pair: Pair, number: int) -> int:
    """The row of the text that a mixture is asked with."""
    rng = np.random.default_rng(number)
    vectors, manifest = library.vectors, library.manifest
    label = manifest[pair.target].label or ""
    named = kind == "caption" and pair.noise is not None and rng.random() < 0.5
    if named and pair.noise is not None:
        return int(rng.choice(vectors.pairs[label][manifest[pair.noise].label or ""]))
    use = {"name": "name", "seen": "train", "caption": "train", "unseen": "test", "nameless": "nameless"}[kind]
    rows = vectors.wordings.get(use, {}).get(label)
    if not rows:
        raise LibraryError(f"there are no texts {use!r} for {label!r}; render the stems with texts")
    return int(rng.choice(rows))


def _described(figures: Figures, mixture: Figures) -> dict[str, Any]:
    """Summaries, the gain over the mixture for each mixture and by pair of classes."""
    gains = figures.values["si_sdr"] - mixture.values["si_sdr"]
    by_pair: dict[str, list[float]] = {}
    for (label, other), gain in zip(figures.labels, gains, strict=True):
        by_pair.setdefault(f"{label} | {other}", []).append(float(gain))
    summary = Figures({"si_sdr_gain": gains}, figures.labels).to_dict()
    return {
        **figures.to_dict(),
        **summary,
        "gains": [round(float(gain), 3) for gain in gains],
        "pairs": {name: round(float(np.mean(values)), 3) for name, values in by_pair.items()},
    }
