"""`clipsep fit`: LightningCLI over `CLIPSepModule` and `MixDataModule` (config → training → checkpoint)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.configurations import with_configuration_paths

CONFIGS = Path(str(resources.files("clipsep"))) / "configs"


def fit(arguments: Sequence[str]) -> int:
    """Train a model; the arguments are those of LightningCLI's `fit`, with bare configuration names allowed.

    Raises ImportError, which says what to install, where Lightning is missing.
    """
    try:
        from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

        from clipsep.data import MixDataModule
        from clipsep.training import CLIPSepModule
    except ModuleNotFoundError as error:
        raise ImportError(f"training needs {error.name}; install the extra: pip install 'clipsep[train]'") from error

    class FitCLI(LightningCLI):
        """Hands the model's number of sources to the data, and what the data are to the model."""

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            """Link what both must agree on."""
            parser.link_arguments("model.config.sources", "data.sources")

        def before_instantiate_classes(self) -> None:
            """Take the length of queries, and the labels of a LabelSep, from the folder."""
            fill_in(self.config["fit"])

    with warnings.catch_warnings():
        # The arguments are those of the command line; only bare names have been replaced.
        warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
        FitCLI(
            CLIPSepModule,
            MixDataModule,
            args=["fit", *with_configuration_paths(arguments, CONFIGS)],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": "clipsep"},
        )
    return 0


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
            raise LibraryError(f"{data.folder}: has no vectors; prepare it with --clip-weights or --sentence")
        if model.kind != "labelsep":
            model.query_dim = library.vectors.dim
