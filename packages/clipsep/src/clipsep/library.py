"""A prepared folder: sounds at 16 kHz, their table, and the vectors of their queries (prepare → here → data).

Layout: `manifest.csv` and `audio/` (see muspy_core.media), `queries.json` with `text.npy` and `image.npy`. Symbols: D,
length of a vector.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically
from muspy_core.media import Manifest
from numpy.typing import NDArray

from clipsep.config import SAMPLE_RATE
from clipsep.features.queries import FRAMES

MANIFEST, QUERIES, TEXT, IMAGE = "manifest.csv", "queries.json", "text.npy", "image.npy"


class LibraryError(MuspyError):
    """A folder that `clipsep prepare` did not make, or that lacks what is asked of it."""


@dataclasses.dataclass(frozen=True)
class Vectors:
    """The vectors of a folder's queries.

    encoder: who made them (see `clipsep.features.queries.encoder_of`). text: (texts, D). image: (frames, D), one a
    second of each item. texts: what was embedded. wordings: use ("train", "test") → label → rows of `text`. pairs:
    label → other label → rows, texts that name both. frames: for each item (first row of `image`, number of rows).
    """

    encoder: Mapping[str, Any]
    text: NDArray[np.floating]
    image: NDArray[np.floating]
    texts: tuple[str, ...] = ()
    wordings: Mapping[str, Mapping[str, Sequence[int]]] = dataclasses.field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, Sequence[int]]] = dataclasses.field(default_factory=dict)
    frames: tuple[tuple[int, int], ...] = ()

    @classmethod
    def empty(cls) -> Vectors:
        """No vectors: a folder for LabelSep or PIT."""
        return cls({}, np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))

    @property
    def dim(self) -> int:
        """D, 0 if there are none."""
        return int(max(self.text.shape[1], self.image.shape[1]))


@dataclasses.dataclass(frozen=True)
class Library:
    """A prepared folder. manifest: its sounds. vectors: of their queries."""

    manifest: Manifest
    vectors: Vectors

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all sounds, sorted."""
        return self.manifest.labels

    @property
    def trained_labels(self) -> tuple[str, ...]:
        """The labels of the training part, sorted; of all sounds if no part is called so."""
        return self.manifest.where(split="train").labels or self.labels

    @property
    def sounds(self) -> list[Path]:
        """The files, in the order of the manifest."""
        return [self.manifest.path(index) for index in range(len(self.manifest))]

    def samples(self, index: int) -> int:
        """Return the length of a sound in samples of 16 kHz."""
        return round((self.manifest[index].duration_s or 0.0) * SAMPLE_RATE)

    def picture(self, index: int, centre_s: float) -> NDArray[np.float32]:
        """Return the mean vector of the three pictures around a time of an item, (D,).

        Raises LibraryError for an item without pictures.
        """
        first, count = self.vectors.frames[index] if self.vectors.frames else (0, 0)
        if not count:
            raise LibraryError(f"{self.manifest[index].path}: has no pictures, which queries by image need")
        middle = min(max(int(centre_s), 0), count - 1)
        rows = [first + min(max(middle + step - FRAMES // 2, 0), count - 1) for step in range(FRAMES)]
        mean: NDArray[np.float32] = np.asarray(self.vectors.image[rows], np.float32).mean(axis=0)
        return mean

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Library:
        """Read a prepared folder; image vectors are mapped into memory. Raises LibraryError for any other folder."""
        folder = Path(folder)
        if not (folder / MANIFEST).is_file():
            raise LibraryError(f"{folder}: holds no {MANIFEST}; make it by `clipsep prepare INPUT -o {folder}`")
        manifest = Manifest.read(folder / MANIFEST)
        if not (folder / QUERIES).is_file():
            return cls(manifest, Vectors.empty())
        try:
            described = json.loads((folder / QUERIES).read_text(encoding="utf-8"))
            vectors = Vectors(
                described["encoder"],
                np.load(folder / TEXT, mmap_mode="r"),
                np.load(folder / IMAGE, mmap_mode="r"),
                tuple(described["texts"]),
                described["wordings"],
                described["pairs"],
                tuple((int(first), int(count)) for first, count in described["frames"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LibraryError(f"{folder}: its {QUERIES} cannot be used: {error}") from None
        if vectors.frames and len(vectors.frames) != len(manifest):
            raise LibraryError(f"{folder}: {len(manifest)} sounds, but pictures of {len(vectors.frames)}")
        return cls(manifest, vectors)

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write the tables and vectors into a folder (the sounds are there); existing ones are replaced."""
        folder = Path(folder)
        for name, array in ((TEXT, self.vectors.text), (IMAGE, self.vectors.image)):
            with write_atomically(folder / name) as temporary, open(temporary, "wb") as file:
                np.save(file, np.asarray(array), allow_pickle=False)
        fields = ("encoder", "texts", "wordings", "pairs", "frames")
        described = {name: getattr(self.vectors, name) for name in fields}
        with write_atomically(folder / QUERIES) as temporary:
            temporary.write_text(json.dumps(described, ensure_ascii=False) + "\n", encoding="utf-8")
        self.manifest.write(folder / MANIFEST, overwrite=True)
