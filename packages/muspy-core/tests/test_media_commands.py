"""`muspy-core media`: tables, pictures and sound of folders of real videos, and what is said of broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from muspy_core import Audio
from muspy_core.cli import main
from muspy_core.media import Manifest

pytest.importorskip("av", reason="PyAV (muspy-core[media]) is not installed")
pytest.importorskip("PIL", reason="Pillow (muspy-core[media]) is not installed")

from media_samples import write_video


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of two labels, and one that is empty."""
    folder = tmp_path_factory.mktemp("media") / "videos"
    (folder / "cat").mkdir(parents=True)
    (folder / "dog").mkdir()
    write_video(folder / "cat/a.mp4", seconds=2)
    write_video(folder / "dog/b.mkv", seconds=2)
    (folder / "dog/empty.mp4").write_bytes(b"")
    return folder


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must end with one line on stderr and exit code 2; return the line."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    assert (code, captured.out, len(captured.err.splitlines())) == (2, "", 1)
    return captured.err


def test_a_table_of_a_folder(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["media", "manifest", str(videos), "-o", "table.csv", "--split", "0.5", "--json"]) == 1

    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["items"], report["labels"], report["splits"]) == (2, 2, {"train": 1, "test": 1})
    assert report["failed"] == [{"file": "dog/empty.mp4", "error": "the file is empty"}]
    assert captured.err == "failed: dog/empty.mp4: the file is empty\n"
    assert [item.label for item in Manifest.read("table.csv", videos)] == ["cat", "dog"]
    assert "exists already" in failure(capsys, "media", "manifest", videos, "-o", "table.csv")


def test_pictures_of_a_folder(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["media", "frames", str(videos), "-o", "frames", "--size", "24", "--crop", "24"]
    assert main(arguments) == 1
    assert sorted(path.name for path in Path("frames/cat/a").iterdir()) == ["000001.jpg", "000002.jpg"]
    assert json.loads(Path("frames/report.json").read_text())["failed"][0]["error"].endswith("the file is empty")
    assert not Path("frames/dog/empty").exists()
    assert not list(Path("frames").rglob(".*"))

    (Path("frames/cat/a/000002.jpg")).unlink()
    assert main([*arguments, "--resume"]) == 1
    assert "2 of 3 files are there already" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 1
    assert len(list(Path("frames/cat/a").iterdir())) == 2


def test_pictures_at_times_and_in_number(videos: Path) -> None:
    assert main(["media", "frames", str(videos / "cat/a.mp4"), "-o", "some", "--at", "0", "--at", "1.5"]) == 0
    assert main(["media", "frames", str(videos / "cat/a.mp4"), "-o", "five", "--count", "5", "--to", "png"]) == 0
    assert len(list(Path("some").glob("*.jpg"))) == 2
    assert len(list(Path("five").glob("*.png"))) == 5


def test_sound_of_a_video(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--sample-rate", "16000", "--channels", "1", "--start", "0.5", "--end", "1.5"]
    assert main(["media", "audio", str(videos / "dog/b.mkv"), "-o", "b.flac", *options]) == 0
    sound = Audio.read("b.flac")
    assert (sound.sample_rate, sound.frames) == (16000, 16000)


def test_bad_input_is_one_line(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = videos / "cat/a.mp4"
    assert "empty.mp4: the file is empty" in failure(capsys, "media", "audio", videos / "dog/empty.mp4", "-o", "x.wav")
    assert "none of .wav" in failure(capsys, "media", "audio", good, "-o", "x.txt")
    assert "there is no sound at 9 s" in failure(capsys, "media", "audio", good, "-o", "x.wav", "--start", "9")
    assert "there is no picture" in failure(capsys, "media", "frames", good, "-o", "x", "--at", "9")
    assert "larger than a picture" in failure(capsys, "media", "frames", good, "-o", "x", "--size", "9", "--crop", "10")
    assert "vggsound.csv" in failure(capsys, "media", "manifest", videos, "-o", "x.csv", "--layout", "vggsound")
    assert "none of the 536" in failure(capsys, "media", "manifest", videos, "-o", "x.csv", "--layout", "music")
    assert "extension of a manifest" in failure(capsys, "media", "manifest", videos / "cat", "-o", "x.txt")
    assert not list(Path().iterdir())
