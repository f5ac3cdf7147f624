"""Every installed console script answers --version and --help, and refuses nonsense in one line."""

from __future__ import annotations

import subprocess
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest
from check_installed import distribution_name

PACKAGES = (
    "muspy-core",
    "mmt",
    "arranger",
    "deepperformer",
    "clipsep",
    "clipsonic",
)


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = Path(sysconfig.get_path("scripts")) / command[0]
    return subprocess.run([str(program), *command[1:]], capture_output=True, text=True, timeout=120, cwd=cwd)


@pytest.mark.parametrize("package", PACKAGES)
def test_version_is_that_of_the_package(package: str) -> None:
    done = run(package, "--version")

    assert done.returncode == 0
    assert distribution(distribution_name(package)).version in done.stdout


@pytest.mark.parametrize("command", PACKAGES)
def test_help_fits_on_a_screen_and_shows_an_example(command: str) -> None:
    done = run(command, "--help")

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) <= 50
    assert f"{command} " in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("muspy-core", "info", "missing.mid"),
        ("arranger", "separate", "missing.mid", "-o", "parts.mid"),
        ("mmt", "generate", "--continue", "missing.mid", "-o", "songs"),
    ],
)
def test_a_file_that_is_not_there_is_one_line_and_exit_code_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "missing.mid" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_one_command_of_its_name(package: str) -> None:
    scripts = {
        entry.name
        for entry in distribution(distribution_name(package)).entry_points
        if entry.group == "console_scripts"
    }

    assert scripts == {package}
