"""Data sets for networks: PyTorch and TensorFlow views, windows and random crops, balanced sampling.

torch and tensorflow are imported when a function that needs them is called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.music import Music

if TYPE_CHECKING:
    import torch

    from muspy_core.datasets.base import Pieces

Encode = Callable[[Music], Any]


def encoder(factory: Encode | None, representation: str | None, options: dict[str, Any]) -> Encode:
    """Return the function from music to arrays that exactly one of `factory` and `representation` gives."""
    if (factory is None) == (representation is None):
        raise TypeError("exactly one of `factory` and `representation` must be given")
    if factory is not None:
        return factory
    return Representation(str(representation), options)


@dataclasses.dataclass(frozen=True)
class Representation:
    """A representation with its options, as a function of music that can be sent to other processes."""

    kind: str
    options: Mapping[str, Any]

    def __call__(self, music: Music) -> Any:
        """Encode a piece."""
        from muspy_core.representations import to_representation

        return to_representation(music, self.kind, **self.options)


class TorchMusic:
    """A map-style data set for `torch.utils.data.DataLoader`: pieces, encoded when they are asked for.

    Args:
        music: The pieces.
        encode: Function from music to what the network takes.
        indices: Which pieces, all by default.
    """

    def __init__(self, music: Pieces, encode: Encode, indices: Sequence[int] | None = None) -> None:
        self.music = music
        self.encode = encode
        self.indices = range(len(music)) if indices is None else indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.encode(self.music[self.indices[index]])


class Windows:
    """Fixed windows of encoded pieces, as a map-style data set.

    Each item is `length` consecutive rows of one piece, or fewer at its end where `pad` is None, else filled with it.

    Args:
        arrays: Encoded pieces, each (rows, …); read once for their lengths.
        length: Rows of a window.
        hop: Rows between the starts of windows.
        pad: Value that fills up the last window of a piece.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]], length: int, hop: int | None = None, pad: Any = None) -> None:
        if length < 1 or (hop is not None and hop < 1):
            raise ValueError(f"`length` and `hop` must be at least 1, got {length} and {hop}")
        self.arrays, self.length, self.hop, self.pad = arrays, length, hop or length, pad
        rows = np.array([len(array) for array in arrays], dtype=np.int64)
        counts = np.where(rows > 0, 1 + np.maximum(rows - length + self.hop - 1, 0) // self.hop, 0)
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> NDArray[Any]:
        position = range(len(self))[index]
        piece = int(np.searchsorted(self._starts, position, side="right")) - 1
        start = (position - int(self._starts[piece])) * self.hop
        return _fill(self.arrays[piece][start : start + self.length], self.length, self.pad)


def random_crop(array: NDArray[Any], length: int, rng: np.random.Generator, pad: Any = None) -> NDArray[Any]:
    """Return `length` consecutive rows of an array from a random start; shorter arrays are filled up with `pad`."""
    start = int(rng.integers(0, max(len(array) - length, 0) + 1))
    return _fill(array[start : start + length], length, pad)


def _fill(array: NDArray[Any], length: int, pad: Any) -> NDArray[Any]:
    if pad is None or len(array) >= length:
        return array
    filler = np.full((length - len(array), *array.shape[1:]), pad, dtype=array.dtype)
    return np.concatenate([array, filler])


def stratified_sampler(members: Sequence[int], generator: torch.Generator | None = None) -> Any:
    """Return a sampler that draws every class (or data set) equally often, pieces of a class uniformly (§2.5.4).

    members: the class of each piece, for example `ConcatDataset.members`.
    """
    import torch

    _, inverse, counts = np.unique(np.asarray(members), return_inverse=True, return_counts=True)
    weights = torch.as_tensor(1.0 / counts[inverse])
    return torch.utils.data.WeightedRandomSampler(
        weights.tolist(), num_samples=len(weights), replacement=True, generator=generator
    )


def tensorflow_dataset(music: Pieces, encode: Encode, indices: Sequence[int]) -> Any:
    """Return a `tf.data.Dataset` of float32 arrays, read and encoded one at a time."""
    import tensorflow as tf

    def generate() -> Iterator[Any]:
        for index in indices:
            yield np.asarray(encode(music[index]), np.float32)

    # Pieces differ in length, and a representation may have any number of axes.
    return tf.data.Dataset.from_generator(generate, output_signature=tf.TensorSpec(None, tf.float32))
