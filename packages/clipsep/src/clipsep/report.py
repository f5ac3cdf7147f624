"""What was separated as one HTML page: spectrogram, masks, players (the last step of `clipsep separate --report`).

Pictures have at most a thousand columns whatever the length of the sound; sounds are on the page up to two minutes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from muspy_core.audio import Audio
from muspy_core.rendering.page import Facts, Page, Picture, Section, Sound, Table, Text
from numpy.typing import NDArray
from torch import Tensor

from clipsep.config import HOP_LENGTH, SAMPLE_RATE
from clipsep.features.spectrogram import warp

COLUMNS = 1000
PLAYED_SECONDS = 120.0
_RANGE_DB = 70.0
# Dark to light, as monotone in lightness as prints need: black, violet, orange, yellow, white.
_STOPS = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], np.float64)


class Overview:
    """Pictures of the mixture and of each mask that grow to at most COLUMNS columns, then halve their resolution."""

    def __init__(self) -> None:
        self.frames_per_column = 1
        self.rows: NDArray[np.float32] | None = None  # (1 + K, G, columns): the mixture, then masks
        self._rest: NDArray[np.float32] | None = None

    def __call__(self, masks: Tensor, magnitude: Tensor) -> None:
        """Take masks, (K, G, T), and magnitudes of the mixture, (F, T), into account."""
        new = torch.cat([warp(magnitude.cpu())[None], masks.cpu()]).numpy().astype(np.float32)
        held = new if self._rest is None else np.concatenate([self._rest, new], axis=2)
        count = held.shape[2] // self.frames_per_column
        used = count * self.frames_per_column
        made = held[:, :, :used].reshape(*held.shape[:2], count, self.frames_per_column).mean(axis=3)
        self._rest = held[:, :, used:]
        self.rows = made if self.rows is None else np.concatenate([self.rows, made], axis=2)
        while self.rows.shape[2] > COLUMNS:
            even = self.rows.shape[2] // 2 * 2
            # An odd column at the end is given up: it is a thousandth of the picture.
            self.rows = self.rows[:, :, :even].reshape(*self.rows.shape[:2], -1, 2).mean(axis=3)
            self.frames_per_column *= 2

    @property
    def columns(self) -> NDArray[np.float32]:
        """The pictures, (1 + K, G, columns); of a sound shorter than a column that column."""
        if self.rows is None or not self.rows.shape[2]:
            return np.zeros((1, 1, 1), np.float32) if self._rest is None else self._rest.mean(axis=2, keepdims=True)
        return self.rows

    @property
    def seconds_per_column(self) -> float:
        """The time that a column stands for."""
        return self.frames_per_column * HOP_LENGTH / SAMPLE_RATE


def page_of(
    title: str,
    names: Sequence[str],
    overview: Overview,
    presence: Sequence[float],
    sounds: Sequence[tuple[str, Audio]],
    duration_s: float,
) -> Page:
    """Return the report. names: of the queries. sounds: name and sound of the players, none for long files."""
    columns = overview.columns
    decibels = 20 * np.log10(np.maximum(columns[0], 1e-8))
    loud = np.clip((decibels - decibels.max()) / _RANGE_DB + 1.0, 0.0, 1.0)
    rows = [[name, f"{value:.1f}"] for name, value in zip(names, presence, strict=True)]
    sections: list[Section] = [
        Facts({"length": f"{duration_s:.1f} s", "queries": len(names)}),
        Table(["query", "level beside the mixture (dB)"], rows, "Presence"),
        *(Sound(audio, name) for name, audio in sounds),
    ]
    if not sounds:
        sections.append(Text([f"The sound is longer than {PLAYED_SECONDS:g} s, and is not on this page."]))
    what = f"frequency on the logarithmic grid up to 8 kHz, time to {duration_s:.1f} s"
    sections.append(Picture(png(colours(loud)), f"Spectrogram of the mixture: {what}", heading="Mixture"))
    heads = [f"noise head {index + 1}" for index in range(len(columns) - 1 - len(names))]
    for name, mask in zip([*names, *heads], columns[1:], strict=False):
        sections.append(Picture(png(colours(mask)), f"Mask of {name}: {what}", heading=f"Mask of “{name}”"))
    return Page(title, sections, "Sound separation", "clipsep")


def colours(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a picture, (G, columns, 3), low frequencies at the bottom. values: (G, columns), 0 to 1."""
    places = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(values[::-1], places, _STOPS[:, channel]) for channel in range(3)]
    return np.asarray(np.stack(channels, axis=-1).round(), np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG file of pixels, (height, width, 3)."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def excerpt_for_page(path: Path, duration_s: float) -> Audio | None:
    """Return a written sound for the page, None if it is too long."""
    return Audio.read(path) if duration_s <= PLAYED_SECONDS else None
