"""Prepared songs → batches: augmentation, windows, padding, and the Lightning data module around them (§3.4.1).

Symbols: B songs, L events (padded), F fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from muspy_core.training import reseed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmt import extended
from mmt.baselines import mmm, remi
from mmt.config import Encoding
from mmt.encoding import CONTEXT, FIELDS, NOTE, Order, encode
from mmt.notes import BEAT, PITCH, PROGRAM, NoteRows
from mmt.songs import Songs, load_split
from mmt.tasks import random_task

MIN_WINDOW_NOTES = 10
MAX_REDRAWS = 10


@dataclass(frozen=True)
class Batch:
    """Padded songs.

    codes: (B, L, F), padding 0. mask: (B, L), False in padding. counted: (B, L), False also for what is given. notes:
    (B,) notes of each that are counted.
    """

    codes: Tensor
    mask: Tensor
    counted: Tensor
    notes: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return Batch(*(tensor.to(device) for tensor in (self.codes, self.mask, self.counted, self.notes)))


@dataclass(frozen=True)
class Window:
    """What a model sees of a song: `max_beat` beats, `max_notes` notes (None: all), `max_length` events.

    With a generator a random window, transposed by -5 to +6 semitones, is drawn; without one it is the beginning.
    A limit in notes shows models the same music, whatever their encoding.
    """

    max_beat: int = 256
    max_length: int = 1024
    transpose: tuple[int, int] = (-5, 6)
    max_notes: int | None = None

    def __call__(self, notes: NoteRows, rng: np.random.Generator | None = None) -> NoteRows:
        """Return the rows of a window, beats counted from its start."""
        window = notes[notes[:, BEAT] < self.max_beat] if rng is None else self._random(notes, rng)
        return window[: self.max_notes]

    def _random(self, notes: NoteRows, rng: np.random.Generator) -> NoteRows:
        """Draw `max_beat` beats of a transposed song; all of it if it has no more."""
        shift = int(rng.integers(self.transpose[0], self.transpose[1] + 1))
        notes = notes.copy()
        pitched = notes[:, PROGRAM] != extended.DRUM_PROGRAM  # a drum's number is no pitch
        notes[pitched, PITCH] = np.clip(notes[pitched, PITCH] + shift, 0, 127)
        beats = int(notes[:, BEAT].max()) + 1 if len(notes) else 0
        if beats <= self.max_beat:
            return notes
        for _ in range(MAX_REDRAWS):
            start = int(rng.integers(beats - self.max_beat))
            window = notes[(notes[:, BEAT] >= start) & (notes[:, BEAT] < start + self.max_beat)]
            if len(window) > MIN_WINDOW_NOTES:
                break
        window[:, BEAT] -= start
        return window


def encode_window(notes: NoteRows, encoding: Encoding, max_length: int, order: Order) -> NDArray[np.int64]:
    """Encode rows and cut them to the model's length, (L, F).

    With the order `reference` the cut is the published one, which teaches a false end: MMT keeps an end of song, the
    baselines the last two codes. Otherwise what does not fit is left out.
    """
    if encoding == "mmt":
        codes = encode(notes, order)
    elif encoding == "extended":
        codes = extended.encode(notes)
    else:
        codes = (mmm.encode(notes) if encoding == "mmm" else remi.encode(notes))[:, None]
    if len(codes) <= max_length:
        return codes
    kept = (1 if encoding in ("mmt", "extended") else 2) if order == "reference" else 0
    return np.concatenate([codes[: max_length - kept], codes[len(codes) - kept :]])


class SongDataset(Dataset[Any]):
    """Songs as codes; with a generator each visit is another window of them, or a task.

    tasks: the share of visits that are tasks.
    """

    def __init__(
        self,
        songs: Songs,
        encoding: Encoding,
        window: Window,
        order: Order,
        rng: np.random.Generator | None = None,
        tasks: float = 0.0,
    ) -> None:
        self.songs, self.encoding, self.window, self.order = songs, encoding, window, order
        self.rng, self.tasks = rng, tasks

    def __len__(self) -> int:
        return len(self.songs)

    def __getitem__(self, index: int) -> NDArray[np.int64]:
        notes = self.window(self.songs[index], self.rng)
        if self.rng is not None and self.rng.random() < self.tasks and len(notes):
            return random_task(notes, self.window.max_length, self.rng)
        return encode_window(notes, self.encoding, self.window.max_length, self.order)


def note_ends(codes: NDArray[np.integer] | Tensor, encoding: Encoding) -> Any:
    """Return where a note is complete, (…,) bool: what is counted where a likelihood is given for each note.

    codes: (…, F). MMT: note events. MMM: note-ons. REMI+: durations.
    """
    first = codes[..., 0]
    if encoding in ("mmt", "extended"):
        return first == NOTE
    if encoding == "mmm":
        return (first >= mmm.NOTE_ON) & (first < mmm.NOTE_OFF)
    return first > remi.DURATION_CODE


class Collate:
    """Pads songs with 0 to the longest, and says what is counted; encoding: of the codes."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding

    def __call__(self, songs: Sequence[NDArray[np.int64]]) -> Batch:
        """songs: codes (L, F) of each."""
        codes = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(song) for song in songs], batch_first=True)
        lengths = torch.tensor([len(song) for song in songs])
        mask = torch.arange(codes.shape[1])[None] < lengths[:, None]
        counted = mask & (codes[..., 0] != CONTEXT) if self.encoding == "mmt" else mask
        return Batch(codes, mask, counted, (counted & note_ends(codes, self.encoding)).sum(1))


