"""Settings of the tests of all packages together: what the runs of commands came to is printed at the end."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from console_runs import COUNTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many damaged inputs the commands were given, and how they ended."""
    if COUNTS:
        terminalreporter.section("commands under damage")
        terminalreporter.line(", ".join(f"{name}: {count}" for name, count in sorted(COUNTS.items())))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of whole files of every kind, and of models."""
    # Torch and all packages are imported where a test asks for them only.
    from whole_inputs import write_files, write_listening_test, write_models

    folder = tmp_path_factory.mktemp("whole")
    write_files(folder)
    write_listening_test(folder)
    (folder / "models").mkdir()
    write_models(folder / "models")
    shutil.copytree(str(files("arranger") / "pretrained" / "bach-chorales"), folder / "models" / "arranger")
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a run: empty but for an empty `out` and what the test puts there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path
