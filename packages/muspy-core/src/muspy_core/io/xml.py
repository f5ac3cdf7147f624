"""XML without its traps, and members of zip archives without theirs (used by the MusicXML and MuseScore readers).

Documents are parsed without entities, DTDs or network. What an archive may unpack to is bounded.
"""

from __future__ import annotations

import lzma
import textwrap
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

if TYPE_CHECKING:
    # lxml's elements offer the part of this interface that we use; lxml itself carries no types.
    from xml.etree.ElementTree import Element

# The largest scores of whole operas reach some 150 MB; XML of notes compresses 20- to 50-fold.
MAX_XML_SIZE = 256 * 1024 * 1024
MAX_COMPRESSION_RATIO = 200
RATIO_FREE_SIZE = 4 * 1024 * 1024
# What zipfile raises for damaged archives. ValueError: offsets before the file, which it follows.
UNZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


def parse_xml(data: bytes, name: str, error: type[Exception]) -> Element:
    """Return the root element of an XML document; entity declarations are refused.

    Raises `error`, naming the file, if it is not well-formed.
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
        raise error(f"{name}: the file is empty")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, LookupError) as reason:
        raise error(f"{name}: not well-formed XML: {_reason(reason)}") from None
    if root is None:
        raise error(f"{name}: there is no element in this file")
    if _declares_entities(root):
        raise error(f"{name}: declares XML entities, which a score does not need; refused for safety")
    return cast("Element", root)


def _declares_entities(root: Any) -> bool:
    internal = root.getroottree().docinfo.internalDTD
    return internal is not None and any(True for _ in internal.iterentities())


def _reason(error: Exception) -> str:
    """The parser's message, without the file name it puts in brackets."""
    return one_line(str(error).split(" (<string>")[0]) or type(error).__name__


def one_line(text: str) -> str:
    """Return a message of a library in one line of bearable length; it may quote what stands in the file."""
    return textwrap.shorten(text, 200, placeholder=" …") if len(text) > 200 or not text.isprintable() else text


def read_member(archive: zipfile.ZipFile, member: str, name: str, error: type[Exception]) -> bytes:
    """Unpack one member of an archive in memory, refusing sizes and ratios that no score has.

    Raises `error`, naming the file.
    """
    information = archive.getinfo(member)
    ratio = information.file_size / max(information.compress_size, 1)
    if information.file_size > RATIO_FREE_SIZE and ratio > MAX_COMPRESSION_RATIO:
        raise error(f"{name}: {member} claims to unpack {ratio:.0f}-fold; more than {MAX_COMPRESSION_RATIO} is refused")
    if information.file_size > MAX_XML_SIZE:
        raise error(f"{name}: {member} claims {information.file_size:,} bytes; the limit is {MAX_XML_SIZE:,}")
    with archive.open(information) as file:
        # zipfile stops at the claimed size, so the claim bounds what is read.
        return file.read(information.file_size + 1)


def rootfile(archive: zipfile.ZipFile, name: str, error: type[Exception], suffix: str = "") -> str | None:
    """Return the first member ending in `suffix` that META-INF/container.xml names, None if there is no such file.

    Raises `error`, naming the archive, if it names a member that is missing, or none.
    """
    members = archive.namelist()
    if "META-INF/container.xml" not in members:
        return None
    document = read_member(archive, "META-INF/container.xml", name, error)
    for element in parse_xml(document, f"{name} (container.xml)", error).iter("rootfile"):
        path = element.get("full-path") or ""
        if not path.endswith(suffix):
            continue
        if path in members:
            return path
        raise error(f"{name}: container.xml names {one_line(repr(path))}, which is not in the archive")
    raise error(f"{name}: container.xml names no {suffix or 'rootfile'}")