class SongDataModule(L.LightningDataModule):
    """The songs of a folder that `mmt prepare` made, in the batches that a model reads.

    Args:
        folder: The folder.
        encoding: Of the model; the CLI links it.
        order: Of MMT's codes: `grammar`, or `reference` as published.
        batch_size: Songs of a batch.
        max_beat: Beats of a window.
        max_notes: Notes of a window; None: as many as there are.
        max_length: Events of a window; the CLI links it to the model's.
        augment: Whether training windows are random and transposed.
        tasks: Share of training windows of which a part is given as context; needs a model with `tasks`.
        workers: Processes that load training data.
        seed: Of windows and of the order of songs.
    """

    def __init__(
        self,
        folder: str = "data",
        encoding: Encoding = "mmt",
        order: Order = "grammar",
        batch_size: int = 8,
        max_beat: int = 256,
        max_notes: int | None = None,
        max_length: int = 1024,
        augment: bool = True,
        tasks: float = 0.0,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.folder, self.encoding, self.order = folder, encoding, order
        self.batch_size, self.augment, self.tasks = batch_size, augment, tasks
        self.workers, self.seed = workers, seed
        if tasks and encoding != "mmt":
            raise ValueError(f"tasks={tasks} need the encoding mmt, not {encoding}")
        self.window = Window(max_beat, max_length, max_notes=max_notes)
        self.subsets: dict[str, Songs] = {}

    def setup(self, stage: str | None = None) -> None:
        """Read songs and split."""
        if self.subsets:
            return
        songs = Songs.load(self.folder)
        for subset, names in load_split(self.folder).items():
            if not names:
                raise ValueError(f"{self.folder}: no song is in the {subset} part of the split")
            self.subsets[subset] = songs.subset(names)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Lightning cannot look into a `Batch` by itself."""
        return batch.to(device)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Windows of training songs in random order."""
        rng = np.random.default_rng(self.seed) if self.augment else None
        order = torch.Generator().manual_seed(self.seed)
        return DataLoader(
            SongDataset(self.subsets["train"], self.encoding, self.window, self.order, rng, self.tasks),
            self.batch_size,
            shuffle=True,
            generator=order,
            collate_fn=Collate(self.encoding),
            drop_last=len(self.subsets["train"]) >= self.batch_size,
            num_workers=self.workers,
            worker_init_fn=reseed if self.augment else None,
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """The beginnings of validation songs."""
        return self._whole("valid")

    def test_dataloader(self) -> DataLoader[Batch]:
        """The beginnings of test songs."""
        return self._whole("test")

    def _whole(self, subset: str) -> DataLoader[Batch]:
        songs = SongDataset(self.subsets[subset], self.encoding, self.window, self.order)
        return DataLoader(songs, self.batch_size, collate_fn=Collate(self.encoding))


FIELD_NAMES = {"mmt": FIELDS, "extended": extended.FIELDS, "mmm": ("event",), "remi": ("event",)}
