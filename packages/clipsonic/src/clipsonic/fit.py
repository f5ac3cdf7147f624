"""`clipsonic fit`: LightningCLI over the modules of network, prior and vocoder (config → training → checkpoint)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.errors import needed

CONFIGS = Path(str(resources.files("clipsonic"))) / "configs"


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    with needed("clipsonic", "train", "training"):
        import lightning as L
        from muspy_core.training import fit_by_configuration

        from clipsonic.data import ClipDataModule
        from clipsonic.initial import initial

    # A configuration names which of the three modules it trains.
    return fit_by_configuration("clipsonic", arguments, L.LightningModule, ClipDataModule, initial=initial)
