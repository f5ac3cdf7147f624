"""`arranger fit`: LightningCLI over `TaggerModule` and `PieceDataModule` (config → training → checkpoint)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.errors import needed

CONFIGS = Path(str(resources.files("arranger") / "configs"))
LINKS = {"model.config.features": "data.features"}  # the data have what the model reads


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where torch or Lightning is missing.
    """
    with needed("arranger", "train", "training"):
        from muspy_core.training import fit_by_configuration

        from arranger.data import PieceDataModule
        from arranger.training import TaggerModule, initial

    return fit_by_configuration("arranger", arguments, TaggerModule, PieceDataModule, links=LINKS, initial=initial)
