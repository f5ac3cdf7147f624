"""The container files name what is there (they are not built here)."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
DEVELOPERS = (ROOT / ".devcontainer" / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_is_made_of_folders_that_exist() -> None:
    lists = re.findall(r'PACKAGES="([^"]+)"', DOCKERFILE)
    names = {name.partition("[")[0] for given in lists for name in given.split()}
    assert names == {path.name for path in (ROOT / "packages").iterdir() if path.is_dir()}
    assert all(given.startswith("muspy-core") for given in lists)


def test_what_the_image_copies_is_not_ignored() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.M)
    assert copied == kept
    assert all((ROOT / folder).is_dir() for folder in copied)


def test_a_developer_has_the_programs_that_ci_installs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    wanted = {"chromium", "chromium-driver", "fluidsynth"}
    assert wanted <= set(re.findall(r"[\w-]+", script))
    assert wanted <= set(re.findall(r"[\w-]+", DEVELOPERS))


def test_a_developer_installs_groups_and_extras_that_exist() -> None:
    command = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))[
        "postCreateCommand"
    ]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f"\n{group} = [" in project for group in re.findall(r"--group (\S+)", command))
    for folder, extra in re.findall(r"\./packages/([\w-]+)\[(\w+)\]", command):
        assert f"\n{extra} = [" in (ROOT / "packages" / folder / "pyproject.toml").read_text(encoding="utf-8")
