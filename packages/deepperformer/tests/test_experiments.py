"""Evaluation, the runner and the results page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import Checkpoint, Training, load_checkpoint, save_checkpoint
from deepperformer.cli import main as console
from deepperformer.config import AlignmentConfig, PhaseConfig, SynthesisConfig
from deepperformer.data import ClipDataModule
from deepperformer.errors import DataError
from deepperformer.evaluate import evaluate_alignment, evaluate_synthesis
from deepperformer.experiments import runs
from deepperformer.experiments.__main__ import main
from deepperformer.experiments.acceptance import main as judge_performance
from deepperformer.experiments.bundle import main as make_bundle
from deepperformer.experiments.configs import configurations
from deepperformer.experiments.copies import copied, heard
from deepperformer.experiments.copies import main as judge_copies
from deepperformer.experiments.judging import judge, judge_parser
from deepperformer.experiments.page import render
from deepperformer.experiments.runs import Run, runs_of
from deepperformer.experiments.tables import TABLES
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import AlignmentModel, SynthesisModel
from deepperformer.perform import Performer
from deepperformer.prepare import prepare
from deepperformer.recordings import Recording
from deepperformer.vocoder.phase import PhaseInverter
from muspy_core import Audio
from tunes import timings_of, tune


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten works of two performers, with sounds of noise."""
    recordings = [
        Recording(f"{who}_{work}", who, f"work-{work}", tune(work, 16), timings_of(tune(work, 16), 100, seed), 100.0)
        for seed, who in enumerate(("ann", "bob"))
        for work in range(10)
    ]
    output = tmp_path_factory.mktemp("data")
    noise = torch.randn(16000 * 12, generator=torch.Generator().manual_seed(0)).numpy() * 0.1
    prepare(recordings, output, sound=lambda recording: Audio(noise.clip(-1, 1), 16000), progress=False)
    return output


def test_a_model_of_deviations_that_knows_nothing_is_constant_tempo(folder: Path, tmp_path: Path) -> None:
    model = AlignmentModel(AlignmentConfig(dim=16, attention_dim=16, ffn=16, target="deviation", performers=2))
    torch.nn.init.zeros_(model.output.weight)
    torch.nn.init.zeros_(model.output.bias)
    save_checkpoint(tmp_path, model, MelDefinition(), ("ann", "bob"))
    figures = evaluate_alignment(load_checkpoint(tmp_path), ClipDataModule(str(folder)))
    assert figures["model"] == figures["constant"]
    assert figures["oracle"]["onset_ms"]["mean"] < figures["constant"]["onset_ms"]["mean"]
    assert (
        figures["model"]["onset_ms"]["low"]
        <= figures["model"]["onset_ms"]["mean"]
        <= figures["model"]["onset_ms"]["high"]
    )
    assert set(figures["performers"]) == {"ann", "bob"}


def test_a_model_that_says_the_mean_is_as_bad_as_the_mean(folder: Path, tmp_path: Path) -> None:
    data = ClipDataModule(str(folder), "mel")
    data.setup()
    model = SynthesisModel(SynthesisConfig(dim=16, attention_dim=16, ffn=16, decoder_layers=1, performers=2))
    torch.nn.init.zeros_(model.output.weight)
    model.output.bias.data.copy_(data.mean_mel())
    save_checkpoint(tmp_path, model, MelDefinition(), ("ann", "bob"))
    figures = evaluate_synthesis(load_checkpoint(tmp_path), data)
    assert figures["model"]["mse"]["mean"] == pytest.approx(figures["mean_mel"]["mse"]["mean"], rel=1e-3)
    assert figures["edges"]["mse"]["mean"] > 0
    with pytest.raises(DataError, match="is a model of kind synthesis"):
        evaluate_alignment(load_checkpoint(tmp_path), data)


def test_every_row_has_a_configuration_and_comes_first_with_one_seed() -> None:
    known = dict(configurations())
    for table in TABLES.values():
        planned = list(runs_of(table))
        assert {run.row.configuration for run in planned} <= set(known)
        assert len({run.version + run.row.configuration for run in planned}) == len(planned)
        assert [run.row for run in planned[: len(table.rows)]] == list(table.rows)


