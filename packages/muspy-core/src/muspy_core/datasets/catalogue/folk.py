"""Folk tunes as ABC tune books: Essen and Nottingham."""

from __future__ import annotations

from typing import ClassVar

from muspy_core.datasets.abc import RemoteABCFolderDataset
from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import ExtractedFolderDataset
from muspy_core.datasets.downloads import Remote


class EssenFolkSongDatabase(ExtractedFolderDataset, RemoteABCFolderDataset):
    """The Essen folk song database, converted from EsAC to ABC by Seymour Shlien."""

    _info = DatasetInfo(
        name="Essen Folk Song Database",
        description="European and Chinese folk songs, collected in Essen associative code under Helmut Schaffrath",
        homepage="https://ifdo.ca/~seymour/runabc/esac/esacdatabase.html",
        citation="""@misc{schaffrath1995essen,
  title={The {Essen} Folksong Collection},
  author={Schaffrath, Helmut},
  editor={Huron, David},
  publisher={Center for Computer Assisted Research in the Humanities},
  address={Menlo Park, CA},
  year={1995}
}""",
        genre="folk",
        format="ABC",
        songs=9034,
        hours=56.62,
        melody=True,
        chords=True,
        monophonic=True,
    )
    _sources: ClassVar = {
        "essen": Remote(
            "esac.zip",
            "https://ifdo.ca/~seymour/runabc/esac/esac.zip",
            1700981,
            "7957cf8f7a036dac9d807330548816967a13a4f598247e2a0f38aeccf04c7553",
            "4636bd27b8ba4c57d2ef7db00d9eedc1",
        )
    }


class NottinghamDatabase(ExtractedFolderDataset, RemoteABCFolderDataset):
    """The Nottingham database of folk tunes with chord symbols, edited by Seymour Shlien."""

    _info = DatasetInfo(
        name="Nottingham Database",
        description="British and American folk tunes collected by Eric Foxley",
        homepage="https://ifdo.ca/~seymour/nottingham/nottingham.html",
        citation="""@misc{foxley2001nottingham,
  title={Nottingham Database},
  author={Foxley, Eric},
  year={2001},
  howpublished={\\url{https://ifdo.ca/~seymour/nottingham/nottingham.html}}
}""",
        genre="folk",
        format="ABC",
        songs=1036,
        hours=10.54,
        melody=True,
        chords=True,
        monophonic=True,
    )
    _sources: ClassVar = {
        "nmd": Remote(
            "nottingham_database.zip",
            "http://ifdo.ca/~seymour/nottingham/nottingham_database.zip",
            142934,
            "f79a4bffe78b16d630d4d69f9c62775a7aa246d0973c4d8714ab6c5139ff5a3b",
            "f55c354aaf08bcb6e9b2b3b8d52e4df3",
        )
    }
