"""One test piece of each corpus with a bundled model → a picture for the results page (Figures 4.2 to 4.6)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from muspy_core import EventList, Music, Note, Tempo, Track
from muspy_core.columns import new_array

from arranger.compare import compare, write_comparison
from arranger.corpus import corpus_of, load_corpus
from arranger.experiments.tables import COLUMNS
from arranger.mixture import RESOLUTION, Piece
from arranger.parts import PartSet
from arranger.splits import split_of

QPM = 80.0
SPAN_S = (0.0, 30.0)


def draw_examples(folder: Path, source: Path | None = None) -> list[Path]:
    """Draw the first test piece (by name) of every column that has a bundled model; return the pictures' paths.

    source: folder of a corpus's files, where it was not read yet. Raises CorpusError where it is needed and missing.
    """
    written = []
    for column in COLUMNS.values():
        if not column.bundled:
            continue
        pieces = {piece.name: piece for piece in load_corpus(column.corpus, source=source)}
        name = min(split_of("grouped", column.corpus, list(pieces)).test)
        music = as_music(pieces[name], corpus_of(column.corpus).parts)
        path = folder / f"{column.name}-example.png"
        title = f"{column.title}: {name}"
        write_comparison(compare(music, column.bundled, title=title), path, SPAN_S, overwrite=True)
        written.append(path)
    return written


def as_music(piece: Piece, parts: PartSet) -> Music:
    """Return a piece as music with a track for each part, at a steady tempo."""
    music = Music(resolution=RESOLUTION, tempos=[Tempo(0, QPM)])
    for label, part in enumerate(parts.parts):
        chosen = np.flatnonzero(piece.label == label)
        notes = new_array(Note, len(chosen))
        mixture = piece.mixture[chosen]
        columns = (mixture.onset, mixture.pitch, mixture.duration, mixture.velocity)
        for field, values in zip(("time", "pitch", "duration", "velocity"), columns, strict=True):
            notes[field] = values
        track = Track(program=part.program, name=part.name)
        track.notes = EventList.from_columns(Note, notes)
        music.tracks.append(track)
    return music
