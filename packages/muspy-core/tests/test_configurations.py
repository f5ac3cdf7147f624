"""Configuration files are found by name."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from muspy_core.configurations import (
    ConfigurationError,
    check_checkpoint,
    configuration_names,
    with_configuration_paths,
)


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


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.made),)


def test_a_checkpoint_that_runs_code_is_refused_before_it_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the extra [experiments]")
    trap = {"state_dict": {}, "epoch": Trap(tmp_path / "made")}
    torch.save(trap, tmp_path / "new.ckpt")
    (tmp_path / "old.ckpt").write_bytes(pickle.dumps(trap))
    for name in ("new.ckpt", "old.ckpt"):
        with pytest.raises(ConfigurationError, match=rf"{name}: is no checkpoint"):
            check_checkpoint(tmp_path / name)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", bytes(200), b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("torch", reason="torch comes with the extra [experiments]")
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"last\.ckpt: is no checkpoint"):
        check_checkpoint(tmp_path / "last.ckpt")


def test_weights_and_plain_values_pass(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the extra [experiments]")
    torch.save(
        {"state_dict": {"weight": torch.zeros(2)}, "epoch": 3, "callbacks": {"a": {"best": 1.5}}}, tmp_path / "a"
    )
    check_checkpoint(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        check_checkpoint(tmp_path / "missing.ckpt")
