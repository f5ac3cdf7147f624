"""The command muspy-core: what it writes, what it says, and how it ends when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import muspy_core
import pytest
from batch_jobs import copy_name
from muspy_core import Metadata, Music, Note, Tempo, TimeSignature, Track
from muspy_core.cli import main
from muspy_core.console import Job, expand_inputs, named, plan, run_command, run_jobs


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Two bars of melody and drums, as a MIDI file in the current folder."""
    music = Music(
        metadata=Metadata(title="Song"),
        tempos=[Tempo(0, 120)],
        time_signatures=[TimeSignature(0, 4, 4)],
        tracks=[
            Track(name="Melody", program=73, notes=[Note(i * 24, 60 + i, 24, 90) for i in range(8)]),
            Track(name="Kit", is_drum=True, notes=[Note(i * 48, 36, 12, 90) for i in range(4)]),
        ],
    )
    path = tmp_path / "song.mid"
    muspy_core.write(path, music)
    return path


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
    assert code == 2
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return captured.err


class TestInfo:
    def test_a_file_is_described(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["info", "song.mid"]) == 0

        shown = capsys.readouterr().out
        for expected in (
            "4.0 s, 2 bars",
            "120 qpm",
            "4/4",
            "Melody",
            "program 73",
            "8 notes",
            "C4–G4",
            "drums",
            "parser",
        ):
            assert expected in shown

    def test_json_holds_the_same(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["info", "--json", "song.mid"]) == 0

        found = json.loads(capsys.readouterr().out)
        assert (found["notes"], found["bars"], found["seconds"]) == (12, 2, 4.0)
        assert [part["notes"] for part in found["parts"]] == [8, 4]

    def test_without_a_file_it_tells_versions(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["info", "--json"]) == 0

        found = json.loads(capsys.readouterr().out)
        assert found["muspy-core"] == muspy_core.__version__
        assert found["MIDI parser"] in ("compiled", "Python")
        assert found["MusicXML parser"] in ("compiled", "lxml")

    def test_a_bad_file_among_several_does_not_stop_the_others(
        self, song: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("bad.mid").write_bytes(song.read_bytes()[:60])

        assert main(["info", "."]) == 1

        captured = capsys.readouterr()
        assert "song.mid" in captured.out
        assert "bad.mid" in captured.err


class TestConvert:
    @pytest.mark.parametrize("suffix", ["musicxml", "mxl", "json", "yaml", "mid"])
    def test_every_format_holds_the_notes(self, song: Path, suffix: str) -> None:
        assert main(["convert", "song.mid", "-o", f"other.{suffix}"]) == 0

        before, after = muspy_core.read(song), muspy_core.read(f"other.{suffix}")
        after.adjust_resolution(before.resolution)
        pitches = [sorted(note.pitch for track in music.tracks for note in track) for music in (before, after)]
        assert pitches[0] == pitches[1]

    def test_it_says_what_it_wrote_and_what_to_do_next(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["convert", "song.mid", "-o", "song.json"])

        done, following = capsys.readouterr().out.splitlines()
        assert done.startswith("converted song.mid → song.json  (")
        assert following == "next: muspy-core view song.json"

    def test_a_folder_is_converted_with_its_sub_folders(self, song: Path) -> None:
        Path("in/deep").mkdir(parents=True)
        Path("in/a.mid").write_bytes(song.read_bytes())
        Path("in/deep/b.mid").write_bytes(song.read_bytes())
        Path("in/readme.txt").write_text("no music")

        assert main(["convert", "in", "-o", "out", "--to", "json", "-j", "2"]) == 0

        assert sorted(str(path) for path in Path("out").rglob("*.*")) == [
            os.path.join("out", "a.json"),
            os.path.join("out", "deep", "b.json"),
        ]

    def test_a_batch_goes_on_past_failures_and_reports_them(
        self, song: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("bad.mid").write_bytes(b"MThd nonsense")

        assert main(["convert", "bad.mid", "song.mid", "-o", "out", "--to", "json"]) == 1

        captured = capsys.readouterr()
        assert "1 of 2 files failed:" in captured.err
        report = json.loads(Path("out/report.json").read_text())
        assert [entry["input"] for entry in report["done"]] == ["song.mid"]
        assert [entry["input"] for entry in report["failed"]] == ["bad.mid"]
        assert "bad.mid" in report["failed"][0]["error"]
        assert Path("out/song.json").exists()
        assert not Path("out/bad.json").exists()

    def test_json_is_the_only_output_when_asked_for(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["convert", "song.mid", "-o", "song.json", "--json"]) == 0

        assert json.loads(capsys.readouterr().out)["done"][0]["output"] == "song.json"

    def test_one_tune_of_several_is_chosen(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("tunes.abc").write_text("X:1\nT:One\nM:4/4\nK:C\nCDEF|\n\nX:2\nT:Two\nM:4/4\nK:C\nGABc|\n")

        assert "--tune" in failure(capsys, "convert", "tunes.abc", "-o", "tune.mid")
        assert "no tune 3" in failure(capsys, "convert", "tunes.abc", "-o", "tune.mid", "--tune", "3")
        assert main(["convert", "tunes.abc", "-o", "tune.mid", "--tune", "2"]) == 0
        assert [note.pitch for note in muspy_core.read("tune.mid").tracks[0]] == [67, 69, 71, 72]


class TestRenderAndView:
    @pytest.fixture(autouse=True)
    def _needs_render(self) -> None:
        for module in ("soundfile", "pretty_midi"):
            pytest.importorskip(module, reason=f"{module} comes with the extra [render]")

    @pytest.mark.parametrize("name", ["song.wav", "song.mp3", "song.flac"])
    def test_sound_is_written(self, song: Path, name: str) -> None:
        assert main(["render", "song.mid", "-o", name, "--sample-rate", "22050"]) == 0

        audio = muspy_core.Audio.read(name)
        assert audio.sample_rate == 22050
        assert 4.0 < audio.duration < 8.0
        assert audio.peak > 0.01

    def test_without_an_output_the_name_is_that_of_the_input(self, song: Path) -> None:
        assert main(["render", "song.mid"]) == 0

        assert Path("song.wav").exists()

    def test_a_page_is_written(self, song: Path) -> None:
        pytest.importorskip("verovio", reason="verovio comes with the extra [render]")

        assert main(["view", "song.mid", "-o", "page.html", "--title", "My <song>"]) == 0

        text = Path("page.html").read_text(encoding="utf-8")
        assert "<h1>My &lt;song&gt;</h1>" in text
        assert 'data-id="n0-0"' in text

    def test_music_without_notes_is_no_sound(self, capsys: pytest.CaptureFixture[str]) -> None:
        muspy_core.write("silent.mid", Music(tracks=[Track(name="nothing")]))

        assert "no note to play" in failure(capsys, "render", "silent.mid", "-o", "silent.mp3")
        assert not Path("silent.mp3").exists()

    def test_a_soundfont_that_is_none_is_said(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        Path("bad.sf2").write_bytes(b"no font")

        assert "bad.sf2" in failure(capsys, "render", "song.mid", "--soundfont", "bad.sf2")
        assert "none.sf2" in failure(capsys, "render", "song.mid", "--soundfont", "none.sf2")
        assert not Path("song.wav").exists()


class TestBadInput:
    def test_a_file_that_is_missing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "none.mid" in failure(capsys, "convert", "none.mid", "-o", "a.json")

    def test_a_damaged_file_leaves_nothing_behind(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        song.write_bytes(song.read_bytes()[:60])

        assert "song.mid" in failure(capsys, "convert", "song.mid", "-o", "a.json")
        assert [path.name for path in Path().iterdir()] == ["song.mid"]

    def test_what_can_be_read_of_a_damaged_file_is_kept_when_asked_for(
        self, song: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        song.write_bytes(song.read_bytes()[:-20])

        assert "add --tolerant" in failure(capsys, "convert", "song.mid", "-o", "a.json")
        assert main(["convert", "song.mid", "-o", "a.json", "--tolerant"]) == 0
        assert "the rest was read" in capsys.readouterr().err
        assert len(muspy_core.read("a.json").tracks[0].notes) == 8

    def test_an_existing_output_is_kept(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        Path("a.json").write_text("mine")

        assert "--overwrite" in failure(capsys, "convert", "song.mid", "-o", "a.json")
        assert Path("a.json").read_text() == "mine"
        assert main(["convert", "song.mid", "-o", "a.json", "--overwrite"]) == 0
        assert Path("a.json").read_text() != "mine"

    def test_an_unknown_format(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "a.xyz" in failure(capsys, "convert", "song.mid", "-o", "a.xyz")
        assert "a.xyz" in failure(capsys, "render", "song.mid", "-o", "a.xyz")

    def test_a_folder_that_is_missing(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "no such folder" in failure(capsys, "convert", "song.mid", "-o", "none/a.json")

    def test_a_folder_without_music(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("empty").mkdir()

        assert "no file in this folder" in failure(capsys, "convert", "empty", "-o", "out", "--to", "json")

    def test_a_folder_needs_a_format(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "--to" in failure(capsys, "convert", ".", "-o", "out")

    def test_input_and_output_must_differ(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = song.read_bytes()

        assert "same file" in failure(capsys, "convert", "song.mid", "-o", "./song.mid", "--overwrite")
        assert song.read_bytes() == before

    def test_wrong_arguments_are_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "choose from" in failure(capsys, "paint", "song.mid")
        assert "--jobs" in failure(capsys, "convert", "song.mid", "-o", "a.json", "-j", "0")
        failure(capsys)

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may write everywhere")
    def test_a_folder_that_cannot_be_written(self, song: Path, capsys: pytest.CaptureFixture[str]) -> None:
        Path("locked").mkdir(mode=0o555)

        assert "locked" in failure(capsys, "convert", "song.mid", "-o", "locked/a.json")

    def test_debug_shows_the_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["convert", "none.mid", "-o", "a.json", "--debug"]) == 2

        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["info"], ["convert"], ["render"], ["view"]])
def test_help_fits_on_a_screen_with_an_example_on_top(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])

    lines = capsys.readouterr().out.splitlines()
    assert end.value.code == 0
    assert len(lines) <= 40
    example = next(number for number, line in enumerate(lines) if line.startswith("  muspy-core"))
    assert example < next(number for number, line in enumerate(lines) if line.startswith("options"))


def test_the_program_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "muspy_core.cli", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == f"muspy-core {muspy_core.__version__}"


class TestConsole:
    def test_errors_become_exit_codes(self, capsys: pytest.CaptureFixture[str]) -> None:
        def raises(error: BaseException) -> int:
            def command() -> int:
                raise error

            return run_command(command)

        assert raises(ValueError("bad\n  content")) == 2
        assert capsys.readouterr().err == "error: bad content\n"
        assert raises(FileNotFoundError(2, "No such file", "a.mid")) == 2
        assert capsys.readouterr().err == "error: a.mid: no such file\n"
        assert raises(KeyboardInterrupt()) == 130
        with pytest.raises(ZeroDivisionError):
            raises(ZeroDivisionError())  # a fault of ours is not hidden

    def test_folders_are_expanded_in_order_and_without_hidden_files(self) -> None:
        for name in ("b.mid", "a.mid", ".hidden.mid", "c.txt"):
            Path(name).write_bytes(b"")

        assert [path.name for path in expand_inputs([Path()], [".mid"])] == ["a.mid", "b.mid"]

    @pytest.mark.parametrize(("name", "expected"), [("a.mid", "a.x"), ("a.b.json.gz", "a.b.x"), ("a", "a.x")])
    def test_names_get_one_new_extension(self, name: str, expected: str) -> None:
        assert named(Path(name), ".x") == Path(expected)

    def test_two_inputs_never_become_one_output(self) -> None:
        for folder in ("one", "two"):
            Path(folder).mkdir()
            Path(folder, "a.mid").write_bytes(b"")

        with pytest.raises(ValueError, match="would both become"):
            plan([Path("one/a.mid"), Path("two/a.mid")], Path("out"), [".mid"], ".json", overwrite=False)

    def test_a_batch_finds_its_files_from_another_folder_than_the_last_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("first", "second"):  # the processes of the first batch do the second one
            (tmp_path / name).mkdir()
            monkeypatch.chdir(tmp_path / name)
            jobs = [Job(Path(f"{number}.in"), Path(f"{number}.out")) for number in range(2)]
            assert run_jobs(jobs, copy_name, verb="copied", workers=2, as_json=True) == 0
            assert len(json.loads(capsys.readouterr().out)["done"]) == 2
            assert sorted(path.name for path in Path().iterdir()) == ["0.out", "1.out"]

    def test_a_batch_reports_in_the_order_of_its_files(self, capsys: pytest.CaptureFixture[str]) -> None:
        jobs = [Job(Path(f"{number}.in"), Path(f"{number}.out")) for number in range(6)]

        assert run_jobs(jobs, copy_name, verb="copied", workers=2, as_json=True, report_folder=Path()) == 1

        report = json.loads(capsys.readouterr().out)
        assert [entry["length"] for entry in report["done"]] == [4] * 5
        assert [entry["error"] for entry in report["failed"]] == ["3.in: an odd one"]
