"""Data sets on servers: downloaded, verified, extracted, then folders like any other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from muspy_core.datasets.archives import extract, is_archive
from muspy_core.datasets.base import Dataset
from muspy_core.datasets.downloads import Remote, download, mismatch
from muspy_core.datasets.folder import SUCCESS, FolderDataset, Kind, MusicDataset

RemoteDatasetT = TypeVar("RemoteDatasetT", bound="RemoteDataset")


class RemoteDataset(Dataset):
    """A data set to be downloaded.

    Subclasses say from where in `_sources`: name → `Remote` (or a mapping of its fields, as with MusPy).

    Args:
        root: Folder of the data set; it is made if need be.
        download_and_extract: Download and extract what is not there yet.
        overwrite: Download even what is there.
        cleanup: Remove archives once they are extracted.
        verbose: Show progress.

    Raises RuntimeError if the data set is not there and is not to be downloaded.
    """

    _sources: ClassVar[Mapping[str, Remote | Mapping[str, Any]]] = {}

    def __init__(
        self,
        root: str | os.PathLike[str],
        download_and_extract: bool = False,
        overwrite: bool = False,
        cleanup: bool = False,
        verbose: bool = True,
    ) -> None:
        self.root = Path(root).expanduser().resolve()
        if download_and_extract:
            self.download_and_extract(overwrite, cleanup, verbose)
        if not self.exists():
            raise RuntimeError(f"{self.root}: the data set is not there; pass download_and_extract=True to get it")

    @classmethod
    def remotes(cls) -> list[Remote]:
        """Return the files that the data set is made of."""
        return [item if isinstance(item, Remote) else Remote(**item) for item in cls._sources.values()]

    def exists(self) -> bool:
        """Whether everything was extracted."""
        return (self.root / SUCCESS).exists()

    def source_exists(self) -> bool:
        """Whether all files are there, with the right sizes and checksums."""
        return all(
            (self.root / remote.filename).exists() and mismatch(self.root / remote.filename, remote) is None
            for remote in self.remotes()
        )

    def download(self: RemoteDatasetT, overwrite: bool = False, verbose: bool = True) -> RemoteDatasetT:
        """Download what is not there yet, continuing what was begun; return the data set.

        Raises DownloadError if a file cannot be had or is not what was expected.
        """
        for remote in self.remotes():
            download(remote, self.root, overwrite=overwrite, progress=None if verbose else False)
        return self

    def extract(
        self: RemoteDatasetT, cleanup: bool = False, verbose: bool = True, *, overwrite: bool = False
    ) -> RemoteDatasetT:
        """Extract all archives; return the data set. Raises ArchiveError for damaged or unsafe ones.

        overwrite: extract also what is there with the right size.
        """
        (self.root / SUCCESS).unlink(missing_ok=True)
        for remote in self.remotes():
            path = self.root / remote.filename
            if remote.archive and is_archive(path):
                extract(path, self.root, overwrite=overwrite, progress=None if verbose else False)
                if cleanup:
                    path.unlink()
        (self.root / SUCCESS).touch()
        return self

    def download_and_extract(
        self: RemoteDatasetT, overwrite: bool = False, cleanup: bool = False, verbose: bool = True
    ) -> RemoteDatasetT:
        """Download and extract; return the data set. Nothing is done if that was finished before."""
        if self.exists() and not overwrite:
            return self
        return self.download(overwrite, verbose).extract(cleanup, verbose, overwrite=overwrite)


class RemoteMusicDataset(MusicDataset, RemoteDataset):
    """A data set of JSON, YAML or Arrow files to be downloaded; see `RemoteDataset` and `MusicDataset`."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        download_and_extract: bool = False,
        overwrite: bool = False,
        cleanup: bool = False,
        kind: Kind | None = None,
        verbose: bool = True,
    ) -> None:
        RemoteDataset.__init__(self, root, download_and_extract, overwrite, cleanup, verbose)
        MusicDataset.__init__(self, root, kind)


class RemoteFolderDataset(FolderDataset, RemoteDataset):
    """A folder of scores to be downloaded; see `RemoteDataset` and `FolderDataset`."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        download_and_extract: bool = False,
        overwrite: bool = False,
        cleanup: bool = False,
        convert: bool = False,
        kind: Kind = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        use_converted: bool | None = None,
        verbose: bool = True,
    ) -> None:
        RemoteDataset.__init__(self, root, download_and_extract, overwrite, cleanup, verbose)
        FolderDataset.__init__(self, root, convert, kind, n_jobs, ignore_exceptions, use_converted)

    def exists(self) -> bool:
        """Whether everything was extracted."""
        return RemoteDataset.exists(self)
