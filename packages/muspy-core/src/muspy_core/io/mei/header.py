"""The head of a score in MEI: metadata, parts and their staves (second stage)."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from muspy_core.events import Metadata
from muspy_core.io.musicxml.header import Instrument, PartInfo, line_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CREATOR_ROLES = ("composer", "lyricist", "arranger", "librettist", "poet")
KEY = re.compile(r"(\d{1,2})([sf])?")


@dataclasses.dataclass
class PartSource:
    """A part: its staves by the number that measures name, and how its notation sounds (letters, semitones)."""

    info: PartInfo
    staves: list[str]
    shift: tuple[int, int]


def text_of(element: Element | None) -> str | None:
    """Return the text of an element and all inside it in one line, None if there is none."""
    return None if element is None else line_of("".join(element.itertext()))


def read_metadata(root: Element, name: str | None, source_format: str) -> Metadata:
    """Return the metadata of a score: the title and persons of the file description."""
    titles = [text for title in root.iterfind("meiHead/fileDesc/titleStmt/title") if (text := text_of(title))]
    persons = [
        (person.get("role") or "", text)
        for person in (*root.iter("persName"), *root.iter("composer"), *root.iter("lyricist"))
        if (text := text_of(person))
    ]
    creators = [text for role, text in persons if role in CREATOR_ROLES]
    return Metadata(
        title=next(iter(titles), None),
        creators=list(dict.fromkeys(creators)),
        copyright=text_of(root.find("meiHead/fileDesc/pubStmt/availability/useRestrict")),
        source_filename=name,
        source_format=source_format,
        lyricists=list(dict.fromkeys(text for role, text in persons if role in ("lyricist", "poet", "librettist"))),
    )


def read_parts(root: Element) -> list[PartSource]:
    """Return the parts of a score: staves under one brace without names of their own are one part (a piano)."""
    group = root.find(".//score/scoreDef/staffGrp")
    parts: list[PartSource] = []
    if group is not None:
        _walk(group, parts)
    return parts


def _walk(group: Element, parts: list[PartSource]) -> None:
    staves = group.findall("staffDef")
    is_brace = "brace" in (group.get("symbol"), *(grp.get("symbol") for grp in group.findall("grpSym")))
    named = [staff for staff in staves if staff.find("label") is not None]
    if is_brace and len(staves) > 1 and not named:
        parts.append(_read_part(group, staves))
        return
    for child in group:
        if child.tag == "staffGrp":
            _walk(child, parts)
        elif child.tag == "staffDef":
            parts.append(_read_part(child, [child]))


def _read_part(head: Element, staves: list[Element]) -> PartSource:
    instrument = Instrument()
    definition = head.find("instrDef")
    definition = staves[0].find("instrDef") if definition is None else definition
    if definition is not None:
        instrument.program = _number(definition.get("midi.instrnum"), 127)
        instrument.channel = _number(definition.get("midi.channel"), 15)
    info = PartInfo(text_of(head.find("label")), text_of(head.find("labelAbbr")), {"": instrument})
    letters, semitones = (int(staves[0].get(name) or "0") for name in ("trans.diat", "trans.semi"))
    return PartSource(info, [staff.get("n") or "1" for staff in staves], (letters, semitones))


def _number(text: str | None, highest: int) -> int | None:
    return int(text) if text is not None and text.isdecimal() and int(text) <= highest else None


def fifths_of(signature: str | None) -> int | None:
    """Return the fifths of a key signature ("3f" → −3), None if it is none."""
    match = KEY.fullmatch(signature or "")
    if match is None:
        return None
    return int(match[1]) * {"s": 1, "f": -1, None: 1}[match[2]]
