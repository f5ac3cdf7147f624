"""Prepared songs: the note rows of a whole corpus in one file, with names and a split (prepare → songs → data)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

from mmt.instruments import CODE_OF_PROGRAM, NAMES
from mmt.notes import BEAT, DEFAULT_QPM, DURATION, POSITION, PROGRAM, RESOLUTION, EncodingError, NoteRows

ROWS_NAME = "songs.npz"
SPLIT_NAME = "split.json"
COLUMNS = (5, 8)  # of note rows, and of extended ones
SUBSETS = ("train", "valid", "test")


@dataclass(frozen=True)
class Songs:
    """Songs as note rows.

    rows: (all notes, 5), or 8 columns if extended; those of one song after those of the other. starts: (songs + 1,).
    names: of each song.
    """

    rows: NDArray[np.int32]
    starts: NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, songs: Iterable[tuple[str, NoteRows]]) -> Songs:
        """Join (name, rows) pairs."""
        pairs = list(songs)
        lengths = [len(rows) for _, rows in pairs]
        rows = np.concatenate([rows for _, rows in pairs]) if pairs else np.zeros((0, 5))
        return cls(rows.astype(np.int32), np.cumsum([0, *lengths]), tuple(name for name, _ in pairs))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NoteRows:
        """Return the rows of a song, (n, 5) or (n, 8)."""
        return self.rows[self.starts[index] : self.starts[index + 1]].astype(np.int64)

    def subset(self, names: Sequence[str]) -> Songs:
        """Return the songs with these names, in that order. Raises KeyError for a name that is not there."""
        places = {name: index for index, name in enumerate(self.names)}
        return Songs.of((name, self[places[name]]) for name in names)

    def hours(self) -> dict[str, float]:
        """Return for each instrument that plays the hours of the songs in which it does, at the default tempo."""
        total = np.zeros(len(NAMES) + 1)
        for index in range(len(self)):
            rows = self[index]
            beats = (rows[:, BEAT] + (rows[:, POSITION] + rows[:, DURATION]) / RESOLUTION).max(initial=0)
            pitched = rows[rows[:, PROGRAM] < len(CODE_OF_PROGRAM), PROGRAM]  # drums are no instrument of the list
            total[np.unique(CODE_OF_PROGRAM[pitched])] += beats / DEFAULT_QPM / 60
        return {name: round(float(hours), 2) for name, hours in zip(NAMES, total[1:], strict=True) if hours}

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write into a folder."""
        with write_atomically(Path(folder) / ROWS_NAME) as temporary:
            np.savez_compressed(
                temporary, rows=self.rows, starts=self.starts, names=np.array(self.names, dtype=np.str_)
            )

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Songs:
        """Read from a folder that `mmt prepare` made. Raises EncodingError if it holds no songs."""
        path = Path(folder) / ROWS_NAME
        if not path.is_file():
            raise EncodingError(f"{folder}: holds no prepared songs ({ROWS_NAME}); make them by `mmt prepare`")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                songs = cls(arrays["rows"], arrays["starts"], tuple(arrays["names"].tolist()))
        except (KeyError, ValueError, OSError, EOFError) as error:
            raise EncodingError(f"{path}: damaged: {error}") from error
        if songs.rows.ndim != 2 or songs.rows.shape[1] not in COLUMNS or len(songs.starts) != len(songs) + 1:
            raise EncodingError(f"{path}: its arrays do not belong together")
        return songs


def save_split(folder: str | os.PathLike[str], split: dict[str, list[str]]) -> None:
    """Write the names of the songs of each subset."""
    with write_atomically(Path(folder) / SPLIT_NAME) as temporary:
        temporary.write_text(json.dumps(split, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_split(folder: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read the names of the songs of each subset. Raises EncodingError if there is no split."""
    path = Path(folder) / SPLIT_NAME
    try:
        split = json.loads(path.read_text(encoding="utf-8"))
        return {subset: [str(name) for name in split[subset]] for subset in SUBSETS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncodingError(f"{path}: holds no split into {', '.join(SUBSETS)}: {error!r}") from error
