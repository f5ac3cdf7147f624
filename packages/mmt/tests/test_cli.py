"""The console script: what is written, and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import muspy_core
import pytest
import torch
from mmt.checkpoint import Training, save_checkpoint
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.encoding import encode
from mmt.model import MMT
from mmt.notes import music_of, notes_of
from mmt.report import marks, report_files, write_report
from muspy_core.rendering import Page
from test_encoding import rows


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that has learned nothing."""
    torch.random.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    MMT(MMTConfig(dim=64, depth=1, max_length=64)).save_pretrained(folder)
    return str(folder)


def test_songs_are_written_as_midi_and_json(
    model_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["generate", "--model", model_folder, "-o", str(tmp_path / "out"), "--n", "2", "--length", "30"]
    assert main([*arguments, "--instruments", "piano, Violin"]) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["song-01.json", "song-01.mid", "song-02.json", "song-02.mid"]
    music = muspy_core.read(tmp_path / "out" / "song-01.mid")
    assert notes_of(music).tolist() == notes_of(muspy_core.load(tmp_path / "out" / "song-01.json")).tolist()
    assert {track.program for track in music.tracks} <= {0, 40}
    assert "next: muspy-core view" in capsys.readouterr().out


def test_the_same_seed_writes_the_same_bytes(model_folder: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        common = ["generate", "--model", model_folder, "--n", "2", "--length", "20", "--seed", "3"]
        assert main([*common, "-o", str(tmp_path / name)]) == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_song_i_is_the_song_of_seed_plus_i(model_folder: str, tmp_path: Path) -> None:
    common = ["generate", "--model", model_folder, "--length", "20"]
    assert main([*common, "-o", str(tmp_path / "two"), "--n", "2", "--seed", "3"]) == 0
    assert main([*common, "-o", str(tmp_path / "one"), "--seed", "4"]) == 0
    assert (tmp_path / "two" / "song-02.mid").read_bytes() == (tmp_path / "one" / "song-01.mid").read_bytes()


def test_a_piece_is_continued(model_folder: str, tmp_path: Path) -> None:
    notes = rows(*((beat, 0, 60 + beat, 12, 0) for beat in range(20)))
    music_of(notes).write(tmp_path / "piece.mid")
    given = [
        "generate",
        "--model",
        model_folder,
        "-o",
        str(tmp_path / "out"),
        "--continue",
        str(tmp_path / "piece.mid"),
    ]
    assert main([*given, "--beats", "8", "--length", "30"]) == 0
    result = encode(notes_of(muspy_core.read(tmp_path / "out" / "song-01.mid")))
    assert result[3:11].tolist() == encode(notes)[3:11].tolist()


def test_a_json_report_names_the_files(model_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--model", model_folder, "-o", str(tmp_path), "--length", "20", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["songs"][0]["files"]["mid"] == str(tmp_path / "song-01.mid")


def test_a_report_of_one_song_is_its_page(model_folder: str, tmp_path: Path) -> None:
    arguments = [
        "generate",
        "--model",
        model_folder,
        "-o",
        str(tmp_path / "out"),
        "--length",
        "12",
        "--seed",
        "3",
        "--max-beats",
        "4",
    ]
    assert main([*arguments, "--report", str(tmp_path / "song.html")]) == 0
    page = (tmp_path / "song.html").read_text(encoding="utf-8")
    for part in ("<dt>Seed</dt><dd>3</dd>", 'id="roll"', 'id="play"'):
        assert part in page
    assert not (tmp_path / "song").exists()


def test_a_report_of_several_songs_leads_to_their_pages(tmp_path: Path) -> None:
    songs = [tmp_path / "out" / f"song-0{number}.mid" for number in (1, 2)]
    pages = report_files(tmp_path / "all.html", songs)
    assert pages == [tmp_path / "all" / "song-01.html", tmp_path / "all" / "song-02.html"]
    write_report(tmp_path / "all.html", [(path, Page(path.stem, [])) for path in pages])
    assert 'href="all/song-02.html"' in (tmp_path / "all.html").read_text(encoding="utf-8")
    assert all(path.is_file() for path in pages)


def test_what_was_written_anew_is_marked() -> None:
    before = muspy_core.Music(
        tracks=[muspy_core.Track(notes=[muspy_core.Note(0, 60, 24), muspy_core.Note(24, 62, 24)])]
    )
    after = before.deepcopy()
    after.tracks[0].notes[1].pitch = 64
    after.tracks.append(muspy_core.Track(40, notes=[muspy_core.Note(0, 70, 24)]))
    assert [part.tolist() for part in marks(after, before)] == [[False, True], [True]]


def test_an_instrument_that_was_hardly_heard_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(dim=64, depth=1, max_length=64))
    save_checkpoint(tmp_path / "model", model, Training(hours={"piano": 70.0, "flute": 0.25}))
    arguments = ["generate", "--model", str(tmp_path / "model"), "-o", str(tmp_path / "out"), "--length", "12"]
    assert main([*arguments, "--instruments", "piano, flute, koto"]) == 0
    error = capsys.readouterr().err
    assert "flute played in 0.2 h" in error
    assert "koto played in 0.0 h" in error
    assert "piano" not in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--instruments", "violine"], "did you mean violin"),
        (["--instruments", ","], "no instrument is named"),
        (["--continue", "missing.mid"], "missing.mid"),
        (["--temperature", "0"], "temperature"),
        (["--lowest", "80", "--highest", "70"], "pitches"),
        (["--model", "defualt"], "unknown model 'defualt'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    model_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["generate", "--model", model_folder, "-o", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("program", [None, 127])
def test_a_piece_without_known_instruments_cannot_be_continued(
    model_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], program: int | None
) -> None:
    track = muspy_core.Track(program or 0, program is None, notes=[muspy_core.Note(0, 60, 24)])
    muspy_core.Music(tracks=[track]).write(tmp_path / "drums.mid")
    given = ["generate", "--model", model_folder, "-o", str(tmp_path / "out")]
    assert main([*given, "--continue", str(tmp_path / "drums.mid")]) == 2
    expected = "only drums" if program is None else "no note of an instrument that the model knows"
    assert expected in capsys.readouterr().err


def test_existing_songs_are_not_replaced(model_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["generate", "--model", model_folder, "-o", str(tmp_path), "--length", "20"]
    assert main(given) == 0
    before = (tmp_path / "song-01.mid").read_bytes()
    assert main([*given, "--seed", "1"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "song-01.mid").read_bytes() == before
    assert main([*given, "--seed", "1", "--overwrite"]) == 0
