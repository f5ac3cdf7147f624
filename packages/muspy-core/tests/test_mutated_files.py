"""Ten thousand damaged files of every format that we parse ourselves: each is read, or refused in time and memory.

A process of its own reads them all (damaged_batch.py), so that memory can be bounded and a crash is seen. What it
refuses it must refuse with the format's own error, in one line that names the file, within a second of processor time
and 200 MB for the whole batch, without a flood of log messages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from damaged_formats import FORMATS, foreign_files, make_format
from mutations import KINDS, mutants

pytest.importorskip("resource", reason="memory of a process can be bounded on POSIX systems only")
pytest.importorskip("pyarrow", reason="pyarrow is not installed; it writes the Arrow files")

COUNT = 10_000
MEGABYTES_FOR_ALL = 200


def run_batch(name: str, count: int, folder: Path, **environment: str) -> dict[str, Any]:
    """Read damaged files of a format in another process; return its report."""
    program = [sys.executable, Path(__file__).with_name("damaged_batch.py"), name, str(count), "1", folder]
    # Arrow's own allocator reserves address space far beyond what it uses, which the bound would count.
    settings = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"} | environment
    done = subprocess.run(program, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, f"died of {done.returncode} while reading {folder}/bad.*:\n{done.stderr[-2000:]}"
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def assert_survived(report: dict[str, Any], count: int) -> None:
    print(report)
    assert report["faults"] == []
    assert report["files"] >= count
    assert 0 < report["read"] < report["files"]
    assert report["megabytes"] < MEGABYTES_FOR_ALL


@pytest.mark.parametrize("name", ["midi", "abc"])
def test_some_damaged_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    assert_survived(run_batch(name, 60, tmp_path), 60)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_damaged_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    assert_survived(run_batch(name, COUNT, tmp_path), COUNT)


@pytest.mark.slow
def test_ten_thousand_damaged_midi_files_are_read_or_refused_in_python(tmp_path: Path) -> None:
    assert_survived(run_batch("midi", COUNT, tmp_path, MUSPY_CORE_EXTENSION="0"), COUNT)


@pytest.mark.parametrize("name", FORMATS)
def test_mutants_differ_from_their_originals(name: str, tmp_path: Path) -> None:
    originals = make_format(name, tmp_path).originals
    made = list(mutants(originals, foreign_files(name), count=10 * len(KINDS), seed=1))
    assert sum(data not in originals for data in made) > 0.8 * len(made)
    assert made == list(mutants(originals, foreign_files(name), count=10 * len(KINDS), seed=1))


def test_a_batch_reports_files_that_are_faulty(tmp_path: Path) -> None:
    """A reader that raises anything else, wants too much memory, or says too much, is found out."""
    program = (
        "import sys, logging; sys.argv[1:] = ['json', '10', '1', sys.argv[1]]\n"
        "import damaged_batch, damaged_formats, dataclasses\n"
        "made = damaged_formats.make_format\n"
        "def read(path):\n"
        "    data = path.read_bytes()\n"
        "    if data == b'': raise KeyError('empty')\n"
        "    if data == b'3': bytearray(300 * 1024 * 1024)\n"
        "    if data == b'{\"resolution\": 0}': [logging.getLogger('x').error('again') for _ in range(30)]\n"
        "def faulty(name, folder):\n"
        "    return dataclasses.replace(made(name, folder), read=read)\n"
        "damaged_batch.make_format = faulty\n"
        "damaged_batch.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, cwd=Path(__file__).parent, check=True
    )
    faults = json.loads(done.stdout)["faults"]
    assert any(fault.startswith("empty: KeyError") for fault in faults)
    assert any(fault.startswith("a resolution of 0: logged 30 messages") for fault in faults)
    if sys.platform == "linux":
        assert any(fault.startswith("a number: MemoryError") for fault in faults)
