"""Corpora that the paper or this package trains on: which of their files are songs, and how they are split.

`mmt prepare FOLDER --corpus NAME` takes the files of a corpus that was downloaded; nothing is downloaded here. A split
is drawn by work, or read from lists of names such as the paper's repository publishes for its three corpora.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mmt.notes import EncodingError
from mmt.songs import SUBSETS, Songs


@dataclass(frozen=True)
class Recipe:
    """What a corpus is made of.

    files: what the path of a song below the folder looks like (a regular expression that is searched for). group_depth:
    leading folders, the corpus's own among them, that movements of one work share. about: what it is, its licence.
    """

    title: str
    files: str
    group_depth: int
    about: str


RECIPES = {
    "openscore-quartets": Recipe(
        "OpenScore String Quartets", r"\.(mxl|musicxml|mscx)$", 4,
        "string quartets, one folder a work below its composer's; CC0",
    ),
    "openscore-lieder": Recipe(
        "OpenScore Lieder", r"\.(mxl|musicxml|mscx)$", 4,
        "songs for voice and piano, one folder a cycle below its composer's; CC0",
    ),
    "pop909": Recipe(
        "POP909", r"(^|/)(\d{3})/\2\.mid$", 0,
        "909 pop songs as melody, bridge and piano; of each song the first version; MIT",
    ),
    "freedoom": Recipe("Freedoom", r"\.mid$", 0, "music of a free game; BSD"),
    "sod": Recipe(
        "Symbolic Orchestral Database", r"\.(mid|midi|xml|mxl|musicxml)$", 0,
        "the paper's first corpus: orchestral files of several collections; not free to hand on",
    ),
    "lmd": Recipe(
        "Lakh MIDI, full or matched", r"(^|/)[0-9a-f]{32}\.mid$", 0,
        "the paper's second corpus, by the checksums of files; CC BY 4.0 for the collection",
    ),
    "symphonynet": Recipe("SymphonyNet", r"\.midi?$", 0, "46,360 symphonic MIDI files; for research"),
}  # fmt: skip


def recipe_of(name: str) -> Recipe:
    """Return the recipe of a corpus. Raises ValueError, which lists the names, for an unknown one."""
    if name not in RECIPES:
        raise ValueError(f"unknown corpus {name!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def is_song(recipe: Recipe, name: str) -> bool:
    """Return whether a file is a song of the corpus. name: its path with slashes."""
    return re.search(recipe.files, name) is not None


def listed_split(songs: Songs, folder: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Return the names of the songs of each subset by lists: `train-names.txt`, `valid-names.txt`, `test-names.txt`.

    A list has a name a line, a path without an extension; it stands for the song whose path ends with it. Songs in no
    list are in no subset. Raises EncodingError if there is no list, no song is found, or one is in two lists.
    """
    places = {_without_extension(name): name for name in songs.names}
    known: dict[str, str] = {}
    for stem, name in places.items():
        parts = stem.split("/")
        known.update({"/".join(parts[start:]): name for start in range(len(parts))})
    split: dict[str, list[str]] = {}
    for subset in SUBSETS:
        path = Path(folder) / f"{subset}-names.txt"
        try:
            listed = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise EncodingError(f"{path}: no list of names: {error}") from error
        split[subset] = [known[name] for line in listed if (name := line.strip()) in known]
    chosen = [name for names in split.values() for name in names]
    if not chosen:
        raise EncodingError(
            f"{folder}: none of the {len(songs)} songs is in a list; a list has paths without extension"
        )
    if len(set(chosen)) < len(chosen):
        twice = next(name for name in chosen if chosen.count(name) > 1)
        raise EncodingError(f"{folder}: {twice} stands in the lists twice")
    return split


def _without_extension(name: str) -> str:
    return str(Path(name).with_suffix("").as_posix())