def test_table_5_1_has_the_papers_figures() -> None:
    papers = {name: [row.paper for row in TABLES[name].rows] for name in ("violin", "piano")}
    assert papers == {"violin": [0.700, 0.700, 1.030, 0.844], "piano": [0.436, 0.433, 0.523, 0.621]}


def test_the_benchmark_of_aligners_is_a_table_with_means(tmp_path: Path) -> None:
    rows = [
        {"piece": piece, "method": method, "notes": 9, "median": median, "p95": 20.0, "over_50": 1.0, "over_200": 0.0}
        for piece, method, median in (
            ("a_b", "ours", 6.0),
            ("a_b", "peer", 9.0),
            ("c", "ours", 7.0),
            ("c", "peer", 8.0),
        )
    ]
    assert "Not measured yet." in render(tmp_path)
    (tmp_path / "aligner").mkdir()
    (tmp_path / "aligner" / "benchmark.json").write_text(json.dumps(rows))
    page = render(tmp_path)
    assert "| a b | 9 | 6.0, 20.0 | 9.0, 20.0 |" in page
    assert "| *mean of medians* | | 6.5 | 8.5 |" in page


def test_the_runner_measures_what_is_missing_and_renders_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = TABLES["alignment"]
    row = table.rows[4]
    monkeypatch.setattr(runs, "runs_of", lambda table: [Run(table, row, 0, "fold-1")])
    results, page = tmp_path / "results", tmp_path / "results.md"
    given = [
        "--table",
        "alignment",
        "--source",
        str(folder),
        "--runs",
        str(tmp_path / "runs"),
        "--results",
        str(results),
    ]
    small = ["--", "--model.config.dim", "16", "--model.config.ffn", "16", "--data.batch_size", "4"]
    small += ["--trainer.max_steps", "2", "--trainer.val_check_interval", "2", "--trainer.accelerator", "cpu"]
    assert main([*given, "--render", "--page", str(page), *small]) == 0
    file = Run(table, row, 0, "fold-1").result(results)
    first = json.loads(file.read_text())
    assert first["training"]["steps"] == 2
    text = page.read_text(encoding="utf-8")
    assert "| ratios, onsets as distances | 1 |" in text
    assert "Not run yet: paper-alignment fold-1-s0" in text
    file.write_text(json.dumps({**first, "kept": True}))
    assert main([*given, *small]) == 0
    assert json.loads(file.read_text())["kept"]


def test_nothing_is_begun_once_the_budget_is_spent(tmp_path: Path) -> None:
    assert main(["--table", "violin", "--source", str(tmp_path), "--results", str(tmp_path), "--budget-min", "-1"]) == 0
    assert list(tmp_path.rglob("*.json")) == []


def test_a_page_without_figures_says_so(tmp_path: Path) -> None:
    assert render(tmp_path).count("Not measured yet.") == len(TABLES) + 1  # and the benchmark of aligners


def test_a_table_needs_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "violin"]) == 2
    assert "--source" in capsys.readouterr().err


