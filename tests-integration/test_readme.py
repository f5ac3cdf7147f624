"""The README's two commands are what the workspace really offers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINE = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install nox && \.venv/bin/nox -s (\S+)$", re.M)


def test_the_readme_has_two_commands_that_set_everything_up() -> None:
    assert LINE.findall(README) == ["demo", "tests"]


@pytest.mark.parametrize("session", LINE.findall(README))
def test_the_commands_name_sessions_that_exist(session: str) -> None:
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")

    assert re.search(rf"^def {session}\(session: nox\.Session\)", noxfile, re.M)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"^command=\$\(grep -m 1 -E '(.+)' README\.md\)$", script, re.M)

    (command,) = re.findall(pattern, README, re.M)

    assert command.endswith(".venv/bin/nox -s tests")
    assert 'bash -c "$command"' in script


@pytest.mark.parametrize(
    "path", ["README.md", "CONTRIBUTING.md", *(f"packages/{n}/README.md" for n in ("mmt", "arranger"))]
)
def test_nobody_is_told_to_break_system_packages(path: str) -> None:
    assert "--break-system-packages" not in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("package", sorted(path.name for path in (ROOT / "packages").iterdir() if path.is_dir()))
def test_every_package_is_listed_and_explains_itself(package: str) -> None:
    assert f"(packages/{package}/README.md)" in README
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"):
        assert (ROOT / "packages" / package / name).is_file()


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)

    assert [target for target in targets if not (ROOT / target).exists()] == []
