"""Configurations, the runner and the results page."""

from __future__ import annotations

import json
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import pytest
from arranger.checkpoint import MODES
from arranger.config import ModelConfig
from arranger.experiments import runs
from arranger.experiments.__main__ import main
from arranger.experiments.configs import configurations
from arranger.experiments.page import figures_of, render
from arranger.experiments.runs import Run, runs_of
from arranger.experiments.tables import COLUMNS, FEATURES, MODELS, TIME, rows_of
from arranger.mixture import Piece


def test_the_shipped_configurations_are_those_of_the_tables() -> None:
    folder = resources.files("arranger") / "configs"
    shipped = {file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert shipped == dict(configurations())


def test_every_configuration_is_valid() -> None:
    yaml = pytest.importorskip("yaml")
    for _, text in configurations():
        values = yaml.safe_load(text)["model"]["config"]
        assert ModelConfig.from_dict(values).knowledge in ("causal", "onset", "offline")


def test_the_tables_have_the_papers_rows() -> None:
    assert sum(len(rows) for _, rows in MODELS) == 14
    assert (len(FEATURES), len(TIME)) == (6, 7)
    lstm = next(row for _, rows in MODELS for row in rows if row.model == "lstm-emb")
    assert [lstm.published(COLUMNS[name]) for name in ("bach", "quartets", "freedoom")] == [93.02, 67.43, None]


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_row_has_a_baseline_or_a_configuration(name: str) -> None:
    known = {configuration for configuration, _ in configurations()}
    for run in runs_of(COLUMNS[name]):
        assert run.is_baseline or run.is_shipped or run.configuration in known


def test_one_seed_of_every_row_comes_before_the_second() -> None:
    column = COLUMNS["bach"]
    planned = list(runs_of(column))
    assert len(planned) == len({(run.model, run.version) for run in planned})
    shipped = {f"shipped-{mode}" for mode in MODES}
    first = {run.model for run in planned[: len({row.model for row in rows_of(column)}) + len(shipped)]}
    assert first == {row.model for row in rows_of(column)} | shipped


def test_the_runner_measures_what_is_missing_and_renders_it(
    tmp_path: Path, chorales: list[Piece], monkeypatch: pytest.MonkeyPatch
) -> None:
    column = COLUMNS["bach"]
    monkeypatch.setattr(runs, "runs_of", lambda column: [Run(column, "zone", ""), Run(column, "closest", "")])
    results, page = tmp_path / "results", tmp_path / "results.md"
    measuring = ["--table", "bach", "--results", str(results)]
    assert main(measuring) == 0
    files = [Run(column, model, "").result(results) for model in ("zone", "closest")]
    first = [json.loads(file.read_text()) for file in files]
    files[1].unlink()
    assert main([*measuring, "--render", "--page", str(page)]) == 0
    assert json.loads(files[1].read_text())["accuracy"] == first[1]["accuracy"]
    assert "| Zones | 73.14 | **72.67** |" in page.read_text()
    assert (tmp_path / "figures/bach-confusion.svg").read_text().startswith("<svg")


def test_nothing_is_begun_once_the_budget_is_spent(tmp_path: Path) -> None:
    assert main(["--table", "bach", "--results", str(tmp_path), "--budget-min", "-1"]) == 0
    assert list(tmp_path.rglob("*.json")) == []


def test_seeds_are_given_as_mean_and_deviation_and_missing_rows_are_named(tmp_path: Path) -> None:
    measured = {"accuracy_ties_shuffled": 0.5, "accuracy_unisons_merged": 0.5, "confusion": [[1] * 4] * 4}
    names = ("balanced_accuracy", "soundness", "completeness", "link_precision", "link_recall", "link_f1")
    measured |= dict.fromkeys(names, 0.5)
    for seed, accuracy in enumerate((0.92, 0.94)):
        path = Run(COLUMNS["bach"], "lstm-emb", "causal", seed).result(tmp_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = {
            **measured, "accuracy": 0.91, "undecoded": {**measured, "accuracy": accuracy}, "notes_per_s": 9,
            "undecoded_accuracy": accuracy, "dataset_pieces": 409, "dataset_notes": 9, "split": "grouped:0",
            "pieces": 41, "notes": 9, "training": {"epoch": 11}, "true_history_accuracy": None,
            "playable": {"accuracy": 0.9, "notes": 1.0, "pieces": 1.0},
        }  # fmt: skip
        path.write_text(json.dumps(figures))
    page = render(tmp_path)
    assert "| LSTM | 93.02 | **93.00 ± 1.41** | 2 | 12 | 50.00 ± 0.00 |" in page
    assert "| Transformer-Dec | 91.51 | not run |" in page
    assert set(figures_of(tmp_path)) == {"bach-confusion"}


# ---- training


def small(tiny_corpus: Path, folder: Path, steps: int) -> list[str]:
    """Arguments that make a training small."""
    for module in ("torch", "lightning", "jsonargparse"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed (extra: train)")
    settings = {
        "data.corpus": "bach",
        "model.config.parts": "satb",
        "data.file": tiny_corpus,
        "data.batch_size": 2,
        "model.config.hidden": 16,
        "trainer.max_steps": steps,
        "trainer.max_epochs": -1,
        "trainer.accelerator": "cpu",
        "trainer.enable_progress_bar": "false",
        "trainer.enable_model_summary": "false",
        "trainer.logger.init_args.save_dir": folder,
    }
    return [f"--{name}={value}" for name, value in settings.items()]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in configurations()])
def test_every_configuration_trains_for_20_steps(name: str, tiny_corpus: Path, tmp_path: Path) -> None:
    from arranger.fit import fit

    assert fit(["-c", name, *small(tiny_corpus, tmp_path, 20)]) == 0
    exported = list((tmp_path / name / "export").glob("*.safetensors"))
    assert len(exported) == 1


def test_an_interrupted_training_goes_on_from_its_last_pass(tiny_corpus: Path, tmp_path: Path) -> None:
    from arranger.fit import fit

    run = Run(COLUMNS["bach"], "mlp-linear", "offline")
    arguments = small(tiny_corpus, tmp_path, 2)
    assert fit(["-c", run.configuration, *arguments, "--trainer.logger.init_args.version", run.version]) == 0
    last = run.folder(tmp_path) / "checkpoints/last.ckpt"
    longer = [*small(tiny_corpus, tmp_path, 6), "--trainer.logger.init_args.version", run.version]
    assert fit(["-c", run.configuration, *longer, "--ckpt_path", str(last)]) == 0
    import torch

    assert torch.load(last, weights_only=True)["global_step"] == 6


def test_fine_tuning_begins_with_a_shipped_model_and_says_so(tiny_corpus: Path, tmp_path: Path) -> None:
    """At a learning rate of 0 the model stays as it was."""
    given = [part for part in small(tiny_corpus, tmp_path, 1) if "hidden" not in part]
    import numpy as np
    from arranger.checkpoint import load_checkpoint
    from arranger.fit import fit
    from muspy_core.configurations import ConfigurationError

    given = ["-c", "bach-lstm-onset-context", *given, "--init-from", "bach-chorales"]
    given += ["--trainer.val_check_interval", "1", "--trainer.num_sanity_val_steps", "0"]
    assert fit([*given, "--model.learning_rate", "0"]) == 0
    shipped = load_checkpoint("bach-chorales", "online")
    exported = next((tmp_path / "bach-lstm-onset-context").rglob("*.safetensors"))
    tuned = load_checkpoint(exported.parent, exported.stem)
    assert tuned.training["init_from"] == "bach-chorales"
    assert all(np.array_equal(weights, tuned.weights[name]) for name, weights in shipped.weights.items())
    with pytest.raises(ConfigurationError, match="hidden: the configuration says 16, the model has 128"):
        fit([*given, "--model.config.hidden", "16"])


@pytest.mark.slow
def test_two_processes_train_together(tiny_corpus: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    arguments = small(tiny_corpus, tmp_path, 4)
    arguments += ["--trainer.devices=2", "--trainer.strategy=ddp"]
    command = [sys.executable, "-m", "arranger.cli", "fit", "-c", "bach-lstm-emb", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "MEMBER: 2/2" in done.stdout + done.stderr
    assert (tmp_path / "bach-lstm-emb/export/causal.safetensors").exists()
