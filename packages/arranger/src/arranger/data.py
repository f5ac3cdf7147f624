"""Pieces → batches: crops, transposition, shuffled ties, padding, and the data module around them (torch, Lightning).

Symbols: B pieces, N notes (padded), n notes of one piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from arranger.config import ModelConfig
from arranger.corpus import load_corpus, read_pieces
from arranger.features import FEATURES, extract
from arranger.mixture import Piece, shuffled_ties
from arranger.splits import split_of

IGNORED = -100  # the label of padding, which no loss counts


@dataclass(frozen=True)
class Batch:
    """Padded pieces.

    columns: features by name, (B, N) codes or (B, N, width) values. lengths: (B,). labels: (B, N), IGNORED in padding.
    """

    columns: dict[str, Tensor]
    lengths: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        columns = {name: column.to(device) for name, column in self.columns.items()}
        return Batch(columns, self.lengths.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Augmentation:
    """What changes a piece at each visit in training.

    crop: notes kept, a random run of them. transpose: (lowest, highest) shift in semitones. shuffle_ties: whether
    notes of equal onset and pitch come in random order (not in the paper, where they stay in the order of the parts).
    """

    crop: int = 500
    transpose: tuple[int, int] = (-5, 6)
    shuffle_ties: bool = False

    def __call__(self, piece: Piece, rng: np.random.Generator) -> Piece:
        """Return another version of a piece."""
        mixture = piece.mixture.transposed(int(rng.integers(self.transpose[0], self.transpose[1] + 1)))
        changed = Piece(piece.name, mixture, piece.label)
        if self.shuffle_ties:
            changed = shuffled_ties(changed, rng)
        start = int(rng.integers(max(len(piece) - self.crop, 0) + 1))
        kept = slice(start, start + self.crop)
        return Piece(piece.name, changed.mixture[kept], changed.label[kept])


class PieceDataset(Dataset[Any]):
    """Pieces as features and labels, each visit a new version of them if there is an augmentation."""

    def __init__(
        self, pieces: Sequence[Piece], features: Sequence[str], augmentation: Augmentation | None = None, seed: int = 0
    ) -> None:
        self.pieces = list(pieces)
        self.features = tuple(features)
        self.augmentation = augmentation
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        piece = self.pieces[index]
        if self.augmentation is not None:
            piece = self.augmentation(piece, self.rng)
        return extract(piece.mixture, self.features), piece.label


def collate(items: Sequence[tuple[dict[str, np.ndarray], np.ndarray]]) -> Batch:
    """Pad pieces to the longest: codes and values with 0, labels with IGNORED."""
    lengths = torch.tensor([len(labels) for _, labels in items])
    labels = _padded([labels for _, labels in items], IGNORED)
    columns = {name: _padded([columns[name] for columns, _ in items], 0) for name in items[0][0]}
    return Batch(columns, lengths, labels)


def _padded(arrays: Sequence[np.ndarray], value: int) -> Tensor:
    tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)


class PieceDataModule(L.LightningDataModule):
    """The pieces of a corpus in the batches that a model reads.

    Args:
        features: Feature names; the CLI links them to those of the model.
        corpus: Name of a corpus in `corpus.CORPORA`.
        split: `paper`, `grouped`, or with a number another draw (`grouped:3`).
        file: A `.npz` of pieces (`corpus.write_pieces`) to read in place of the corpus; its names must be in the split,
            and pieces that it lacks are passed over.
        batch_size: Pieces in a batch.
        crop: Notes of a piece that are kept in training.
        transpose: Lowest and highest shift in semitones in training.
        shuffle_ties: Whether notes of equal onset and pitch come in random order.
        seed: Of crops, shifts, ties and the order of the pieces.
    """

    def __init__(
        self,
        features: tuple[str, ...] = ModelConfig().features,
        corpus: str = "bach",
        split: str = "grouped",
        file: str | None = None,
        batch_size: int = 16,
        crop: int = 500,
        transpose: tuple[int, int] = (-5, 6),
        shuffle_ties: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features = ModelConfig(features=tuple(features)).features
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown:
            raise ValueError(f"unknown features {', '.join(unknown)}; there are {', '.join(FEATURES)}")
        self.corpus, self.split_name, self.file = corpus, split, file
        self.batch_size, self.seed = batch_size, seed
        self.augmentation = Augmentation(crop, (int(transpose[0]), int(transpose[1])), shuffle_ties)
        self.subsets: dict[str, list[Piece]] = {}

    def setup(self, stage: str | None = None) -> None:
        """Read the corpus and split it."""
        if self.subsets:
            return
        if self.file is not None:
            pieces = {piece.name: piece for piece in read_pieces(self.file)}
            split = split_of(self.split_name, self.corpus, _all_names(self.corpus, self.split_name, pieces))
        else:
            pieces = {piece.name: piece for piece in load_corpus(self.corpus)}
            split = split_of(self.split_name, self.corpus, list(pieces))
        for subset in ("train", "valid", "test"):
            self.subsets[subset] = [pieces[name] for name in split.subset(subset) if name in pieces]
            if not self.subsets[subset]:
                raise ValueError(f"no piece of the corpus {self.corpus!r} is in the {subset} part of {split.name}")

    @property
    def training_names(self) -> list[str]:
        """The names of the pieces that a model has seen, to be stored with it."""
        return [piece.name for piece in self.subsets["train"]]

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Lightning cannot look into a `Batch` by itself."""
        return batch.to(device)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches of changed training pieces in random order."""
        dataset = PieceDataset(self.subsets["train"], self.features, self.augmentation, self.seed)
        order = torch.Generator().manual_seed(self.seed)
        return DataLoader(dataset, self.batch_size, shuffle=True, generator=order, collate_fn=collate, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Whole validation pieces, unchanged."""
        return DataLoader(PieceDataset(self.subsets["valid"], self.features), self.batch_size, collate_fn=collate)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Whole test pieces, unchanged."""
        return DataLoader(PieceDataset(self.subsets["test"], self.features), self.batch_size, collate_fn=collate)


def _all_names(corpus: str, split: str, pieces: dict[str, Piece]) -> list[str]:
    """The names that a split is drawn from: the whole corpus where the shipped groups tell, else those at hand."""
    from arranger.splits import shipped_groups

    return [name for group in shipped_groups(corpus) for name in group] if split != "paper" else list(pieces)
