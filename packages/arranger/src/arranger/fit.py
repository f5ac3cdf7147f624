"""`arranger fit`: LightningCLI over `TaggerModule` and `PieceDataModule` (config → training → checkpoint)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from arranger.checkpoint import ModelError


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where torch or Lightning is missing.
    """
    try:
        from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

        from arranger.data import PieceDataModule
        from arranger.training import TaggerModule
    except ModuleNotFoundError as error:
        raise ImportError(f"training needs {error.name}; install the extra: pip install 'arranger[train]'") from error

    class FitCLI(LightningCLI):
        """Hands the model's features to the data."""

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            """Link what both must agree on."""
            parser.link_arguments("model.config.features", "data.features")

    with warnings.catch_warnings():
        # The arguments are those of the command line; only bare names have been replaced.
        warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
        FitCLI(
            TaggerModule,
            PieceDataModule,
            args=["fit", *with_paths(arguments)],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": "arranger"},
        )
    return 0


def with_paths(arguments: Sequence[str]) -> list[str]:
    """Replace bare configuration names after `--config` or `-c` by the paths of the package's own files."""
    result: list[str] = []
    expects_path = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if expects_path:
            result.append(config_path(argument))
        elif equals and name in ("--config", "-c"):
            result.append(f"{name}={config_path(value)}")
        else:
            result.append(argument)
        expects_path = argument in ("--config", "-c")
    return result


def config_path(name: str) -> str:
    """Return the path of a configuration: a file as given, or one of the package's by its bare name."""
    if Path(name).is_file():
        return name
    folder = Path(str(resources.files("arranger") / "configs"))
    path = folder / f"{name.removesuffix('.yaml')}.yaml"
    if path.is_file():
        return str(path)
    known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
    raise ModelError(f"no configuration {name!r}: neither a file nor one of {known}")
