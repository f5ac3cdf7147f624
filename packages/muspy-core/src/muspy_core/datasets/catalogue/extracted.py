"""What the folders of the catalogue share: data extracted by hand, names of pieces, official splits, variants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from muspy_core.datasets.conversion import REPORT_NAME
from muspy_core.datasets.folder import CONVERTED, FolderDataset, place_of
from muspy_core.datasets.remote import RemoteFolderDataset
from muspy_core.datasets.splits import PART_NAMES, Splits
from muspy_core.errors import MuspyError

_PARTS = {"train": "train", "test": "test", "valid": "validation", "validation": "validation"}


class DatasetFilesError(MuspyError):
    """Files of a data set that are not laid out, or do not say, what its authors describe."""


def piece_names(dataset: FolderDataset) -> list[str]:
    """Return the name of every piece of a data set: the path of its raw file below the root.

    Converted pieces are named too, those that could not be converted are left out of both.
    """
    if not dataset._converted:
        return [place_of(dataset.root, filename) for filename in dataset._pieces]
    report = dataset.converted_dir / REPORT_NAME
    if not report.exists():
        raise DatasetFilesError(f"{report}: missing, so nobody knows which piece is which; convert again")
    names = [Path(name).as_posix() for name in json.loads(report.read_text(encoding="utf-8"))["names"]]
    if len(names) != len(dataset):
        raise DatasetFilesError(f"{report}: names {len(names)} pieces, but there are {len(dataset)}; convert again")
    return names


class ExtractedFolderDataset(RemoteFolderDataset):
    """A downloaded folder of scores that may also have been extracted by hand, without a download by this class."""

    def exists(self) -> bool:
        """Whether there are pieces: all was extracted or converted, or put there by hand.

        Files beside an archive of the data set, or a part of one, may be half of an extraction and do not count.
        """
        if super().exists() or self.converted_exists():
            return True
        if not self.root.is_dir():
            return False
        begun = any(
            (self.root / name).exists()
            for remote in self.remotes()
            for name in (remote.filename, f"{remote.filename}.part")
        )
        return not begun and bool(self.get_raw_filenames())


class MIDIFolderDataset(ExtractedFolderDataset):
    """A downloaded folder of MIDI files."""

    _extension: ClassVar[str | tuple[str, ...]] = "mid"


class OfficialSplit(FolderDataset):
    """A folder data set whose authors say which piece is for what."""

    def official_split(self) -> Splits:
        """Return the indices of the pieces of "train", "test" and "validation", as the authors divided them.

        It holds for pieces read on the fly and for converted ones. Raises DatasetFilesError for a piece that the
        authors' division does not name.
        """
        parts: Splits = {name: [] for name in PART_NAMES}
        for index, name in enumerate(piece_names(self)):
            parts[_PARTS[self._part_of(name)]].append(index)
        return parts

    def _part_of(self, name: str) -> str:
        """Return "train", "test" or "valid" for a piece: by default, the folder in its path that is called so."""
        for folder in Path(name).parts[:-1]:
            if folder in _PARTS:
                return folder
        raise DatasetFilesError(f"{name}: in none of the folders {', '.join(_PARTS)}, so its part is not known")


class Variants(FolderDataset):
    """A folder data set that can be read in several ways; each way has converted pieces of its own."""

    _variant: str = ""

    @property
    def converted_dir(self) -> Path:
        """The folder of pieces that were converted from what this variant reads."""
        return self.root / (f"{CONVERTED}-{self._variant}" if self._variant else CONVERTED)
