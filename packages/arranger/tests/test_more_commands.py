"""The commands rearrange, compare and live, and the demands that they share with separate."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from arranger.cli import main
from muspy_core import Music, Note, Track, read

CHORALE = str(files("arranger") / "corpora" / "bwv244.10.musicxml")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A MIDI file of a tune over a pad."""
    tracks = [
        Track(name="Tune", program=73, notes=[Note(24 * i, 72, 24) for i in range(4)]),
        Track(name="Pad", program=89, notes=[Note(24 * i, p, 24) for i in range(4) for p in (48, 55, 64)]),
    ]
    path = tmp_path / "song.mid"
    Music(resolution=24, tracks=tracks).write(path)
    return path


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must end in one line on stderr and exit code 2; return the line."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends by itself
        code = int(end.code or 0)
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_song_is_rearranged_for_a_quartet(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "quartet.musicxml"
    assert main(["rearrange", str(song), "-o", str(target), "--parts", "violin,violin,viola,cello"]) == 0
    assert "Tune → Violin 1 4" in capsys.readouterr().out
    tracks = read(target).tracks
    assert [track.name for track in tracks] == ["Violin 1", "Violin 2", "Viola", "Cello"]
    assert [track.program for track in tracks] == [40, 40, 41, 42]
    assert [track.clefs[0].sign for track in tracks] == ["G", "G", "C", "F"]


def test_demands_reach_the_notes(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locks = tmp_path / "locks.csv"
    locks.write_text("0,C3,Tenor\n", encoding="utf-8")
    arguments = ["separate", str(song), "-o", str(tmp_path / "out.json"), "--json", "--lock", str(locks)]
    arguments += ["--fix", "Tune=Alto", "--exclude", "Soprano", "--polyphony", "Bass=2", "--unisons", "double"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["tracks"][0] == {"track": "Tune", "parts": {"Soprano": 0, "Alto": 4, "Tenor": 0, "Bass": 0}}
    assert any(note.time == 0 and note.pitch == 48 for note in read(tmp_path / "out.json").tracks[2].notes)
    assert sum(row["notes"] for row in report["parts"]) == report["notes"] + report["doubled"]


def test_a_comparison_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra: render)")
    target = tmp_path / "compare.png"
    assert main(["compare", CHORALE, "-o", str(target), "--modes", "online", "--span", "0", "8"]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    assert "online: 9" in capsys.readouterr().out
    assert "exists already" in fails(capsys, "compare", CHORALE, "-o", target)


def test_a_file_is_played_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "live.mid"
    assert main(["live", "--input", CHORALE, "--output", str(target), "--clock", "fast", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["notes"] == 221
    assert report["latency_ms"]["p50"] > 12
    assert sum(len(track.notes) for track in read(target).tracks) == 221


def test_a_file_is_played_in_its_time(tmp_path: Path) -> None:
    pytest.importorskip("mido", reason="mido is not installed (extra: live)")
    short = Music(resolution=24, tracks=[Track(notes=[Note(0, pitch, 6) for pitch in (48, 55, 64, 72)])])
    short.write(tmp_path / "short.mid")
    target = tmp_path / "played.mid"
    arguments = ["live", "--input", str(tmp_path / "short.mid"), "--output", str(target), "--clock", "real"]
    assert main([*arguments, "--tempo", "96"]) == 0
    played = read(target)
    assert [[note.pitch for note in track.notes] for track in played.tracks] == [[72], [64], [55], [48]]
    assert played.tempos[0].qpm == pytest.approx(96, abs=0.01)


def test_mistakes_are_one_line(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.mid"
    assert "leave out 1" in fails(capsys, "rearrange", song, "-o", out, "--parts", "violin,viola,cello")
    assert "no bundled model has 5" in fails(
        capsys, "separate", song, "-o", out, "--parts", "flute,violin,violin,viola,cello"
    )
    assert "no track 'Tuba'" in fails(capsys, "separate", song, "-o", out, "--fix", "Tuba=Bass")
    assert "none.csv" in fails(capsys, "separate", song, "-o", out, "--lock", tmp_path / "none.csv")
    assert "psychic" in fails(capsys, "compare", song, "-o", tmp_path / "a.png", "--modes", "psychic")
    assert "extension" in fails(capsys, "compare", song, "-o", tmp_path / "a.docx")
    assert "--input and --output" in fails(capsys, "live", "--input", song)
    assert "none.mid" in fails(capsys, "live", "--input", tmp_path / "none.mid", "--output", out)
    assert "tempo" in fails(capsys, "live", "--input", song, "--output", out, "--clock", "real", "--tempo", "fast")
    assert "latency window" in fails(capsys, "live", "--input", song, "--output", out, "--window", "-3")
    assert not out.exists()


def test_a_port_that_is_not_there_is_one_line(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("mido", "rtmidi"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra: live)")
    assert "MIDI" in fails(capsys, "live", "--input", song, "--output", "Nowhere", "--clock", "real")
    assert "MIDI" in fails(capsys, "live", "--input", "Nowhere", "--output", "virtual")