def test_models_are_evaluated_drawn_and_exported_by_commands(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    small = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "performers": 2}
    bundle = tmp_path / "bundle"
    save_checkpoint(bundle / "alignment", AlignmentModel(AlignmentConfig(**small)), MelDefinition(), ("ann", "bob"))
    synthesis = SynthesisModel(SynthesisConfig(**small, decoder_layers=1))
    save_checkpoint(bundle / "synthesis", synthesis, MelDefinition(), ("ann", "bob"))
    figures = tmp_path / "figures"
    given = ["evaluate", str(bundle), "--data", str(folder), "--figures", str(figures), "--json"]
    assert console([*given, "--beside", str(bundle)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["alignment"]["constant"]["onset_ms"]["mean"] > 0
    assert report["synthesis"]["mean_mel"]["mse"]["mean"] > 0
    drawn = {file.name for file in figures.iterdir()}
    assert drawn == {f"figure-5-{number}.png" for number in (3, 4, 5, 6)} == {Path(p).name for p in report["figures"]}
    assert console(["export", str(bundle), "-o", str(tmp_path / "out"), "--format", "torchscript"]) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "alignment.pt", "alignment.json", "synthesis.pt", "synthesis.json",
    }  # fmt: skip
    assert console(["export", str(bundle), "-o", str(tmp_path / "out"), "--format", "torchscript"]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_exports_become_a_bundle_with_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "performers": 2}
    synthesis = SynthesisModel(SynthesisConfig(**small, decoder_layers=1))
    save_checkpoint(tmp_path / "s", synthesis, MelDefinition(), ("ann", "bob"), Training(7, (), {"val_mse": 0.5}))
    save_checkpoint(tmp_path / "a", AlignmentModel(AlignmentConfig(**small)), MelDefinition(), ("ann", "bob"))
    given = ["viola", "--into", str(tmp_path), "--synthesis", str(tmp_path / "s")]
    assert make_bundle([*given, "--alignment", str(tmp_path / "a")]) == 0
    performer = Performer.from_pretrained(tmp_path / "viola")
    assert performer.alignment is not None
    card = (tmp_path / "viola" / "README.md").read_text()
    assert "| synthesis | synthesis |" in card
    assert "mse 0.5" in card
    assert "Without inverter: Griffin-Lim makes the sound." in card
    assert make_bundle(["viola", "--into", str(tmp_path), "--alignment", str(tmp_path / "a")]) == 2
    assert "needs a synthesis model" in capsys.readouterr().err
    assert make_bundle([*given, "--alignment", str(tmp_path / "s")]) == 2
    assert "is a model of kind synthesis, not alignment" in capsys.readouterr().err


def test_copies_are_judged_beside_the_sound_they_copy() -> None:
    """By a judge that hears notes where a sound is loud; a copy half as loud loses the softer one."""
    true = np.array([[0.0, 60.0], [1.0, 62.0]])

    class Loudness:
        def onsets(self, audio: Audio) -> np.ndarray:
            return true[[abs(audio.samples[0, int(16000 * time)]) > 0.2 for time, _ in true]]

    samples = np.zeros((1, 32000), np.float32)
    samples[0, [0, 16000]] = [0.9, 0.3]
    figures = heard(Loudness(), true, {"sound": Audio(samples, 16000), "copy": Audio(0.5 * samples, 16000)})
    assert figures == {"notes": 2.0, "sound": 1.0, "copy": 0.6667, "copy_ratio": 0.6667}


def test_a_copy_is_as_long_as_the_sound() -> None:
    small = SynthesisModel(SynthesisConfig(dim=16, attention_dim=16, ffn=16, encoder_layers=1, decoder_layers=1))
    inverter = PhaseInverter(PhaseConfig(dim=16, hidden=16, layers=1, refinements=1))
    stages = [
        Checkpoint(kind, kind, model.eval(), MelDefinition(), (), Training())
        for kind, model in (("synthesis", small), ("phase", inverter))
    ]
    sound = Audio(np.random.default_rng(0).normal(0, 0.1, (1, 256 * 70)).astype(np.float32), 16000)
    assert copied(Performer(*stages), sound).samples.shape == sound.samples.shape


@pytest.mark.parametrize("program", [judge_copies, judge_performance])
def test_judges_need_a_data_set_and_a_recording_that_are_there(
    program: Callable[[list[str]], int], bach_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = ["nobody", "--judge", str(tmp_path / "nmp.onnx")]
    assert program(["violin", str(tmp_path), *judge]) == 2
    assert "is no Bach Violin Dataset" in capsys.readouterr().err
    assert program(["violin", str(bach_folder), *judge]) == 2
    said = capsys.readouterr().err
    assert "has no recording 'nobody' with timings" in said
    assert said.count("\n") == 1


def test_figures_of_judges_are_written_and_printed(
    bach_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file again, as a figure that is measured anew replaces the old one."""
    parser = judge_parser("test", "A test.", "is there")
    name = "minji-kim_bwv1003_mov4"
    given = ["violin", str(bach_folder), name, "--judge", "none", "--json", str(tmp_path / "figures.json")]
    for notes in (1, 2):
        assert (
            judge(parser, given, lambda options, recording, notes=notes: {"who": recording.name, "notes": notes}) == 0
        )
        expected = {"model": "violin", "recording": name, "who": name, "notes": notes}
        assert json.loads(capsys.readouterr().out) == expected
        assert json.loads((tmp_path / "figures.json").read_text()) == expected
