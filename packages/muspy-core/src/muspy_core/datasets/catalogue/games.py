"""Music of video games: the NES Music Database."""

from __future__ import annotations

from typing import ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import MIDIFolderDataset, OfficialSplit
from muspy_core.datasets.downloads import Remote


class NESMusicDatabase(OfficialSplit, MIDIFolderDataset):
    """The NES Music Database as MIDI, with the official split by folders."""

    _info = DatasetInfo(
        name="NES Music Database",
        description="Soundtracks of Nintendo games for the four voices of its sound chip",
        homepage="https://github.com/chrisdonahue/nesmdb",
        citation="""@inproceedings{donahue2018nes,
  title={The {NES} Music Database: A Multi-Instrumental Dataset with Expressive Performance Attributes},
  author={Donahue, Chris and Mao, Huanru Henry and McAuley, Julian},
  booktitle={Proceedings of the 19th International Society for Music Information Retrieval Conference (ISMIR)},
  year={2018}
}""",
        genre="game",
        format="MIDI",
        songs=5278,
        hours=46.11,
        melody=True,
        multitrack=True,
        note="official split by folders",
    )
    _sources: ClassVar = {
        "nes": Remote(
            "nesmdb_midi.tar.gz",
            "http://deepyeti.ucsd.edu/cdonahue/nesmdb/nesmdb_midi.tar.gz",
            12922275,
            "37610e2ca5fe70359c85170cf1f4982596783bb304c59d9c439f68c24ff4ee93",
            "3f3e8ab4f660dd1b19350e5a8a91f3e6",
        )
    }
