"""Configuration files by name: what the `fit` commands of all model packages share.

A package ships one LightningCLI configuration for each row of its tables; `--config NAME` finds it there, and
`--config PATH` is a file as usual.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from muspy_core.errors import MuspyError

OPTIONS = ("--config", "-c")


class ConfigurationError(MuspyError):
    """A configuration that does not exist, or a checkpoint that a training cannot go on from."""


def configuration_names(folder: Path) -> list[str]:
    """Return the names of the configurations in a folder, sorted."""
    return sorted(file.stem for file in folder.glob("*.yaml"))


def configuration_path(name: str, folder: Path) -> str:
    """Return the path of a configuration: a file as given, or one of the folder's by its bare name.

    Raises ConfigurationError, which lists the names, if there is neither.
    """
    if Path(name).is_file():
        return name
    path = folder / f"{name.removesuffix('.yaml')}.yaml"
    if path.is_file():
        return str(path)
    known = ", ".join(configuration_names(folder))
    raise ConfigurationError(f"no configuration {name!r}: neither a file nor one of {known}")


def with_configuration_paths(arguments: Sequence[str], folder: Path) -> list[str]:
    """Replace the bare names after `--config` or `-c` among the arguments of a command by paths."""
    result: list[str] = []
    expects_path = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if expects_path:
            result.append(configuration_path(argument, folder))
        elif equals and name in OPTIONS:
            result.append(f"{name}={configuration_path(value, folder)}")
        else:
            result.append(argument)
        expects_path = argument in OPTIONS
    return result


def check_checkpoint(path: str | os.PathLike[str]) -> None:
    """Refuse a checkpoint of Lightning that is damaged, or that would run code when it is opened.

    Such files are pickles. What torch reads with `weights_only` names nothing but tensors and plain values, so that
    Lightning may open it in its own way afterwards. Raises OSError for a file that is not there, ConfigurationError for
    one that is not safe.
    """
    import pickle

    import torch

    damaged = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError)
    with open(path, "rb") as file:
        try:
            torch.load(file, map_location="cpu", weights_only=True)
        except damaged:
            # What torch says is advice to open it all the same.
            name = os.fspath(path)
            raise ConfigurationError(f"{name}: is no checkpoint: damaged, or it holds more than weights") from None
