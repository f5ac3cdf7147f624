"""OpenScore: songs and string quartets transcribed by volunteers, in the public domain."""

from __future__ import annotations

from typing import ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import ExtractedFolderDataset
from muspy_core.datasets.downloads import Remote

_NOTE = "the source is a repository, whose content may change"


class OpenScoreLiederDataset(ExtractedFolderDataset):
    """The OpenScore Lieder corpus: songs of the 19th century for voice and piano."""

    _extension = "mxl"
    _info = DatasetInfo(
        name="OpenScore Lieder",
        description="Songs for voice and piano of the 19th century",
        homepage="https://github.com/OpenScore/Lieder",
        license="CC0 1.0",
        citation="""@inproceedings{gotham2018scores,
  title={Scores of Scores: An {OpenScore} Project to Encode and Share Sheet Music},
  author={Gotham, Mark and Jonas, Peter and Bower, Bruno and Bosworth, William and Rootham, Daniel and
    VanHandel, Leigh},
  booktitle={Proceedings of the 5th International Conference on Digital Libraries for Musicology (DLfM)},
  year={2018},
  doi={10.1145/3273024.3273026}
}""",
        genre="classical",
        format="MusicXML",
        multitrack=True,
        note=_NOTE,
    )
    _sources: ClassVar = {"lieder": Remote("Lieder.zip", "https://github.com/OpenScore/Lieder/archive/HEAD.zip")}


class OpenScoreStringQuartetsDataset(ExtractedFolderDataset):
    """The OpenScore string quartets of the long 19th century."""

    _extension = "mxl"
    _info = DatasetInfo(
        name="OpenScore String Quartets",
        description="String quartets of the long 19th century",
        homepage="https://github.com/OpenScore/StringQuartets",
        license="CC0 1.0",
        citation="""@inproceedings{gotham2023openscore,
  title={The ``{OpenScore} {String} {Quartet}'' Corpus},
  author={Gotham, Mark R. H. and Redbond, Maureen and Bower, Bruno and Jonas, Peter},
  booktitle={Proceedings of the 10th International Conference on Digital Libraries for Musicology (DLfM)},
  pages={49--57},
  year={2023},
  doi={10.1145/3625135.3625155}
}""",
        genre="classical",
        format="MusicXML",
        multitrack=True,
        note=_NOTE,
    )
    _sources: ClassVar = {
        "quartets": Remote("StringQuartets.zip", "https://github.com/OpenScore/StringQuartets/archive/HEAD.zip")
    }
