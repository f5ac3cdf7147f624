"""The runner of the tables, and the results page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmt.attention import CLAIMS
from mmt.checkpoint import Training
from mmt.config import MMTConfig
from mmt.experiments import infilling, plan
from mmt.experiments.__main__ import main
from mmt.experiments.coverage import EVENTS, covered, measure_coverage
from mmt.experiments.page import render
from mmt.experiments.runs import Folders, export_folder, model_rows, training_arguments
from mmt.experiments.samples import measure_attention, measure_samples, measure_validity
from mmt.experiments.tables import MODELS, PAPER
from mmt.fit import CONFIGS
from mmt.model import MMT
from mmt.songs import Songs, save_split
from test_encoding import rows


def piece(seed: int, beats: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rows(*((beat, 6 * half, int(rng.integers(50, 80)), 6, program)
                  for beat in range(beats) for half in (0, 1) for program in (0, 40, 42)))  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Ten songs of one corpus and a model of each kind that counts as trained."""
    base = tmp_path_factory.mktemp("experiments")
    data, runs = base / "data", base / "runs"
    data.mkdir()
    songs = [(f"corpus/song-{index}.mid", piece(index, 200 if index % 2 else 30)) for index in range(10)]
    Songs.of(songs).save(data)
    names = [name for name, _ in songs]
    save_split(data, {"train": names[:6], "valid": names[6:7], "test": names[7:]})
    for model in MODELS.values():
        torch.random.manual_seed(0)
        encoding = model.paper
        config = MMTConfig(encoding=encoding, dim=64, depth=1, max_length=384)  # type: ignore[arg-type]  # one of them
        folder = export_folder(model, 0, runs)
        MMT(config).eval().save_pretrained(folder, Training(songs=tuple(names[:6])))
        (folder.parent / "finished").touch()
    return Folders(data, runs, base / "results")


def test_every_model_has_a_configuration() -> None:
    for model in MODELS.values():
        assert (CONFIGS / f"{model.configuration}.yaml").is_file()
        assert training_arguments(model, 2)[:4] == ["-c", model.configuration, "--seed_everything", "2"]


def test_the_papers_heads_and_ours_come_first_seed_by_seed() -> None:
    paths = [row.path for row in model_rows()]
    assert paths[:4] == [
        f"models/{name}.json" for name in ("parallel-s0", "conditional-s0", "parallel-s1", "conditional-s1")
    ]
    assert len(set(paths)) == len(paths) == 12


def test_mmt_covers_most_music(folders: Folders) -> None:
    found = measure_coverage("corpus", folders)
    assert (found["songs"], found["long_songs"]) == (10, 5)
    assert found["events_per_note"]["mmt"]["mean"] < found["events_per_note"]["mmm"]["mean"]
    # Of 1,024 events 5 say no note, 1,019 notes are six a beat; REMI+ has four codes a note, and a fifth at each beat.
    assert found["beats"]["mmt"]["mean"] == pytest.approx(169.5, abs=0.51)
    assert found["beats"]["remi"]["mean"] == pytest.approx(1022 / 25, abs=0.51)
    assert found["beats_of_mmt_by"]["remi"]["mean"] == pytest.approx(4.15, abs=0.05)


def test_what_is_covered_fits_and_one_note_more_does_not() -> None:
    from mmt.baselines import remi

    song = piece(0, 100)
    beats = covered(song, remi.encode)
    onsets = song[:, 0] + song[:, 1] / 12
    assert len(remi.encode(song[onsets < beats])) <= EVENTS < len(remi.encode(song[onsets <= beats + 0.5]))


