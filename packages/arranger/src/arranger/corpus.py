"""Corpora → pieces: the Bach chorales inside the music21 wheel (§4.5.1, Table 4.1).

Reading a corpus takes a while, so its notes are kept in a cache folder as one compressed file.
"""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically
from tqdm.auto import tqdm

from arranger.mixture import Mixture, Piece, labelled_mixture
from arranger.parts import SATB, PartSet

logger = logging.getLogger(__name__)

CORPORA: dict[str, PartSet] = {"bach": SATB}
BACH_PIECES, BACH_NOTES = 409, 96_606

_CACHE_VERSION = 1
_MIN_PARTS, _MIN_NOTES = 2, 10  # a piece counts if at least two parts have more than ten notes (§4.5.1)
# Two chorales whose parts are named after the voice and the instruments that double it.
_LONG_NAMES = ("bwv171.6", "bwv41.6")


class CorpusError(MuspyError):
    """A corpus that is unknown, missing, or not as expected."""


def load_corpus(name: str, cache: str | os.PathLike[str] | None = None) -> list[Piece]:
    """Return all pieces of a corpus, sorted by name: from the cache folder where possible, else from its files.

    cache: default `~/.cache/arranger` (or `$XDG_CACHE_HOME/arranger`). Raises CorpusError for an unknown corpus or
    one whose files are not installed.
    """
    if name not in CORPORA:
        raise CorpusError(f"unknown corpus {name!r}; there are {', '.join(CORPORA)}")
    folder = Path(cache) if cache else default_cache()
    path = folder / f"{name}-{_source_version(name)}-v{_CACHE_VERSION}.npz"
    if path.exists():
        try:
            return read_pieces(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            logger.warning("%s: cannot be read (%s); reading the corpus again", path, error)
    pieces = read_bach_chorales()
    folder.mkdir(parents=True, exist_ok=True)
    write_pieces(path, pieces)
    return pieces


def default_cache() -> Path:
    """The folder that holds what was read once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arranger"


def _source_version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"music21-{version('music21')}"
    except PackageNotFoundError:
        raise CorpusError(
            f"the corpus {name!r} is part of the music21 package, which is not installed; "
            "install it by `pip install music21` or with the extra arranger[train]"
        ) from None


def read_bach_chorales(folder: str | os.PathLike[str] | None = None) -> list[Piece]:
    """Return the chorales of the music21 wheel that have at least two of the four voices, sorted by name.

    All `.mxl` and `.xml` files are read as they are printed: repeats not played out, ties merged, grace notes left
    out. With music21 9.1 to 10.5 these are 409 pieces with 96,606 notes (Table 4.1: 409 pieces).
    """
    from muspy_core.io.musicxml import read_musicxml

    pieces = []
    for path in tqdm(bach_files(folder), desc="reading chorales", unit="file", disable=None):
        music = read_musicxml(path, expand_repeats=False)
        labels = [bach_label(path.stem, track.name or "") for track in music.tracks]
        piece = labelled_mixture(music, labels, path.stem)
        if (np.bincount(piece.label, minlength=len(SATB)) > _MIN_NOTES).sum() >= _MIN_PARTS:
            pieces.append(piece)
    return pieces


def bach_files(folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the chorales' score files, sorted by name; music21 itself is not imported."""
    if folder is None:
        spec = find_spec("music21")
        if spec is None or spec.origin is None:
            _source_version("bach")
            raise CorpusError("music21 is installed without its corpus; install it again by pip")
        folder = Path(spec.origin).parent / "corpus" / "bach"
    return sorted((p for p in Path(folder).rglob("*") if p.suffix in (".mxl", ".xml")), key=lambda p: p.stem)


def bach_label(piece: str, track_name: str) -> int | None:
    """Return the voice that a part's name means: the whole name, or its first word in two scores with longer names."""
    first, _, _ = track_name.partition(" ")
    return SATB.label_of(first if piece in _LONG_NAMES else track_name)


def write_pieces(path: str | os.PathLike[str], pieces: Sequence[Piece]) -> None:
    """Write pieces into one `.npz` file."""
    columns = [
        np.stack([m.onset, m.pitch, m.duration, m.velocity, piece.label]) for piece in pieces for m in [piece.mixture]
    ]
    sizes = np.array([len(piece) for piece in pieces])
    names = np.array([piece.name for piece in pieces], dtype=np.str_)
    table = np.concatenate(columns, axis=1).astype(np.int32) if columns else np.zeros((5, 0), np.int32)
    with write_atomically(path) as temporary:
        np.savez_compressed(temporary, names=names, sizes=sizes, notes=table)


def read_pieces(path: str | os.PathLike[str]) -> list[Piece]:
    """Return the pieces of a file that `write_pieces` wrote."""
    with np.load(path, allow_pickle=False) as file:
        names, sizes, table = file["names"], file["sizes"], file["notes"].astype(np.int64)
    ends = np.cumsum(sizes)
    return [
        Piece(str(name), Mixture(*table[:4, end - size : end]), table[4, end - size : end])
        for name, size, end in zip(names, sizes.tolist(), ends.tolist(), strict=True)
    ]
