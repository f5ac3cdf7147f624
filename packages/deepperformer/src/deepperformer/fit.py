"""`deepperformer fit`: LightningCLI over what a configuration names (config → training → checkpoint)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.errors import needed

CONFIGS = Path(str(resources.files("deepperformer"))) / "configs"


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    with needed("deepperformer", "train", "training"):
        import lightning as L
        from muspy_core.training import fit_by_configuration

        from deepperformer.initial import initial

    return fit_by_configuration("deepperformer", arguments, L.LightningModule, L.LightningDataModule, initial=initial)
