"""Rows → trainings and measurements → figures: each is kept as one JSON file (tables → page).

Weights stand in `runs/CONFIGURATION/VERSION`, figures in `docs/mmt/results/TABLE/ROW.json`. What is there is not done
again, and a training that was cut off goes on from its last hundred steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from muspy_core.runs import Figures, train_once

from mmt.experiments.tables import EXCERPT_NOTES, MODELS, SEEDS, Model
from mmt.songs import Songs, load_split, save_split

EXCERPT_BEATS = 64


@dataclass(frozen=True)
class Folders:
    """Where things stand. data: songs of `mmt prepare`. runs: trainings. results: figures."""

    data: Path
    runs: Path
    results: Path


@dataclass(frozen=True)
class Row:
    """One measurement. path: below the folder of results. measure: what makes its figures."""

    path: str
    measure: Callable[[Folders], Figures]


# ---- the comparison of models


def model_rows() -> Iterator[Row]:
    """Yield the rows of the table of models, in the order of their worth: one seed of the paper's heads and ours."""
    pairs = [(name, seed) for seed in SEEDS for name in ("parallel", "conditional")]
    pairs += [(name, seed) for seed in SEEDS for name in ("mmm", "remi")]
    for name, seed in pairs:
        yield Row(f"models/{name}-s{seed}.json", partial(_measured, MODELS[name], seed))


def training_arguments(model: Model, seed: int) -> list[str]:
    """Return the arguments of `mmt fit`."""
    return [
        "-c", model.configuration, "--seed_everything", str(seed), "--data.seed", str(seed),
        "--trainer.logger.init_args.version", f"s{seed}",
    ]  # fmt: skip


def export_folder(model: Model, seed: int, runs: Path) -> Path:
    """Return where the weights of a training are."""
    return runs / model.configuration / f"s{seed}" / "export"


def _measured(model: Model, seed: int, folders: Folders) -> Figures:
    from mmt.checkpoint import load_checkpoint
    from mmt.evaluate import excerpt_likelihood, excerpts_of

    train(model, seed, folders)
    checkpoint = load_checkpoint(export_folder(model, seed, folders.runs))
    split = load_split(folders.data)
    excerpts = excerpts_of(Songs.load(folders.data).subset(split["test"]), EXCERPT_NOTES, EXCERPT_BEATS)
    found, by_song = excerpt_likelihood(checkpoint.model, excerpts)
    config = checkpoint.model.config
    return {
        "model": model.name,
        "seed": seed,
        "nll_note": found.nll_note,
        "fields": found.fields,
        "sd_of_songs": float(by_song.std(ddof=1)),
        "songs": found.songs,
        "notes": found.notes,
        "training": {
            "steps_of_best": checkpoint.training.steps,
            "valid_nll_note": checkpoint.training.scores.get("val_nll_note"),
            "songs": len(checkpoint.training.songs),
            "parameters": checkpoint.model.n_parameters,
            "dim": config.dim,
            "depth": config.depth,
        },
        "command": f"mmt fit {' '.join(training_arguments(model, seed))} --data.folder DATA",
    }


def train(model: Model, seed: int, folders: Folders) -> None:
    """Train a model to its end, from its last checkpoint if there is one; nothing is done if it is finished."""
    from mmt.fit import fit

    arguments = [*training_arguments(model, seed), "--data.folder", str(plain_data(folders))]
    arguments += ["--trainer.logger.init_args.save_dir", str(folders.runs)]
    train_once(folders.runs / model.configuration / f"s{seed}", fit, arguments)


def plain_data(folders: Folders) -> Path:
    """Return a folder of the songs as every encoding can say them, which is made if there is none."""
    from mmt.evaluate import plain

    target = folders.runs / "plain"
    if not (target / "split.json").exists():
        songs = Songs.load(folders.data)
        target.mkdir(parents=True, exist_ok=True)
        Songs.of((name, plain(songs[index], 1024)) for index, name in enumerate(songs.names)).save(target)
        save_split(target, load_split(folders.data))
    return target
