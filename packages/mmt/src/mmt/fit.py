"""`mmt fit`: LightningCLI over `MMTModule` and `SongDataModule` (config → training → checkpoint)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.configurations import with_configuration_paths
from muspy_core.errors import install_hint

CONFIGS = Path(str(resources.files("mmt"))) / "configs"


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    try:
        from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

        from mmt.data import SongDataModule
        from mmt.training import MMTModule
    except ModuleNotFoundError as error:
        wanted = install_hint("mmt", "train")
        raise ImportError(f"training needs {error.name}; install the extra: {wanted}") from error

    class FitCLI(LightningCLI):
        """Hands the model's encoding and length to the data."""

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            """Link what both must agree on."""
            parser.link_arguments("model.config.encoding", "data.encoding")
            parser.link_arguments("model.config.max_length", "data.max_length")

    with warnings.catch_warnings():
        # The arguments are those of the command line; only bare names have been replaced.
        warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
        FitCLI(
            MMTModule,
            SongDataModule,
            args=["fit", *with_configuration_paths(arguments, CONFIGS)],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": "mmt"},
        )
    return 0
