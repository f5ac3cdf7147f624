"""Where CI has installed every program, a test that skips for want of one fails; elsewhere it skips."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SKIPS_IN_A_FIXTURE = """
import pytest

@pytest.fixture
def browser():
    pytest.skip("chromium is not installed")

@pytest.mark.browser
def test_page(browser):
    pass
"""
SKIPS_IN_THE_TEST = """
import pytest

@pytest.mark.fluidsynth
def test_sound():
    pytest.skip("fluidsynth is not installed")
"""
SKIPS_AS_A_FILE = """
import pytest

pytest.importorskip("no_such_module")
"""
SKIPS_FOR_ANOTHER_REASON = """
import pytest

def test_corpus():
    pytest.skip("no corpora here")
"""


def run_pytest(folder: Path, source: str, *, required: bool) -> subprocess.CompletedProcess[str]:
    """Run pytest on one test file under the workspace's conftest and markers."""
    shutil.copy(ROOT / "conftest.py", folder)
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    fluidsynth\n", encoding="utf-8")
    environment = {**os.environ, "MUSPY_REQUIRE_PROGRAMS": "1" if required else "0"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("source", [SKIPS_IN_A_FIXTURE, SKIPS_IN_THE_TEST, SKIPS_AS_A_FILE])
def test_a_missing_program_fails_the_run_in_ci(tmp_path: Path, source: str) -> None:
    done = run_pytest(tmp_path, source, required=True)

    assert done.returncode != 0
    assert "skipped although MUSPY_REQUIRE_PROGRAMS=1" in done.stdout


@pytest.mark.parametrize("source", [SKIPS_IN_A_FIXTURE, SKIPS_IN_THE_TEST])
def test_a_missing_program_is_a_skip_elsewhere(tmp_path: Path, source: str) -> None:
    done = run_pytest(tmp_path, source, required=False)

    assert done.returncode == 0
    assert "1 skipped" in done.stdout


def test_other_skips_stay_skips_in_ci(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, SKIPS_FOR_ANOTHER_REASON, required=True)

    assert done.returncode == 0
    assert "1 skipped" in done.stdout
