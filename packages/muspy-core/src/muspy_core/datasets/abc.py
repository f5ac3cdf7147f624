"""Folders of ABC tune books as data sets: every tune of every book is a piece."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, ClassVar

from muspy_core.datasets.folder import FolderDataset, files_below
from muspy_core.datasets.remote import RemoteFolderDataset
from muspy_core.io.abc import read_abc_string, split_tunes
from muspy_core.io.abc.book import decode
from muspy_core.io.files import read_bytes
from muspy_core.music import Music


class ABCFolderDataset(FolderDataset):
    """A folder of ABC files; an item of `get_raw_filenames` is (path, number of the tune in the book from 0)."""

    _extension: ClassVar[str | tuple[str, ...]] = "abc"

    def get_raw_filenames(self) -> list[Any]:
        """Return (path, tune) of every tune, in order; books that cannot be read are one item, to fail when read."""
        return [item for path in files_below(self.root, self._extension) for item in tunes_of(path)]

    def read(self, filename: tuple[Path, int]) -> Music:
        """Read one tune."""
        return read_tune(*filename)


class RemoteABCFolderDataset(ABCFolderDataset, RemoteFolderDataset):
    """A folder of ABC files to be downloaded."""


def tunes_of(path: Path) -> list[tuple[Path, int]]:
    """Return (path, tune) for every tune of a book."""
    try:
        return [(path, number) for number in range(len(_book(path)))]
    except ValueError:
        return [(path, 0)]


def read_tune(path: Path, number: int, *, expand_repeats: bool = True) -> Music:
    """Read a tune of a book by its place in it, from 0."""
    music = read_abc_string(_book(path)[number], expand_repeats=expand_repeats)
    assert isinstance(music, Music)
    music.metadata.source_filename = path.name
    return music


@functools.lru_cache(maxsize=8)
def _book(path: Path) -> list[str]:
    """The texts of the tunes of a book, which are read one after the other."""
    return [text for _, text in split_tunes(decode(read_bytes(path)))]
