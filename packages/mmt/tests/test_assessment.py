"""A model beside test songs: `mmt evaluate`, samples of all encodings, and bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmt.assessment import Corpus, assess, beats_of, draw_samples, length_s
from mmt.baselines import generating
from mmt.checkpoint import Checkpoint, Training, load_checkpoint
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.encoding import NOTE
from mmt.generate import Options
from mmt.model import MMT
from mmt.notes import EncodingError
from mmt.songs import Songs, save_split
from test_encoding import rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten songs of piano and violin, four of them for tests."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    songs = [
        (f"song-{index}", rows(*((beat, 0, int(rng.integers(50, 80)), 12, 40 * (beat % 2)) for beat in range(40))))
        for index in range(10)
    ]
    Songs.of(songs).save(folder)
    names = [name for name, _ in songs]
    save_split(folder, {"train": names[:6], "valid": [], "test": names[6:]})
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Models of each encoding that have learned nothing."""
    folders = {}
    for encoding in ("mmt", "mmm", "remi"):
        torch.random.manual_seed(0)
        folder = tmp_path_factory.mktemp(encoding)
        MMT(MMTConfig(encoding=encoding, dim=64, depth=1, max_length=160)).eval().save_pretrained(folder)  # type: ignore[arg-type]  # one of them
        folders[encoding] = str(folder)
    return folders


@pytest.mark.parametrize("encoding", ["mmt", "mmm", "remi"])
def test_a_model_of_each_encoding_is_measured(
    encoding: str, models: dict[str, str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "--model", models[encoding], "--data", str(data), "--n", "3", "--length", "40"]
    assert main([*arguments, "--notes", "20", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["test_songs"], report["train_songs"], report["n_samples"]) == (4, 6, 3)
    assert report["nll_note"] > report["bigram_nll_note"] > 0  # it has learned nothing
    assert set(report["within_sd"]) == {"pitch_class_entropy", "scale_consistency", "groove_consistency"}
    if encoding == "mmt":
        assert report["validity"]["undeclared"] == 0
        assert 0 <= report["playing"] <= 1
    else:
        assert report["validity"] is None


def test_lines_say_what_was_found(models: dict[str, str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "--model", models["mmt"], "--data", str(data), "--n", "2", "--length", "30"]
    assert main([*arguments, "--notes", "20"]) == 0
    text = capsys.readouterr().out
    assert "pitch class entropy" in text
    assert "longest run of notes in common with a training song" in text
    assert "instruments asked for that play" in text


@pytest.mark.slow
def test_figures_are_drawn(
    models: dict[str, str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    arguments = ["evaluate", "--model", models["mmt"], "--data", str(data), "--n", "1", "--length", "10"]
    assert main([*arguments, "--notes", "20", "--figures", str(tmp_path / "figures"), "--json"]) == 0
    assert (tmp_path / "figures" / "beat-gain.png").read_bytes().startswith(b"\x89PNG")
    claims = json.loads(capsys.readouterr().out)["attention"]
    assert {claim["verdict"] for claim in claims} <= {"holds", "fails", "open"}


def test_songs_that_a_model_was_trained_on_do_not_test_it(data: Path) -> None:
    corpus = Corpus.of(data, Training(songs=("song-0", "song-6", "song-7")))
    assert corpus.test.names == ("song-8", "song-9")
    assert corpus.train.names == ("song-0", "song-6", "song-7")
    with pytest.raises(EncodingError, match="all its test songs"):
        Corpus.of(data, Training(songs=tuple(f"song-{index}" for index in range(10))))
    with pytest.raises(EncodingError, match="none of its songs"):
        Corpus.of(data, Training(songs=("elsewhere",)))


def test_a_model_that_repeats_a_training_song_is_found_out(models: dict[str, str], data: Path) -> None:
    checkpoint = load_checkpoint(models["mmt"])
    with torch.no_grad():
        checkpoint.model.heads.logits.bias[NOTE] += 8.0  # type: ignore[union-attr,operator,index]  # parallel heads
    corpus = Corpus.of(data, Training())
    options = Options(length=60, seed=5)
    written = draw_samples(checkpoint.model, 2, options).rows
    caught = replace(corpus, train=Songs.of([("copy", written[1])]))
    found = assess(Checkpoint("x", checkpoint.model, Training()), caught, options, 2, 20)
    assert found.longest_copy == len(written[1])
    assert found.longest_copy > 5
    assert found.copied == 0  # no run of more than 32 notes


@pytest.mark.parametrize("encoding", ["mmm", "remi"])
def test_songs_of_baselines_do_not_depend_on_those_beside_them(encoding: str, models: dict[str, str]) -> None:
    model = load_checkpoint(models[encoding]).model
    three = generating.generate(model, 3, generating.BaselineOptions(50))
    alone = generating.generate(model, 1, generating.BaselineOptions(50, seed=2))
    assert three[2].tolist() == alone[0].tolist()
    assert all(song[0] == 0 and 0 not in song[1:] for song in three)
    with pytest.raises(ValueError, match="no baseline"):
        generating.never_codes(MMT(MMTConfig(dim=64, depth=1)))


def test_a_model_is_measured_within_the_beats_that_it_knows() -> None:
    few = MMTConfig(sizes=(5, 17, 13, 129, 33, 65), dim=64, depth=1)
    assert [beats_of(MMT(config)) for config in (few, MMTConfig(dim=64, depth=1))] == [16, 64]


def test_the_length_of_a_song_is_that_of_its_last_note() -> None:
    assert length_s(rows((0, 0, 60, 96, 0), (1, 0, 60, 12, 0))) == pytest.approx(8 * 0.6)
    assert length_s(rows()) == 0


def test_a_folder_without_songs_is_one_clear_line(
    models: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--model", models["mmt"], "--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "mmt prepare" in error
    assert error.count("\n") == 1
