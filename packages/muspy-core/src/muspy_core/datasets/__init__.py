"""Data sets: where they come from, how they become music, and how a network gets them.

In reading order: downloads → archives → base → sources → shards → conversion → folder → remote → catalogue;
splits, networks and windows stand beside.
"""

from __future__ import annotations

from muspy_core.datasets.abc import ABCFolderDataset, RemoteABCFolderDataset
from muspy_core.datasets.archives import ArchiveError
from muspy_core.datasets.base import ConcatDataset, Dataset, DatasetInfo, Subset
from muspy_core.datasets.catalogue import (
    ASAPDataset,
    EMOPIADataset,
    EssenFolkSongDatabase,
    GiantMIDIPianoDataset,
    HaydnOp20Dataset,
    HymnalDataset,
    HymnalTuneDataset,
    JSBChoralesDataset,
    LakhMIDIAlignedDataset,
    LakhMIDIDataset,
    LakhMIDIMatchedDataset,
    MAESTRODatasetV1,
    MAESTRODatasetV2,
    MAESTRODatasetV3,
    MusicNetDataset,
    NESMusicDatabase,
    NottinghamDatabase,
    OpenScoreLiederDataset,
    OpenScoreStringQuartetsDataset,
    POP909Dataset,
    SymbolicOrchestralDatabase,
    SymphonyNetDataset,
    WikifoniaDataset,
    get_dataset,
    list_datasets,
)
from muspy_core.datasets.corpus import Music21Dataset
from muspy_core.datasets.downloads import DownloadError, Remote
from muspy_core.datasets.folder import FolderDataset, MusicDataset
from muspy_core.datasets.remote import RemoteDataset, RemoteFolderDataset, RemoteMusicDataset
from muspy_core.datasets.splits import grouped_split, random_split, stratified_split
from muspy_core.datasets.windows import MusicWindows, RandomWindows

__all__ = [
    "ABCFolderDataset",
    "ASAPDataset",
    "ArchiveError",
    "ConcatDataset",
    "Dataset",
    "DatasetInfo",
    "DownloadError",
    "EMOPIADataset",
    "EssenFolkSongDatabase",
    "FolderDataset",
    "GiantMIDIPianoDataset",
    "HaydnOp20Dataset",
    "HymnalDataset",
    "HymnalTuneDataset",
    "JSBChoralesDataset",
    "LakhMIDIAlignedDataset",
    "LakhMIDIDataset",
    "LakhMIDIMatchedDataset",
    "MAESTRODatasetV1",
    "MAESTRODatasetV2",
    "MAESTRODatasetV3",
    "Music21Dataset",
    "MusicDataset",
    "MusicNetDataset",
    "MusicWindows",
    "NESMusicDatabase",
    "NottinghamDatabase",
    "OpenScoreLiederDataset",
    "OpenScoreStringQuartetsDataset",
    "POP909Dataset",
    "RandomWindows",
    "Remote",
    "RemoteABCFolderDataset",
    "RemoteDataset",
    "RemoteFolderDataset",
    "RemoteMusicDataset",
    "Subset",
    "SymbolicOrchestralDatabase",
    "SymphonyNetDataset",
    "WikifoniaDataset",
    "get_dataset",
    "grouped_split",
    "list_datasets",
    "random_split",
    "stratified_split",
]
