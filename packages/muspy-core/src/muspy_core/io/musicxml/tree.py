"""XML bytes → elements, and the steps through a part (used by source and part).

Scores are parsed by `_tree.c` where it is built: it knows the plain XML that scores are written in, and its elements
offer the part of lxml's interface that the reader uses. What it does not know or finds not well-formed it declines;
then, or where it is not built, lxml parses. Either way the elements, and so the music and the errors, are the same.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from muspy_core.errors import MusicXMLError
from muspy_core.io.xml import parse_xml

if TYPE_CHECKING:
    # The elements of both offer the part of this interface that we use; neither carries types.
    from xml.etree.ElementTree import Element

logger = logging.getLogger(__name__)

ABI = 1  # the same number stands in _tree.c

IS_REST, IS_CHORD, IS_CUE, IS_GRACE, HAS_SLASH = 1, 2, 4, 8, 16
STARTS_TIE, STOPS_TIE = 32, 64
TIE_FLAGS = {"start": STARTS_TIE, "stop": STOPS_TIE, "continue": STARTS_TIE | STOPS_TIE}
SIMPLE_FLAGS = {"rest": IS_REST, "chord": IS_CHORD, "cue": IS_CUE}
# What stands in notes: elements that are a text, and the others; what stands beside notes. Nothing else is looked at.
NOTE_TEXTS = ("step", "alter", "octave", "duration", "voice", "staff")
NOTE_MARKS = ("notations", "rest", "chord", "tie", "instrument", "lyric", "grace", "cue", "unpitched")
BESIDE = ("measure", "backup", "forward", "attributes", "direction", "sound", "harmony", "barline", "figured-bass")
TAGS = ("note", *NOTE_TEXTS, *NOTE_MARKS, *BESIDE)


class NoteItems(NamedTuple):
    """What stands in a note. flags: bits, see above. step … staff: texts. instrument: its id.

    notations: the children of all <notations>. lyrics: the <lyric> elements. What is missing is None.
    """

    element: Element
    flags: int
    step: str | None
    alter: str | None
    octave: str | None
    duration: str | None
    voice: str | None
    staff: str | None
    instrument: str | None
    notations: list[Element] | None
    lyrics: list[Element] | None
    unpitched: Element | None


@functools.cache
def _choose(setting: str) -> Callable[[bytes], Element | None] | None:
    """Return the compiled parser, None where it is not built or not wanted."""
    if setting == "0":
        return None
    try:
        from muspy_core.io.musicxml import _tree
    except ImportError:
        logger.info("MusicXML is parsed by lxml: the compiled parser was not built")
        return None
    if _tree.ABI != ABI:
        logger.warning("MusicXML is parsed by lxml: the compiled parser is of another version; reinstall muspy-core")
        return None
    return _tree.parse


def xml_backend() -> Literal["c", "lxml"]:
    """Return which parser reads scores first: "c" (compiled) or "lxml" (slower, with the same results)."""
    return "lxml" if _choose(os.environ.get("MUSPY_CORE_EXTENSION", "auto")) is None else "c"


def parse_score(data: bytes, name: str) -> Element:
    """Return the root element of a score, parsed by the fastest parser that can.

    The environment variable `MUSPY_CORE_EXTENSION=0` chooses lxml. Raises MusicXMLError as `parse_xml` does.
    """
    parse = _choose(os.environ.get("MUSPY_CORE_EXTENSION", "auto"))
    root = None if parse is None else parse(data)
    return parse_xml(data, name, MusicXMLError) if root is None or not _is_plain(root) else root


def _is_plain(root: Element) -> bool:
    """Whether a compiled tree can be read as it is: part-wise, with nothing but measures in parts."""
    return root.tag == "score-partwise" and all(
        measure.tag == "measure" for part in root.iterfind("part") for measure in part
    )


def is_compiled(element: Element) -> bool:
    """Whether an element is one of `_tree.c`."""
    return hasattr(element, "steps")


def steps_of(part: Element) -> Iterator[Any]:
    """Yield what stands in a part, in order: a tuple like `NoteItems` for each note, elements for what is beside notes.

    Those of `_tree.c` are plain tuples, which are made faster.
    """
    return cast("Any", part).steps() if is_compiled(part) else _steps_of_lxml(part)


def _steps_of_lxml(part: Any) -> Iterator[tuple[Any, ...] | Element]:
    """The twin of `steps_next` in _tree.c: one walk through the elements that matter, which lxml picks out.

    What stands in a note follows it in the walk, so a note is complete when the next thing begins.
    """
    note: Element | None = None
    texts: dict[str, str] = {}
    marked: list[Element] = []
    for element in part.iter(*TAGS):
        tag = element.tag
        if tag in NOTE_TEXTS:
            texts[tag] = element.text or ""
        elif tag in NOTE_MARKS:
            marked.append(element)
        else:
            if note is not None:
                yield _items_of(note, texts, marked)
            if tag == "note":
                note, texts, marked = element, {}, []
            else:
                note = None
                yield element
    if note is not None:
        yield _items_of(note, texts, marked)


def _items_of(note: Element, texts: dict[str, str], marked: list[Element]) -> tuple[Any, ...]:
    """Return the items of a note, as in `NoteItems`. texts, marked: its simple descendants by tag, and the others."""
    flags = 0
    instrument = notations = lyrics = unpitched = None
    for child in marked:
        tag = child.tag
        if tag == "notations":
            notations = [*notations, *child] if notations else [*child]
        elif tag == "tie":
            flags |= TIE_FLAGS.get(child.get("type", ""), 0)
        elif tag == "instrument":
            instrument = child.get("id")
        elif tag == "lyric":
            lyrics = [child] if lyrics is None else [*lyrics, child]
        elif tag == "grace":
            flags |= IS_GRACE | HAS_SLASH if child.get("slash") == "yes" else IS_GRACE
        elif tag == "unpitched":
            unpitched = child
        else:
            flags |= SIMPLE_FLAGS[tag]
    return (note, flags, *map(texts.get, NOTE_TEXTS), instrument, notations, lyrics, unpitched)
