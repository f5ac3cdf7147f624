"""Folders of scores as data sets: read on the fly, or converted once and read from there."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from muspy_core.datasets.base import Dataset
from muspy_core.datasets.conversion import ARROW_NAME, KINDS, REPORT_NAME, ConversionReport, convert
from muspy_core.datasets.sources import is_midi
from muspy_core.io import load, read
from muspy_core.music import Music

FolderDatasetT = TypeVar("FolderDatasetT", bound="FolderDataset")
Kind = Literal["json", "yaml", "arrow"]

SUCCESS = ".muspy.success"
CONVERTED = "_converted"
_SAVED = {
    "json": (".json", ".json.gz"),
    "yaml": (".yaml", ".yml", ".yaml.gz", ".yml.gz"),
}


def files_below(root: Path, extensions: str | Sequence[str]) -> list[Path]:
    """Return the files below a folder that end in one of the extensions, in order of their paths.

    Hidden files, what macOS leaves in archives, and converted pieces are left out.
    """
    endings = (extensions,) if isinstance(extensions, str) else tuple(extensions)
    endings = tuple("." + ending.lower().lstrip(".") for ending in endings)
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(n for n in subfolders if n not in (CONVERTED, "__MACOSX") and not n.startswith("."))
        found += [Path(folder, name) for name in names if name.lower().endswith(endings) and not name.startswith(".")]
    return sorted(found)


def _saved_below(root: Path, kinds: Sequence[str]) -> list[Path]:
    endings = [ending for kind in kinds for ending in _SAVED[kind]]
    return [path for path in files_below(root, endings) if path.name != REPORT_NAME]


class MusicDataset(Dataset):
    """The JSON and YAML files below a folder, or the pieces of an Arrow file in it.

    Args:
        root: The folder.
        kind: "json", "yaml" or "arrow"; by default whatever is there, Arrow first.

    Raises ValueError if there is no such folder or kind.
    """

    def __init__(self, root: str | os.PathLike[str], kind: Kind | None = None) -> None:
        self.root = Path(root).expanduser().resolve()
        self.kind = kind
        if kind is not None and kind not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}")
        if not self.root.is_dir():
            raise ValueError(f"{self.root}: there is no such folder")
        self._pieces = self._find()

    def _find(self) -> Sequence[Any]:
        arrow = self.root / ARROW_NAME
        if self.kind == "arrow" or (self.kind is None and arrow.exists()):
            from muspy_core.io.arrow import read_arrow

            return read_arrow(arrow)
        return _saved_below(self.root, [self.kind] if self.kind else list(_SAVED))

    def __getitem__(self, index: int) -> Music:
        piece = self._pieces[index]
        return piece if isinstance(piece, Music) else load(piece)

    def __len__(self) -> int:
        return len(self._pieces)


class FolderDataset(Dataset):
    """A folder of files in some format.

    Subclasses set `_extension` and may override `read`. Converted pieces are kept in the sub-folder `_converted`;
    nothing else is ever written to the folder.

    Args:
        root: The folder.
        convert: Convert now (see `convert`).
        kind: What to convert to: "json", "yaml" or "arrow".
        n_jobs: Number of processes for the conversion, −1 for all cores.
        ignore_exceptions: Go on after files that cannot be read.
        use_converted: Read converted pieces; by default if there are any.

    Raises ValueError if there is nothing to read.
    """

    _extension: ClassVar[str | tuple[str, ...]] = ()

    def __init__(
        self,
        root: str | os.PathLike[str],
        convert: bool = False,
        kind: Kind = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        use_converted: bool | None = None,
    ) -> None:
        self.root = Path(root).expanduser().resolve()
        self.kind: Kind = kind
        self._pieces: Any = ()
        self._converted = False
        if not self.root.is_dir():
            raise ValueError(f"{self.root}: there is no such folder")
        if convert:
            self.convert(kind, n_jobs, ignore_exceptions)
        elif use_converted or (use_converted is None and self.converted_exists()):
            self.use_converted()
        else:
            self.on_the_fly()

    def read(self, filename: Any) -> Music:
        """Read one raw file (an item of `get_raw_filenames`)."""
        return read(filename)

    def midi(self, filename: Any) -> Path | None:
        """Return the path of a raw file if `read` does nothing but read it as MIDI, else None.

        Such files are converted to Arrow several times faster. Where a subclass overrides `read`, only it knows.
        """
        return filename if type(self).read is FolderDataset.read and is_midi(filename) else None

    def load(self, filename: str | os.PathLike[str]) -> Music:
        """Load one converted file."""
        return load(filename)

    def get_raw_filenames(self) -> list[Any]:
        """Return the files to read, in order of their paths."""
        return list(files_below(self.root, self._extension))

    # --- on the fly or converted -----------------------------------------------------------------------------------

    @property
    def converted_dir(self) -> Path:
        """The folder of converted pieces."""
        return self.root / CONVERTED

    def exists(self) -> bool:
        """Whether there are files to read."""
        return bool(self.get_raw_filenames())

    def converted_exists(self) -> bool:
        """Whether a conversion was finished."""
        return (self.converted_dir / SUCCESS).exists()

    def get_converted_filenames(self) -> list[Path]:
        """Return the converted files."""
        arrow = self.converted_dir / ARROW_NAME
        return [arrow] if arrow.exists() else _saved_below(self.converted_dir, list(_SAVED))

    def on_the_fly(self: FolderDatasetT) -> FolderDatasetT:
        """Read raw files from now on; return the data set."""
        self._pieces = self.get_raw_filenames()
        if not self._pieces:
            raise ValueError(f"{self.root}: no file ends in {self._extension!r}")
        self._converted = False
        return self

    def use_converted(self: FolderDatasetT) -> FolderDatasetT:
        """Read converted pieces from now on; return the data set."""
        if not self.converted_exists():
            raise ValueError(f"{self.root}: not converted yet (or not to the end); call `convert`")
        self._pieces = MusicDataset(self.converted_dir)
        self._converted = True
        return self

    def convert(
        self: FolderDatasetT,
        kind: Kind = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        verbose: bool = True,
        **kwargs: Any,
    ) -> FolderDatasetT:
        """Convert all files and read the converted pieces from now on; return the data set.

        A conversion that was interrupted goes on where it stopped; one that was finished is made anew. What failed is
        listed in the log, in `conversion.json` beside the converted pieces, and in `report`.
        """
        # What worker processes need not be sent, and an open Arrow file could not be replaced on Windows.
        self._pieces = ()
        source = RawFiles(self, self.get_raw_filenames())
        if not source.filenames:
            raise ValueError(f"{self.root}: no file ends in {self._extension!r}")
        self.converted_dir.mkdir(exist_ok=True)
        (self.converted_dir / SUCCESS).unlink(missing_ok=True)
        self.report: ConversionReport = convert(
            source, self.converted_dir, kind, n_jobs, ignore_exceptions=ignore_exceptions, progress=verbose, **kwargs
        )
        (self.converted_dir / SUCCESS).touch()
        return self.use_converted()

    def source(self) -> RawFiles | None:
        """Return the raw files as a source to convert or to count; None if converted pieces are read."""
        return None if self._converted else RawFiles(self, self._pieces)

    def without_pieces(self: FolderDatasetT) -> FolderDatasetT:
        """Return a copy that only knows how to read raw files, which is light to send to another process."""
        copied = copy.copy(self)
        copied._pieces = ()
        return copied

    def __getitem__(self, index: int) -> Music:
        piece = self._pieces[index]
        return piece if isinstance(piece, Music) else self.read(piece)

    def __len__(self) -> int:
        return len(self._pieces)


@dataclasses.dataclass
class RawFiles:
    """The raw files of a data set as a source to convert or to count."""

    dataset: FolderDataset
    filenames: list[Any]

    def __len__(self) -> int:
        return len(self.filenames)

    def name(self, index: int) -> str:
        """Return the path of a file below the data set's folder, and the number of the tune in a book."""
        return place_of(self.dataset.root, self.filenames[index])

    def music(self, index: int) -> Music:
        """Read a file."""
        return self.dataset.read(self.filenames[index])

    def midi(self, index: int) -> Path | None:
        """Return the path of a file that is nothing but MIDI."""
        return self.dataset.midi(self.filenames[index])

    def part(self, run: range) -> RawFiles:
        """Return some of the files, in order."""
        return RawFiles(self.dataset.without_pieces(), self.filenames[run.start : run.stop])


def place_of(root: Path, filename: Any) -> str:
    """Return what to call a raw file: its path below the root, and the number of the tune in a book."""
    path, *tune = filename if isinstance(filename, tuple) else (filename,)
    # Data sets have up to 200,000 files, and pathlib takes its time.
    place = os.fspath(path).removeprefix(os.path.join(root, "")).replace(os.sep, "/")
    return " ".join([place, *map(str, tune)])
