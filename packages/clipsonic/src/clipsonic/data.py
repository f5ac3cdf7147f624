"""Prepared clips → batches: crops of sound with a vector of the image seen or of the label read (§7.4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from clipsonic.clips import Clip, Clips, DataError

LearnedFrom = Literal["image", "text", "none"]
# Crops whose root mean square is below this are drawn again: they would teach silence.
SILENT, TRIES = 1e-3, 8


class Batch(NamedTuple):
    """waves: (B, N) within ±1. queries: (B, D); D = 0 where a training needs none."""

    waves: Tensor
    queries: Tensor


class CropDataset(Dataset[Any]):
    """A crop of each clip, with a query.

    Every visit to a training clip is another crop, and an image vector or wording drawn at random; validation and test
    clips are the same each time. What is drawn depends on the seed, the epoch and the clip alone, so that neither the
    number of workers nor the batch matters.

    Args:
        clips: All prepared clips.
        split: Which part.
        samples: Length of a crop.
        learned_from: What the query is: "image", "text", or "none".
        seed: Of what is drawn.
        repeats: Visits to each clip in an epoch.
        spread: Length of the noise that training texts are moved by, beside the typical distance of a label's wordings
            from their mean.
    """

    def __init__(
        self,
        clips: Clips,
        split: str,
        samples: int,
        learned_from: LearnedFrom,
        seed: int = 0,
        repeats: int = 1,
        spread: float = 0.0,
    ) -> None:
        self.clips, self.split, self.samples = clips, split, samples
        self.learned_from, self.seed, self.repeats = learned_from, seed, repeats
        self.chosen = clips.of(split)
        self.epoch = 0
        self.texts = clips.label_vectors()
        moved = learned_from == "text" and split == "train"
        self.deviation = spread * _deviation(list(self.texts.values())) if moved and spread else 0.0
        if learned_from == "image":
            self.chosen = [clip for clip in self.chosen if clip.rows[1]]
        elif learned_from == "text":
            self.chosen = [clip for clip in self.chosen if clip.label]
        if not self.chosen:
            missing = "pictures" if learned_from == "image" else "labels"
            raise DataError(f"{clips.folder}: no clip of the {split} part has {missing} to learn from")

    def __len__(self) -> int:
        return len(self.chosen) * self.repeats

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        clip = self.chosen[index % len(self.chosen)]
        epoch = self.epoch if self.split == "train" else 0
        rng = np.random.default_rng([self.seed, epoch, index])
        return self._crop(clip, rng), self._query(clip, rng)

    def _crop(self, clip: Clip, rng: np.random.Generator) -> NDArray[np.float32]:
        room = max(clip.samples - self.samples, 0)
        crop = np.zeros(self.samples, np.float32)
        for _ in range(TRIES):
            crop = self.clips.samples(clip, int(rng.integers(room + 1)), self.samples)
            if np.sqrt(np.mean(crop**2)) >= SILENT:
                break
        return crop

    def _query(self, clip: Clip, rng: np.random.Generator) -> NDArray[np.float32]:
        if self.learned_from == "none":
            return np.zeros(0, np.float32)
        vectors = self.clips.image_vectors(clip) if self.learned_from == "image" else self.texts[clip.label]
        query = np.asarray(vectors[rng.integers(len(vectors))], np.float32)
        if self.deviation:
            query = query + self.deviation * rng.standard_normal(len(query), np.float32)
        return query


def _deviation(texts: Sequence[NDArray[Any]]) -> float:
    """Standard deviation of a number of isotropic noise that is as long as wordings are typically from their mean."""
    squares = [np.square(vectors - vectors.mean(0)).sum(1) for vectors in (np.asarray(t, np.float64) for t in texts)]
    return float(np.sqrt(np.concatenate(squares).mean() / texts[0].shape[1])) if texts else 0.0


class PairDataset(Dataset[Any]):
    """Vectors of a label's text and of an image with that label, and the text's encoded tokens where there are any.

    It is what the prior learns from (App. 7.A).
    """

    def __init__(self, clips: Clips, split: str, seed: int = 0) -> None:
        self.clips, self.split, self.seed, self.epoch = clips, split, seed, 0
        self.texts, self.tokens = clips.label_vectors(), clips.label_tokens()
        self.chosen = [clip for clip in clips.of(split) if clip.rows[1] and clip.label]
        if not self.chosen:
            raise DataError(f"{clips.folder}: no clip of the {split} part has both pictures and a label")

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], ...]:
        clip = self.chosen[index]
        rng = np.random.default_rng([self.seed, self.epoch if self.split == "train" else 0, index])
        texts, images = self.texts[clip.label], self.clips.image_vectors(clip)
        row = int(rng.integers(len(texts)))
        pair = texts[row], images[rng.integers(len(images))]
        return (*pair, self.tokens[clip.label][row]) if self.tokens else pair


class ClipDataModule(L.LightningDataModule):
    """The clips of a folder that `clipsonic prepare` made.

    Args:
        folder: The folder.
        learned_from: Queries of the network: "image", "text", or "none" for vocoders; "pairs" for priors.
        batch_size: Crops of a batch; the paper's is 32.
        frames: Length of a crop in frames of the spectrogram; the paper's is 64.
        hop_length: Samples of a frame.
        repeats: Visits to each clip in an epoch.
        workers: Processes that load training data.
        seed: Of crops, queries and the order of clips.
        spread: Of training texts: they are moved by noise whose length is this share of the typical distance of a
            label's wordings from their mean, so that what no training has read is near to something; 0: not, as in the
            paper.
    """

    def __init__(
        self,
        folder: str = "data",
        learned_from: Literal["image", "text", "none", "pairs"] = "text",
        batch_size: int = 32,
        frames: int = 64,
        hop_length: int = 512,
        repeats: int = 1,
        workers: int = 0,
        seed: int = 0,
        spread: float = 0.0,
    ) -> None:
        super().__init__()
        self.folder, self.learned_from, self.batch_size = folder, learned_from, batch_size
        self.samples, self.repeats, self.workers, self.seed = frames * hop_length, repeats, workers, seed
        self.spread = spread
        self.clips: Clips | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read the table of the clips."""
        self.clips = self.clips or Clips.load(self.folder)

    def dataset(self, split: str) -> CropDataset | PairDataset:
        """Return the data set of a split."""
        assert self.clips is not None
        if self.learned_from == "pairs":
            return PairDataset(self.clips, split, self.seed)
        repeats = self.repeats if split == "train" else 1
        return CropDataset(self.clips, split, self.samples, self.learned_from, self.seed, repeats, self.spread)

    def train_dataloader(self) -> DataLoader[Any]:
        """Crops of training clips in random order; Lightning asks anew in each epoch."""
        data = self.dataset("train")
        data.epoch = self.trainer.current_epoch if self.trainer is not None else 0
        return DataLoader(
            data,
            self.batch_size,
            shuffle=True,
            generator=torch.Generator().manual_seed(self.seed + data.epoch),
            drop_last=len(data) >= self.batch_size,
            num_workers=self.workers,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """One crop of each validation clip, the same each time."""
        return DataLoader(self.dataset("valid"), self.batch_size)
