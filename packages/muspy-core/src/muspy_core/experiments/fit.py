"""`python -m muspy_core.experiments fit`: LightningCLI over `EventModule` and `EventDataModule` (config → checkpoint).

The runner of the table does not need it; it is for training one model under settings of your own.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.configurations import with_configuration_paths

CONFIGS = Path(str(resources.files("muspy_core.experiments"))) / "configs"


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning or its command-line part is missing.
    """
    try:
        from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

        from muspy_core.experiments.loading import EventDataModule
        from muspy_core.experiments.training import EventModule
    except ModuleNotFoundError as error:
        raise ImportError(
            f"training needs {error.name}; install the extra: pip install 'muspy-core[experiments]'"
        ) from error

    class FitCLI(LightningCLI):
        """Hands the model's protocol to the data."""

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            """Link what both must agree on."""
            parser.link_arguments("model.protocol", "data.protocol")

    with warnings.catch_warnings():
        # The arguments are those of the command line; only bare names have been replaced.
        warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
        FitCLI(
            EventModule,
            EventDataModule,
            args=["fit", *with_configuration_paths(arguments, CONFIGS)],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": "python -m muspy_core.experiments"},
        )
    return 0
