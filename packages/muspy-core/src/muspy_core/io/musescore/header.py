"""The head of a score: metadata, parts with their instruments and staves (third stage of reading MuseScore files)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from muspy_core.errors import MuseScoreError
from muspy_core.events import Metadata
from muspy_core.io.musescore.source import Source
from muspy_core.io.musescore.texts import line_of_text
from muspy_core.io.musicxml.header import Instrument, PartInfo, line_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CREATORS = ("arranger", "composer", "lyricist", "poet", "translator")
BANK_MSB, BANK_LSB = "0", "32"
MAX_INTERVAL = 127


@dataclasses.dataclass
class Sound:
    """An instrument of a part as it plays: its MIDI numbers and how its notation becomes sound.

    shift: (letters, semitones) from written to sounding. drum_lines: staff lines (0: top) by key, None if it is no drum
    set.
    """

    instrument: Instrument
    shift: tuple[int, int]
    drum_lines: dict[int, int] | None

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two changes to an instrument changes to the same one."""
        return (*dataclasses.astuple(self.instrument), self.shift, self.drum_lines is None)


@dataclasses.dataclass
class PartSource:
    """A part: what its head says, and its staves. clefs: the clef that each staff starts with unless it says so."""

    info: PartInfo
    sound: Sound
    staves: list[Element]
    clefs: list[str]


def read_metadata(source: Source, name: str | None) -> Metadata:
    """Return the metadata of a score.

    The title is the movement's, else the work's, as in MusPy, else what stands as title above the first measure. Where
    a score has both, `movement_title` repeats the movement's and `collection` holds the work's.
    """
    tags = {tag.get("name") or "": line_of(tag.text) for tag in source.score.iterfind("metaTag")}
    movement, work = tags.get("movementTitle"), tags.get("workTitle")
    printed = _printed(source.score)
    lyricist = tags.get("lyricist") or tags.get("poet") or printed.get("poet") or printed.get("lyricist")
    creators = [text for role, text in tags.items() if role in CREATORS and text]
    return Metadata(
        title=movement or work or printed.get("title"),
        creators=creators or [text for role in ("composer", "poet", "lyricist") if (text := printed.get(role))],
        copyright=tags.get("copyright"),
        collection=work if movement and work else None,
        source_filename=name,
        source_format="musescore",
        subtitle=tags.get("subtitle") or printed.get("subtitle"),
        movement_number=tags.get("movementNumber"),
        movement_title=movement if movement and work else None,
        lyricists=[lyricist] if lyricist else [],
        encoders=[f"MuseScore {source.program}"] if source.program else [],
    )


def _printed(score: Element) -> dict[str, str]:
    """Return the texts of the frame above the first measure by style ("title", "composer", …)."""
    texts: dict[str, str] = {}
    for element in score.iterfind("Staff/VBox/Text"):
        style = (element.findtext("style") or "").strip().lower()
        text = line_of_text(element.find("text"))
        if text is not None:
            texts.setdefault(style, text)
    return texts


def read_parts(score: Element) -> list[PartSource]:
    """Return the parts of a score with their staves.

    A staff that only shows another one again (a tablature beside a staff) is left out.
    Raises MuseScoreError if a part has a staff that is missing.
    """
    staves = list(score.iterfind("Staff"))
    by_id = {staff.get("id"): staff for staff in staves}
    parts: list[PartSource] = []
    taken = 0
    for element in score.iterfind("Part"):
        heads = element.findall("Staff") or [element]
        own: list[Element] = []
        clefs: list[str] = []
        numbers: set[str | None] = set()
        for index, head in enumerate(heads):
            number = head.get("id")
            staff = by_id.get(number) if number is not None and head is not element else None
            if staff is None:
                staff = staves[taken] if taken < len(staves) else None
            taken += 1
            if staff is None:
                raise MuseScoreError(f"part {len(parts) + 1} has {len(heads)} staves, but the score only {len(staves)}")
            numbers.add(staff.get("id"))
            linked = head.findtext("linkedTo") or staff.findtext("linkedTo")
            if linked is not None and linked.strip() in numbers - {staff.get("id")}:
                continue
            own.append(staff)
            clefs.append(_first_clef(element, head, index))
        parts.append(PartSource(_read_info(element), read_sound(element.find("Instrument")), own, clefs))
    if not parts and staves:
        parts = [PartSource(PartInfo(), read_sound(None), staves, ["G"] * len(staves))]
    for part in parts:
        part.info.instruments[""] = part.sound.instrument
    return parts


def _first_clef(part: Element, head: Element, index: int) -> str:
    """Return the clef with which a staff of a part starts."""
    stated = head.findtext("defaultClef") or head.findtext("defaultTransposingClef")
    for clef in part.iterfind("Instrument/clef") if stated is None else ():
        if (clef.get("staff") or "1").strip() == str(index + 1):
            stated = clef.text
    return (stated or "G").strip()


def _read_info(part: Element) -> PartInfo:
    name = line_of(part.findtext("trackName")) or line_of_text(part.find("Instrument/longName"))
    return PartInfo(name, line_of_text(part.find("Instrument/shortName")))


def read_sound(element: Element | None) -> Sound:
    """Return an <Instrument>. Its first channel is how it plays unless a text says otherwise ("pizz.")."""
    if element is None:
        return Sound(Instrument(), (0, 0), None)
    channel = element.find("Channel")
    instrument = Instrument(line_of_text(element.find("longName")) or line_of(element.findtext("trackName")))
    if channel is not None:
        program = channel.find("program")
        instrument.program = _midi_number(None if program is None else program.get("value"), 127)
        instrument.channel = _midi_number(channel.findtext("midiChannel"), 15)
        banks = {control.get("ctrl"): control.get("value") for control in channel.iterfind("controller")}
        high, low = (_midi_number(banks.get(number), 127) for number in (BANK_MSB, BANK_LSB))
        instrument.bank = None if high is None and low is None else 128 * (high or 0) + (low or 0)
    shift = _interval(element, "transposeDiatonic"), _interval(element, "transposeChromatic")
    drums = None
    if (element.findtext("useDrumset") or "0").strip() not in ("0", ""):
        drums = {_number(drum.get("pitch")): _number(drum.findtext("line")) for drum in element.iterfind("Drum")}
    return Sound(instrument, shift, drums)


def _interval(element: Element, tag: str) -> int:
    text = element.findtext(tag)
    size = 0 if text is None else int(text)
    if abs(size) > MAX_INTERVAL:
        raise MuseScoreError(f"<{tag}> is {size}; at most {MAX_INTERVAL} either way can be read")
    return size


def _midi_number(text: str | None, highest: int) -> int | None:
    number = -1 if text is None else _number(text)
    return number if 0 <= number <= highest else None


def _number(text: str | None) -> int:
    return int(float(text or "0"))
