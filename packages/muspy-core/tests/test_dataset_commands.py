"""`muspy-core dataset`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import muspy_core as m
import pytest
from catalogue_samples import archive, extracted, sample
from hostile_server import serving
from joblib.externals.loky import get_reusable_executor
from muspy_core.cli import main
from muspy_core.datasets import MusicDataset, Remote
from muspy_core.datasets.catalogue import CATALOGUE


@pytest.fixture(autouse=True)
def no_workers_left() -> Iterator[None]:
    """End worker processes: kept for the next test, they would stay in the folder where they were started."""
    yield
    get_reusable_executor().shutdown(wait=True)


def test_the_list_has_every_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(CATALOGUE)
    (pop909,) = (line for line in lines if line.startswith("pop909"))
    assert "unverified" in pop909
    assert "MIT" in pop909


def test_the_list_is_printed_as_json_and_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "list", "--json", "--genre", "folk", "--source", "download"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in rows] == ["essen", "nmd"]
    assert rows[0]["files"][0]["size"] == 1700981
    assert main(["dataset", "list", "--genre", "opera"]) == 2


def test_download_convert_and_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("muspy_core.datasets.downloads.time.sleep", lambda seconds: None)
    content = archive("nes", "nesmdb_midi.tar.gz")
    root = str(tmp_path / "nes")
    with serving(content, "truncate") as server:
        source = Remote("nesmdb_midi.tar.gz", server.url, len(content), hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(m.NESMusicDatabase, "_sources", {"nes": source})
        assert main(["dataset", "download", "nes", root, "--cleanup"]) == 0
    assert "downloaded nes: 3 pieces" in capsys.readouterr().out
    assert main(["dataset", "convert", "nes", root]) == 0
    assert "converted 3 of 3 pieces" in capsys.readouterr().out
    assert list(m.NESMusicDatabase(root)) == list(MusicDataset(Path(root) / "_converted", "arrow"))
    assert main(["dataset", "stats", "nes", root, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    # Three pieces of four quarter notes at 120 a minute.
    assert (counts["songs"], counts["notes"], counts["median_seconds"]) == (3, 12, 2.0)
    assert counts["hours"] == pytest.approx(6 / 3600)
    assert counts["published"] == {"songs": 5278, "hours": 46.11}
    lengths = counts["statistics"]["lengths"]
    assert (lengths["n"], lengths["quantiles"]) == (3, [2.0] * 7)
    assert counts["statistics"]["no_signature"] == 3


@pytest.mark.parametrize(
    ("jobs", "kind"),
    [
        *(("1", kind) for kind in ("json", "yaml", "arrow")),
        ("2", "arrow"),
        *(pytest.param("2", kind, marks=pytest.mark.slow) for kind in ("json", "yaml")),
    ],
)
def test_any_folder_is_converted_and_counted(
    kind: str, jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = extracted("nmd", tmp_path / "songs")
    m.write(folder / "song.mid", sample(5))
    (folder / "bad.mid").write_bytes(b"not music")
    out = tmp_path / "out"
    assert main(["dataset", "convert", str(folder), "--to", kind, "-o", str(out), "-j", jobs, "--json"]) == 1
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["converted"], [name for name, _ in report["failed"]]) == (3, ["bad.mid"])
    assert "failed: bad.mid" in captured.err
    assert len(MusicDataset(out)) == 3
    assert main(["dataset", "convert", str(folder), "--to", kind, "-o", str(out)]) == 2
    assert "finished conversion" in capsys.readouterr().err
    assert main(["dataset", "stats", str(folder), "-j", jobs]) == 1
    captured = capsys.readouterr()
    assert "Songs       3\n" in captured.out
    assert "Key         0.0 % minor, 0.0 % C major of the 66.7 % that declare one\n" in captured.out
    assert "failed: bad.mid" in captured.err


def test_files_extracted_by_hand_are_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = extracted("pop909", tmp_path / "pop909")
    assert main(["dataset", "convert", "pop909", str(root), "-o", str(tmp_path / "out")]) == 0
    assert not (root / "_converted").exists()
    assert len(MusicDataset(tmp_path / "out")) == 2
    assert main(["dataset", "stats", "pop909", str(root)]) == 0
    assert "(published: 909)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["download", "lmdd", "x"], "no data set is called 'lmdd'"),
        (["download", "symphonynet", "x"], "by hand"),
        (["download", "oneills", "x"], "music21 wheel"),
        (["convert", "nes"], "say in which folder"),
        (["stats", "nes", "missing"], "dataset download nes missing"),
        (["convert", "."], "-o FOLDER"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    m.write("song.mid", sample(0))
    assert main(["dataset", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
