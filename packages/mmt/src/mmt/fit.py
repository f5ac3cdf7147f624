"""`mmt fit`: LightningCLI over `MMTModule` and `SongDataModule` (config → training → checkpoint)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.errors import needed

CONFIGS = Path(str(resources.files("mmt"))) / "configs"
# What the model's encoding and length are, the data must agree on.
LINKS = {"model.config.encoding": "data.encoding", "model.config.max_length": "data.max_length"}


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    with needed("mmt", "train", "training"):
        from muspy_core.training import fit_by_configuration

        from mmt.data import SongDataModule
        from mmt.training import MMTModule, initial

    return fit_by_configuration("mmt", arguments, MMTModule, SongDataModule, links=LINKS, initial=initial)
