"""Prepared recordings → batches: clips of notes with their times, mels and samples, and plain sound for inverters.

Symbols: B clips, N notes (padded), K kinds of marks, T frames, M mel bands, S samples.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import lightning as L
import numpy as np
import torch
from muspy_core.media import read_audio
from muspy_core.training import reseed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from deepperformer.clips import CLIP_FRAMES, Clip, clip_of, window_starts
from deepperformer.errors import DataError
from deepperformer.features.marks import Marks
from deepperformer.prepare import DESCRIPTION_NAME, Prepared, load_prepared
from deepperformer.recordings import SOUND_ENDINGS
from deepperformer.splits import SUBSETS, Subset, split_works

Sound = Literal["none", "mel", "samples"]
HELD_OUT = 0.1


@dataclasses.dataclass(frozen=True)
class Batch:
    """Padded clips.

    notes: (B, N, 4), onsets from the anchor. mask: (B, N), False in padding. onsets, durations: (B, N), frames from the
    clip's start. anchor: (B,), frames. performer, condition: (B,), numbers. qpm: (B,). marks: (B, N, K), 0 or 1. mel:
    (B, T, M) or None. samples: (B, S) or None.
    """

    notes: Tensor
    mask: Tensor
    onsets: Tensor
    durations: Tensor
    anchor: Tensor
    performer: Tensor
    qpm: Tensor
    condition: Tensor
    marks: Tensor
    mel: Tensor | None
    samples: Tensor | None

    def __len__(self) -> int:
        return len(self.notes)

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        values = (getattr(self, field.name) for field in dataclasses.fields(self))
        return Batch(*(value if value is None else value.to(device) for value in values))


@dataclasses.dataclass(frozen=True)
class Example:
    """A clip with what belongs to it. marks: (N, K). mel: (T, M). samples: (S,)."""

    clip: Clip
    performer: int
    qpm: float
    condition: int
    marks: Marks
    mel: NDArray[np.float32] | None
    samples: NDArray[np.float32] | None


class ClipDataset(Dataset[Example]):
    """The windows of recordings that have notes in them; with a generator they are moved at each visit.

    windows: (recording, start in seconds) of each.
    """

    def __init__(
        self,
        prepared: Prepared,
        windows: Sequence[tuple[int, float]],
        performers: Sequence[str],
        frames: int,
        sound: Sound,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.prepared, self.windows, self.frames, self.sound, self.rng = prepared, windows, frames, sound, rng
        self.performers = [performers.index(name) for name in prepared.performers]
        conditions = conditions_of(prepared)
        self.conditions = [conditions.index(name) for name in prepared.conditions]

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> Example:
        recording, start = self.windows[index]
        frame_s = self.prepared.mel.frame_s
        first = round(start / frame_s)
        if self.rng is not None:
            last = round(self.prepared.timings[recording].max() / frame_s) - self.frames
            if self.sound != "none":
                last = min(last, len(self.prepared.mel_of(recording)) - self.frames)
            half = self.frames // 2
            first = int(np.clip(first + self.rng.integers(-half, half + 1), 0, max(last, 0)))
        rows, timings = self.prepared.rows[recording], self.prepared.timings[recording]
        clip = clip_of(rows, timings, first * frame_s, self.frames, frame_s)
        return Example(
            clip,
            self.performers[recording],
            self.prepared.qpm[recording],
            self.conditions[recording],
            self.prepared.marks[recording][clip.indices],
            self._mel(recording, first) if self.sound == "mel" else None,
            self._samples(recording, first) if self.sound == "samples" else None,
        )

    def _mel(self, recording: int, first: int) -> NDArray[np.float32]:
        mel = np.asarray(self.prepared.mel_of(recording)[first : first + self.frames], np.float32)
        floor = np.log(self.prepared.mel.floor)
        return np.pad(mel, ((0, self.frames - len(mel)), (0, 0)), constant_values=floor)

    def _samples(self, recording: int, first: int) -> NDArray[np.float32]:
        hop = self.prepared.mel.hop_length
        samples = self.prepared.samples_of(recording)[first * hop : (first + self.frames) * hop]
        return np.pad(samples.astype(np.float32) / 32768, (0, self.frames * hop - len(samples)))


def conditions_of(prepared: Prepared) -> tuple[str, ...]:
    """Return the names of the recording conditions, by number."""
    return tuple(sorted(set(prepared.conditions)))


def collate(examples: Sequence[Example]) -> Batch:
    """Pad clips to the one with the most notes."""
    length = max(1, *(len(example.clip) for example in examples))

    def padded(values: NDArray[Any]) -> NDArray[Any]:
        return np.pad(values, ((0, length - len(values)), *[(0, 0)] * (values.ndim - 1)))

    clips = [example.clip for example in examples]
    mels = [example.mel for example in examples if example.mel is not None]
    samples = [example.samples for example in examples if example.samples is not None]
    counts = torch.tensor([len(clip) for clip in clips])
    return Batch(
        torch.from_numpy(np.stack([padded(clip.notes) for clip in clips])),
        torch.arange(length)[None] < counts[:, None],
        torch.from_numpy(np.stack([padded(clip.onsets) for clip in clips]).astype(np.float32)),
        torch.from_numpy(np.stack([padded(clip.durations) for clip in clips]).astype(np.float32)),
        torch.tensor([clip.anchor for clip in clips], dtype=torch.float32),
        torch.tensor([example.performer for example in examples]),
        torch.tensor([example.qpm for example in examples], dtype=torch.float32),
        torch.tensor([example.condition for example in examples]),
        torch.from_numpy(np.stack([padded(example.marks) for example in examples]).astype(np.float32)),
        torch.from_numpy(np.stack(mels)) if mels else None,
        torch.from_numpy(np.stack(samples)) if samples else None,
    )


class ClipDataModule(L.LightningDataModule):
    """Clips of a folder that `deepperformer prepare` made.

    Args:
        folder: The folder.
        sound: What a clip brings beside its notes: `none`, `mel` or `samples`.
        frames: Of a clip; 312 are 5 s.
        split: `movement`, `random` (the paper's, single clips) or `fold-1` to `fold-5`.
        batch_size: Clips of a batch.
        move: Whether training windows begin anywhere, and not every 5 s only.
        workers: Processes that load training data.
        seed: Of the split, of windows and of their order.
    """

    def __init__(
        self,
        folder: str = "data",
        sound: Sound = "none",
        frames: int = CLIP_FRAMES,
        split: str = "movement",
        batch_size: int = 16,
        move: bool = True,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.folder, self.sound, self.frames, self.split = folder, sound, frames, split
        self.batch_size, self.move, self.workers, self.seed = batch_size, move, workers, seed
        self.windows: dict[Subset, list[tuple[int, float]]] = {}

    @property
    def performers(self) -> tuple[str, ...]:
        """Names of the performers, by number."""
        return tuple(sorted(set(self.prepared.performers)))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the recording conditions, by number."""
        return conditions_of(self.prepared)

    @property
    def works(self) -> tuple[str, ...]:
        """Works of the training recordings."""
        return tuple(sorted({self.prepared.works[index] for index, _ in self.windows["train"]}))

    def setup(self, stage: str | None = None) -> None:
        """Read recordings and split their windows."""
        if self.windows:
            return
        self.prepared = prepared = load_prepared(self.folder)
        usable = [i for i in range(len(prepared)) if self.sound == "none" or prepared.sounding[i]]
        if not usable:
            raise DataError(f"{self.folder}: no recording has sound, which sound={self.sound} needs")
        performers, works = [prepared.performers[i] for i in usable], [prepared.works[i] for i in usable]
        parts = split_works(performers, works, self.split, self.seed)
        for subset in SUBSETS:
            self.windows[subset] = [window for index in parts[subset] for window in self._windows(usable[index])]
        if self.split == "random":
            self._draw_clips()
        for subset, windows in self.windows.items():
            if not windows:
                raise DataError(f"{self.folder}: no clip is in the {subset} part")

    def _windows(self, recording: int) -> list[tuple[int, float]]:
        """The windows of a recording in which a note sounds."""
        timings, frame_s = self.prepared.timings[recording], self.prepared.mel.frame_s
        starts = window_starts(float(timings.max()), self.frames, frame_s)
        ends = starts + self.frames * frame_s
        sounds = ((timings[:, :1] < ends) & (timings[:, 1:] > starts)).any(0)
        return [(recording, float(start)) for start in starts[sounds]]

    def _draw_clips(self) -> None:
        """Hold out single clips, as the paper does: a tenth for validation and test each."""
        windows = self.windows["train"]
        order = np.random.default_rng(self.seed).permutation(len(windows)).tolist()
        count = max(1, round(HELD_OUT * len(windows)))
        cuts = {"valid": order[:count], "test": order[count : 2 * count], "train": order[2 * count :]}
        self.windows = {subset: [windows[index] for index in cuts[subset]] for subset in SUBSETS}

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Lightning cannot look into a `Batch` by itself."""
        return batch.to(device)

    def mean_mel(self) -> Tensor:
        """Return the mean log-mel spectrum of the training recordings, (M,)."""
        recordings = sorted({recording for recording, _ in self.windows["train"]})
        means = [np.asarray(self.prepared.mel_of(index), np.float32).mean(0) for index in recordings]
        weights = [len(self.prepared.mel_of(index)) for index in recordings]
        return torch.from_numpy(np.average(means, axis=0, weights=weights).astype(np.float32))

    def train_dataloader(self) -> DataLoader[Batch]:
        """Windows of training recordings in random order."""
        # Moved windows of single clips would reach into those held out.
        moves = self.move and self.split != "random"
        return DataLoader(
            self.dataset("train", np.random.default_rng(self.seed) if moves else None),
            self.batch_size,
            shuffle=True,
            generator=torch.Generator().manual_seed(self.seed),
            collate_fn=collate,
            drop_last=len(self.windows["train"]) >= self.batch_size,
            num_workers=self.workers,
            worker_init_fn=reseed,
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """The consecutive windows of validation recordings."""
        return DataLoader(self.dataset("valid"), self.batch_size, collate_fn=collate)

    def test_dataloader(self) -> DataLoader[Batch]:
        """The consecutive windows of test recordings."""
        return DataLoader(self.dataset("test"), self.batch_size, collate_fn=collate)

    def dataset(self, subset: Subset, rng: np.random.Generator | None = None) -> ClipDataset:
        """Return the clips of a part of the split."""
        return ClipDataset(self.prepared, self.windows[subset], self.performers, self.frames, self.sound, rng)


# --- plain sound -----------------------------------------------------------------------------------------------------


class SegmentDataset(Dataset[Tensor]):
    """Segments of sounds; with a generator each visit draws one anywhere, otherwise they are consecutive.

    sounds: (samples,) int16 each.
    """

    def __init__(
        self, sounds: Sequence[NDArray[np.int16]], length: int, rng: np.random.Generator | None = None
    ) -> None:
        self.sounds, self.length, self.rng = sounds, length, rng
        counts = [max(len(sound) // length, 1) for sound in sounds]
        self.places = [(index, number * length) for index, count in enumerate(counts) for number in range(count)]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Tensor:
        number, start = self.places[index]
        sound = self.sounds[number]
        if self.rng is not None:
            start = int(self.rng.integers(max(len(sound) - self.length, 0) + 1))
        samples = np.asarray(sound[start : start + self.length], np.float32) / 32768
        return torch.from_numpy(np.pad(samples, (0, self.length - len(samples))))


class SegmentDataModule(L.LightningDataModule):
    """Segments of sound for inverters: of prepared recordings, or of any folder of sound files.

    Args:
        folder: The folder; sub-folders are looked into.
        samples: Of a segment.
        sample_rate: Hz, of the mels; sound files are resampled.
        batch_size: Segments of a batch.
        workers: Processes that load training data.
        seed: Of what is held out (a tenth of the files, or the end of a single one), and of the segments.
    """

    def __init__(
        self,
        folder: str = "data",
        samples: int = 8192,
        sample_rate: int = 16000,
        batch_size: int = 16,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.folder, self.samples, self.sample_rate = folder, samples, sample_rate
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.sounds: dict[str, list[NDArray[np.int16]]] = {}

    @property
    def performers(self) -> tuple[str, ...]:
        """An inverter knows no performers."""
        return ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """Nor recording conditions."""
        return ()

    @property
    def works(self) -> tuple[str, ...]:
        """Nor works."""
        return ()

    def setup(self, stage: str | None = None) -> None:
        """Find and split the sounds."""
        if self.sounds:
            return
        sounds, works = self._all_sounds()
        names = sorted(set(works))
        if len(names) == 1:
            cut = round((1 - HELD_OUT) * len(sounds[0]))
            self.sounds = {"train": [sounds[0][:cut]], "valid": [sounds[0][cut:]]}
            return
        drawn = np.random.default_rng(self.seed).permutation(len(names))[: max(1, round(HELD_OUT * len(names)))]
        held_out = {names[index] for index in drawn.tolist()}
        for subset in ("train", "valid"):
            self.sounds[subset] = [
                sound for sound, work in zip(sounds, works, strict=True) if (work in held_out) == (subset == "valid")
            ]

    def _all_sounds(self) -> tuple[list[NDArray[np.int16]], list[str]]:
        """The sounds, and the work of each."""
        folder = Path(self.folder)
        if (folder / DESCRIPTION_NAME).is_file():
            prepared = load_prepared(folder)
            indices = [index for index in range(len(prepared)) if prepared.sounding[index]]
            if prepared.mel.sample_rate != self.sample_rate:
                raise DataError(f"{folder}: prepared at {prepared.mel.sample_rate} Hz, not {self.sample_rate} Hz")
            found = [prepared.samples_of(index) for index in indices], [prepared.works[index] for index in indices]
        else:
            files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUND_ENDINGS)
            audios = [read_audio(path, sample_rate=self.sample_rate, channels=1) for path in files]
            found = [audio.to_int16()[:, 0] for audio in audios], [path.stem for path in files]
        if not found[0]:
            raise DataError(f"{folder}: holds no sound ({', '.join(SOUND_ENDINGS)}), prepared or not")
        return found

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Segments from anywhere in the training sounds."""
        return DataLoader(
            SegmentDataset(self.sounds["train"], self.samples, np.random.default_rng(self.seed)),
            self.batch_size,
            shuffle=True,
            generator=torch.Generator().manual_seed(self.seed),
            drop_last=True,
            num_workers=self.workers,
            worker_init_fn=reseed,
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Consecutive segments of the sounds held out, four times as long."""
        return DataLoader(SegmentDataset(self.sounds["valid"], 4 * self.samples), self.batch_size)
