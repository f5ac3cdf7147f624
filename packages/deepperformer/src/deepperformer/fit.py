"""`deepperformer fit`: LightningCLI over what a configuration names (config → training → checkpoint)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.configurations import with_configuration_paths

CONFIGS = Path(str(resources.files("deepperformer"))) / "configs"


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    try:
        import lightning as L
        from lightning.pytorch.cli import LightningCLI
    except ModuleNotFoundError as error:
        raise ImportError(
            f"training needs {error.name}; install the extra: pip install 'deepperformer[train]'"
        ) from error

    with warnings.catch_warnings():
        # The arguments are those of the command line; only bare names have been replaced.
        warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
        LightningCLI(
            L.LightningModule,
            L.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            args=["fit", *with_configuration_paths(arguments, CONFIGS)],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": "deepperformer"},
        )
    return 0
