"""Data sets → event sequences, cached as one file each (§2.5.2).

Pieces are brought to 4 time steps per quarter note and encoded as note-on, note-off and time-shift events; repeats are
not played, so that a test cannot ask for what was heard a moment before. A piece's group is its incipit, whatever the
key, so that versions of one tune never stand on both sides of a split.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from muspy_core.datasets import corpus as wheel
from muspy_core.datasets.abc import ABCFolderDataset, read_tune
from muspy_core.datasets.folder import FolderDataset
from muspy_core.datasets.splits import grouped_split
from muspy_core.errors import MuspyError
from muspy_core.experiments.data import Pieces, pieces_of
from muspy_core.io import read
from muspy_core.io.files import write_atomically
from muspy_core.music import Music
from muspy_core.representations import to_event_representation

logger = logging.getLogger(__name__)

RESOLUTION = 4
INCIPIT_NOTES = 12
SPLIT = (0.8, 0.1, 0.1)
PARTS = ("train", "test", "validation")


class WrittenScores(FolderDataset):
    """MusicXML scores of a folder, as they are written."""

    _extension = ("mxl", "musicxml", "xml")

    def read(self, filename: Path) -> Music:
        """Read a score without playing its repeats."""
        return read(filename, expand_repeats=False)


class WrittenTunes(ABCFolderDataset):
    """Tunes of a folder, as they are written."""

    def read(self, filename: tuple[Path, int]) -> Music:
        """Read a tune without playing its repeats."""
        return read_tune(*filename, expand_repeats=False)


class MIDIFolder(FolderDataset):
    """MIDI files of a folder; the versions that POP909 has of its songs are left out."""

    _extension = ("mid", "midi")

    def get_raw_filenames(self) -> list[Any]:
        """Return the files but those in folders named `versions`."""
        return [path for path in super().get_raw_filenames() if "versions" not in path.parts]


# Name → the data set: in the music21 wheel, or made from a folder of downloaded data.
WHEEL: dict[str, Callable[[], wheel.CorpusDataset]] = {
    "m21jsb": lambda: wheel.Music21ChoralesDataset(expand_repeats=False),
    "music21": lambda: wheel.Music21WithoutBachDataset(expand_repeats=False),
    "essen": lambda: wheel.EssenCorpusDataset(expand_repeats=False),
    "oneill": lambda: wheel.ONeillsDataset(expand_repeats=False),
    "ryan": lambda: wheel.RyansMammothDataset(expand_repeats=False),
    "airds": lambda: wheel.AirdsAirsDataset(expand_repeats=False),
}
FOLDERS: dict[str, tuple[str, type[FolderDataset]]] = {
    "lieder": ("openscore-lieder", WrittenScores),
    "quartets": ("openscore-quartets", WrittenScores),
    "pop909": ("pop909", MIDIFolder),
    "freedoom": ("freedoom-midi", MIDIFolder),
    "nottingham": ("nottingham/ABC_cleaned", WrittenTunes),
}
NAMES = (*WHEEL, *FOLDERS)
MONOPHONIC = ("essen", "oneill", "ryan", "airds", "nottingham")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A data set as events.

    hours: length of each piece; groups: the incipit of each; failed: pieces left out, and why.
    """

    name: str
    pieces: Pieces
    names: list[str]
    hours: NDArray[np.float64]
    groups: list[str]
    failed: list[tuple[str, str]]

    def split(self, seed: int = 0) -> dict[str, list[int]]:
        """Return the indices of train, test and validation pieces; versions of a tune stay together."""
        return grouped_split(self.groups, SPLIT, seed)


def load_corpus(name: str, cache: str | os.PathLike[str], data: str | os.PathLike[str] | None = None) -> Corpus:
    """Return a corpus from the cache, encoding it first if need be.

    data: folder with the downloaded data sets. Raises FileNotFoundError if it is needed and not there.
    """
    path = Path(cache) / f"{name}.npz"
    if not path.exists():
        store_corpus(encode_corpus(name, _open(name, data)), cache)
    with np.load(path, allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        return Corpus(
            name,
            Pieces(stored["events"], stored["starts"]),
            about["names"],
            stored["hours"],
            about["groups"],
            [(piece, reason) for piece, reason in about["failed"]],
        )


def store_corpus(corpus: Corpus, cache: str | os.PathLike[str]) -> None:
    """Write an encoded corpus, so that `load_corpus` finds it."""
    path = Path(cache) / f"{corpus.name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"names": corpus.names, "groups": corpus.groups, "failed": corpus.failed})
    events, starts = corpus.pieces.events, corpus.pieces.starts
    with write_atomically(path) as temporary:
        np.savez_compressed(temporary, events=events, starts=starts, hours=corpus.hours, about=about)


def available(data: str | os.PathLike[str] | None) -> list[str]:
    """Return the names of the corpora that can be had: those in the wheel, and those whose folder is there."""
    return [name for name in NAMES if name in WHEEL or (data and (Path(data) / FOLDERS[name][0]).is_dir())]


def _open(name: str, data: str | os.PathLike[str] | None) -> Any:
    if name in WHEEL:
        return WHEEL[name]()
    folder, dataset = FOLDERS[name]
    root = Path(data or ".") / folder
    if not root.is_dir():
        raise FileNotFoundError(f"{name}: the data are not there ({root}); name their folder by --data")
    return dataset(root)


def encode_corpus(name: str, dataset: Any) -> Corpus:
    """Read and encode the pieces of a data set; those that cannot be read are named with the reason."""
    arrays, names, hours, groups, failed = [], [], [], [], []
    for index in tqdm(range(len(dataset)), desc=name, disable=None):
        place = dataset.name(index) if hasattr(dataset, "name") else str(index)
        try:
            music = dataset[index]
            seconds = music.get_real_end_time()
            events = encode(music)
        except (MuspyError, OSError) as error:
            failed.append((place, " ".join(str(error).split())))
            continue
        if not len(events):
            failed.append((place, "holds no notes"))
            continue
        arrays.append(events)
        names.append(place)
        hours.append(seconds / 3600)
        groups.append(incipit(music) or place)
    corpus = Corpus(name, pieces_of(arrays), names, np.array(hours), groups, failed)
    logger.info("%s: %d pieces, %d events, %d left out", name, len(names), len(corpus.pieces.events), len(failed))
    return corpus


def encode(music: Music) -> NDArray[np.int64]:
    """Return the events of a piece, (events,), codes 0–355; it is brought to 4 steps per quarter note in place."""
    music.adjust_resolution(RESOLUTION)
    if not any(len(track.notes) for track in music.tracks):
        return np.empty(0, np.int64)
    return to_event_representation(music).astype(np.int64).reshape(-1)


def incipit(music: Music) -> str:
    """Return a fingerprint of the first notes of the top voice, the same in every key; "" for fewer than 12 notes."""
    tables = [track.notes.array for track in music.tracks if not track.is_drum]
    if sum(map(len, tables)) < INCIPIT_NOTES:
        return ""
    times = np.concatenate([table["time"] for table in tables])
    pitches = np.concatenate([table["pitch"] for table in tables]).astype(np.int64)
    order = np.lexsort([-pitches, times])
    times, pitches = times[order], pitches[order]
    top = np.append(True, times[1:] != times[:-1])
    times, pitches = times[top][:INCIPIT_NOTES], pitches[top][:INCIPIT_NOTES]
    if len(times) < INCIPIT_NOTES:
        return ""
    return hashlib.sha256(np.concatenate([np.diff(pitches), np.diff(times)]).tobytes()).hexdigest()[:16]


def union(corpora: Sequence[Corpus], part: str, seed: int = 0) -> list[Pieces]:
    """Return one part of the split of each corpus."""
    return [corpus.pieces.select(corpus.split(seed)[part]) for corpus in corpora]
