"""What `kill -9` leaves: at most the item at hand is lost (downloads are killed in test_downloads.py)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from dataset_samples import Deadly, Saved, Slow, piece
from muspy_core.datasets.archives import extract

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
SLOW_CONVERSION = """
import sys
from dataset_samples import Slow
from muspy_core.datasets import conversion, shards
# Each run has two pieces.
conversion.RUN = conversion.SHARD = 2
Slow(sys.argv[1], convert=True, kind=sys.argv[2], n_jobs=2)
"""


def killed_when(ready: Callable[[], bool], *command: str) -> str:
    """Run Python until something is ready, kill it with all its workers, and return what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", *command], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def test_a_killed_extraction_goes_on_with_the_member_at_hand(tmp_path: Path) -> None:
    archive, out = tmp_path / "songs.zip", tmp_path / "out"
    random = np.random.default_rng(0)
    contents = {f"songs/{number:03d}.mid": random.bytes(20_000) for number in range(1000)}
    with zipfile.ZipFile(archive, "w") as bundle:
        for name, content in contents.items():
            bundle.writestr(name, content)
    program = "import sys; from muspy_core.datasets.archives import *; extract(*sys.argv[1:], progress=False)"
    killed_when(lambda: (out / "songs/002.mid").exists(), program, str(archive), str(out))
    whole = {path: path.stat().st_mtime_ns for path in out.rglob("*.mid") if not path.name.startswith(".")}
    assert 3 <= len(whole) < len(contents)
    assert all(path.read_bytes() == contents[path.relative_to(out).as_posix()] for path in whole)
    extract(archive, out, progress=False)
    assert {
        path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()
    } == contents
    assert all(path.stat().st_mtime_ns == time_of for path, time_of in whole.items())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["json", "arrow"])
def test_a_conversion_killed_with_its_workers_goes_on_with_the_runs_at_hand(tmp_path: Path, kind: str) -> None:
    for number in range(30):
        piece(number).save_json(tmp_path / f"{number:02d}.song")
    on_the_fly = list(Saved(tmp_path))
    converted = tmp_path / "_converted"

    def half_is_done() -> bool:
        return (converted / "12.json").exists() or (converted / "shards/joined.json").exists()

    before = killed_when(half_is_done, SLOW_CONVERSION, str(tmp_path), kind).split()
    assert not (converted / ".muspy.success").exists()
    command = [sys.executable, "-c", SLOW_CONVERSION, str(tmp_path), kind]
    after = subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    # Two workers were at a run of two pieces each, and one run may have been whole but not yet named.
    assert len(set(before) & set(after)) <= 6
    assert len(set(before) | set(after)) == 30
    assert list(Saved(tmp_path)) == on_the_fly


def test_a_worker_that_dies_ends_the_conversion_and_the_next_one_goes_on(tmp_path: Path) -> None:
    for number in range(12):
        piece(number).save_json(tmp_path / f"{number:02d}.song")
    on_the_fly = list(Saved(tmp_path))
    with pytest.raises(joblib.externals.loky.process_executor.TerminatedWorkerError):
        Deadly(tmp_path, convert=True, kind="arrow", n_jobs=2)
    assert not (tmp_path / "_converted/music.arrow").exists()
    assert list(Deadly(tmp_path, convert=True, kind="arrow", n_jobs=2)) == on_the_fly


@pytest.mark.parametrize("kind", ["json", "arrow"])
def test_a_conversion_stopped_before_its_report_reads_nothing_again(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        piece(number).save_json(tmp_path / f"{number:02d}.song")
    (tmp_path / "03.song").write_text("{")

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("muspy_core.datasets.conversion.ConversionReport.write", stop)
        with pytest.raises(KeyboardInterrupt):
            Slow(tmp_path, convert=True, kind=kind)
    assert capsys.readouterr().out.split() == ["00.song", "01.song", "02.song", "03.song"]
    dataset = Slow(tmp_path, convert=True, kind=kind)
    # A file that failed is tried again where nothing says that it did.
    assert capsys.readouterr().out.split() == (["03.song"] if kind == "json" else [])
    assert [name for name, _ in dataset.report.failed] == ["03.song"]
    assert list(dataset) == [piece(number) for number in range(3)]
