"""The commands."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import arranger
import pytest
from arranger.cli import main
from arranger.mixture import Piece
from mixtures import random_piece
from muspy_core import Music, Note, Track, read


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A MIDI file with one track of four voices."""
    mixture = random_piece(3, steps=16).mixture
    columns = (mixture.onset, mixture.pitch, mixture.duration, mixture.velocity)
    notes = [Note(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    path = tmp_path / "song.mid"
    Music(resolution=24, tracks=[Track(notes=notes)]).write(path)
    return path


def counts(path: Path) -> Counter[tuple[int, int]]:
    """The multiset of (onset in 1/24 quarters, pitch) in a file."""
    music = read(path)
    return Counter((24 * n.time // music.resolution, n.pitch) for track in music.tracks for n in track.notes)


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must end in one line on stderr and exit code 2; return the line."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends by itself
        code = int(end.code or 0)
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")
    return captured.err


@pytest.mark.parametrize("extension", ["mid", "musicxml", "json"])
@pytest.mark.parametrize("mode", ["online", "offline"])
def test_a_file_becomes_parts(
    song: Path, tmp_path: Path, mode: str, extension: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"parts.{extension}"
    assert main(["separate", str(song), "-o", str(target), "--mode", mode]) == 0
    assert counts(target) == counts(song)
    assert [track.name for track in read(target).tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["read", "separated", "wrote", "next:"]
    assert all(line.endswith(" s)") for line in lines[:3])


def test_json_says_what_was_done(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["separate", str(song), "-o", str(tmp_path / "out.mid"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["notes"] == sum(part["notes"] for part in report["parts"]) == 64
    assert {"model", "mode", "doubtful", "warnings", "input", "output"} <= set(report)


def test_a_folder_becomes_a_folder(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    for name in ("a.mid", "b.mid"):
        (folder / name).write_bytes(song.read_bytes())
    (folder / "broken.mid").write_bytes(b"MThd nothing")
    assert main(["separate", str(folder), "-o", str(tmp_path / "out"), "--to", "musicxml"]) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.musicxml", "b.musicxml", "report.json"]
    assert "broken.mid" in capsys.readouterr().err


def test_a_page_shows_the_parts(song: Path, tmp_path: Path) -> None:
    for module in ("verovio", "pretty_midi", "soundfile"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra: render)")
    page = tmp_path / "parts.html"
    assert main(["separate", str(song), "-o", str(tmp_path / "parts.mid"), "--report", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Soprano" in text
    assert "doubtful part" in text
    assert "http-equiv" in text


def test_an_existing_output_is_kept(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "parts.mid"
    target.write_bytes(b"precious")
    assert "--overwrite" in fails(capsys, "separate", song, "-o", target)
    assert target.read_bytes() == b"precious"
    assert main(["separate", str(song), "-o", str(target), "--overwrite"]) == 0
    assert counts(target) == counts(song)


def test_an_existing_report_is_kept(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "parts.html"
    report.write_bytes(b"precious")
    assert "--overwrite" in fails(capsys, "separate", song, "-o", tmp_path / "parts.mid", "--report", report)
    assert not (tmp_path / "parts.mid").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff" * 50, b"MThd\x00\x00\x00\x06\x00\x01\x00\x09\x01\xe0MTrk\x00\x00"]
)
@pytest.mark.parametrize("name", ["bad.mid", "bad.musicxml", "bad.json", "bad.mxl"])
def test_bad_files_are_one_line(tmp_path: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert name in fails(capsys, "separate", path, "-o", tmp_path / "out.mid")
    assert not (tmp_path / "out.mid").exists()


def test_other_mistakes_are_one_line(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.mid"
    assert "did you mean 'bach-chorales'" in fails(capsys, "separate", song, "-o", out, "--model", "bach-choral")
    assert "no such file" in fails(capsys, "separate", tmp_path / "none.mid", "-o", out)
    assert "extension" in fails(capsys, "separate", song, "-o", tmp_path / "out.docx")
    assert "not a part" in fails(capsys, "separate", song, "-o", out, "--exclude", "Tuba")
    assert "folder" in fails(capsys, "separate", song, "-o", tmp_path / "no" / "out.mid")
    assert "invalid choice" in fails(capsys, "separate", song, "-o", out, "--mode", "psychic")
    assert not out.exists()


def test_music_without_notes_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "drums.mid"
    Music(resolution=24, tracks=[Track(is_drum=True, notes=[Note(0, 36, 24)])]).write(path)
    assert "only percussion" in fails(capsys, "separate", path, "-o", tmp_path / "out.mid")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as end:
            main([option])
        assert end.value.code == 0
    assert arranger.__version__ == version("muspy-arranger")
    out = capsys.readouterr().out
    assert arranger.__version__ in out
    assert len(out.splitlines()) < 30


# --- evaluate


def test_evaluate_writes_its_figures(chorales: list[Piece], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.json"
    assert main(["evaluate", "--mode", "online", "--json", str(target)]) == 0
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert (figures["dataset_pieces"], figures["dataset_notes"]) == (409, 96_606)
    assert (figures["split"], figures["subset"], figures["setting"]) == ("grouped:0", "test", "onset-synchronous")
    assert figures["accuracy"] >= 0.955
    assert figures["strictly_causal"]["accuracy"] >= 0.93
    assert {"balanced_accuracy", "soundness", "completeness", "link_precision", "link_recall", "link_f1"} <= set(
        figures
    )
    assert "strictly causal" in capsys.readouterr().out


def test_offline_is_better_than_the_zones(chorales: list[Piece], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--mode", "offline", "--json", "-"]) == 0
    offline = json.loads(capsys.readouterr().out)
    assert main(["evaluate", "--model", "zone", "--json", "-"]) == 0
    zone = json.loads(capsys.readouterr().out)
    assert offline["accuracy"] >= 0.96
    assert 0.70 < zone["accuracy"] < 0.78


def test_a_split_that_was_trained_on_is_refused(chorales: list[Piece], capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("paper", "grouped:1"):
        assert "was trained on" in fails(capsys, "evaluate", "--split", split)
    assert "unknown split" in fails(capsys, "evaluate", "--split", "random")
    assert "unknown subset" in fails(capsys, "evaluate", "--subset", "all")
    assert "unknown corpus" in fails(capsys, "evaluate", "--dataset", "brahms")
    assert "did you mean the baseline 'zone'" in fails(capsys, "evaluate", "--model", "zones")


# --- demo, fit


def test_the_demonstration_shows_and_plays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("verovio", "pretty_midi", "soundfile", "matplotlib"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra: render)")
    folder = tmp_path / "demo"
    assert main(["demo", "-o", str(folder)]) == 0
    found = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert set(found) == {"mixture.mid", "parts.mid", "parts.musicxml", "parts.wav", "pianoroll.png", "index.html"}
    assert all(found.values())
    assert len(read(folder / "mixture.mid").tracks) == 1
    assert counts(folder / "parts.mid") == counts(folder / "mixture.mid")
    assert re.search(r"accuracy against Bach's own parts (9\d\.\d|100\.0)%", capsys.readouterr().out)
    assert "Accuracy against the original parts" in (folder / "index.html").read_text(encoding="utf-8")
    assert "exists already" in fails(capsys, "demo", "-o", folder)


def test_fit_trains_a_model_that_separates(tiny_corpus: Path, song: Path, tmp_path: Path) -> None:
    for module in ("torch", "lightning", "jsonargparse"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed (extra: train)")
    settings = {
        "data.file": tiny_corpus,
        "data.batch_size": 2,
        "model.config.hidden": 16,
        "trainer.max_steps": 4,
        "trainer.accelerator": "cpu",
        "trainer.enable_progress_bar": "false",
        "trainer.enable_model_summary": "false",
        "trainer.logger.init_args.save_dir": tmp_path,
        "trainer.callbacks": f"[{{class_path: arranger.training.ExportBest, "
        f"init_args: {{folder: '{tmp_path / 'mine'}', name: online}}}}]",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    assert main(["fit", "-c", "bach-lstm-onset-context", *options]) == 0
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["online.json", "online.safetensors"]
    assert len(json.loads((tmp_path / "mine/online.json").read_text())["training"]["pieces"]) == 4
    target = tmp_path / "out.mid"
    assert main(["separate", str(song), "-o", str(target), "--model", str(tmp_path / "mine")]) == 0
    assert counts(target) == counts(song)


def test_an_unknown_configuration_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("lightning") is None:
        pytest.skip("lightning is not installed (extra: train)")
    assert "bach-lstm-emb" in fails(capsys, "fit", "-c", "bach-lstm-enb")
