"""`clipsep fit`: LightningCLI over `CLIPSepModule` and `MixDataModule` (config → training → checkpoint)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.errors import needed

CONFIGS = Path(str(resources.files("clipsep"))) / "configs"
LINKS = {"model.config.sources": "data.sources"}


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    with needed("clipsep", "train", "training"):
        from muspy_core.training import fit_by_configuration

        from clipsep.data import MixDataModule
        from clipsep.training import CLIPSepModule, initial

    return fit_by_configuration(
        "clipsep", arguments, CLIPSepModule, MixDataModule, links=LINKS, fill_in=fill_in, initial=initial
    )


def fill_in(config: object) -> None:
    """Set the labels and the length of queries of a configuration (a namespace) by its folder.

    Raises LibraryError if the folder has not been prepared, or not for such queries, ConfigError for queries of absent
    sounds where the network has a head for each source.
    """
    from clipsep.config import ConfigError
    from clipsep.library import Library, LibraryError

    model, data = config.model.config, config.data  # type: ignore[attr-defined]  # jsonargparse's namespace
    if data.absent and model.kind in ("pit", "clipsep-nit"):
        raise ConfigError(f"absent={data.absent}: {model.kind} learns an order of as many heads as there are sources")
    library = Library.read(data.folder)
    if data.queries == "label":
        model.labels = tuple(library.trained_labels)
    elif data.queries != "none":
        if not library.vectors.dim:
            raise LibraryError(
                f"{data.folder}: has no vectors; prepare it with --clip-weights, --resnet-weights or --sentence"
            )
        if model.kind != "labelsep":
            model.query_dim = library.vectors.dim
