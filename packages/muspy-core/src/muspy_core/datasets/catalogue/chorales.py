"""Four-part chorales of J. S. Bach as MIDI."""

from __future__ import annotations

from typing import Any, ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import MIDIFolderDataset, OfficialSplit
from muspy_core.datasets.downloads import Remote
from muspy_core.music import Music

# The files claim 100 steps a quarter note, but their notes lie on a grid of 120.
RESOLUTION = 120


class JSBChoralesDataset(OfficialSplit, MIDIFolderDataset):
    """JSB Chorales, with the official split by folders."""

    _info = DatasetInfo(
        name="JSB Chorales",
        description="382 four-part chorales of J. S. Bach",
        homepage="http://www-etud.iro.umontreal.ca/~boulanni/icml2012",
        citation="""@inproceedings{boulanger2012modeling,
  title={Modeling Temporal Dependencies in High-Dimensional Sequences: Application to Polyphonic Music Generation and
    Transcription},
  author={Boulanger-Lewandowski, Nicolas and Bengio, Yoshua and Vincent, Pascal},
  booktitle={Proceedings of the 29th International Conference on Machine Learning (ICML)},
  year={2012}
}""",
        genre="classical",
        format="MIDI",
        songs=382,
        hours=3.21,
        multitrack=True,
        note="official split by folders",
    )
    _sources: ClassVar = {
        "jsb": Remote(
            "JSB Chorales.zip",
            "http://www-etud.iro.umontreal.ca/~boulanni/JSB%20Chorales.zip",
            215242,
            "69924294546a71620c06374085cd6b0300665ea215e2f854f65a11929f1e723c",
            "2fb72faf2659e82e9de08b16f2cca1e9",
        )
    }

    def read(self, filename: Any) -> Music:
        """Read one chorale; its resolution is set right."""
        music = super().read(filename)
        music.resolution = RESOLUTION
        return music
