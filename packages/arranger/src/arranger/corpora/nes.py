"""The NES Music Database: three voices of a sound chip (files → pieces, §4.6)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from muspy_core.music import Music
from muspy_core.timing import round_half_up
from numpy.typing import NDArray
from tqdm.auto import tqdm

from arranger.corpora.scores import CorpusError, counts
from arranger.mixture import RESOLUTION, Piece, labelled_tables
from arranger.parts import NES

QPM = 125  # games have no beat; 24 steps to a quarter at this tempo are 50 steps a second
STEPS_PER_SECOND = RESOLUTION * QPM / 60
VELOCITY = 64
FOLDERS = ("train", "valid", "test")


def read_nes(folder: str | os.PathLike[str] | None) -> list[Piece]:
    """Return the pieces of the NES Music Database, named after the official split: `train/FILE`, `test/FILE`, ….

    folder: with the extracted `nesmdb_midi.tar.gz` somewhere below it. The noise track is left out. Raises CorpusError
    if there is no such file.
    """
    from muspy_core import read_midi

    root = Path(folder or ".")
    files = sorted((p for p in root.rglob("*.mid") if p.parent.name in FOLDERS), key=lambda p: (p.parent.name, p.name))
    if not files:
        raise CorpusError(f"{root}: there is no MIDI file in a folder named {', '.join(FOLDERS)}")
    pieces = []
    for path in tqdm(files, desc="reading NES", unit="file", disable=None):
        music = read_midi(path)
        labels = [NES.label_of(track.name or "") for track in music.tracks]
        piece = labelled_tables(tables_in_seconds(music), labels, RESOLUTION, f"{path.parent.name}/{path.stem}")
        if counts(piece, NES):
            pieces.append(piece)
    return pieces


def tables_in_seconds(music: Music) -> list[NDArray[np.void]]:
    """Return the notes of each track in steps of 1/50 second; velocities, which are volumes of the chip, are 64."""
    tables, seconds = [], music.tempo_map.seconds
    for track in music.tracks:
        table = track.notes.array.copy()
        ends = round_half_up(seconds(table["time"] + table["duration"]) * STEPS_PER_SECOND)
        onsets = round_half_up(seconds(table["time"]) * STEPS_PER_SECOND)
        table["time"], table["duration"] = onsets, np.maximum(ends - onsets, 1)
        table["velocity"] = VELOCITY
        tables.append(table)
    return tables