@pytest.mark.parametrize(
    "name", ["parallel", pytest.param("mmm", marks=pytest.mark.slow), pytest.param("remi", marks=pytest.mark.slow)]
)
def test_samples_of_each_encoding_are_measured(name: str, folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmt.experiments.samples.SAMPLES", 2)
    monkeypatch.setattr("mmt.experiments.samples.TIMED", 2)
    monkeypatch.setattr("mmt.experiments.samples.UNCACHED", 8)
    found = measure_samples(name, folders)
    assert found["n_samples"] == 2
    assert found["s_per_note_uncached"] is None if not found["notes"]["mean"] else found["s_per_note_uncached"] > 0
    assert found["nll_note"] > 0


@pytest.mark.slow
def test_claims_and_faults_are_kept_for_every_rule_and_baseline(folders: Folders) -> None:
    pytest.importorskip("matplotlib")
    faults = measure_validity("conditional", folders, 4, 20)
    assert faults["grammar"]["undeclared"] == 0
    assert faults["published"]["songs"] == 4
    found = measure_attention("parallel", folders)
    assert len(found["causal"]) == len(found["full"]) == 2 * len(CLAIMS)  # one head, and the mean
    assert (folders.results.parent / "figures" / "parallel-beat.png").is_file()


def test_missing_rows_are_done_once_and_rendered(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan, "SHORT", {"parallel": (2, 10)})
    where = ["--data", str(folders.data), "--runs", str(folders.runs), "--results", str(tmp_path / "results")]
    for table in ("coverage", "validity"):
        assert main(["--table", table, *where]) == 0
        assert "wrote" in capsys.readouterr().out
        assert main(["--table", table, *where]) == 0
        assert "wrote" not in capsys.readouterr().out
    assert main(["--render", *where, "--page", str(tmp_path / "page.md")]) == 0
    page = (tmp_path / "page.md").read_text()
    assert "| corpus | 10 |" in page
    assert "| MMT, parallel heads (the paper's) | grammar | 2 | 10 |" in page
    assert "| MMM | not run |" in page


def test_nothing_is_begun_once_the_budget_is_spent(folders: Folders, tmp_path: Path) -> None:
    where = ["--data", str(folders.data), "--results", str(tmp_path)]
    assert main(["--table", "coverage", *where, "--budget-min", "-1"]) == 0
    assert not list(tmp_path.rglob("*.json"))


def test_seeds_are_given_as_mean_and_deviation(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name, seed, value in (
        ("parallel", 0, 6.0),
        ("parallel", 1, 6.2),
        ("conditional", 0, 5.9),
        ("conditional", 1, 6.3),
    ):
        figures = {"nll_note": value, "training": {"parameters": 1234}, "command": "mmt fit"}
        (tmp_path / "models" / f"{name}-s{seed}.json").write_text(json.dumps(figures))
    page = render(tmp_path)
    assert "**6.100 ± 0.141** | 2 | 1,234 | 6.000, 6.200 |" in page
    assert "lower -log p in 1 of 2 seeds" in page
    assert "+0.100, -0.100 nats" in page


def test_the_papers_figures_stand_beside_ours(tmp_path: Path) -> None:
    page = render(tmp_path)
    for paper in PAPER.values():
        assert paper.entropy in page
        assert all(opinion in page for opinion in paper.opinions)
    assert "100.42 | 11.79" in page


def test_a_span_is_written_and_measured_three_ways() -> None:
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(dim=64, depth=1, max_length=256, tasks=True)).eval()
    with torch.no_grad():
        model.heads.logits.bias[3] += 5  # type: ignore[operator,index]  # notes are likely
    songs = Songs.of([("long", piece(0, 32)), ("short", piece(1, 18))])
    chosen = infilling.chosen_songs(songs, model)
    assert len(chosen) == 1  # the other has no 16 notes in the span
    for way in infilling.WAYS:
        assert 5 < infilling.nats_a_note(model, chosen[0], way) < 40
        new = infilling.write(model, chosen[0], way, seed=1)
        assert ((new[:, 0] >= 16) & (new[:, 0] < 24)).all()
    assert infilling.overlap(chosen[0], chosen[0]) == pytest.approx(1)
    assert infilling.overlap(rows((0, 0, 60, 1, 0)), rows((0, 0, 61, 1, 0))) == 0
