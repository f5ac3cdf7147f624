"""The mixture: the notes of a piece in one sorted table, which everything downstream reads (§4.2).

    Music → mixture → features → model → decoding → parts

Symbols: n notes, K parts. Times count 24 to the quarter note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from muspy_core.music import Music
from numpy.typing import NDArray

RESOLUTION = 24  # time steps in a quarter note, as in the paper

Integers = NDArray[np.int64]
Ties = Literal["kept", "equal", "unisons"]


@dataclass(frozen=True)
class Mixture:
    """The notes of a piece without their parts, sorted by (onset, pitch, duration, velocity).

    onset, duration: (n,) in steps of 1/24 quarter note. pitch, velocity: (n,), 0–127. Notes of one onset thus go from
    low to high; notes that are equal in all four keep the order of their tracks.
    """

    onset: Integers
    pitch: Integers
    duration: Integers
    velocity: Integers

    def __len__(self) -> int:
        return len(self.onset)

    def __getitem__(self, chosen: slice | NDArray[np.bool_] | Integers) -> Mixture:
        return Mixture(*(column[chosen] for column in (self.onset, self.pitch, self.duration, self.velocity)))

    @property
    def offset(self) -> Integers:
        """The end of every note, (n,)."""
        return self.onset + self.duration

    def transposed(self, semitones: int) -> Mixture:
        """The same notes `semitones` higher, folded by octaves into 0–127 where they would leave it."""
        pitch = self.pitch + semitones
        pitch = np.where(pitch > 127, pitch - 12 * -(-(pitch - 127) // 12), pitch)
        pitch = np.where(pitch < 0, pitch + 12 * -(pitch // 12), pitch)
        return replace(self, pitch=pitch)


@dataclass(frozen=True)
class Piece:
    """A mixture whose parts are known: what a model learns from and is tested on.

    label: (n,), 0 … K-1.
    """

    name: str
    mixture: Mixture
    label: Integers

    def __len__(self) -> int:
        return len(self.mixture)


def sort_order(onset: Integers, pitch: Integers, duration: Integers, velocity: Integers) -> Integers:
    """Return the stable order of notes in a mixture, (n,)."""
    return np.lexsort((velocity, duration, pitch, onset))


def as_mixture(columns: NDArray[np.void], resolution: int) -> tuple[Mixture, Integers]:
    """Return the mixture of a table of notes, and for each of its notes the row it comes from.

    columns: (n,) structured, with `time`, `duration`, `pitch` and `velocity` in steps of 1/`resolution` quarter note.
    Onsets and ends finer than 1/24 quarter are rounded to it; a note keeps at least one step.
    """
    onset = to_steps(columns["time"], resolution)
    end = to_steps(columns["time"] + columns["duration"], resolution)
    duration = np.maximum(end - onset, 1)
    pitch, velocity = columns["pitch"].astype(np.int64), columns["velocity"].astype(np.int64)
    order = sort_order(onset, pitch, duration, velocity)
    return Mixture(onset[order], pitch[order], duration[order], velocity[order]), order


def to_steps(times: NDArray[np.int64], resolution: int) -> Integers:
    """Return times of another resolution in steps of 1/24 quarter, rounded half up."""
    return (2 * times.astype(np.int64) * RESOLUTION + resolution) // (2 * resolution)


def labelled_mixture(music: Music, labels: Sequence[int | None], name: str = "") -> Piece:
    """Return the piece in which track j has the label `labels[j]`; tracks labelled None are left out.

    Grace notes take no time and are left out; a note that a track has twice (same onset, pitch, duration) counts once.
    """
    return labelled_tables([track.notes.array for track in music.tracks], labels, music.resolution, name)


def labelled_tables(
    tables: Sequence[NDArray[np.void]], labels: Sequence[int | None], resolution: int, name: str = ""
) -> Piece:
    """Return the piece of tables of notes; see `labelled_mixture` and `as_mixture`."""
    columns, owners = [], []
    for label, table in zip(labels, tables, strict=True):
        if label is None:
            continue
        table = table[(table["duration"] > 0) & (table["grace"] == 0)]
        keys = np.stack([table["time"], table["pitch"], table["duration"]], axis=1)
        first = np.sort(np.unique(keys, axis=0, return_index=True)[1]) if len(table) else np.zeros(0, int)
        columns.append(table[first])
        owners.append(np.full(len(first), label, dtype=np.int64))
    if not columns:
        empty = np.zeros(0, np.int64)
        return Piece(name, Mixture(empty, empty, empty, empty), empty)
    by_part = np.argsort(np.concatenate(owners), kind="stable")
    mixture, order = as_mixture(np.concatenate(columns)[by_part], resolution)
    return Piece(name, mixture, np.concatenate(owners)[by_part][order])


def shuffled_ties(piece: Piece, rng: np.random.Generator, ties: Ties = "unisons") -> Piece:
    """Return the piece with notes that are alike in random order.

    Sorting leaves equal notes in the order of their tracks, from which a model could read the label. ties: which notes
    are taken to be alike: those of one onset and pitch (`unisons`: what is known of them when they begin), only those
    that also end together (`equal`), or none (`kept`).
    """
    if ties == "kept":
        return piece
    mixture = piece.mixture
    known = (mixture.duration,) if ties == "equal" else ()
    order = np.lexsort((rng.random(len(piece)), *known, mixture.pitch, mixture.onset))
    return Piece(piece.name, mixture[order], piece.label[order])
