"""Event sequences of a corpus as windows for training and exact passes for evaluation (§2.5.2).

Two protocols. `clean`, ours: an end-of-sequence event stands only where a piece ends, windows are independent, and
every event of the test pieces but each piece's first is predicted exactly once. `upstream`, the published code's: one
random window of each piece followed by an end-of-sequence event even in its middle, so that figures can be compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

Events = NDArray[np.int64]
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


def clean_window(piece: Events, rng: np.random.Generator) -> tuple[Events, Events]:
    """Return a random window of a piece that ends in an end-of-sequence event: inputs and targets, (64,) each.

    What a short piece leaves open is padded; padded targets are ignored.
    """
    whole = np.append(piece, END_OF_SEQUENCE)
    start = int(rng.integers(0, max(len(whole) - WINDOW - 1, 0) + 1))
    window = whole[start : start + WINDOW + 1]
    inputs = np.full(WINDOW, END_OF_SEQUENCE)
    targets = np.full(WINDOW, IGNORE)
    inputs[: len(window) - 1] = window[:-1]
    targets[: len(window) - 1] = window[1:]
    return inputs, targets


def upstream_window(piece: Events, rng: np.random.Generator) -> tuple[Events, Events]:
    """Return a window as the published code cuts it: 64 events, then ends of sequence, which fill short pieces too."""
    start = int(rng.integers(0, max(len(piece) - WINDOW, 0) + 1))
    window = np.full(WINDOW + 1, END_OF_SEQUENCE)
    crop = piece[start : start + WINDOW]
    window[: len(crop)] = crop
    return window[:-1], window[1:]


class Windows(IterableDataset[tuple[Tensor, Tensor]]):
    """An endless stream of batches of random windows, (B, 64) inputs and targets.

    A piece is drawn uniformly from all pieces, or, if `corpora` are several and `stratified`, first a corpus uniformly
    and then a piece of it (§2.5.4).
    """

    def __init__(
        self,
        corpora: Sequence[Pieces],
        batch_size: int,
        seed: int,
        *,
        stratified: bool = False,
        protocol: Protocol = "clean",
    ) -> None:
        self.corpora = [corpus for corpus in corpora if len(corpus)]
        self.batch_size = batch_size
        self.seed = seed
        sizes = np.array([len(corpus) for corpus in self.corpora], dtype=np.float64)
        self.shares = np.full(len(sizes), 1 / len(sizes)) if stratified else sizes / sizes.sum()
        self.window = clean_window if protocol == "clean" else upstream_window

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng(self.seed)
        while True:
            chosen = rng.choice(len(self.corpora), self.batch_size, p=self.shares)
            pairs = [self.window(self._draw(self.corpora[number], rng), rng) for number in chosen]
            inputs, targets = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
            yield torch.from_numpy(inputs), torch.from_numpy(targets)

    @staticmethod
    def _draw(corpus: Pieces, rng: np.random.Generator) -> Events:
        return corpus[int(rng.integers(len(corpus)))]


def exact_windows(corpus: Pieces, max_events: int | None = None) -> tuple[Tensor, Tensor]:
    """Return windows that predict every event of every piece but its first, and its end, exactly once.

    max_events: stop after the first pieces that together have so many. Returns inputs and targets, (windows, 64);
    padded targets are ignored.
    """
    inputs, targets, total = [], [], 0
    for index in range(len(corpus)):
        whole = np.append(corpus[index], END_OF_SEQUENCE)
        count = -(-(len(whole) - 1) // WINDOW)
        padded_inputs = np.full(count * WINDOW, END_OF_SEQUENCE)
        padded_targets = np.full(count * WINDOW, IGNORE)
        padded_inputs[: len(whole) - 1] = whole[:-1]
        padded_targets[: len(whole) - 1] = whole[1:]
        inputs.append(padded_inputs.reshape(count, WINDOW))
        targets.append(padded_targets.reshape(count, WINDOW))
        total += len(whole) - 1
        if max_events is not None and total >= max_events:
            break
    return torch.from_numpy(np.concatenate(inputs)), torch.from_numpy(np.concatenate(targets))
