"""The Lakh MIDI Dataset and its two subsets."""

from __future__ import annotations

from typing import ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import MIDIFolderDataset
from muspy_core.datasets.downloads import Remote

CITATION = """@phdthesis{raffel2016learning,
  title={Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-{MIDI} Alignment and Matching},
  author={Raffel, Colin},
  school={Columbia University},
  year={2016}
}"""
_SERVER = "http://hog.ee.columbia.edu/craffel/lmd"


def _info(name: str, description: str, songs: int | None = None, hours: float | None = None) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        description=description,
        homepage="https://colinraffel.com/projects/lmd/",
        license="CC BY 4.0",
        citation=CITATION,
        genre="misc",
        format="MIDI",
        songs=songs,
        hours=hours,
        multitrack=True,
        note="published hours: more than 9,000" if hours else None,
    )


class LakhMIDIDataset(MIDIFolderDataset):
    """The Lakh MIDI Dataset, all of it."""

    _info = _info(
        "Lakh MIDI Dataset", "176,581 different MIDI files found on the web, of any style", songs=174533, hours=9000
    )
    _sources: ClassVar = {
        "lmd_full": Remote(
            "lmd_full.tar.gz",
            f"{_SERVER}/lmd_full.tar.gz",
            1768163879,
            "6fcfe2ac49ca08f3f214cec86ab138d4fc4dabcd7f27f491a838dae6db45a12b",
            "2536ce3fd2cede53ddaa264f731859ab",
        )
    }


class LakhMIDIMatchedDataset(MIDIFolderDataset):
    """The files of the Lakh MIDI Dataset that were matched to the Million Song Dataset."""

    _info = _info("Lakh MIDI Dataset, matched", "45,129 files matched to entries of the Million Song Dataset")
    _sources: ClassVar = {
        "lmd_matched": Remote(
            "lmd_matched.tar.gz",
            f"{_SERVER}/lmd_matched.tar.gz",
            1407072670,
            "621ff830aed771f469e5bfa13dc12a33c6ed69090adeda63d0b5c47783af0191",
            "fb80d01c22020295bb3eeef31f1aa63a",
        )
    }


class LakhMIDIAlignedDataset(MIDIFolderDataset):
    """The files of the Lakh MIDI Dataset that were aligned to recordings of the Million Song Dataset."""

    _info = _info("Lakh MIDI Dataset, aligned", "The matched files, aligned to the previews of their recordings")
    _sources: ClassVar = {
        "lmd_aligned": Remote(
            "lmd_aligned.tar.gz",
            f"{_SERVER}/lmd_aligned.tar.gz",
            272169548,
            "2bf5400e82eba73204644946515489b68811e1e656b0cfd854efc14377f6e53b",
            "d36ca9159966d81d97e1e37d10ed4584",
        )
    }
