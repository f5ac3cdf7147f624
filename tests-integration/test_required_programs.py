"""Where CI has installed every program, a test that skips for want of one fails; elsewhere it skips."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

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


FILES = {
    "test_fixture.py": SKIPS_IN_A_FIXTURE,
    "test_inside.py": SKIPS_IN_THE_TEST,
    "test_file.py": SKIPS_AS_A_FILE,
    "test_other.py": SKIPS_FOR_ANOTHER_REASON,
}


def run_pytest(folder: Path, *, required: bool) -> tuple[int, str]:
    """Run pytest on all files under the workspace's conftest and markers; return its exit code and what it printed."""
    shutil.copy(ROOT / "conftest.py", folder)
    for name, source in FILES.items():
        (folder / name).write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    fluidsynth\n", encoding="utf-8")
    # No plugin is looked for in what is installed: some of them take seconds to import.
    environment = os.environ | {"MUSPY_REQUIRE_PROGRAMS": str(int(required)), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rfEs",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
    ]
    done = subprocess.run([*command, *FILES], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def endings(printed: str) -> dict[str, str]:
    """Return the word with which pytest says how each file ended."""
    return {name: line.split()[0] for line in printed.splitlines() for name in FILES
            if name in line and line.startswith(("FAILED", "ERROR", "SKIPPED"))}  # fmt: skip


def test_a_missing_program_fails_the_run_in_ci_and_other_skips_stay_skips(tmp_path: Path) -> None:
    code, printed = run_pytest(tmp_path, required=True)

    assert code != 0
    assert endings(printed) == {
        "test_fixture.py": "ERROR",
        "test_inside.py": "FAILED",
        "test_file.py": "ERROR",
        "test_other.py": "SKIPPED",
    }
    assert printed.count("skipped although MUSPY_REQUIRE_PROGRAMS=1: ") >= 3


def test_a_missing_program_is_a_skip_elsewhere(tmp_path: Path) -> None:
    code, printed = run_pytest(tmp_path, required=False)

    assert code == 0
    assert endings(printed) == dict.fromkeys(FILES, "SKIPPED")
