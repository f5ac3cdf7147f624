"""`-` as a file: what comes by standard input is known by its content, and standard output gets the data alone."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import muspy_core
import numpy as np
import pytest
from muspy_core import Audio, Music, Note, Track
from muspy_core.cli import main
from muspy_core.io.contents import extension_of

MUSIC = Music(resolution=4, tracks=[Track(program=73, name="Flute", notes=[Note(0, 72, 4), Note(4, 76, 4)])])
KINDS = {"mid": "midi", "musicxml": "musicxml", "mxl": "musicxml", "abc": "abc", "json": "json", "yaml": "yaml"}
PROGRAM = (sys.executable, "-m", "muspy_core.cli")


def data_of(extension: str) -> bytes:
    """The music in a format."""
    path = Path(f"made.{extension}")
    muspy_core.write(path, MUSIC)
    data = path.read_bytes()
    path.unlink()
    return data


def put_in(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


class TestContent:
    @pytest.mark.parametrize("extension", [*KINDS, "mid.gz", "musicxml.gz", "abc.gz"])
    def test_a_score_is_known_by_what_is_in_it(self, extension: str, tmp_path: Path) -> None:
        path = tmp_path / "unnamed"
        path.write_bytes(data_of(extension))
        assert extension_of(path) == f".{extension}"

    @pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3", "aiff"])
    def test_a_sound_is_known_by_what_is_in_it(self, extension: str, tmp_path: Path) -> None:
        Audio(np.zeros(4000, np.float32), 16000).write(tmp_path / f"sound.{extension}")
        (tmp_path / f"sound.{extension}").rename(tmp_path / "unnamed")
        assert extension_of(tmp_path / "unnamed") == f".{extension}"

    @pytest.mark.parametrize(
        ("data", "extension"),
        [
            (b"RIFF\x00\x00\x00\x00RMIDdata", ".rmi"),
            ("<?xml version='1.0'?>\n<score-partwise>".encode("utf-16"), ".musicxml"),
            (b'\xef\xbb\xbf<?xml version="1.0"?><!-- a --><mei xmlns="x">', ".mei"),
            (b'<?xml version="1.0"?><museScore version="4">', ".mscx"),
            (b"!!!COM: Bach\n!!!OTL: Chorale\n**kern\t**kern\n", ".krn"),
            (b"% a comment\n\nX:1\nK:C\nCDE|\n", ".abc"),
            (b"\x1f\x8b damaged", None),
            (b"PK\x03\x04 damaged", ".mxl"),
            (b"\x00\x00\x00\x20ftypisom", ".mp4"),
            (b"\x93NUMPY\x01", ".npy"),
            (b"nothing of the kind", None),
            (b"", None),
        ],
    )
    def test_so_is_what_begins_in_another_way(self, data: bytes, extension: str | None, tmp_path: Path) -> None:
        path = tmp_path / "unnamed"
        path.write_bytes(data)
        assert extension_of(path) == extension

    def test_a_score_of_musescore_in_a_zip_file_is_no_musicxml(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "unnamed", "w") as archive:
            archive.writestr("score.mscx", "<museScore/>")
        assert extension_of(tmp_path / "unnamed") == ".mscz"


class TestConvert:
    @pytest.mark.parametrize("extension", KINDS)
    def test_every_format_goes_in_and_out(
        self, extension: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
    ) -> None:
        put_in(data_of(extension), monkeypatch)
        assert main(["convert", "-", "-o", "-", "--to", extension]) == 0
        out, err = capfdbinary.readouterr()
        music = muspy_core.read(io.BytesIO(out), KINDS[extension])
        assert [(note.time * 4 // music.resolution, note.pitch) for note in music.tracks[0].notes] == [(0, 72), (4, 76)]
        assert re.fullmatch(r"converted - → -  \(\d\.\d s\)\n", err.decode())
        assert list(tmp_path.iterdir()) == []

    def test_what_goes_out_is_what_a_file_would_hold(
        self, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        Path("song.mid").write_bytes(data_of("mid"))
        assert main(["convert", "song.mid", "-o", "song.musicxml"]) == 0
        capfdbinary.readouterr()
        assert main(["convert", "song.mid", "-o", "-", "--to", "musicxml"]) == 0
        assert capfdbinary.readouterr().out == Path("song.musicxml").read_bytes()

    def test_an_output_without_a_format_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("song.mid").write_bytes(data_of("mid"))
        assert "--to" in refused(capsys, "convert", "song.mid", "-o", "-")

    def test_a_format_that_content_does_not_tell_is_named(
        self, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        put_in(b"K:C\nCDE|\n", monkeypatch)
        assert main(["convert", "-", "-o", "-", "--to", "mid"]) == 2
        assert b"--from" in capfdbinary.readouterr().err
        put_in(b"# notes\n" + data_of("yaml").replace(b"metadata", b"'metadata'"), monkeypatch)
        assert main(["convert", "-", "--from", "yaml", "-o", "-", "--to", "mid"]) == 0
        assert capfdbinary.readouterr().out.startswith(b"MThd")


class TestOtherCommands:
    def test_info_describes_what_comes(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        put_in(data_of("mid"), monkeypatch)
        assert main(["info", "-", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["file"], found["format"], found["notes"]) == ("-", "midi", 2)

    def test_a_piece_becomes_sound(
        self, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        put_in(data_of("abc"), monkeypatch)
        assert main(["render", "-", "-o", "-", "--sample-rate", "8000"]) == 0
        out, err = capfdbinary.readouterr()
        assert (out[:4], out[8:12]) == (b"RIFF", b"WAVE")
        assert b"next:" not in err

    def test_a_score_of_several_pages_goes_into_no_pipe(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        long = Music(resolution=1, tracks=[Track(notes=[Note(i, 60 + i % 12, 1) for i in range(800)])])
        muspy_core.write("long.mid", long)
        assert main(["engrave", "long.mid", "-o", "-"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "several files" in captured.err.splitlines()[-1]


class TestRefusals:
    def test_an_empty_input_is_said_so(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        put_in(b"", monkeypatch)
        assert "standard input is empty" in refused(capsys, "info", "-")

    def test_a_damaged_input_puts_nothing_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        put_in(data_of("mid")[:40], monkeypatch)
        assert "ends inside" in refused(capsys, "convert", "-", "-o", "-", "--to", "json")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ("convert - - -o folder --to mid", "read once"),
            ("convert song.mid -o - --to mid --from mid", "goes with -"),
            ("convert song.mid -o - --to mid --json", "choose one"),
            ("render song.mid -o song.wav --soundfont -", "soundfont"),
            ("media manifest . -o -", "nothing into a pipe"),
        ],
    )
    def test_a_pipe_where_there_is_none_is_refused(
        self, arguments: str, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("song.mid").write_bytes(data_of("mid"))
        assert said in refused(capsys, *arguments.split())
        assert [path.name for path in Path().iterdir()] == ["song.mid"]


@pytest.mark.skipif(sys.platform == "win32", reason="terminals, /dev/full and closed pipes are those of POSIX")
class TestProcesses:
    def test_a_reader_that_has_had_enough_is_no_error(self) -> None:
        muspy_core.write("long.json", Music(tracks=[Track(notes=[Note(i, 60, 1) for i in range(20000)])]))
        shell = f"{sys.executable} -m muspy_core.cli convert long.json -o - --to json"
        done = subprocess.run(
            ["bash", "-c", f"{shell} | head -c 12; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=60
        )
        assert done.stdout == '{"metadata":0\n'
        assert re.fullmatch(r"converted long\.json → -  \(\d+\.\d s\)\n", done.stderr)

    def test_a_full_disk_is_one_line(self) -> None:
        Path("song.mid").write_bytes(data_of("mid"))
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*PROGRAM, "convert", "song.mid", "-o", "-", "--to", "mid"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
            )
        assert done.returncode == 2
        assert done.stderr.splitlines()[1:] == ["error: standard output: no space left on device"]

    @pytest.mark.parametrize(("extension", "code"), [("mid", 2), ("abc", 0)])
    def test_a_terminal_is_shown_texts_alone(self, extension: str, code: int) -> None:
        import pty

        Path("song.mid").write_bytes(data_of("mid"))
        ours, theirs = pty.openpty()
        with open(ours, "rb"), open(theirs, "wb") as terminal:
            command = [*PROGRAM, "convert", "song.mid", "-o", "-", "--to", extension]
            done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, text=True, timeout=60)
            assert done.returncode == code
            assert len(done.stderr.splitlines()) == 1
            assert ("terminal" in done.stderr) == bool(code)
            if not code:
                assert os.read(ours, 3) == b"X:1"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must end with one line on stderr and exit code 2; return the line."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return captured.err
