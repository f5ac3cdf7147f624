"""Data sets: sequences of music that know where they come from, can be split, saved and fed to a network."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np

from muspy_core.datasets.splits import Splits, random_split
from muspy_core.io.files import write_atomically
from muspy_core.music import Music

if TYPE_CHECKING:
    from muspy_core.datasets.conversion import ConversionReport

logger = logging.getLogger(__name__)

DatasetT = TypeVar("DatasetT", bound="Dataset")


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """What a data set is.

    license: as its authors state it; None where none is stated. The counts are the published ones.
    """

    name: str | None = None
    description: str | None = None
    homepage: str | None = None
    license: str | None = None
    citation: str | None = None
    genre: str | None = None
    format: str | None = None
    songs: int | None = None
    hours: float | None = None
    melody: bool = False
    chords: bool = False
    multitrack: bool = False
    monophonic: bool = False
    note: str | None = None


class Pieces(Protocol):
    """Pieces of music that can be counted and read by number: a list, a data set, an Arrow file."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Music: ...


class Dataset:
    """A sequence of pieces of music.

    Subclasses give `__getitem__` and `__len__`, and say what they are in `_info`.
    """

    _info: ClassVar[DatasetInfo] = DatasetInfo()

    @classmethod
    def info(cls) -> DatasetInfo:
        """Return what is known about the data set."""
        return cls._info

    @classmethod
    def citation(cls) -> str | None:
        """Return how to cite the data set (BibTeX), None if nobody said."""
        return cls._info.citation

    def __getitem__(self, index: int) -> Music:
        raise IndexError(index)

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Music]:
        for index in range(len(self)):
            yield self[index]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} pieces)"

    # --- saving ----------------------------------------------------------------------------------------------------

    def save(
        self,
        root: str | os.PathLike[str],
        kind: str = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        verbose: bool = True,
        **kwargs: Any,
    ) -> ConversionReport:
        """Save all pieces to a folder and return a report of what was saved and what failed.

        Args:
            root: The folder.
            kind: "json" or "yaml" (one numbered file a piece), or "arrow" (one file for all).
            n_jobs: Number of processes, −1 for all cores (see `joblib`).
            ignore_exceptions: Go on after a piece that cannot be read or saved.
            verbose: Show a progress bar.
            **kwargs: Options of `muspy_core.save` or `write_arrow`.
        """
        from muspy_core.datasets.conversion import convert
        from muspy_core.datasets.sources import Indexed

        return convert(
            Indexed(self), root, kind, n_jobs, ignore_exceptions=ignore_exceptions, progress=verbose, **kwargs
        )

    # --- splits ----------------------------------------------------------------------------------------------------

    def split(
        self,
        filename: str | os.PathLike[str] | None = None,
        splits: float | Sequence[float] | None = None,
        random_state: Any = None,
    ) -> Splits:
        """Return the indices of train, test and validation parts, drawn at random.

        Args:
            filename: A JSON file: loaded if it exists, else the split is saved there.
            splits: Share of the training part (the rest is for testing), or the shares of train, test and, if
                three are given, validation. They must sum to 1.
            random_state: Seed, or a NumPy generator or RandomState.

        Raises ValueError if the shares do not sum to 1, or if a loaded split is not one of this data set.
        """
        if filename is not None and Path(filename).exists():
            return self._load_split(Path(filename))
        if splits is None:
            raise ValueError("`splits` must say how to split, since there is no split file")
        parts = random_split(len(self), splits, random_state)
        if filename is not None:
            with write_atomically(filename) as temporary:
                temporary.write_text(json.dumps(parts))
        return parts

    def _load_split(self, filename: Path) -> Splits:
        parts = json.loads(filename.read_text())
        if not isinstance(parts, dict):
            raise ValueError(f"{filename.name}: expected lists of indices by the name of the part")
        for name, indices in parts.items():
            if indices and not 0 <= min(indices) <= max(indices) < len(self):
                raise ValueError(f"{filename.name}: part {name!r} has indices beyond the {len(self)} pieces here")
        return parts

    # --- networks --------------------------------------------------------------------------------------------------

    def to_pytorch_dataset(
        self,
        factory: Callable[[Music], Any] | None = None,
        representation: str | None = None,
        split_filename: str | os.PathLike[str] | None = None,
        splits: float | Sequence[float] | None = None,
        random_state: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return a PyTorch map-style data set, or one for each part of a split, by name.

        Args:
            factory: Function from music to what the network takes; or
            representation: name of a representation ("pitch", "pianoroll", "event", "note").
            split_filename, splits, random_state: As for `split`.
            **kwargs: Options of the representation.

        Raises TypeError unless exactly one of `factory` and `representation` is given.
        """
        from muspy_core.datasets.networks import TorchMusic, encoder

        encode = encoder(factory, representation, kwargs)
        if split_filename is None and splits is None:
            return TorchMusic(self, encode)
        parts = self.split(split_filename, splits, random_state)
        return {name: TorchMusic(self, encode, sorted(indices)) for name, indices in parts.items()}

    def to_tensorflow_dataset(
        self,
        factory: Callable[[Music], Any] | None = None,
        representation: str | None = None,
        split_filename: str | os.PathLike[str] | None = None,
        splits: float | Sequence[float] | None = None,
        random_state: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return a TensorFlow data set of float32 arrays, or one for each part of a split, by name.

        The arguments are those of `to_pytorch_dataset`.
        """
        from muspy_core.datasets.networks import encoder, tensorflow_dataset

        encode = encoder(factory, representation, kwargs)
        if split_filename is None and splits is None:
            return tensorflow_dataset(self, encode, range(len(self)))
        parts = self.split(split_filename, splits, random_state)
        return {name: tensorflow_dataset(self, encode, sorted(indices)) for name, indices in parts.items()}


class Subset(Dataset):
    """Some pieces of a data set, in a given order."""

    def __init__(self, dataset: Pieces, indices: Iterable[int]) -> None:
        self.dataset = dataset
        self.indices = [int(index) for index in indices]

    def __getitem__(self, index: int) -> Music:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Several data sets one after the other (dissertation §2.5.4, "unified").

    `members` gives the number of the data set that each piece comes from, for stratified sampling.
    """

    def __init__(self, datasets: Iterable[Pieces]) -> None:
        self.datasets = list(datasets)
        self._starts = np.concatenate([[0], np.cumsum([len(dataset) for dataset in self.datasets])]).astype(np.int64)

    def __getitem__(self, index: int) -> Music:
        position = range(len(self))[index]
        member = int(np.searchsorted(self._starts, position, side="right")) - 1
        return self.datasets[member][position - int(self._starts[member])]

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def members(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The number of the data set that each piece comes from, (pieces,)."""
        return np.repeat(np.arange(len(self.datasets)), np.diff(self._starts))
