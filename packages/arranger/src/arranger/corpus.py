"""Corpora by name → pieces, read once and kept in a cache folder as one compressed file (§4.6, Table 4.1)."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from muspy_core.io.files import write_atomically

from arranger.corpora.bands import read_freedoom, read_lakh
from arranger.corpora.musicnet import read_musicnet_quartets
from arranger.corpora.nes import read_nes
from arranger.corpora.scores import CorpusError, read_bach_chorales, read_music21_quartets, read_openscore_quartets
from arranger.mixture import Mixture, Piece
from arranger.parts import NES, POP_BAND, SATB, STRING_QUARTET, PartSet
from arranger.splits import shipped_duplicates, work_of

logger = logging.getLogger(__name__)

_CACHE_VERSION = 1

Reader = Callable[["str | os.PathLike[str] | None"], list[Piece]]


@dataclass(frozen=True)
class Corpus:
    """Where a corpus comes from.

    parts: the classes of its notes. read: reads it from a folder; the folder of the music21 wheel if it is None.
    dataset: name in muspy-core's catalogue, which downloads it; empty for what is in the music21 wheel. more: what else
    the folder must hold.
    """

    parts: PartSet
    read: Reader
    dataset: str = ""
    more: str = ""


def _openscore_quartets(folder: str | os.PathLike[str] | None) -> list[Piece]:
    """The OpenScore quartets without the works that the music21 wheel has too."""
    left_out = set(shipped_duplicates("openscore-quartets"))
    return [piece for piece in read_openscore_quartets(folder) if work_of(piece.name) not in left_out]


CORPORA: dict[str, Corpus] = {
    "bach": Corpus(SATB, read_bach_chorales),
    "music21-quartets": Corpus(STRING_QUARTET, read_music21_quartets),
    "openscore-quartets": Corpus(STRING_QUARTET, _openscore_quartets, "openscore-quartets"),
    "musicnet": Corpus(STRING_QUARTET, read_musicnet_quartets, "musicnet", "musicnet_metadata.csv"),
    "nes": Corpus(NES, read_nes, "nes"),
    "lakh": Corpus(POP_BAND, read_lakh, "lmd-matched", "cleansed_ids.txt"),
    "freedoom": Corpus(POP_BAND, read_freedoom),
}


def load_corpus(
    name: str, cache: str | os.PathLike[str] | None = None, source: str | os.PathLike[str] | None = None
) -> list[Piece]:
    """Return all pieces of a corpus, sorted by name: from the cache folder where possible, else from its files.

    cache: default `~/.cache/arranger` (or `$XDG_CACHE_HOME/arranger`). source: folder of the files; not needed for what
    is in the music21 wheel or in the cache. Raises CorpusError for an unknown corpus or one whose files are missing.
    """
    corpus = corpus_of(name)
    folder = Path(cache) if cache else default_cache()
    path = folder / f"{name}-{_source_version(name)}-v{_CACHE_VERSION}.npz"
    if path.exists():
        try:
            return read_pieces(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            logger.warning("%s: cannot be read (%s); reading the corpus again", path, error)
    if source is None and not _is_in_wheel(name):
        raise CorpusError(f"the corpus {name!r} has not been read yet; {_how_to_get(name, corpus)}")
    pieces = corpus.read(source)
    folder.mkdir(parents=True, exist_ok=True)
    write_pieces(path, pieces)
    return pieces


def corpus_of(name: str) -> Corpus:
    """Return what is known of a corpus; raises CorpusError for an unknown one."""
    if name not in CORPORA:
        raise CorpusError(f"unknown corpus {name!r}; there are {', '.join(CORPORA)}")
    return CORPORA[name]


def default_cache() -> Path:
    """The folder that holds what was read once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arranger"


def _how_to_get(name: str, corpus: Corpus) -> str:
    if not corpus.dataset:
        return "give the folder of its files by --source FOLDER"
    with_more = f", put {corpus.more} into it" if corpus.more else ""
    return f"get it by `muspy-core dataset download {corpus.dataset} FOLDER`{with_more} and add --source FOLDER"


def _is_in_wheel(name: str) -> bool:
    return name in ("bach", "music21-quartets")


def _source_version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    if not _is_in_wheel(name):
        return "files"
    try:
        return f"music21-{version('music21')}"
    except PackageNotFoundError:
        raise CorpusError(
            f"the corpus {name!r} is part of the music21 package, which is not installed; "
            "install it by `pip install music21` or with the extra `train`"
        ) from None


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
