"""A tiny data set for tests, in a module of its own because worker processes cannot import a test file."""

from __future__ import annotations

from pathlib import Path

import muspy_core as m
from muspy_core.datasets.folder import FolderDataset


def piece(number: int) -> m.Music:
    notes = [m.Note(4 * i, 60 + (number + i) % 12, 4, pitch_str="C") for i in range(5)]
    return m.Music(m.Metadata(title=f"piece {number}"), 4, [m.Tempo(0, 100)], tracks=[m.Track(notes=notes)])


class Saved(FolderDataset):
    """A folder of JSON files that stand for any format."""

    _extension = "song"

    def read(self, filename: Path) -> m.Music:
        return m.load(filename, "json")
