"""Data sets by key, or folders of any files, opened as named pieces to convert or to count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from muspy_core.datasets.abc import read_tune, tunes_of
from muspy_core.datasets.base import Dataset
from muspy_core.datasets.catalogue import get_dataset
from muspy_core.datasets.catalogue.extracted import piece_names
from muspy_core.datasets.corpus import CorpusDataset
from muspy_core.datasets.folder import FolderDataset, files_below
from muspy_core.datasets.sources import Indexed, Source, is_midi
from muspy_core.io import READABLE, read
from muspy_core.music import Music


class AnyFolder(FolderDataset):
    """A folder of files in any format that can be read; every tune of an ABC tune book is a piece."""

    _extension = READABLE

    def get_raw_filenames(self) -> list[Any]:
        """Return the files in order of their paths, for tune books (path, number of the tune)."""
        paths = files_below(self.root, self._extension)
        return [item for path in paths for item in (tunes_of(path) if path.suffix.lower() == ".abc" else [path])]

    def read(self, filename: Any) -> Music:
        """Read one file or tune."""
        if isinstance(filename, tuple):
            return read_tune(*filename)
        music: Music = read(filename)
        return music

    def midi(self, filename: Any) -> Path | None:
        """Return the path of a raw file that is MIDI."""
        return filename if type(self).read is AnyFolder.read and is_midi(filename) else None


def open_dataset(key: str, root: Path | None = None) -> Dataset:
    """Open the files of a data set, as they were extracted into a folder, or of any folder (then `key` is its path).

    Data sets inside the music21 wheel take no folder. Raises ValueError that says what is missing.
    """
    if root is None and Path(key).is_dir():
        return AnyFolder(key, use_converted=False)
    dataset = get_dataset(key)
    if not issubclass(dataset, FolderDataset):
        if root is not None:
            raise ValueError(f"{key} is part of the music21 wheel and takes no folder")
        return dataset()
    if root is None:
        raise ValueError(f"{key}: say in which folder it was extracted: {key} FOLDER")
    try:
        return dataset(root, use_converted=False)
    except RuntimeError:
        raise ValueError(f"{root}: {key} is not there; see `muspy-core dataset download {key} {root}`") from None


def source_of(dataset: Dataset) -> Source:
    """Return the pieces of a data set with their names, as a source to convert or to count.

    Pieces are named by their files, by number where there are none.
    """
    if isinstance(dataset, CorpusDataset):
        return dataset
    if isinstance(dataset, FolderDataset):
        return dataset.source() or Indexed(dataset, piece_names(dataset))
    return Indexed(dataset)
