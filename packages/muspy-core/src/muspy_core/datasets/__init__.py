"""Data sets: where they come from, how they become music, and how a network gets them.

In reading order: downloads → archives → base → conversion → folder → remote; splits and networks stand beside.
"""

from __future__ import annotations

from muspy_core.datasets.abc import ABCFolderDataset, RemoteABCFolderDataset
from muspy_core.datasets.archives import ArchiveError
from muspy_core.datasets.base import ConcatDataset, Dataset, DatasetInfo, Subset
from muspy_core.datasets.corpus import Music21Dataset
from muspy_core.datasets.downloads import DownloadError, Remote
from muspy_core.datasets.folder import FolderDataset, MusicDataset
from muspy_core.datasets.remote import RemoteDataset, RemoteFolderDataset, RemoteMusicDataset
from muspy_core.datasets.splits import grouped_split, random_split, stratified_split

__all__ = [
    "ABCFolderDataset",
    "ArchiveError",
    "ConcatDataset",
    "Dataset",
    "DatasetInfo",
    "DownloadError",
    "FolderDataset",
    "Music21Dataset",
    "MusicDataset",
    "Remote",
    "RemoteABCFolderDataset",
    "RemoteDataset",
    "RemoteFolderDataset",
    "RemoteMusicDataset",
    "Subset",
    "grouped_split",
    "random_split",
    "stratified_split",
]
