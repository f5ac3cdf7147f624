"""Spectrograms → labels: a small classifier, taught by real training clips alone, that judges generated sounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from muspy_core import Audio
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clipsonic.clips import Clips, DataError
from clipsonic.config import MelConfig
from clipsonic.features.spectrogram import mel_spectrogram

CHANNELS = (16, 32, 64)
BATCH, RATE = 32, 2e-3


class Judge(nn.Module):
    """Three convolutions, a mean over the picture, a linear layer: (B, M, T) → logits (B, labels).

    Args:
        labels: That it tells apart.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self.labels = tuple(labels)
        layers: list[nn.Module] = []
        for inputs, outputs in zip((1, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(2 * CHANNELS[-1], len(self.labels))

    def forward(self, mels: Tensor) -> Tensor:
        """mels: (B, M, T) within ±1."""
        image = self.layers(mels[:, None])
        logits: Tensor = self.head(torch.cat([image.mean((2, 3)), image.amax((2, 3))], 1))
        return logits

    @torch.inference_mode()
    def predict(self, mels: NDArray[np.float32]) -> list[str]:
        """Return the label of each spectrogram, (n, M, T)."""
        chosen: list[str] = []
        for first in range(0, len(mels), BATCH):
            indices = self(torch.from_numpy(mels[first : first + BATCH])).argmax(1).tolist()
            chosen += [self.labels[index] for index in indices]
        return chosen


def train_judge(mels: NDArray[np.float32], labels: Sequence[str], *, epochs: int = 8, seed: int = 0) -> Judge:
    """Train a judge on real clips, mels (n, M, T) and labels (n,). Raises DataError for fewer than 2 labels."""
    names = sorted(set(labels))
    if len(names) < 2:
        raise DataError(f"a judge tells at least 2 labels apart, got {names}")
    generator = torch.Generator().manual_seed(seed)
    # torch draws first weights from its global generator, which is left as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = Judge(names)
    targets = torch.tensor([names.index(label) for label in labels])
    given = torch.from_numpy(mels)
    optimizer = torch.optim.AdamW(judge.parameters(), RATE)
    for _ in range(epochs):
        for batch in torch.randperm(len(given), generator=generator).split(BATCH):
            if len(batch) < 2:
                continue  # batch normalisation needs more than one
            loss = F.cross_entropy(judge(given[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    judge.eval()
    return judge


def clip_mels(clips: Clips, split: str, seconds: float, mel: MelConfig, limit: int | None = None) -> tuple[
    NDArray[np.float32], list[str]
]:  # fmt: skip
    """Return the spectrograms of the beginnings of a split's clips, (n, M, T), and their labels."""
    chosen = [clip for clip in clips.of(split) if clip.label][:limit]
    samples = mel.frames(seconds) * mel.hop_length
    sounds = [Audio(clips.samples(clip, 0, samples), clips.sample_rate) for clip in chosen]
    return mels_of(sounds, seconds, mel), [clip.label for clip in chosen]


def mels_of(sounds: Sequence[Audio], seconds: float, mel: MelConfig) -> NDArray[np.float32]:
    """Return the spectrograms of the beginnings of sounds, (n, M, T)."""
    samples = mel.frames(seconds) * mel.hop_length
    return np.stack([mel_spectrogram(sound.resample(mel.sample_rate).window(0, samples), mel) for sound in sounds])
