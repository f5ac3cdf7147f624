"""Configuration files are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from muspy_core.configurations import ConfigurationError, configuration_names, with_configuration_paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("large", "small"):
        (tmp_path / f"{name}.yaml").write_text("model: {}\n")
    return tmp_path


@pytest.mark.parametrize("arguments", [["--config", "small"], ["-c", "small.yaml"]])
def test_a_bare_name_becomes_a_path(folder: Path, arguments: list[str]) -> None:
    assert with_configuration_paths(arguments, folder) == [arguments[0], str(folder / "small.yaml")]


def test_names_after_an_equals_sign_are_found_too_and_the_rest_stays(folder: Path) -> None:
    given = ["--config=large", "--trainer.max_steps", "small"]
    assert with_configuration_paths(given, folder) == [f"--config={folder / 'large.yaml'}", *given[1:]]


def test_a_file_stays_a_file(folder: Path) -> None:
    path = str(folder / "small.yaml")
    assert with_configuration_paths(["-c", path], folder) == ["-c", path]


def test_an_unknown_name_is_answered_with_those_that_exist(folder: Path) -> None:
    assert configuration_names(folder) == ["large", "small"]
    with pytest.raises(ConfigurationError, match="large, small"):
        with_configuration_paths(["-c", "medium"], folder)
