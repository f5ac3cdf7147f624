"""Files and bytes → the measures of each part (first stage of reading MusicXML).

Compressed files (.mxl) are opened through their container. Time-wise scores come out as part-wise ones, so that the
later stages know one form.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lxml import etree

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml.tree import is_compiled, parse_score
from muspy_core.io.xml import UNZIP_ERRORS, one_line, read_member, rootfile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_STRAYS: Any = etree.XPath("part/*[not(self::measure)]")


class Part(NamedTuple):
    """A part as written. content: the element whose children are the measures, and nothing else."""

    identifier: str
    content: Element

    def measure_number(self, index: int) -> str | None:
        """Return the number of a measure as printed, None if there is none."""
        return self.content[index].get("number") if index < len(self.content) else None


@dataclasses.dataclass(frozen=True)
class Source:
    """A parsed file. parts: in document order."""

    name: str
    root: Element
    parts: list[Part]


def parse_source(data: bytes, name: str, compressed: bool | None) -> Source:
    """Parse the bytes of a MusicXML file; `compressed=None` looks at the bytes, not at the name.

    Raises MusicXMLError naming the file if it is no MusicXML or exceeds the bounds.
    """
    if compressed or (compressed is None and data.startswith(b"PK")):
        data = unzip_score(data, name)
    root = parse_score(data, name)
    if root.tag == "score-partwise":
        parts = _partwise(root)
    elif root.tag == "score-timewise":
        parts = _timewise(root)
    else:
        raise MusicXMLError(
            f"{name}: the root element is <{root.tag}>; a MusicXML score starts with <score-partwise> or "
            "<score-timewise>"
        )
    return Source(name, root, parts)


def divisions_texts(part: Part) -> list[str]:
    """Return the texts of all <divisions>."""
    return [element.text for element in part.content.iterfind("measure/attributes/divisions") if element.text]


def unzip_score(data: bytes, name: str) -> bytes:
    """Return the XML of the score inside a compressed MusicXML file.

    Raises MusicXMLError naming the file if there is none, or not exactly one, or if it exceeds the bounds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return read_member(archive, _find_score(archive, name), name, MusicXMLError)
    except MusicXMLError:
        raise
    except UNZIP_ERRORS as error:
        raise MusicXMLError(f"{name}: not a usable compressed MusicXML (zip) file: {one_line(str(error))}") from None


def _find_score(archive: zipfile.ZipFile, name: str) -> str:
    """Return the name of the score in the archive: META-INF/container.xml says it, else it is the only XML file."""
    declared = rootfile(archive, name, MusicXMLError)
    if declared is not None:
        return declared
    scores = [member for member in archive.namelist() if member.lower().endswith((".xml", ".musicxml"))]
    if len(scores) != 1:
        raise MusicXMLError(f"{name}: no META-INF/container.xml says which of {len(scores)} XML files is the score")
    return scores[0]


def _partwise(root: Element) -> list[Part]:
    if not is_compiled(root):  # a compiled tree has no strays
        for stray in _STRAYS(root):
            stray.getparent().remove(stray)
    return [Part(part.get("id") or "", part) for part in root.iterfind("part")]


def _timewise(root: Element) -> list[Part]:
    """Collect the measures of each part; a part that is missing in a measure gets an empty one."""
    columns = list(root.iterfind("measure"))
    parts: dict[str, Part] = {}
    for index, column in enumerate(columns):
        for written in column.findall("part"):
            identifier = written.get("id") or ""
            if identifier not in parts:
                parts[identifier] = Part(identifier, _empty_measures(columns))
            measure = parts[identifier].content[index]
            measure[:] = list(written)
    return list(parts.values())


def _empty_measures(columns: list[Element]) -> Element:
    part: Any = etree.Element("part")
    for column in columns:
        etree.SubElement(part, "measure", dict(column.attrib))
    return cast("Element", part)
