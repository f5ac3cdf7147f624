"""A data set for tests that tells which process read it; in a module of its own, which worker processes can import."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any


def folder_dataset(m: ModuleType, folder: Path) -> Any:
    """A data set of files each of which is read as music that is named after the process that read it."""
    return type("Pids", (m.FolderDataset,), {"_extension": "pid", "read": lambda self, name: of_this_process(m)})(
        folder
    )


def of_this_process(m: ModuleType) -> Any:
    """A note, in music whose title is the number of the process."""
    return m.Music(m.Metadata(title=str(os.getpid())), tracks=[m.Track(notes=[m.Note(0, 60, 24)])])
