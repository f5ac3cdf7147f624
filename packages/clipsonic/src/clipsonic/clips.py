"""Prepared clips on disk: their sound, the vectors of their frames, and those of their labels (prepare → data).

A folder holds `audio.i16` (samples of all clips one after another, 16-bit, one channel), `vectors.npy` (R, D) and
`clips.json`, which says where in them each clip and each label's wordings are; where CLIP read the wordings, also
`tokens.npy` (wordings, L, D), their encoded tokens in half precision. Spectrograms are computed when they are
wanted, so that none can be stale.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from muspy_core import Audio
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

FORMAT = "clipsonic clips 1"
AUDIO, VECTORS, TOKENS, TABLE = "audio.i16", "vectors.npy", "tokens.npy", "clips.json"


class DataError(MuspyError):
    """Prepared data that are missing, damaged, or not what a training needs."""


@dataclasses.dataclass(frozen=True)
class Clip:
    """A sound and what was seen with it.

    name: of its file. label: what is heard, or "". split: "train", "valid" or "test". first, samples: where it is in
    the audio. rows: first row and number of rows of its frames' vectors.
    """

    name: str
    label: str
    split: str
    first: int
    samples: int
    rows: tuple[int, int] = (0, 0)


@dataclasses.dataclass(frozen=True)
class Wording:
    """A text for a label, with the row of its vector. split: "train", or "test" for texts no training has read."""

    label: str
    text: str
    row: int
    split: str = "train"


@dataclasses.dataclass(frozen=True)
class Clips:
    """All clips of a folder. encoder: identity of what made the vectors; template: of labels; tokens: of wordings."""

    folder: Path
    sample_rate: int
    encoder: str
    template: str
    clips: tuple[Clip, ...]
    wordings: tuple[Wording, ...]
    vectors: NDArray[np.float32]
    tokens: NDArray[np.float16] | None = None

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Clips:
        """Read a folder that `clipsonic prepare` made. Raises DataError if it is none."""
        folder = Path(folder)
        try:
            table = json.loads((folder / TABLE).read_text(encoding="utf-8"))
            if table["format"] != FORMAT:
                raise ValueError(f"format {table['format']!r}")
            clips = tuple(Clip(**{**row, "rows": tuple(row["rows"])}) for row in table["clips"])
            wordings = tuple(Wording(**row) for row in table["wordings"])
            vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
            encoded = folder / TOKENS
            tokens = np.load(encoded, mmap_mode="r", allow_pickle=False) if encoded.is_file() else None
            samples = (folder / AUDIO).stat().st_size // 2
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder}: holds no prepared clips (clipsonic prepare makes them): {error}") from error
        ends = [clip.first + clip.samples for clip in clips]
        if max(ends, default=0) > samples:
            raise DataError(f"{folder / AUDIO}: ends after {samples:,} samples, but clips reach to {max(ends):,}")
        rate, encoder, template = table["sample_rate"], table["encoder"], table["template"]
        if tokens is not None and len(tokens) != len(wordings):
            raise DataError(f"{encoded}: has {len(tokens)} texts, but {TABLE} has {len(wordings)}; prepare them again")
        return cls(folder, rate, encoder, template, clips, wordings, vectors, tokens)

    def save(self) -> None:
        """Write vectors and table; the audio is there already."""
        with write_atomically(self.folder / VECTORS) as temporary:
            np.save(temporary, self.vectors)
        if self.tokens is None:
            (self.folder / TOKENS).unlink(missing_ok=True)
        else:
            with write_atomically(self.folder / TOKENS) as temporary:
                np.save(temporary, self.tokens)
        table = {
            "format": FORMAT,
            "sample_rate": self.sample_rate,
            "encoder": self.encoder,
            "template": self.template,
            "clips": [dataclasses.asdict(clip) for clip in self.clips],
            "wordings": [dataclasses.asdict(wording) for wording in self.wordings],
        }
        with write_atomically(self.folder / TABLE) as temporary:
            temporary.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def labels(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(sorted({clip.label for clip in self.clips if clip.label}))

    def of(self, split: str) -> list[Clip]:
        """Return the clips of a split. Raises DataError if it has none."""
        chosen = [clip for clip in self.clips if clip.split == split]
        if not chosen:
            raise DataError(f"{self.folder}: no clip is in the {split} part of the split")
        return chosen

    def audio(self, clip: Clip) -> Audio:
        """Return the sound of a clip."""
        return Audio(self.samples(clip, 0, clip.samples), self.sample_rate)

    def samples(self, clip: Clip, first: int, count: int) -> NDArray[np.float32]:
        """Return samples of a clip from one on, (count,), followed by silence where it ends before."""
        whole = np.memmap(self.folder / AUDIO, "<i2", "r")
        stop = min(first + count, clip.samples)
        part = np.asarray(whole[clip.first + first : clip.first + max(stop, first)], np.float32) / 32768
        return np.pad(part, (0, count - len(part)))

    def label_vectors(self, split: str = "train") -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors of each label's wordings, (wordings, D)."""
        rows: dict[str, list[int]] = {}
        for wording in self.wordings:
            if wording.split == split:
                rows.setdefault(wording.label, []).append(wording.row)
        return {label: np.asarray(self.vectors[chosen], np.float32) for label, chosen in rows.items()}

    def label_tokens(self, split: str = "train") -> Mapping[str, NDArray[np.float32]]:
        """Return the encoded tokens of each label's wordings, (wordings, L, D); none where there are none."""
        rows: dict[str, list[int]] = {}
        for row, wording in enumerate(self.wordings):
            if wording.split == split:
                rows.setdefault(wording.label, []).append(row)
        if self.tokens is None:
            return {}
        return {label: np.asarray(self.tokens[chosen], np.float32) for label, chosen in rows.items()}

    def image_vectors(self, clip: Clip) -> NDArray[np.float32]:
        """Return the vectors of a clip's frames, (frames, D); none for a clip without pictures."""
        first, count = clip.rows
        return np.asarray(self.vectors[first : first + count], np.float32)


def stacked(parts: Sequence[NDArray[np.float32]], dim: int) -> NDArray[np.float32]:
    """Return arrays (n, dim) one after another."""
    return np.concatenate([np.zeros((0, dim), np.float32), *parts])
