"""The console script: what is written, and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import save_checkpoint
from deepperformer.cli import main
from deepperformer.config import ISTFTConfig, SynthesisConfig
from deepperformer.features.notes import music_of, performed_music, read_alignment, write_alignment
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import SynthesisModel
from deepperformer.prepare import load_prepared
from deepperformer.vocoder.istft import ISTFTInverter
from muspy_core import Audio
from tunes import timings_of, tune

ROWS = tune(notes=12)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Models that have learned nothing."""
    torch.random.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    config = SynthesisConfig(dim=16, attention_dim=16, ffn=16, encoder_layers=1, decoder_layers=1, performers=2)
    synthesis = SynthesisModel(config)
    synthesis.start_from_mean(torch.full((80,), -4.0))
    save_checkpoint(folder / "synthesis", synthesis, MelDefinition(), ("ann", "bob"))
    save_checkpoint(folder / "inverter", ISTFTInverter(ISTFTConfig(dim=16, hidden=16, layers=1)), MelDefinition())
    return str(folder)


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("score") / "tune.musicxml"
    music_of(ROWS, qpm=100).write(path)
    return str(path)


def test_a_score_becomes_sound(model: str, score: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perform", score, "-o", str(tmp_path / "out.wav"), "--model", model, "--performer", "bob"]) == 0
    audio = Audio.read(tmp_path / "out.wav")
    end = int((ROWS[:, 0] + ROWS[:, 1]).max()) / 24 * 60 / 100
    assert audio.duration == pytest.approx(end + 0.5, abs=0.02)
    assert "wrote" in capsys.readouterr().out
    assert main(["perform", score, "-o", str(tmp_path / "out.wav"), "--model", model]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_stages_are_written_and_taken_up_again(model: str, score: str, tmp_path: Path) -> None:
    common = ["perform", score, "--model", model]
    assert main([*common, "-o", str(tmp_path / "whole.wav")]) == 0
    assert main([*common, "-o", str(tmp_path / "a.csv"), "--stop-after", "align"]) == 0
    given = ["--alignment", str(tmp_path / "a.csv")]
    assert main([*common, "-o", str(tmp_path / "m.npy"), "--stop-after", "mel", *given]) == 0
    assert (
        main(["perform", "-o", str(tmp_path / "staged.wav"), "--model", model, "--mel", str(tmp_path / "m.npy")]) == 0
    )
    whole, staged = Audio.read(tmp_path / "whole.wav"), Audio.read(tmp_path / "staged.wav")
    assert whole.frames == staged.frames
    assert np.abs(whole.samples - staged.samples).max() < 2e-2  # the CSV rounds times to 0.1 ms


def test_played_midi_keeps_its_times(model: str, tmp_path: Path) -> None:
    timings = timings_of(ROWS)
    performed_music(ROWS, timings).write(tmp_path / "played.mid")
    given = ["perform", str(tmp_path / "played.mid"), "--model", model, "--from-midi", "--stop-after", "align"]
    assert main([*given, "-o", str(tmp_path / "a.csv")]) == 0
    _, found = read_alignment(tmp_path / "a.csv")
    assert np.abs(np.sort(found[:, 0]) - np.sort(timings[:, 0])).max() < 0.003


@pytest.mark.parametrize("kind", [".csv", ".mid"])
def test_edited_timings_are_played_as_they_are(kind: str, tmp_path: Path) -> None:
    timings = timings_of(ROWS)
    write_alignment(tmp_path / f"a{kind}", ROWS, timings)
    rows, found = read_alignment(tmp_path / f"a{kind}", ROWS)
    assert np.array_equal(rows, ROWS)
    assert np.abs(found - timings).max() < 0.003


def test_a_report_shows_timing_notes_and_sound(model: str, score: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    given = ["perform", score, "--model", model, "-o", str(tmp_path / "o.wav"), "--report", str(tmp_path / "r.html")]
    assert main(given) == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for what in ("Played time beside score time", "Mel spectrogram", "Piano roll", "audio"):
        assert what in page


def test_a_json_report_names_what_was_written(
    model: str, score: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["perform", score, "-o", str(tmp_path / "o.flac"), "--model", model, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["output"] == str(tmp_path / "o.flac")
    assert (report["notes"], report["sample_rate"]) == (len(ROWS), 16000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--performer", "eve"], "choose one of 0 (ann), 1 (bob)"),
        (["--qpm", "1"], "allowed are 5 to 400"),
        (["--part", "viola"], "no part 'viola'"),
        (["--condition", "cellar"], "no condition 'cellar': choose one of 0"),
        (["--stop-after", "mel"], "--stop-after mel writes .npy"),
        (["--alignment", "missing.csv"], "missing.csv"),
        (["--model", "viola"], "unknown model 'viola'"),
        (["--mel", "missing.npy"], "missing.npy"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    model: str, score: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = ["perform", score, "-o", str(tmp_path / "out.wav"), "--model", model, *arguments]
    assert main(given) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_nothing_to_perform_is_said(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perform", "-o", str(tmp_path / "o.wav"), "--model", model]) == 2
    assert "there is no score to perform" in capsys.readouterr().err
    np.save(tmp_path / "m.npy", np.zeros((5, 3), np.float32))
    given = ["perform", "-o", str(tmp_path / "o.wav"), "--model", model, "--mel", str(tmp_path / "m.npy")]
    assert main(given) == 2
    assert "its shape is (5, 3), not (frames, 80)" in capsys.readouterr().err


def test_recordings_are_prepared_by_two_soundfonts_as_performers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    music_of(ROWS).write(tmp_path / "tune.mid")
    Audio(np.zeros((1, 16000 * 8), np.float32), 16000).write(tmp_path / "tune.wav")
    write_alignment(tmp_path / "tune.csv", ROWS, timings_of(ROWS))
    assert main(["prepare", str(tmp_path), "-o", str(tmp_path / "data"), "--render", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["recordings"], report["performers"], report["with_sound"]) == (1, ["TimGM6mb"], 1)
    assert load_prepared(tmp_path / "data").mel_of(0)[:].max() > -4


def test_a_silent_recording_cannot_be_aligned(score: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Audio(np.zeros((1, 16000 * 8), np.float32), 16000).write(tmp_path / "silence.wav")
    assert main(["align", score, str(tmp_path / "silence.wav"), "-o", str(tmp_path / "a.csv")]) == 2
    assert "the recording is silent (8.0 s)" in capsys.readouterr().err
