"""Pieces → batches: crops, transposition, shuffled ties, padding, and the data module around them (torch, Lightning).

Symbols: B pieces, N notes (padded), n notes of one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from arranger.config import FEATURE_SETS, PAPER_FEATURES
from arranger.corpus import corpus_of, load_corpus, read_pieces
from arranger.features import FEATURES, extract, history_of, require
from arranger.hints import hints_of
from arranger.mixture import Integers, Piece, Ties, shuffled_ties
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

    crop: notes kept, a random run of them. transpose: (lowest, highest) shift in semitones. ties: which
    notes come in random order (see `mixture.shuffled_ties`); none in the paper, where they stay in the order of the
    parts.
    """

    crop: int = 500
    transpose: tuple[int, int] = (-5, 6)
    ties: Ties = "kept"

    def __call__(self, piece: Piece, rng: np.random.Generator) -> tuple[Piece, int]:
        """Return another version of a whole piece, and the first note of the run to be kept."""
        mixture = piece.mixture.transposed(int(rng.integers(self.transpose[0], self.transpose[1] + 1)))
        changed = Piece(piece.name, mixture, piece.label)
        changed = shuffled_ties(changed, rng, self.ties)
        return changed, int(rng.integers(max(len(piece) - self.crop, 0) + 1))


LONGEST = (
    2000  # notes that are validated at once, as in the paper; a longer piece is validated in several runs of these
)


class PieceDataset(Dataset[Any]):
    """Pieces as features and labels, each visit a new version of them if there is an augmentation.

    Hints are those of the whole piece after transposition, shifted to where the run of notes begins. A piece longer
    than a crop is visited several times in a pass.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        features: Sequence[str],
        parts: int,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.features, self.parts = tuple(features), parts
        self.augmentation = augmentation
        self.rng = np.random.default_rng(seed)
        self.longest = augmentation.crop if augmentation else LONGEST
        self.visits = [(piece, start) for piece in pieces for start in range(0, max(len(piece), 1), self.longest)]

    @property
    def lengths(self) -> Integers:
        """Notes at each visit."""
        if self.augmentation is not None:
            return np.array([min(len(piece), self.longest) for piece, _ in self.visits])
        return np.array([min(len(piece) - start, self.longest) for piece, start in self.visits])

    def __len__(self) -> int:
        return len(self.visits)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        piece, start = self.visits[index]
        if self.augmentation is not None:
            piece, start = self.augmentation(piece, self.rng)
        kept = slice(start, start + self.longest)
        hints = hints_of(piece, self.parts).from_note(start) if require(self.features, "hints") else None
        mixture, labels = piece.mixture[kept], piece.label[kept]
        history = history_of(mixture, labels, self.features, self.parts)
        return extract(mixture, self.features, hints, history), labels


class SimilarLengths(Sampler[int]):
    """Visits in random order, but so that pieces of similar length come together and batches need little padding.

    Pools of `POOL` batches are sorted by length; then the batches are shuffled.
    """

    POOL = 8

    def __init__(self, lengths: Integers, batch_size: int, generator: torch.Generator) -> None:
        self.lengths, self.batch_size, self.generator = lengths, batch_size, generator

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        order = torch.randperm(len(self.lengths), generator=self.generator).numpy()
        size = self.batch_size * self.POOL
        pools = [order[start : start + size] for start in range(0, len(order), size)]
        order = np.concatenate([pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools])
        whole = len(order) // self.batch_size
        batches = order[: whole * self.batch_size].reshape(whole, self.batch_size)
        shuffled = batches[torch.randperm(whole, generator=self.generator).numpy()]
        yield from shuffled.ravel().tolist()
        yield from order[whole * self.batch_size :].tolist()


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
        source: Folder of the corpus's files, for a corpus that is not in the cache folder yet and not in a wheel.
        batch_size: Pieces in a batch.
        crop: Notes of a piece that are kept in training.
        transpose: Lowest and highest shift in semitones in training.
        ties: Which notes come in random order: `kept` (none), `equal` (those of equal onset, pitch and duration), or
            `unisons` (those of equal onset and pitch).
        seed: Of crops, shifts, ties and the order of the pieces.
    """

    def __init__(
        self,
        features: tuple[str, ...] = PAPER_FEATURES,
        corpus: str = "bach",
        split: str = "grouped",
        file: str | None = None,
        source: str | None = None,
        batch_size: int = 16,
        crop: int = 500,
        transpose: tuple[int, int] = (-5, 6),
        ties: Ties = "kept",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features = tuple(name for given in features for name in FEATURE_SETS.get(given, (given,)))
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown:
            raise ValueError(f"unknown features {', '.join(unknown)}; there are {', '.join(FEATURES)}")
        self.corpus, self.split_name, self.file, self.source = corpus, split, file, source
        self.batch_size, self.seed = batch_size, seed
        self.augmentation = Augmentation(crop, (int(transpose[0]), int(transpose[1])), ties)
        self.subsets: dict[str, list[Piece]] = {}

    def setup(self, stage: str | None = None) -> None:
        """Read the corpus and split it."""
        if self.subsets:
            return
        if self.file is not None:
            pieces = {piece.name: piece for piece in read_pieces(self.file)}
            split = split_of(self.split_name, self.corpus, _all_names(self.corpus, self.split_name, pieces))
        else:
            pieces = {piece.name: piece for piece in load_corpus(self.corpus, source=self.source)}
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

    def _dataset(self, subset: str, augmentation: Augmentation | None = None) -> PieceDataset:
        parts = len(corpus_of(self.corpus).parts)
        return PieceDataset(self.subsets[subset], self.features, parts, augmentation, self.seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches of changed training pieces in random order, without a last one that is not full."""
        dataset = self._dataset("train", self.augmentation)
        order = SimilarLengths(dataset.lengths, self.batch_size, torch.Generator().manual_seed(self.seed))
        return DataLoader(dataset, self.batch_size, sampler=order, collate_fn=collate, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Whole validation pieces, unchanged."""
        return self._whole_pieces("valid")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Whole test pieces, unchanged."""
        return self._whole_pieces("test")

    def _whole_pieces(self, subset: str) -> DataLoader[Batch]:
        """Pieces of similar length share a batch, so that there is little padding."""
        self.subsets[subset].sort(key=len)
        return DataLoader(self._dataset(subset), self.batch_size, collate_fn=collate)


def _all_names(corpus: str, split: str, pieces: dict[str, Piece]) -> list[str]:
    """The names that a split is drawn from: the whole corpus where the shipped groups tell, else those at hand."""
    from arranger.splits import shipped_groups

    if split.startswith("grouped"):
        return [name for group in shipped_groups(corpus) for name in group]
    return list(pieces)
