"""The watched folder: every file that is whole is done once, again when it changes, and nothing half done is seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import muspy_core
import pytest
from tasks import BY_NAME
from watch import Watch

ROOT = Path(__file__).resolve().parents[1]
VALUES = {"how": "separate", "parts": ""}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    source, output = tmp_path / "exports", tmp_path / "results"
    source.mkdir()
    output.mkdir()
    return source, output


def watch_of(folders: tuple[Path, Path], said: list[str]) -> Watch:
    return Watch(BY_NAME["parts"], *folders, VALUES, said.append)


def test_a_file_that_is_still_written_is_left_alone(folders: tuple[Path, Path]) -> None:
    said: list[str] = []
    watch = watch_of(folders, said)
    for size in range(1, 4):
        (folders[0] / "song.mid").write_bytes(b"M" * size)
        watch.look()

    assert said == []
    assert list(folders[1].iterdir()) == []


def test_what_is_no_music_is_said_once_in_one_line(folders: tuple[Path, Path]) -> None:
    said: list[str] = []
    watch = watch_of(folders, said)
    (folders[0] / "song.mid").write_bytes(b"no music")
    (folders[0] / "notes.txt").write_bytes(b"not for us")
    for _ in range(4):
        watch.look()

    assert len(said) == 1
    assert said[0].startswith("song.mid: arranger: ")
    assert [path.name for path in folders[1].iterdir()] == ["song.mid"]
    assert [path.name for path in (folders[1] / "song.mid").iterdir()] == ["error.txt"]


@pytest.mark.slow
def test_a_file_is_done_once_and_again_when_it_has_changed(folders: tuple[Path, Path]) -> None:
    said: list[str] = []
    watch = watch_of(folders, said)
    song = folders[0] / "song.mid"
    for length in (1, 2):
        notes = [muspy_core.Note(24 * beat, pitch, 24) for beat in range(length) for pitch in (72, 67, 64, 48)]
        muspy_core.write_midi(song, muspy_core.Music(resolution=24, tracks=[muspy_core.Track(notes=notes)]))
        for _ in range(3):
            watch.look()
        parts = muspy_core.read(folders[1] / "song.mid" / "parts.mid")

        assert len(said) == length
        assert [len(track.notes) for track in parts.tracks] == [length] * 4
    assert sorted(path.name for path in (folders[1] / "song.mid").iterdir()) == ["page.html", "parts.mid", "sound.mp3"]
    assert [path.name for path in folders[1].iterdir()] == ["song.mid"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["parts", "nowhere", "-o", "out"], "is no folder"),
        (["parts", ".", "-o", "."], "must not appear where files are watched"),
        (["parts", ".", "-o", "out", "--set", "how"], "give a name and a value"),
        (["parts", ".", "-o", "out", "--set", "speed=3"], "there is no field 'speed'"),
        (["sing", ".", "-o", "out"], "invalid choice"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    command = [sys.executable, str(ROOT / "together" / "watch.py"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=100)

    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
