"""A prepared folder → mixtures of its sounds with their queries: mix and separate (§6.3.2).

Symbols: B mixtures, n sources, N samples, D length of a query's vector. A sound is cut out, scaled by a random gain
(training only), clipped, and divided by n; their sum is the mixture. Validation pairs are drawn by the index of the
item, so that they are the same in every run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import lightning as L
import numpy as np
import torch
from muspy_core import Audio
from muspy_core.training import reseed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from clipsep.augmentation import Augmentation, played
from clipsep.config import SAMPLE_RATE
from clipsep.features.spectrogram import samples_of
from clipsep.library import Library, LibraryError

QuerySource = Literal["image", "text", "hybrid", "label", "none"]
Peers = Literal["any", "other-label"]
GAIN = (0.5, 1.5)
UNCHANGED = Augmentation()
_MARGIN = 3  # seconds at both ends from which no training clip is centred


@dataclass(frozen=True)
class Batch:
    """Mixtures.

    sources: (B, n, N) float32, what is to be found; their sum is the mixture. queries: by source of queries ("image",
    "text": (B, n, D) float32; "label": (B, n) int64).
    """

    sources: Tensor
    queries: dict[str, Tensor]

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return Batch(self.sources.to(device), {name: value.to(device) for name, value in self.queries.items()})


@dataclass(frozen=True)
class Mixing:
    """How mixtures are made.

    sources: n. samples: N. queries: what stands for a source. off_query: the share of sources to which a sound of
    another label is added that the query need not show. named: the share of those whose text names it beside the
    label. wordings: which texts are taken for a label. peers: which sounds meet in a mixture. absent: further queries,
    of labels that are not in the mixture; what is to be found by them is silence. augmentation: of clips in training.
    """

    sources: int = 2
    samples: int = 65535
    queries: QuerySource = "text"
    off_query: float = 0.0
    named: float = 0.0
    wordings: str = "train"
    peers: Peers = "any"
    absent: int = 0
    augmentation: Augmentation = UNCHANGED

    @property
    def kinds(self) -> tuple[str, ...]:
        """The sources of queries that a batch holds."""
        return {"hybrid": ("image", "text"), "none": ()}.get(self.queries, (self.queries,))


class MixDataset(Dataset[Any]):
    """Mixtures of a part of a library; item i holds sound i first, and others drawn beside it.

    rng: for training, draws peers, places, gains and texts anew at each visit; None: all are drawn by the index.
    """

    def __init__(
        self, library: Library, indices: Sequence[int], mixing: Mixing, rng: np.random.Generator | None = None
    ) -> None:
        self.library, self.indices, self.mixing, self.rng = library, list(indices), mixing, rng
        self.label_ids = {label: index for index, label in enumerate(library.trained_labels)}
        self.labels = np.array([library.manifest[item].label or "" for item in self.indices])
        if len(self.indices) < mixing.sources:
            raise LibraryError(f"{len(self.indices)} sounds are too few for mixtures of {mixing.sources}")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
        rng = self.rng if self.rng is not None else np.random.default_rng(index)
        chosen = [index, *self._peers(index, rng)]
        parts = [self._source(self.indices[place], rng) for place in chosen]
        parts += [self._absent(chosen, rng) for _ in range(self.mixing.absent)]
        queries = {kind: np.stack([part[1][kind] for part in parts]) for kind in self.mixing.kinds}
        return np.stack([part[0] for part in parts]), queries

    def _peers(self, index: int, rng: np.random.Generator) -> list[int]:
        count = self.mixing.sources - 1
        if self.mixing.peers == "any":
            others = rng.choice(len(self.indices) - 1, count, replace=False)
            return [int(other + (other >= index)) for other in others]
        chosen = [index]
        for _ in range(count):
            chosen.append(self._of_another_label(chosen, rng))
        return chosen[1:]

    def _of_another_label(self, chosen: Sequence[int], rng: np.random.Generator) -> int:
        """The place of a sound whose label none of the chosen has."""
        others = np.flatnonzero(~np.isin(self.labels, self.labels[list(chosen)]))
        if not len(others):
            raise LibraryError(f"the {len(set(self.labels))} labels are too few for mixtures of other labels")
        return int(rng.choice(others))

    def _absent(
        self, chosen: Sequence[int], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
        """Silence, with the queries of a sound that is not in the mixture."""
        item = self.indices[self._of_another_label(chosen, rng)]
        queries = {kind: self._query(kind, item, self._centre(item, rng), None, rng) for kind in self.mixing.kinds}
        return np.zeros(self.mixing.samples, np.float32), queries

    def _source(self, item: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
        """One source, (N,), already divided by n, with its queries."""
        centre_s = self._centre(item, rng)
        sound = self._clip(item, centre_s, rng)
        other = self._off_query(item, rng)
        if other is not None:
            sound = np.clip(sound + self._clip(other, self._centre(other, rng), rng), -1.0, 1.0)
        queries = {kind: self._query(kind, item, centre_s, other, rng) for kind in self.mixing.kinds}
        return (sound / self.mixing.sources).astype(np.float32), queries

    def _centre(self, item: int, rng: np.random.Generator) -> float:
        """The middle of a clip in seconds: of a picture, at random in training, else of the sound."""
        seconds = self.library.samples(item) / SAMPLE_RATE
        if self.rng is None:
            return seconds / 2
        first, last = _MARGIN + 1, int(seconds) - _MARGIN
        if first > last:
            return seconds / 2
        if "image" in self.mixing.kinds:
            return float(rng.integers(first, last + 1)) - 0.5
        return float(rng.uniform(first - 0.5, last - 0.5))

    def _clip(self, item: int, centre_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
        """A clip around a time, (N,); in training with another level, speed and timbre."""
        wanted, augmentation = self.mixing.samples, self.mixing.augmentation
        if self.rng is None:
            return np.asarray(np.clip(self._read(item, centre_s, wanted), -1.0, 1.0), np.float32)
        speed = augmentation.draw_speed(rng)
        sound = self._read(item, centre_s, math.ceil(wanted * speed))
        if speed != 1.0:
            sound = played(sound, speed, wanted)
        sound = augmentation.equalized(sound, rng)
        return np.asarray(np.clip(rng.uniform(*GAIN) * sound, -1.0, 1.0), np.float32)

    def _read(self, item: int, centre_s: float, wanted: int) -> NDArray[np.float32]:
        """Samples of a sound around a time, (wanted,); shorter sounds are repeated."""
        whole = self.library.samples(item)
        path = self.library.manifest.path(item)
        if whole < wanted:
            return np.asarray(Audio.read(path).tile(wanted).samples[0], np.float32)
        first = round(centre_s * SAMPLE_RATE) - wanted // 2
        start, stop = max(first, 0), min(first + wanted, whole)
        read = Audio.read(path, start_s=start / SAMPLE_RATE, end_s=stop / SAMPLE_RATE)
        return np.asarray(read.window(first - start, wanted).samples[0], np.float32)

    def _off_query(self, item: int, rng: np.random.Generator) -> int | None:
        """A sound of another label, or None."""
        if not self.mixing.off_query or rng.random() >= self.mixing.off_query:
            return None
        manifest = self.library.manifest
        others = [other for other in self.indices if manifest[other].label != manifest[item].label]
        return int(rng.choice(others)) if others else None

    # --- queries -----------------------------------------------------------------------------------------------------

    def _query(
        self, kind: str, item: int, centre_s: float, other: int | None, rng: np.random.Generator
    ) -> NDArray[Any]:
        manifest, vectors = self.library.manifest, self.library.vectors
        label = manifest[item].label
        if kind == "image":
            return self.library.picture(item, centre_s)
        if label is None:
            raise LibraryError(f"{manifest[item].path}: has no label, which queries by {kind} need")
        if kind == "label" and label not in self.label_ids:
            raise LibraryError(f"{manifest[item].path}: no training sound has the label {label!r}")
        if kind == "label":
            return np.array(self.label_ids[label], np.int64)
        names_other = other is not None and rng.random() < self.mixing.named
        if names_other and other is not None:
            rows = vectors.pairs.get(label, {}).get(manifest[other].label or "", ())
        else:
            rows = vectors.wordings.get(self.mixing.wordings, {}).get(label, ())
        if not rows:
            raise LibraryError(f"there is no {self.mixing.wordings} text for {label!r}; prepare the folder with texts")
        return np.asarray(vectors.text[rng.choice(rows)], np.float32)


def collate(items: Sequence[tuple[NDArray[np.float32], dict[str, NDArray[Any]]]]) -> Batch:
    """Stack mixtures."""
    kinds = items[0][1].keys()
    queries = {kind: torch.from_numpy(np.stack([queries[kind] for _, queries in items])) for kind in kinds}
    return Batch(torch.from_numpy(np.stack([sources for sources, _ in items])), queries)


class MixDataModule(L.LightningDataModule):
    """Mixtures of the sounds of a folder that `clipsep prepare` made.

    Args:
        folder: The folder.
        queries: What stands for a sound: `image`, `text`, `hybrid` (both, in turn), `label`, or `none` (PIT).
        sources: Sounds of a mixture; the CLI links it to the model's.
        frames: Frames of a clip, a multiple of 2 to the power of the U-Net's depth.
        off_query: Share of sources with a sound that their query need not show.
        named: Share of those whose text names it.
        peers: `any` sounds meet in a mixture, or sounds of `other-label`s.
        absent: Further queries of labels that are not in the mixture (not for PIT and NIT).
        augmentation: Random changes of training clips.
        batch_size: Mixtures of a batch.
        visits: How often an epoch visits each training sound.
        workers: Processes that load training data.
        seed: Of all that is drawn.
    """

    def __init__(
        self,
        folder: str = "data",
        queries: QuerySource = "text",
        sources: int = 2,
        frames: int = 256,
        off_query: float = 0.0,
        named: float = 0.0,
        peers: Peers = "any",
        absent: int = 0,
        augmentation: Augmentation = UNCHANGED,
        batch_size: int = 32,
        visits: int = 1,
        workers: int = 0,
        seed: int = 1234,
    ) -> None:
        super().__init__()
        self.folder, self.batch_size, self.visits = folder, batch_size, visits
        self.workers, self.seed = workers, seed
        self.mixing = Mixing(
            sources, samples_of(frames), queries, off_query, named, peers=peers, absent=absent,
            augmentation=augmentation,
        )  # fmt: skip
        self.library: Library | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read the tables, and check that there are the queries that are asked for."""
        if self.library is None:
            self.library = Library.read(self.folder)

    @property
    def read_library(self) -> Library:
        """The library, read when it is first needed."""
        self.setup()
        assert self.library is not None  # setup has read it
        return self.library

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Lightning cannot look into a `Batch` by itself."""
        return batch.to(device)

    def part(self, split: str) -> list[int]:
        """Return the indices of the sounds of a split."""
        found = [index for index, item in enumerate(self.read_library.manifest) if item.split == split]
        if not found:
            raise LibraryError(f"{self.folder}: no sound is in the {split} part of the split")
        return found

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training mixtures in random order."""
        indices = self.part("train") * self.visits
        dataset = MixDataset(self.read_library, indices, self.mixing, np.random.default_rng(self.seed))
        return DataLoader(
            dataset,
            min(self.batch_size, len(dataset)),
            shuffle=True,
            generator=torch.Generator().manual_seed(self.seed),
            collate_fn=collate,
            drop_last=True,
            num_workers=self.workers,
            worker_init_fn=reseed,
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation mixtures, always the same."""
        return self._fixed("validation")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test mixtures, always the same."""
        return self._fixed("test")

    def _fixed(self, split: str) -> DataLoader[Batch]:
        dataset = MixDataset(self.read_library, self.part(split), self.mixing)
        return DataLoader(dataset, self.batch_size, collate_fn=collate)
