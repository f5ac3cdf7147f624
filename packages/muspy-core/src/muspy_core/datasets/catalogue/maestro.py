"""MAESTRO: piano performances recorded as MIDI, in three versions with official splits."""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import DatasetFilesError, MIDIFolderDataset, OfficialSplit
from muspy_core.datasets.downloads import Remote

CITATION = """@inproceedings{hawthorne2019enabling,
  title={Enabling Factorized Piano Music Modeling and Generation with the {MAESTRO} Dataset},
  author={Hawthorne, Curtis and Stasyuk, Andriy and Roberts, Adam and Simon, Ian and Huang, Cheng-Zhi Anna and
    Dieleman, Sander and Elsen, Erich and Engel, Jesse and Eck, Douglas},
  booktitle={International Conference on Learning Representations (ICLR)},
  year={2019}
}"""


def _info(version: int, songs: int | None = None, hours: float | None = None) -> DatasetInfo:
    return DatasetInfo(
        name=f"MAESTRO v{version}",
        description="Performances of the International Piano-e-Competition, captured by Disklaviers (MIDI only)",
        homepage="https://magenta.tensorflow.org/datasets/maestro",
        license="CC BY-NC-SA 4.0",
        citation=CITATION,
        genre="classical",
        format="MIDI",
        songs=songs,
        hours=hours,
        note="official split in the CSV file of the archive",
    )


def _remote(version: int, size: int, sha256: str) -> Remote:
    name = f"maestro-v{version}.0.0-midi.zip"
    folder = f"https://storage.googleapis.com/magentadata/datasets/maestro/v{version}.0.0"
    return Remote(name, f"{folder}/{name}", size, sha256)


class _MAESTRO(OfficialSplit, MIDIFolderDataset):
    _extension = ("midi", "mid")

    def _part_of(self, name: str) -> str:
        parts = _parts_of(self.root)
        # The paths of the table begin in the folder of the table: "2018/….midi".
        ending = "/".join(Path(name).parts[-2:])
        try:
            return parts[ending]
        except KeyError:
            raise DatasetFilesError(f"{name}: the table of the official split does not name it") from None


@functools.lru_cache(maxsize=4)
def _parts_of(root: Path) -> dict[str, str]:
    """The part of every file, by its path from the folder of the table."""
    tables = sorted(root.rglob("maestro-v*.csv"))
    if not tables:
        raise DatasetFilesError(f"{root}: the table of the official split, maestro-v*.csv, is not there")
    with open(tables[0], encoding="utf-8", newline="") as file:
        try:
            return {row["midi_filename"]: row["split"] for row in csv.DictReader(file)}
        except (KeyError, csv.Error) as error:
            raise DatasetFilesError(f"{tables[0].name}: not the table of the official split: {error}") from None


class MAESTRODatasetV1(_MAESTRO):
    """MAESTRO, version 1."""

    _info = _info(1)
    _sources: ClassVar = {
        "maestro": _remote(1, 46579421, "f620f9e1eceaab8beea10617599add2e9c83234199b550382a2f603098ae7135")
    }


class MAESTRODatasetV2(_MAESTRO):
    """MAESTRO, version 2."""

    _info = _info(2, songs=1282, hours=201.21)
    _sources: ClassVar = {
        "maestro": _remote(2, 59243107, "ec2cc9d94886c6b376db1eaa2b8ad1ce62ff9f0a28b3744782b13163295dadf3")
    }


class MAESTRODatasetV3(_MAESTRO):
    """MAESTRO, version 3."""

    _info = _info(3)
    _sources: ClassVar = {
        "maestro": _remote(3, 58416533, "70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c")
    }
