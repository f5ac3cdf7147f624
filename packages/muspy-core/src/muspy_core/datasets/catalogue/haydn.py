"""Haydn's string quartets op. 20 with harmonic analyses, in Humdrum files.

There is no reader of Humdrum here: music21 reads the notes and interprets the Roman numerals, so this data set needs it
(extra `interop`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import DatasetFilesError, ExtractedFolderDataset
from muspy_core.datasets.downloads import Remote
from muspy_core.events import Annotation
from muspy_core.interop import from_music21_score
from muspy_core.interop.peers import import_peer
from muspy_core.io.files import read_bytes
from muspy_core.music import Music
from muspy_core.timing import DEFAULT_RESOLUTION


class HaydnOp20Dataset(ExtractedFolderDataset):
    """Haydn op. 20: 24 movements; each Roman numeral is an annotation {"key", "figure", "chord"}."""

    _extension = "hrm"
    _info = DatasetInfo(
        name="Haydn Op. 20",
        description="Haydn's string quartets op. 20 with harmonic analyses",
        homepage="https://doi.org/10.5281/zenodo.1095630",
        license="CC BY-NC-SA 4.0",
        citation="""@dataset{napoles2017haydn,
  title={Joseph Haydn - String Quartets {Op.20} - Harmonic Analysis Annotations Dataset},
  author={N{\\'a}poles L{\\'o}pez, N{\\'e}stor},
  publisher={Zenodo},
  year={2017},
  doi={10.5281/zenodo.1095630}
}""",
        genre="classical",
        format="Humdrum",
        chords=True,
        multitrack=True,
        note="read by music21",
    )
    _sources: ClassVar = {
        "haydn": Remote(
            "haydnop20v1.3_annotated.zip",
            "https://github.com/napulen/haydn_op20_harm/releases/download/v1.3/haydnop20v1.3_annotated.zip",
            130954,
            "96986cccebfd37a36cc97a2fc0ebcfbe22d5136e622b21e04ea125d589f5073b",
            "1c65c8da312e1c9dda681d0496bf527f",
        )
    }

    def read(self, filename: Any) -> Music:
        """Read one movement. Raises ImportError without music21, DatasetFilesError for what music21 cannot read."""
        music21 = import_peer("music21")
        path = Path(filename)
        try:
            text = _without_open_questions(read_bytes(path).decode("utf-8", "replace"))
            score = music21.converter.parse(text, format="humdrum")
            # A numeral stands in every staff that it is said of, as one and the same object.
            numerals = list({id(one): one for one in score.recurse().getElementsByClass("RomanNumeral")}.values())
            annotations = _annotations(score, numerals)
            score.remove(numerals, recurse=True)
            music = from_music21_score(score)
        except (music21.exceptions21.Music21Exception, ValueError, LookupError, TypeError, AttributeError) as error:
            # Whatever music21 stumbles over.
            raise DatasetFilesError(f"{path.name}: music21 cannot read it: {error}") from error
        music.metadata.source_filename = path.name
        music.metadata.source_format = "humdrum"
        music.annotations.clear()
        music.annotations.extend(annotations)
        return music


def _without_open_questions(text: str) -> str:
    """Blank the "?" of places that the analyst left open, which music21 takes for a harmony that it does not know."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith(("!", "*", "=")):
            lines[number] = "\t".join("." if token == "?" else token for token in line.split("\t"))
    return "\n".join(lines)


def _annotations(score: Any, numerals: list[Any]) -> list[Annotation]:
    """One annotation for each time with a Roman numeral; the last one counts where several stand."""
    found = {numeral.getOffsetInHierarchy(score): numeral for numeral in numerals}
    return [
        Annotation(
            round(float(offset) * DEFAULT_RESOLUTION),
            {
                "key": (numeral.secondaryRomanNumeralKey or numeral.key).tonicPitchNameWithCase,
                "figure": numeral.figure,
                "chord": numeral.pitchedCommonName,
            },
        )
        for offset, numeral in sorted(found.items(), key=lambda item: item[0])
    ]
