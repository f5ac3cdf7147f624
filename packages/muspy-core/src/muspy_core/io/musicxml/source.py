"""Files and bytes → the measures of each part (first stage of reading MusicXML).

XML is parsed without entities, DTDs or network. Compressed files (.mxl) are opened through their container, with a
bound on what they may unpack to. Time-wise scores come out as part-wise ones, so that the later stages know one form.
"""

from __future__ import annotations

import dataclasses
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lxml import etree

from muspy_core.errors import MusicXMLError

if TYPE_CHECKING:
    # lxml's elements offer the part of this interface that we use; lxml itself carries no types.
    from xml.etree.ElementTree import Element

# The largest scores of whole operas reach some 150 MB; XML of notes compresses 20- to 50-fold.
MAX_XML_SIZE = 256 * 1024 * 1024
MAX_COMPRESSION_RATIO = 200
RATIO_FREE_SIZE = 4 * 1024 * 1024

_DIVISIONS: Any = etree.XPath("measure/attributes/divisions/text()", smart_strings=False)
_STRAYS: Any = etree.XPath("part/*[not(self::measure)]")
UNZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError)


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
        data = _unzip(data, name)
    root = parse_xml(data, name)
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


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root element of an XML document; entity declarations are refused.

    Raises MusicXMLError if it is not well-formed.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
    )
    if not data.strip():
        raise MusicXMLError(f"{name}: the file is empty")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, LookupError) as error:
        raise MusicXMLError(f"{name}: not well-formed XML: {_reason(error)}") from None
    if root is None:
        raise MusicXMLError(f"{name}: there is no element in this file")
    if _declares_entities(root):
        raise MusicXMLError(f"{name}: declares XML entities, which MusicXML does not need; refused for safety")
    return cast("Element", root)


def _declares_entities(root: Any) -> bool:
    internal = root.getroottree().docinfo.internalDTD
    return internal is not None and any(True for _ in internal.iterentities())


def divisions_texts(part: Part) -> list[str]:
    """Return the texts of all <divisions>; XPath finds them much faster than a walk through all elements."""
    found: list[str] = _DIVISIONS(part.content)
    return found


def _reason(error: Exception) -> str:
    """The parser's message, without the file name it puts in brackets."""
    return str(error).split(" (<string>")[0] or type(error).__name__


def _unzip(data: bytes, name: str) -> bytes:
    """Return the score inside a compressed MusicXML file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_member(archive, _find_score(archive, name), name)
    except UNZIP_ERRORS as error:
        raise MusicXMLError(f"{name}: not a usable compressed MusicXML (zip) file: {error}") from None


def _find_score(archive: zipfile.ZipFile, name: str) -> str:
    """Return the name of the score in the archive: META-INF/container.xml says it, else it is the only XML file."""
    members = archive.namelist()
    if "META-INF/container.xml" in members:
        container = parse_xml(_read_member(archive, "META-INF/container.xml", name), f"{name} (container.xml)")
        for rootfile in container.iter("rootfile"):
            path = rootfile.get("full-path")
            if path in members:
                return path
            raise MusicXMLError(f"{name}: container.xml names {path!r}, which is not in the archive")
        raise MusicXMLError(f"{name}: container.xml names no rootfile")
    scores = [member for member in members if member.lower().endswith((".xml", ".musicxml"))]
    if len(scores) != 1:
        raise MusicXMLError(f"{name}: no META-INF/container.xml says which of {len(scores)} XML files is the score")
    return scores[0]


def _read_member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """Unpack one member in memory, refusing sizes and ratios that no score has."""
    information = archive.getinfo(member)
    ratio = information.file_size / max(information.compress_size, 1)
    if information.file_size > RATIO_FREE_SIZE and ratio > MAX_COMPRESSION_RATIO:
        raise MusicXMLError(
            f"{name}: {member} claims to unpack {ratio:.0f}-fold; more than {MAX_COMPRESSION_RATIO} is refused"
        )
    if information.file_size > MAX_XML_SIZE:
        raise MusicXMLError(f"{name}: {member} claims {information.file_size:,} bytes; the limit is {MAX_XML_SIZE:,}")
    with archive.open(information) as file:
        # zipfile stops at the claimed size, so the claim bounds what is read.
        return file.read(information.file_size + 1)


def _partwise(root: Element) -> list[Part]:
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
