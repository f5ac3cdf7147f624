"""The head of a score: metadata, parts and their instruments (second stage of reading MusicXML)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from muspy_core.errors import MusicXMLError
from muspy_core.events import Metadata

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DRUM_CHANNEL = 9  # counted from 0


@dataclasses.dataclass
class Instrument:
    """A sound of a part. program, channel, bank and key count from 0. key: the MIDI key of an unpitched instrument."""

    name: str | None = None
    program: int | None = None
    channel: int | None = None
    bank: int | None = None
    key: int | None = None

    @property
    def is_drum(self) -> bool:
        """Whether it plays on MIDI's drum channel."""
        return self.channel == DRUM_CHANNEL


@dataclasses.dataclass
class PartInfo:
    """What the part list says about a part. instruments: by id, at least one."""

    name: str | None = None
    abbreviation: str | None = None
    instruments: dict[str, Instrument] = dataclasses.field(default_factory=dict)


def line_of(text: str | None) -> str | None:
    """Return a text in one line, None if it is missing or empty."""
    return " ".join(text.split()) or None if text else None


def read_metadata(root: Element, name: str | None) -> Metadata:
    """Return the metadata of a score.

    The title is the movement's, else the work's, as in MusPy. Where a score has both, `movement_title` repeats the
    movement's and `collection` holds the work's.
    """
    movement = line_of(root.findtext("movement-title"))
    work = line_of(root.findtext("work/work-title"))
    creators = [
        (creator.get("type"), text)
        for creator in root.iterfind("identification/creator")
        if (text := line_of(creator.text))
    ]
    rights = [text for element in root.iterfind("identification/rights") if (text := line_of(element.text))]
    encoders = [text for e in root.iterfind("identification/encoding/encoder") if (text := line_of(e.text))]
    return Metadata(
        title=movement or work,
        creators=[text for _, text in creators],
        copyright=" ".join(rights) or None,
        collection=work if movement and work else None,
        source_filename=name,
        source_format="musicxml",
        subtitle=_subtitle(root),
        movement_number=line_of(root.findtext("movement-number")),
        movement_title=movement if movement and work else None,
        lyricists=[text for kind, text in creators if kind in ("lyricist", "poet")],
        encoders=encoders,
    )


def _subtitle(root: Element) -> str | None:
    """Return the words of the credit that is marked as subtitle."""
    for credit in root.iterfind("credit"):
        if credit.findtext("credit-type") == "subtitle":
            return line_of(" ".join(words.text or "" for words in credit.iterfind("credit-words")))
    return None


def read_part_list(root: Element, part_ids: list[str]) -> dict[str, PartInfo]:
    """Return the information on each part; a score of one part may do without a part list.

    Raises MusicXMLError if a part of several is not declared.
    """
    declared = {element.get("id") or "": _read_score_part(element) for element in root.iterfind("part-list/score-part")}
    if len(part_ids) == 1 and part_ids[0] not in declared:
        only = next(iter(declared.values())) if len(declared) == 1 else PartInfo(instruments={"": Instrument()})
        return {part_ids[0]: only}
    missing = [identifier for identifier in part_ids if identifier not in declared]
    if missing:
        raise MusicXMLError(f"part {missing[0]!r} is not declared in <part-list>")
    return declared


def _read_score_part(element: Element) -> PartInfo:
    info = PartInfo(line_of(element.findtext("part-name")), line_of(element.findtext("part-abbreviation")))
    for declared in element.iterfind("score-instrument"):
        info.instruments[declared.get("id") or ""] = Instrument(line_of(declared.findtext("instrument-name")))
    for midi in element.iterfind("midi-instrument"):
        identifier = midi.get("id") or ""
        if identifier not in info.instruments and info.instruments:
            continue  # an instrument that no note can name
        _read_midi_instrument(midi, info.instruments.setdefault(identifier, Instrument()))
    if not info.instruments:
        info.instruments[""] = Instrument()
    return info


def _read_midi_instrument(element: Element, instrument: Instrument) -> None:
    """Read the MIDI numbers, which MusicXML counts from 1."""
    instrument.program = _from_one(element, "midi-program", 128)
    instrument.channel = _from_one(element, "midi-channel", 16)
    instrument.bank = _from_one(element, "midi-bank", 16384)
    instrument.key = _from_one(element, "midi-unpitched", 128)


def _from_one(element: Element, tag: str, highest: int) -> int | None:
    """Return a number counted from 1 as one counted from 0; None if it is missing or out of range."""
    text = element.findtext(tag)
    if text is None:
        return None
    number = int(float(text))
    return number - 1 if 1 <= number <= highest else None
