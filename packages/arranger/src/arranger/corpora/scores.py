"""Chorales and string quartets as scores: the music21 wheel and OpenScore (files → pieces, Table 4.1).

Scores are read as they are printed: repeats not played out, ties merged, grace notes left out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from muspy_core.errors import MuspyError
from muspy_core.music import Music
from tqdm.auto import tqdm

from arranger.mixture import Integers, Piece, labelled_mixture, to_steps
from arranger.parts import SATB, STRING_QUARTET, PartSet

BACH_PIECES, BACH_NOTES = 409, 96_606
MIN_PARTS, MIN_NOTES = 2, 10  # a piece counts if at least two parts have more than ten notes (§4.5.1)
# Two chorales whose parts are named after the voice and the instruments that double it.
_LONG_NAMES = ("bwv171.6", "bwv41.6")


class CorpusError(MuspyError):
    """A corpus that is unknown, missing, or not as expected."""


def read_bach_chorales(folder: str | os.PathLike[str] | None = None) -> list[Piece]:
    """Return the chorales of the music21 wheel that have at least two of the four voices, sorted by name.

    With music21 9.1 to 10.5 these are 409 pieces with 96,606 notes (Table 4.1: 409 pieces).
    """
    pieces = []
    for path in tqdm(bach_files(folder), desc="reading chorales", unit="file", disable=None):
        music = _read(path)
        labels = [bach_label(path.stem, track.name or "") for track in music.tracks]
        piece = labelled_mixture(music, labels, path.stem)
        if counts(piece, SATB):
            pieces.append(piece)
    return pieces


def bach_files(folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the chorales' score files, sorted by name; music21 itself is not imported."""
    folder = Path(folder) if folder else music21_corpus() / "bach"
    return sorted((p for p in folder.rglob("*") if p.suffix in (".mxl", ".xml")), key=lambda p: p.stem)


def bach_label(piece: str, track_name: str) -> int | None:
    """Return the voice that a part's name means: the whole name, or its first word in two scores with longer names."""
    first, _, _ = track_name.partition(" ")
    return SATB.label_of(first if piece in _LONG_NAMES else track_name)


def read_music21_quartets(folder: str | os.PathLike[str] | None = None) -> list[Piece]:
    """Return the string quartets of Haydn, Mozart and Beethoven in the music21 wheel, sorted by name.

    A piece is a file: a movement, or a whole work of Beethoven. The Humdrum files beside them hold the same music.
    """
    root = Path(folder) if folder else music21_corpus()
    files = sorted(path for name in ("beethoven", "haydn", "mozart") for path in (root / name).rglob("*.mxl"))
    pieces = []
    for path in tqdm(files, desc="reading quartets", unit="file", disable=None):
        music = _read(path)
        name = "-".join(path.relative_to(root).with_suffix("").parts)
        piece = labelled_mixture(music, quartet_labels([track.name or "" for track in music.tracks]), name)
        if counts(piece, STRING_QUARTET):
            pieces.append(piece)
    return pieces


def read_openscore_quartets(folder: str | os.PathLike[str] | None) -> list[Piece]:
    """Return the movements of the OpenScore string quartets, named after file and place in the work: `sq7313978-2`.

    folder: with the `.mxl` files somewhere below it. Raises CorpusError if there are none.
    """
    files = sorted(Path(folder or ".").rglob("sq*.mxl"), key=lambda path: path.stem)
    if not files:
        raise CorpusError(f"{folder}: there is no score named sq….mxl; the folder should hold the OpenScore quartets")
    pieces = []
    for path in tqdm(files, desc="reading quartets", unit="file", disable=None):
        music = _read(path)
        whole = labelled_mixture(music, quartet_labels([track.name or "" for track in music.tracks]), path.stem)
        pieces += [piece for piece in movements(whole, movement_starts(music)) if counts(piece, STRING_QUARTET)]
    return pieces


def quartet_labels(names: Sequence[str]) -> list[int | None]:
    """Return the part of each track by its name; of two parts of one name both have its label.

    One work is a quintet with two cellos: both are the bass of the ensemble.
    """
    return [STRING_QUARTET.label_of(name) for name in names]


def movement_starts(music: Music) -> Integers:
    """Return the onsets at which movements begin, in steps: where the numbers of the measures begin again.

    Where they never do, a final bar line that is no repeat sign ends a movement.
    """
    starts, before = [0], -1
    for bar in music.barlines:
        printed = bar.number or ""
        if not printed.isdigit():
            continue
        number = int(printed)
        if number < before and number <= 1:
            starts.append(bar.time)
        before = number
    if len(starts) == 1:
        repeats = {repeat.time for repeat in music.repeats if repeat.kind == "backward"}
        starts += [b.time for b in music.barlines if b.style == "light-heavy" and b.time not in repeats]
    return np.unique(to_steps(np.array(starts), music.resolution))


def movements(piece: Piece, starts: Integers) -> list[Piece]:
    """Return a work's movements, each from its own time 0 on, without those that have no note."""
    movement = np.searchsorted(starts, piece.mixture.onset, side="right")
    found = []
    for number in np.unique(movement).tolist():
        own = movement == number
        mixture = piece.mixture[own]
        shifted = type(mixture)(mixture.onset - starts[number - 1], mixture.pitch, mixture.duration, mixture.velocity)
        found.append(Piece(f"{piece.name}-{number}", shifted, piece.label[own]))
    return found


def counts(piece: Piece, parts: PartSet) -> bool:
    """Whether at least two parts have more than ten notes."""
    return bool((np.bincount(piece.label, minlength=len(parts)) > MIN_NOTES).sum() >= MIN_PARTS)


def music21_corpus() -> Path:
    """Return the folder of scores inside the music21 wheel; raises CorpusError if it is not installed."""
    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise CorpusError(
            "the scores are part of the music21 package, which is not installed; "
            "install it by `pip install music21` or with the extra `train`"
        )
    return Path(spec.origin).parent / "corpus"


def _read(path: Path) -> Music:
    from muspy_core.io.musicxml import read_musicxml

    return read_musicxml(path, expand_repeats=False)
