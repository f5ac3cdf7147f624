"""Exports of trainings → the bundled synthesizer: network and vocoder in one folder, labels with other names.

It is the last step before a release: weights are copied in half precision, as they were exported.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from muspy_core.pretrained import CONFIG_NAME, WEIGHTS_NAME

from clipsonic.checkpoint import check_same_mel, load_network, load_vocoder, save_network
from clipsonic.config import ModelError
from clipsonic.experiments.wordings import ALIASES

LARGEST_BYTES = 8_000_000


def bundle(
    network: str | os.PathLike[str], vocoder: str | os.PathLike[str] | None, folder: str | os.PathLike[str]
) -> int:
    """Write a synthesizer of exported models into a folder, and return the size of that in bytes.

    network, vocoder: folders of the exports; without a vocoder sounds are made by Griffin-Lim. Raises ModelError if the
    two do not fit each other, or do not fit into a package.
    """
    folder = Path(folder)
    loaded = load_network(network)
    aliases = {name: label for label, names in ALIASES.items() if label in loaded.labels for name in names}
    save_network(folder / "network", dataclasses.replace(loaded, aliases=aliases))
    if vocoder is not None:
        check_same_mel(loaded, load_vocoder(vocoder))
        (folder / "vocoder").mkdir(parents=True, exist_ok=True)
        for name in (WEIGHTS_NAME, CONFIG_NAME):
            shutil.copyfile(Path(vocoder) / name, folder / "vocoder" / name)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LARGEST_BYTES:
        raise ModelError(f"{folder}: {size:,} bytes, more than the {LARGEST_BYTES:,} that a package may hold")
    return size
