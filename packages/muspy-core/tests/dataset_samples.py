"""A tiny data set for tests, in a module of its own because worker processes cannot import a test file."""

from __future__ import annotations

import os
import signal
import sys
import time
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


class Slow(Saved):
    """A folder whose files take long to read; says which it reads."""

    def read(self, filename: Path) -> m.Music:
        sys.stdout.write(f"{filename.name}\n")  # one write, which the other workers' cannot come into
        sys.stdout.flush()
        time.sleep(0.05)
        return super().read(filename)


class Midis(FolderDataset):
    """A folder of MIDI files."""

    _extension = ("mid", "kar")


class Renamed(Midis):
    """A folder of MIDI files whose reader does more than to read them."""

    def read(self, filename: Path) -> m.Music:
        music = super().read(filename)
        music.metadata.title = "renamed"
        return music


class OnCluster(Saved):
    """A folder that only the workers of a Dask cluster can read."""

    def read(self, filename: Path) -> m.Music:
        from distributed import get_worker

        get_worker()
        return super().read(filename)


class Deadly(Saved):
    """A folder whose file 07 kills the process that reads it, once."""

    def read(self, filename: Path) -> m.Music:
        mark = self.root / "deadly"
        if filename.name.startswith("07") and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(filename)
