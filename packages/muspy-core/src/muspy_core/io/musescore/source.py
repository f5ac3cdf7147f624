"""Files and bytes → the score element and its staves (first stage of reading MuseScore files).

An .mscx file is the score as XML. An .mscz file is a zip archive of it; since version 4 it holds style, pictures and
excerpts beside the score as members of their own. Excerpts repeat the score's notes and are left out.
"""

from __future__ import annotations

import dataclasses
import io
import re
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from muspy_core.errors import MuseScoreError
from muspy_core.io.xml import UNZIP_ERRORS, one_line, parse_xml, read_member, rootfile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

KNOWN_VERSIONS = (2, 3, 4)  # major versions whose files are read whole
MAX_DIVISION = 10**6


class MuseScoreWarning(Warning):
    """A MuseScore file of a version that may not be read whole."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A parsed file. score: without excerpts. version: of the file format ("3.02"). division: its ticks per quarter."""

    score: Element
    version: str
    division: int
    program: str | None

    @property
    def major(self) -> int:
        """The major version, 0 if the file has none."""
        match = re.match(r"\d{1,3}", self.version)
        return 0 if match is None else int(match.group())

    @property
    def is_concert(self) -> bool:
        """Whether transposing instruments are notated as they sound."""
        return self.score.findtext("Style/concertPitch") == "1"


def parse_source(data: bytes, name: str, compressed: bool | None) -> Source:
    """Parse the bytes of a MuseScore file; `compressed=None` looks at the bytes, not at the name.

    Raises MuseScoreError naming the file if it is no MuseScore file or exceeds the bounds; warns (MuseScoreWarning) of
    versions whose files may not be read whole.
    """
    if compressed or (compressed is None and data.startswith(b"PK")):
        data = unzip_score(data, name)
    root: Any = parse_xml(data, name, MuseScoreError)
    if root.tag != "museScore":
        raise MuseScoreError(
            f"{name}: the root element is <{one_line(str(root.tag))}>; a MuseScore file starts with <museScore>"
        )
    score = root.find("Score")
    score = root if score is None else score
    if score.find("Staff") is None and score.find("Part") is None:
        raise MuseScoreError(f"{name}: there is no part or staff in this file")
    for excerpt in [*score.iterfind("Score"), *score.iterfind("Excerpt")]:
        score.remove(excerpt)
    version = (root.get("version") or "").strip()
    source = Source(score, version, _division(score, name), root.findtext("programVersion"))
    if source.major not in KNOWN_VERSIONS:
        warnings.warn(
            f"{name}: MuseScore format {version[:20] or 'unknown'} is not 2, 3 or 4; not everything may be read",
            MuseScoreWarning,
            stacklevel=4,
        )
    return source


def _division(score: Element, name: str) -> int:
    text = (score.findtext("Division") or "480").strip()
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= MAX_DIVISION:
        raise MuseScoreError(f"{name}: <Division> is {text[:40]!r}; it must be 1 to {MAX_DIVISION:,}")
    return int(text)


def unzip_score(data: bytes, name: str) -> bytes:
    """Return the XML of the score inside an .mscz file.

    Raises MuseScoreError naming the file if there is none, or not exactly one, or if it exceeds the bounds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return read_member(archive, _find_score(archive, name), name, MuseScoreError)
    except MuseScoreError:
        raise
    except UNZIP_ERRORS as error:
        raise MuseScoreError(f"{name}: not a usable .mscz (zip) file: {one_line(str(error))}") from None


def _find_score(archive: zipfile.ZipFile, name: str) -> str:
    """Return the name of the score: META-INF/container.xml says it, else it is the only .mscx outside folders."""
    declared = rootfile(archive, name, MuseScoreError, ".mscx")
    if declared is not None:
        return declared
    scores = [member for member in archive.namelist() if member.endswith(".mscx") and "/" not in member]
    if len(scores) != 1:
        raise MuseScoreError(f"{name}: no META-INF/container.xml says which of {len(scores)} .mscx files is the score")
    return scores[0]
