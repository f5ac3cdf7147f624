"""Corpora as batches for Lightning: windows to train on, and the exact windows of validation pieces (§2.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from muspy_core.experiments.corpora import NAMES, load_corpus, union
from muspy_core.experiments.data import Pieces, Protocol, Windows, exact_windows

VALIDATION_WINDOWS = 192
FEWEST_WINDOWS = 32
BATCH = 256


class EventDataModule(pl.LightningDataModule):
    """Windows of one data set or several.

    Args:
        corpora: Names of data sets; several are drawn from by the number of their pieces.
        data: Folder of the data sets that are not in the music21 wheel.
        cache: Folder of the encoded data sets.
        batch_size: Windows a step.
        seed: Of the order of windows; the split of pieces is always the same.
        stratified: Draw equally often from each data set.
        protocol: "clean" or "upstream" (see the module `data`); that of the model.

    Raises ValueError for an unknown name, FileNotFoundError if a data set is not there.
    """

    def __init__(
        self,
        corpora: list[str],
        data: str | None = None,
        cache: str = "build/experiments",
        batch_size: int = 8,
        seed: int = 0,
        stratified: bool = False,
        protocol: Protocol = "clean",
    ) -> None:
        super().__init__()
        unknown = [name for name in corpora if name not in NAMES]
        if unknown or not corpora:
            raise ValueError(f"`corpora` must be names among {', '.join(NAMES)}, got {corpora}")
        self.corpora = [load_corpus(name, cache, data) for name in corpora]
        self.batch_size = batch_size
        self.seed = seed
        self.stratified = stratified
        self.protocol = protocol

    def train_dataloader(self) -> DataLoader[Any]:
        """Return an endless stream of batches."""
        pieces = union(self.corpora, "train")
        stream = Windows(pieces, self.batch_size, self.seed, stratified=self.stratified, protocol=self.protocol)
        return DataLoader(stream, batch_size=None)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the windows by which weights are chosen."""
        return validation_batches(union(self.corpora, "validation"))


def validation_batches(corpora: Sequence[Pieces]) -> DataLoader[Any]:
    """Return about 192 windows of validation pieces, spread over all of them, at least 32 of each corpus."""
    share = max(VALIDATION_WINDOWS // len(corpora), FEWEST_WINDOWS)
    windows = [exact_windows(pieces, share) for pieces in corpora if len(pieces)]
    inputs, targets = (torch.cat(parts) for parts in zip(*windows, strict=True))
    return DataLoader(TensorDataset(inputs, targets), batch_size=BATCH)
