"""`muspy-core engrave|plot|view` on folders, `--resume`, and completion in a real shell."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import muspy_core
import pytest
from muspy_core import Metadata, Music, Note, TimeSignature, Track
from muspy_core.cli import main
from muspy_core.completion_commands import SHELLS

pytest.importorskip("verovio", reason="verovio (muspy-core[render]) is not installed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two songs and a broken file in `songs`, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("songs/deep").mkdir(parents=True)
    for name in ("a", "deep/b & c"):
        music = Music(
            metadata=Metadata(title=f"Song <{name[-1]}>"),
            time_signatures=[TimeSignature(0, 4, 4)],
            tracks=[Track(73, notes=[Note(24 * i, 60 + i, 24) for i in range(8)])],
        )
        muspy_core.write(f"songs/{name}.mid", music)
    Path("songs/broken.mid").write_bytes(b"MThd")
    return tmp_path / "songs"


def test_a_folder_of_pages_has_an_index(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "songs", "-o", "pages", "--score-pages", "0"]) == 1

    index = Path("pages/index.html").read_text()
    assert '<a href="a.html">Song &lt;a&gt;</a>' in index
    assert '<a href="deep/b%20%26%20c.html">Song &lt;c&gt;</a>' in index
    assert "length 4.0 s" in index
    assert "Not shown" in index
    assert "songs/broken.mid" in index
    assert "script-src 'sha256-" in index

    assert main(["view", "songs", "-o", "pages", "--score-pages", "0", "--resume"]) == 1
    assert "2 of 3 files are there already" in capsys.readouterr().err
    assert Path("pages/index.html").read_text() == index


def test_interrupted_batches_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("songs/broken.mid").unlink()
    Path("out").mkdir()
    Path("out/a.json").write_text("mine")

    assert main(["convert", "songs", "-o", "out", "--to", "json", "--resume", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert [entry["output"] for entry in report["kept"]] == ["out/a.json"]
    assert [entry["output"] for entry in report["done"]] == ["out/deep/b & c.json"]
    assert Path("out/a.json").read_text() == "mine"
    assert main(["convert", "songs", "-o", "out", "--to", "json", "--resume", "--overwrite"]) == 2


def test_scores_and_figures_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engrave", "songs/a.mid", "-o", "a.svg", "--measures", "2", "--colors", "tracks"]) == 0
    page = Path("a.svg").read_text()
    assert 'id="n0-4" fill="#' in page
    assert 'id="n0-3"' not in page
    assert main(["plot", "songs/a.mid", "-o", "a.pdf", "--rows", "tracks"]) == 0
    assert Path("a.pdf").read_bytes().startswith(b"%PDF")
    for arguments in (
        ["engrave", "songs/a.mid", "-o", "b.gif"],
        ["engrave", "songs/a.mid", "-o", "b.svg", "--measures", "7-9"],
        ["engrave", "songs/a.mid", "-o", "b.svg", "--tracks", "2"],
        ["plot", "songs/a.mid", "-o", "b.txt"],
        ["plot", "songs", "-o", "figures", "--to", "txt"],
    ):
        capsys.readouterr()
        assert main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(Path().glob("b.*"))


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script_that_its_shell_accepts(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "listening" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script)
    check = ["fish", "--no-execute"] if shell == "fish" else [shell, "-n"]
    subprocess.run([*check, tmp_path / "script"], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("muspy-core li", {"listening"}),
        ("muspy-core media ma", {"manifest"}),
        ("muspy-core dataset convert --to ar", {"arrow"}),
        ("muspy-core render --over", {"--overwrite"}),
        ("muspy-core completion f", {"fish"}),
    ],
)
def test_bash_completes(line: str, expected: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    words = line.split(" ")
    program = (
        f"{capsys.readouterr().out}\nCOMP_WORDS=({' '.join(words)})\nCOMP_CWORD={len(words) - 1}\n"
        '_muspy_core\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected
