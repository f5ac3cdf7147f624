"""Folders of scores → prepared songs with a split: convert, extract, split (§3.4.1; the first step of training).

Conversion is that of muspy-core's data sets: in parallel, resumable, into one Arrow file. Extraction keeps songs of 10
to 2,000 measures of 4/4 with at least 50 notes, and counts beats from the first note on. The split keeps together what
belongs together: files below one folder of works, and songs whose beginnings are the same in some key.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from muspy_core import Music, read
from muspy_core.console import expand_inputs
from muspy_core.datasets import MusicDataset
from muspy_core.datasets.conversion import convert
from muspy_core.datasets.splits import grouped_split
from muspy_core.errors import MuspyError
from muspy_core.io import READABLE
from tqdm.auto import tqdm

from mmt.corpora import Recipe, is_song, listed_split, recipe_of
from mmt.notes import BEAT, DURATION, PITCH, POSITION, RESOLUTION, NoteRows, notes_of
from mmt.songs import Songs, save_split

logger = logging.getLogger(__name__)

MIN_NOTES = 50
MIN_STEPS, MAX_STEPS = 480, 96_000  # 10 to 2,000 measures of 4/4
SHARES = (0.8, 0.1, 0.1)  # train, test, valid
FINGERPRINT_NOTES = 24


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did. failed: (file, reason). left_out: (file, reason) of music that is too short or too long."""

    songs: Songs
    split: dict[str, list[str]]
    failed: list[tuple[str, str]]
    left_out: list[tuple[str, str]]


@dataclass
class ScoreFiles:
    """Files as a source for muspy-core's conversion; of a tune book the first tune is taken."""

    files: list[Path]
    names: list[str]

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        """The path of a file below the folder it was found in."""
        return self.names[index]

    def music(self, index: int) -> Music:
        """Read a file."""
        music: Music | list[Music] = read(self.files[index])
        if isinstance(music, list):
            if not music:
                raise MuspyError(f"{self.files[index].name}: holds no tune")
            return music[0]
        return music


def prepare(
    inputs: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    jobs: int = 1,
    seed: int = 0,
    group_depth: int | None = None,
    corpus: str | None = None,
    lists: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Prepared:
    """Prepare the scores of files and folders for training, and write them into a folder.

    jobs: processes. seed: of the split. group_depth: files that share so many leading folders are one work; 0: every
    file is its own; None: that of the corpus, else 0. corpus: name of one of `mmt.corpora.RECIPES`, of which only the
    songs are taken. lists: folder of lists of names, by which songs are split instead (`corpora.listed_split`).
    progress: show bars; None: on terminals only. Called again after an interruption, it goes on where it stopped.
    Raises OSError for paths that do not exist, ValueError if no file can be used.
    """
    output = Path(output)
    recipe = None if corpus is None else recipe_of(corpus)
    source = score_files(inputs, recipe)
    depth = group_depth if group_depth is not None else recipe.group_depth if recipe else 0
    report = convert(source, output / "converted", "arrow", jobs, progress=progress)
    pairs, left_out = [], []
    pieces = MusicDataset(output / "converted", kind="arrow")
    names = tqdm(report.names, desc="extracting", disable=None if progress is None else not progress)
    for name, music in zip(names, pieces, strict=True):
        rows = notes_of(music, from_first=True)
        reason = _unsuitable(rows)
        if reason is None:
            pairs.append((name, rows))
        else:
            left_out.append((name, reason))
    if not pairs:
        raise ValueError(f"none of {len(source)} files can be used: {len(report.failed)} could not be read, "
                         f"{len(left_out)} are too short or too long")  # fmt: skip
    songs = Songs.of(pairs)
    split = split_of(songs, seed, depth) if lists is None else listed_split(songs, lists)
    songs.save(output)
    save_split(output, split)
    return Prepared(songs, split, report.failed, left_out)


def score_files(inputs: Sequence[str | os.PathLike[str]], recipe: Recipe | None = None) -> ScoreFiles:
    """Find the readable files of the inputs; names are paths below each input, led by its own name if a folder.

    recipe: of the corpus whose songs alone are taken. Raises ValueError if the inputs hold none of them.
    """
    files, names = [], []
    for given in map(Path, inputs):
        for file in expand_inputs([given], READABLE):
            inside = Path(given.resolve().name, file.relative_to(given)) if given.is_dir() else Path(file.name)
            if recipe is None or is_song(recipe, inside.as_posix()):
                files.append(file)
                names.append(inside.as_posix())
    if recipe is not None and not files:
        raise ValueError(f"no file is a song of {recipe.title}: their paths match {recipe.files}")
    return ScoreFiles(files, names)


def _unsuitable(rows: NoteRows) -> str | None:
    if len(rows) < MIN_NOTES:
        return f"{len(rows)} notes of known instruments; at least {MIN_NOTES} are needed"
    end = int((rows[:, BEAT] * RESOLUTION + rows[:, POSITION] + rows[:, DURATION]).max())
    if not MIN_STEPS <= end <= MAX_STEPS:
        return f"{end / RESOLUTION:g} beats; from {MIN_STEPS // RESOLUTION} to {MAX_STEPS // RESOLUTION} are taken"
    return None


def split_of(songs: Songs, seed: int, group_depth: int = 0) -> dict[str, list[str]]:
    """Draw a split in which related songs stay together; see the module."""
    groups = related(songs, group_depth)
    drawn = grouped_split(groups, SHARES, np.random.default_rng(seed))
    names = {"train": "train", "test": "test", "validation": "valid"}
    return {names[part]: [songs.names[index] for index in indices] for part, indices in drawn.items()}


def related(songs: Songs, group_depth: int = 0) -> list[int]:
    """Return the group of each song: songs of one work or with the same beginning have the same number."""
    parents = list(range(len(songs)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    seen: dict[object, int] = {}
    for index, name in enumerate(songs.names):
        keys: list[object] = [fingerprint(songs[index])]
        folders = name.split("/")[:-1]
        if group_depth and len(folders) >= group_depth:
            keys.append(tuple(folders[:group_depth]))
        for key in keys:
            parents[root(index)] = root(seen.setdefault(key, index))
    return [root(index) for index in range(len(songs))]


def fingerprint(rows: NoteRows) -> bytes:
    """Return what the beginnings of transposed or renamed copies have in common: the first onsets and intervals."""
    first = rows[:FINGERPRINT_NOTES]
    time = first[:, BEAT] * RESOLUTION + first[:, POSITION]
    return np.concatenate([np.diff(time), np.diff(first[:, PITCH])]).astype(np.int32).tobytes()
