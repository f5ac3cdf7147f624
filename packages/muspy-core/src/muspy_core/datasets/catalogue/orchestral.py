"""Music for orchestra and ensembles: SOD, SymphonyNet, MusicNet."""

from __future__ import annotations

from typing import ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import ExtractedFolderDataset, MIDIFolderDataset
from muspy_core.datasets.downloads import Remote
from muspy_core.datasets.folder import FolderDataset


class SymbolicOrchestralDatabase(ExtractedFolderDataset):
    """The Symbolic Orchestral Database (SOD), which MMT is trained on (dissertation §3)."""

    _extension = ("mid", "midi", "xml", "mxl", "musicxml")
    _info = DatasetInfo(
        name="Symbolic Orchestral Database",
        description="Orchestral music as MIDI and MusicXML, collected beside pairs of piano scores and orchestrations",
        homepage="https://qsdfo.github.io/LOP/database.html",
        citation="""@article{crestel2018database,
  title={A Database Linking Piano and Orchestral {MIDI} Scores with Application to Automatic Projective Orchestration},
  author={Crestel, L{\\'e}opold and Esling, Philippe and Heng, Lena and McAdams, Stephen},
  journal={arXiv preprint arXiv:1810.08611},
  year={2018}
}""",
        genre="classical",
        format="MIDI, MusicXML",
        songs=5743,
        hours=357,
        multitrack=True,
        note="counts as in §3 of the dissertation",
    )
    _sources: ClassVar = {"sod": Remote("SOD.zip", "https://qsdfo.github.io/LOP/database/SOD.zip")}


class SymphonyNetDataset(FolderDataset):
    """The symphonies that SymphonyNet is trained on; to be downloaded by hand."""

    _extension = ("mid", "midi")
    _info = DatasetInfo(
        name="SymphonyNet",
        description="Symphonic music as MIDI",
        homepage="https://symphonynet.github.io/",
        citation="""@inproceedings{liu2022symphony,
  title={Symphony Generation with Permutation Invariant Language Model},
  author={Liu, Jiafeng and Dong, Yuanliang and Cheng, Zehua and Zhang, Xinran and Li, Xiaobing and Yu, Feng and
    Sun, Maosong},
  booktitle={Proceedings of the 23rd International Society for Music Information Retrieval Conference (ISMIR)},
  year={2022}
}""",
        genre="classical",
        format="MIDI",
        multitrack=True,
        note="by hand: the archive is on Google Drive, linked from the home page",
    )


class MusicNetDataset(MIDIFolderDataset):
    """MusicNet: the scores, as MIDI, that its recordings were aligned with."""

    _info = DatasetInfo(
        name="MusicNet",
        description="Scores of 330 recordings of classical chamber music (MIDI only)",
        homepage="https://zenodo.org/record/5120004",
        citation="""@inproceedings{thickstun2017learning,
  title={Learning Features of Music from Scratch},
  author={Thickstun, John and Harchaoui, Zaid and Kakade, Sham M.},
  booktitle={International Conference on Learning Representations (ICLR)},
  year={2017}
}""",
        genre="classical",
        format="MIDI",
        multitrack=True,
    )
    _sources: ClassVar = {
        "musicnet": Remote(
            "musicnet_midis.tar.gz",
            "https://zenodo.org/record/5120004/files/musicnet_midis.tar.gz",
            2601302,
            "943cc47731ec5f397bd6fbab4dff78342472890cd484bd30ffb2e16047eef908",
            "b5fa98a113bfc51c8a445def9f24dc7e",
        )
    }
