"""The string quartets of MusicNet: MIDI files and the table that says which are quartets (files → pieces, §4.6)."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

from tqdm.auto import tqdm

from arranger.corpora.scores import CorpusError, counts
from arranger.mixture import Piece, labelled_mixture
from arranger.parts import STRING_QUARTET

TABLE = "musicnet_metadata.csv"
TABLE_SOURCE = f"https://zenodo.org/record/5120004/files/{TABLE}"
ENSEMBLE = "String Quartet"
# Names are searched in this order. Whole words are compared: "violino ii" is no "violino i".
_NAMES = (
    (2, re.compile(r"\bviola\b")),
    (3, re.compile(r"cello\b")),
    (1, re.compile(r"\b(2nd|second|violin ?2|violino? ii)\b")),
    (0, re.compile(r"\b(1st|first|violin ?1|violino? i)\b")),
)
# Five files whose tracks are not named after the instruments; their first four tracks are the parts in order.
_BY_ORDER = ("1931_dv96_2", "1932_dv96_3", "1933_dv96_4", "2138_br51n1m2", "2140_br51n1m4")


def read_musicnet_quartets(folder: str | os.PathLike[str] | None) -> list[Piece]:
    """Return the string quartets of MusicNet, sorted by name.

    folder: with the extracted `musicnet_midis.tar.gz` and `musicnet_metadata.csv` somewhere below it. Raises
    CorpusError if one of the two is missing.
    """
    from muspy_core import read_midi

    root = Path(folder or ".")
    wanted = quartet_numbers(root)
    files = sorted((p for p in root.rglob("*.mid") if p.stem.split("_")[0] in wanted), key=lambda p: p.stem)
    if not files:
        raise CorpusError(f"{root}: none of its MIDI files is a string quartet of MusicNet (such as 1788_….mid)")
    pieces = []
    for path in tqdm(files, desc="reading MusicNet", unit="file", disable=None):
        music = read_midi(path)
        if path.stem in _BY_ORDER:
            labels: list[int | None] = [i if i < len(STRING_QUARTET) else None for i in range(len(music.tracks))]
        else:
            labels = [musicnet_label(track.name or "") for track in music.tracks]
        piece = labelled_mixture(music, labels, path.stem)
        if counts(piece, STRING_QUARTET):
            pieces.append(piece)
    return pieces


def quartet_numbers(root: Path) -> set[str]:
    """Return the identifiers of the string quartets by MusicNet's own table."""
    table = next(iter(sorted(root.rglob(TABLE))), None)
    if table is None:
        raise CorpusError(f"{root}: there is no {TABLE}, which says what the quartets are; get it from {TABLE_SOURCE}")
    with table.open(encoding="utf-8", newline="") as file:
        return {row["id"] for row in csv.DictReader(file) if row["ensemble"] == ENSEMBLE}


def musicnet_label(track_name: str) -> int | None:
    """Return the part that a track's name means, None if it means none."""
    name = " ".join(track_name.lower().split())
    return next((label for label, pattern in _NAMES if pattern.search(name)), None)
