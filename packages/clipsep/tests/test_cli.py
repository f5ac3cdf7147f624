"""The console: files in, files out, sums that hold; bad input is one line and exit code 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clipsep.checkpoint import Training, save_checkpoint
from clipsep.cli import main
from clipsep.library import Library
from clipsep.model import build_model
from muspy_core import Audio
from sound_samples import stirred, tone, write_sounds


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    network = stirred(build_model("labelsep", width=2, depth=5, labels=["flute", "tuba", "violin"]))
    save_checkpoint(folder, network, Training(encoder={"kind": "labels"}))
    return str(folder)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    sound = Audio.mix([tone(660, 2.0, 44100), tone(110, 2.0, 44100, seed=1)]).to_stereo()
    sound.write(tmp_path / "song.wav")
    return tmp_path / "song.wav"


def test_one_query_is_written_to_a_file_and_the_rest_to_another(
    song: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target, rest = song.parent / "violin.wav", song.parent / "rest.wav"
    assert main(["separate", str(song), "violin", "-o", str(target), "--residual", str(rest), "--model", model]) == 0
    whole, stem, residual = (Audio.read(path) for path in (song, target, rest))
    assert (stem.channels, stem.sample_rate, stem.frames) == (2, 44100, whole.frames)
    assert np.allclose(stem.samples + residual.samples, whole.samples, atol=1e-4)
    printed = capsys.readouterr().out
    assert re.search(r"violin: [+-]\d+\.\d dB beside the mixture", printed)
    assert "separated" in printed


def test_several_queries_go_into_a_folder_with_a_report(song: Path, model: str) -> None:
    out, report = song.parent / "out", song.parent / "report.html"
    arguments = ["separate", str(song), "violin", "--query", "tuba+flute:0.5", "--negative", "flute", "-o", str(out)]
    assert main([*arguments, "--report", str(report), "--model", model]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["tuba-flute-0-5.wav", "violin.wav"]
    page = report.read_text(encoding="utf-8")
    assert page.count("<audio") == 3  # the mixture and two stems
    assert page.count("data:image/png") == 3
    assert "://" not in re.sub(r'"http://www.w3.org[^"]*"', "", re.sub(r"data:[^\"]*", "", page))


def test_the_duet_of_the_package_is_separated_beside_a_page(tmp_path: Path) -> None:
    network = stirred(build_model("labelsep", width=2, depth=5, labels=["flute", "piano"]))
    save_checkpoint(tmp_path / "model", network, Training(encoder={"kind": "labels"}))
    out = tmp_path / "out"
    assert main(["demo", "-o", str(out), "--model", str(tmp_path / "model")]) == 0
    names = ["duet.flac", "flute.wav", "piano.wav", "report.html", "residual.wav"]
    assert sorted(path.name for path in out.iterdir()) == names
    duet, *parts = (Audio.read(out / name).samples for name in (names[0], names[1], names[2], names[4]))
    assert np.allclose(sum(parts), duet, atol=1e-4)
    assert main(["demo", "-o", str(out), "--model", str(tmp_path / "model")]) == 2  # nothing is overwritten


def test_a_folder_is_separated_file_by_file_and_bad_files_do_not_stop_it(song: Path, model: str) -> None:
    folder, out = song.parent / "in", song.parent / "out"
    folder.mkdir()
    song.rename(folder / "song.wav")
    (folder / "broken.wav").write_bytes(b"no sound")
    assert main(["separate", str(folder), "violin", "-o", str(out), "--model", model]) == 1
    assert (out / "song" / "violin.wav").is_file()
    failed = json.loads((out / "report.json").read_text())["failed"]
    assert [Path(entry["input"]).name for entry in failed] == ["broken.wav"]
    assert not (out / "broken" / "violin.wav").exists()


def test_remixing_changes_levels_and_leaves_the_rest(song: Path, model: str) -> None:
    stem, out = song.parent / "stem.wav", song.parent / "out.wav"
    main(["separate", str(song), "violin", "-o", str(stem), "--model", model])
    assert main(["remix", str(song), "--gain", "violin:-6", "-o", str(out), "--model", model]) == 0
    expected = Audio.read(song).samples + (10 ** (-6 / 20) - 1) * Audio.read(stem).samples
    assert np.allclose(Audio.read(out).samples, expected, atol=1e-4)
    assert main(["remix", str(song), "--solo", "fiddle", "-o", str(out), "--overwrite", "--model", model]) == 0
    assert np.allclose(Audio.read(out).samples, Audio.read(stem).samples, atol=1e-4)
    assert main(["remix", str(song), "--mute", "violin", "-o", str(out), "--overwrite", "--model", model]) == 0
    assert np.allclose(Audio.read(out).samples + Audio.read(stem).samples, Audio.read(song).samples, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["separate", "SONG", "oboe", "-o", "x.wav"], "does not know 'oboe'; it knows flute, tuba, violin"),
        (["separate", "SONG", "", "-o", "x.wav"], "a query must have words"),
        (["separate", "SONG", "violin" * 1000, "-o", "x.wav"], "6,000 letters"),
        (["separate", "SONG", "-o", "x.wav"], "nothing is asked for"),
        (["separate", "SONG", "violin", "-o", "x.wav", "--keep-noise-heads"], "needs --report"),
        (["separate", "SONG", "violin", "-o", "x.wav", "--keep-noise-heads", "--report", "r"], "no noise heads"),
        (["separate", "nowhere.wav", "violin", "-o", "x.wav"], "nowhere.wav: no such file"),
        (["separate", "SONG", "violin", "-o", "SONG"], "exists already"),
        (["separate", "SONG", "violin", "-o", "SONG", "--overwrite"], "input and output are the same file"),
        (["separate", "EMPTY", "violin", "-o", "x.wav"], "empty.wav"),
        (["separate", "JUNK", "violin", "-o", "x.wav"], "junk.wav: is no video or sound that can be decoded"),
        (["separate", "MUTE", "violin", "-o", "x.wav"], "mute.mp4: has no sound"),
        (["separate", "SONG", "--image", "JUNK", "-o", "x.wav"], "this model knows labels, no pictures"),
        (["remix", "SONG", "-o", "x.wav"], "nothing is changed"),
        (["remix", "SONG", "--gain", "violin", "-o", "x.wav"], "a gain is NAME:DECIBELS"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    song: Path, model: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from media_samples import write_video

    folder = song.parent
    files = {"SONG": song, "EMPTY": folder / "empty.wav", "JUNK": folder / "junk.wav", "MUTE": folder / "mute.mp4"}
    files["EMPTY"].touch()
    files["JUNK"].write_bytes(b"RIFFnothing")
    if "MUTE" in arguments:
        write_video(files["MUTE"], seconds=0.5, sound=np.zeros((1, 0), np.float32))
    given = [str(files.get(word, folder / word if word.endswith("x.wav") else word)) for word in arguments]
    assert main([*given, "--model", model]) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert message in captured
    assert captured.count("\n") == 1
    assert not (folder / "x.wav").exists()


@pytest.mark.parametrize(("samples", "rate"), [(1, 44100), (300, 8000)])
def test_tiny_sounds_are_separated(samples: int, rate: int, model: str, tmp_path: Path) -> None:
    Audio(np.full((1, samples), 0.5), rate).write(tmp_path / "tiny.wav")
    assert (
        main(["separate", str(tmp_path / "tiny.wav"), "violin", "-o", str(tmp_path / "x.wav"), "--model", model]) == 0
    )
    assert Audio.read(tmp_path / "x.wav").frames == samples


def test_a_video_is_separated_by_its_sound(model: str, tmp_path: Path) -> None:
    from media_samples import write_video

    write_video(tmp_path / "video.mp4", seconds=1.0)
    assert (
        main(["separate", str(tmp_path / "video.mp4"), "violin", "-o", str(tmp_path / "x.wav"), "--model", model]) == 0
    )
    assert Audio.read(tmp_path / "x.wav").duration == pytest.approx(1.0, abs=0.05)


def test_preparing_at_the_console_says_what_was_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sounds(tmp_path / "sounds", 4)
    assert main(["prepare", str(tmp_path / "sounds"), "-o", str(tmp_path / "data")]) == 1  # one file is broken
    captured = capsys.readouterr()
    assert "prepared 12 sounds of 3 labels: " in captured.out
    assert "broken.wav" in captured.err
    assert Library.read(tmp_path / "data").labels == ("flute", "tuba", "violin")
    assert main(["prepare", str(tmp_path / "sounds"), "-o", str(tmp_path / "data"), "--min-similarity", "0.2"]) == 2
    assert "--clip-weights" in capsys.readouterr().err


def test_preparing_esc_50_in_its_own_layout(tmp_path: Path) -> None:
    root = tmp_path / "ESC-50-master"
    (root / "audio").mkdir(parents=True)
    (root / "meta").mkdir()
    rows = ["filename,fold,target,category,esc10,src_file,take"]
    for fold, take, category in ((1, "A", "dog"), (2, "B", "church_bells")):
        name = f"{fold}-1000{fold}-{take}-0.wav"
        tone(440, 0.5, 44100).write(root / "audio" / name)
        rows.append(f"{name},{fold},0,{category},False,1000{fold},{take}")
    (root / "meta" / "esc50.csv").write_text("\n".join(rows) + "\n")
    assert main(["prepare", str(root), "--set", "esc50", "-o", str(tmp_path / "data")]) == 0
    manifest = Library.read(tmp_path / "data").manifest
    assert [(item.label, item.split) for item in manifest] == [("dog", "fold 1"), ("church bells", "fold 2")]


def test_help_fits_and_the_module_is_light() -> None:
    code = "import sys, clipsep.cli; print('torch' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "False"
