"""Prepared songs → the same songs with velocity, tempo, time signature and drums (`mmt extend`, after `prepare`)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from muspy_core.datasets import MusicDataset
from tqdm.auto import tqdm

from mmt.extended import rows_of
from mmt.notes import EncodingError
from mmt.songs import Songs, load_split, save_split

CONVERTED = "converted"  # where `prepare` keeps the music that it read
CONVERSION = "conversion.json"


def extend(folder: str | os.PathLike[str], output: str | os.PathLike[str], *, progress: bool | None = None) -> Songs:
    """Write the songs that `mmt prepare` put into a folder as extended rows into another, with the same split.

    The music is that which `prepare` kept. progress: show a bar; None: on terminals only. Raises EncodingError if the
    folder holds no prepared songs.
    """
    folder, output = Path(folder), Path(output)
    try:
        names = json.loads((folder / CONVERTED / CONVERSION).read_text(encoding="utf-8"))["names"]
    except (OSError, ValueError, KeyError) as error:
        raise EncodingError(f"{folder}: holds no music that `mmt prepare` converted: {error!r}") from error
    split = load_split(folder)
    wanted = {name for part in split.values() for name in part}
    pieces = tqdm(names, desc="extending", disable=None if progress is None else not progress)
    music = MusicDataset(folder / CONVERTED, kind="arrow")
    songs = Songs.of(
        (name, rows_of(music[index], from_first=True)) for index, name in enumerate(pieces) if name in wanted
    )
    output.mkdir(parents=True, exist_ok=True)
    songs.save(output)
    save_split(output, split)
    return songs
