"""`arranger fit`: LightningCLI over `TaggerModule` and `PieceDataModule` (config → training → checkpoint)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.configurations import with_configuration_paths

CONFIGS = Path(str(resources.files("arranger") / "configs"))


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
            args=["fit", *with_configuration_paths(arguments, CONFIGS)],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": "arranger"},
        )
    return 0
