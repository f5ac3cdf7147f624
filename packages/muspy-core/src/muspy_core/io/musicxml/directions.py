"""Directions, chord symbols and bar lines → rows (used by the part reader)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, cast

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml import marks
from muspy_core.io.musicxml.header import line_of
from muspy_core.io.musicxml.rows import Meanings, PartRows, Sign, Span
from muspy_core.io.musicxml.spelling import shift_spelling

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

JUMP_WORDS = (
    ("dacapo", re.compile(r"\s*(d\.? ?c\.?|da capo)(?![a-z])", re.IGNORECASE)),
    ("dalsegno", re.compile(r"\s*(d\.? ?s\.?|dal segno)(?![a-z])", re.IGNORECASE)),
    ("tocoda", re.compile(r"\s*(to|al) coda\b", re.IGNORECASE)),
    ("fine", re.compile(r"\s*fine\.?\s*$", re.IGNORECASE)),
)
JUMPS = ("dacapo", "dalsegno", "tocoda", "fine")
TARGETS = ("segno", "coda")


class DirectionReader(PartRows):
    """Reads what stands between the notes of a part."""

    def __init__(self, ticks_per_quarter: int, meanings: Meanings) -> None:
        super().__init__(ticks_per_quarter, meanings)
        self._qpm = 120.0
        self._open_wedges: dict[str, tuple[int, int, str, int]] = {}

    def _read_direction(self, element: Element) -> None:
        staff, offset, sounding = -1, 0, self._position
        sound = qpm = None
        words: list[str] = []
        kinds: list[Element] = []
        for child in element:
            tag = child.tag
            if tag == "direction-type":
                kinds += child
            elif tag == "sound":
                sound = child
            elif tag == "staff":
                staff = self._read_number(child.text or "")
            elif tag == "offset":
                offset = self._read_offset(child.text)
                if child.get("sound") == "yes":
                    sounding = max(self._position + offset, 0)
        shown = max(self._position + offset, 0)
        has_level = sound is not None and sound.get("dynamics") is not None
        for mark in kinds:
            tag = mark.tag
            if tag == "words":
                words.append(mark.text or "")
            elif tag == "metronome":
                qpm = marks.read_metronome(mark, self._qpm)
            elif tag == "dynamics":
                self._read_dynamics(mark, shown, staff, None if not has_level else ())
            elif tag == "wedge":
                self._read_wedge(mark, shown, staff)
            elif tag == "rehearsal":
                self._add_text(mark.text, "rehearsal", shown, staff)
            elif tag in TARGETS and (sound is None or sound.get(tag) is None):
                self.signs.append(Sign(self._measure, tag, None, None))
        text = line_of(" ".join(words))
        taken = sound is not None and self._read_sound(sound, sounding, text)
        if qpm is not None and (sound is None or sound.get("tempo") is None):
            taken = self._add_tempo(qpm, sounding, text) or taken
        if not taken and text is not None and not self._read_jump_words(text):
            self._add_text(text, "words", shown, staff)

    def _read_offset(self, text: str | None) -> int:
        """Return an offset in ticks, which may be negative."""
        stripped = (text or "0").strip()
        size = self._duration(stripped.lstrip("-"))
        return -size if stripped.startswith("-") else size

    def _read_lone_sound(self, element: Element) -> None:
        """Read a <sound> that stands in no direction; the others are read with theirs."""
        if cast("Any", element).getparent().tag != "measure":
            return
        position = self._position + self._read_offset(element.findtext("offset"))
        self._read_sound(element, max(position, 0), None)

    def _read_sound(self, element: Element, position: int, words: str | None) -> bool:
        """Read tempo, loudness and jumps; return whether the words beside it are theirs."""
        taken = False
        tempo = element.get("tempo")
        if tempo is not None:
            taken = self._add_tempo(float(tempo), position, words)
        percent = element.get("dynamics")
        if percent is not None:
            self.levels.append((self._measure, position, marks.percent_to_velocity(percent)))
        for kind in TARGETS:
            if element.get(kind) is not None:
                self.signs.append(Sign(self._measure, kind, element.get(kind), None))
        for kind in JUMPS:
            value = element.get(kind)
            if value is not None and value != "no":
                self.signs.append(Sign(self._measure, kind, value, words))
                taken = True
        return taken

    def _read_jump_words(self, text: str) -> bool:
        """Take "D.C. al Fine" and the like, which some programs write without a <sound>."""
        for kind, pattern in JUMP_WORDS:
            if pattern.match(text):
                self.signs.append(Sign(self._measure, kind, None, text))
                return True
        return False

    def _add_tempo(self, qpm: float, position: int, words: str | None) -> bool:
        if not (math.isfinite(qpm) and qpm > 0):
            return False  # no tempo that could be played
        self._qpm = qpm
        self.tempos.append((self._measure, position, qpm, words))
        return True

    def _add_text(self, text: str | None, kind: str, position: int, staff: int) -> None:
        line = line_of(text)
        if line is not None:
            self.texts.append((self._measure, position, line, kind, staff))

    def _read_dynamics(self, element: Element, position: int, staff: int, level: tuple[()] | None) -> None:
        """Append dynamic marks; where no playback value stands beside them (`level` None) they set the velocity."""
        for child in element:
            name = line_of(child.text) if child.tag == "other-dynamics" else str(child.tag)
            if name is None:
                continue
            self.dynamics.append((self._measure, position, name, staff))
            if level is None and name in marks.DYNAMIC_VELOCITIES:
                self.levels.append((self._measure, position, marks.DYNAMIC_VELOCITIES[name]))

    def _read_wedge(self, element: Element, position: int, staff: int) -> None:
        kind, number = element.get("type", ""), element.get("number", "1")
        if kind in ("crescendo", "diminuendo"):
            self._open_wedges[number] = (self._measure, position, kind, staff)
        elif kind == "stop" and number in self._open_wedges:
            measure, start, kind, staff = self._open_wedges.pop(number)
            self.wedges.append(Span(measure, start, self._measure, position, kind, -1, staff, 0))

    def _read_harmony(self, element: Element) -> None:
        staff = element.findtext("staff")
        number = -1 if staff is None else self._read_number(staff)
        position = max(self._position + self._read_offset(element.findtext("offset")), 0)
        for symbol in marks.read_symbols(element):
            moved = symbol._replace(
                root=shift_spelling(symbol.root, *self._shift),
                bass=None if symbol.bass is None else shift_spelling(symbol.bass, *self._shift),
            )
            self.symbols.append((self._measure, position, moved, number))

    def _read_barline(self, element: Element) -> None:
        location = element.get("location", "right")
        repeat = element.find("repeat")
        style = line_of(element.findtext("bar-style"))
        if style is not None and style != "regular" and repeat is None and location != "middle":
            self.styles[self._measure, location] = style
        for ending in element.iterfind("ending"):
            kind = ending.get("type", "start")
            self.signs.append(Sign(self._measure, f"ending-{kind}", ending.get("number") or "1", None))
        if repeat is not None:
            direction = repeat.get("direction")
            if direction not in ("forward", "backward"):
                raise MusicXMLError(f"<repeat> has direction {direction!r}; it must be forward or backward")
            after_jump = "after-jump" if repeat.get("after-jump") == "yes" else None
            self.signs.append(Sign(self._measure, direction, repeat.get("times"), after_jump))
