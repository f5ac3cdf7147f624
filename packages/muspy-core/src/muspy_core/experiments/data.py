"""Event sequences of a corpus as windows for training and exact passes for evaluation (§2.5.2).

Two protocols. `clean`, ours: an end-of-sequence event stands only where a piece ends, windows are independent, and
every event of the test pieces but each piece's first is predicted exactly once. `upstream`, the published code's: one
random window of each piece followed by an end-of-sequence event even in its middle, so that figures can be compared.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

Events = NDArray[np.int64]
Places = NDArray[np.int64]
Protocol = Literal["clean", "upstream"]

END_OF_SEQUENCE = 356
WINDOW = 64
IGNORE = -100


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Encoded pieces, one after the other. events: (events,). starts: (pieces + 1,)."""

    events: NDArray[np.uint16]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> Events:
        return self.events[self.starts[index] : self.starts[index + 1]].astype(np.int64)

    def select(self, indices: Sequence[int]) -> Pieces:
        """Return some of the pieces."""
        return pieces_of([self[index] for index in indices])


def pieces_of(arrays: Sequence[NDArray[np.integer]]) -> Pieces:
    """Join encoded pieces."""
    starts = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int64)
    events = np.concatenate(arrays).astype(np.uint16) if arrays else np.empty(0, np.uint16)
    return Pieces(events, starts)


class PiecesOfSets:
    """Pieces of one corpus or several, each followed by an end of sequence, for cutting many windows at once.

    shares: how often each corpus is drawn from; within a corpus all pieces are drawn equally often.
    """

    def __init__(self, corpora: Sequence[Pieces], shares: NDArray[np.float64]) -> None:
        counts = np.array([len(corpus) for corpus in corpora])
        lengths = np.concatenate([np.diff(corpus.starts) for corpus in corpora])
        self.ends = np.cumsum(lengths + 1) - 1
        self.lengths = lengths
        self.shares = shares
        self.first = np.cumsum(counts) - counts
        self.counts = counts
        # What follows the last piece is never a target; it only has to be there.
        self.events = np.full(int(self.ends[-1]) + 1 + WINDOW, END_OF_SEQUENCE)
        places = np.arange(int(lengths.sum())) + np.repeat(np.arange(len(lengths)), lengths)
        self.events[places] = np.concatenate([corpus.events for corpus in corpora])

    def draw(self, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the indices of pieces drawn at random, (number,)."""
        corpora = rng.choice(len(self.counts), number, p=self.shares)
        return np.asarray(self.first[corpora] + rng.integers(self.counts[corpora]))

    def cut(self, pieces: NDArray[np.int64], rng: np.random.Generator) -> Places:
        """Return the places of 65 events from a random start in each piece, (number, 65).

        The last start is that from which the end of sequence comes last.
        """
        lengths = self.lengths[pieces]
        starts = self.ends[pieces] - lengths + rng.integers(np.maximum(lengths - WINDOW, 0) + 1)
        return np.asarray(starts[:, None] + np.arange(WINDOW + 1))


def clean_windows(sets: PiecesOfSets, number: int, rng: np.random.Generator) -> tuple[Events, Events]:
    """Return random windows that end in an end of sequence only where a piece ends: inputs and targets, (number, 64).

    What a short piece leaves open is padded; padded targets are ignored.
    """
    pieces = sets.draw(number, rng)
    places = sets.cut(pieces, rng)
    behind = places > sets.ends[pieces, None]
    windows = np.where(behind, END_OF_SEQUENCE, sets.events[places])
    return windows[:, :-1], np.where(behind, IGNORE, windows)[:, 1:]


def upstream_windows(sets: PiecesOfSets, number: int, rng: np.random.Generator) -> tuple[Events, Events]:
    """Return windows as the published code cuts them: 64 events, then ends of sequence, which fill short pieces too."""
    pieces = sets.draw(number, rng)
    places = sets.cut(pieces, rng)
    windows = np.where(places >= sets.ends[pieces, None], END_OF_SEQUENCE, sets.events[places])
    windows[:, -1] = END_OF_SEQUENCE
    return windows[:, :-1], windows[:, 1:]


class Windows(IterableDataset[tuple[Tensor, Tensor]]):
    """A stream of batches of random windows, (B, 64) inputs and targets; batch n is the same wherever it begins.

    A piece is drawn uniformly from all pieces, or, if `stratified`, first a corpus uniformly and then a piece of it
    (§2.5.4).
    """

    def __init__(
        self,
        corpora: Sequence[Pieces],
        batch_size: int,
        seed: int,
        *,
        first_batch: int = 0,
        stratified: bool = False,
        protocol: Protocol = "clean",
    ) -> None:
        filled = [corpus for corpus in corpora if len(corpus)]
        sizes = np.array([len(corpus) for corpus in filled], dtype=np.float64)
        shares = np.full(len(sizes), 1 / len(sizes)) if stratified else sizes / sizes.sum()
        self.sets = PiecesOfSets(filled, shares)
        self.batch_size = batch_size
        self.seed = seed
        self.first_batch = first_batch
        self.cut = clean_windows if protocol == "clean" else upstream_windows

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number in itertools.count(self.first_batch):
            inputs, targets = self.cut(self.sets, self.batch_size, np.random.default_rng([self.seed, number]))
            yield torch.from_numpy(inputs), torch.from_numpy(targets)


def exact_windows(corpus: Pieces, max_windows: int | None = None) -> tuple[Tensor, Tensor]:
    """Return windows that predict every event of every piece but its first, and its end, exactly once.

    max_windows: of a larger corpus only so many windows, spread evenly over all of it. Returns inputs and targets,
    (windows, 64); padded targets are ignored.
    """
    inputs, targets = [], []
    for index in range(len(corpus)):
        whole = np.append(corpus[index], END_OF_SEQUENCE)
        count = -(-(len(whole) - 1) // WINDOW)
        padded_inputs = np.full(count * WINDOW, END_OF_SEQUENCE)
        padded_targets = np.full(count * WINDOW, IGNORE)
        padded_inputs[: len(whole) - 1] = whole[:-1]
        padded_targets[: len(whole) - 1] = whole[1:]
        inputs.append(padded_inputs.reshape(count, WINDOW))
        targets.append(padded_targets.reshape(count, WINDOW))
    all_inputs, all_targets = np.concatenate(inputs), np.concatenate(targets)
    if max_windows is not None and len(all_inputs) > max_windows:
        chosen = np.arange(max_windows) * len(all_inputs) // max_windows
        all_inputs, all_targets = all_inputs[chosen], all_targets[chosen]
    return torch.from_numpy(all_inputs), torch.from_numpy(all_targets)
