"""What stands between the notes of a staff → rows: tempi, keys, clefs, dynamics, texts, lines (for the part reader).

Lines come in two forms. MuseScore 3 and 4 write <Spanner> where a line starts, with the distance to its end.
MuseScore 2 writes the line itself with a number where it starts, and <endSpanner> with that number where it ends.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right, insort
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from muspy_core.errors import MuseScoreError
from muspy_core.io.musescore.chords import read_symbol
from muspy_core.io.musescore.durations import Durations
from muspy_core.io.musescore.header import PartSource, Sound, read_sound
from muspy_core.io.musescore.measures import Measures
from muspy_core.io.musescore.names import BAR_STYLES, CLEFS, ottava_shift
from muspy_core.io.musescore.source import Source
from muspy_core.io.musescore.texts import line_of_text, tempo_words
from muspy_core.io.musicxml.marks import DYNAMIC_VELOCITIES
from muspy_core.io.musicxml.rows import Meanings, PartRows, Sign, Span
from muspy_core.io.musicxml.spelling import fifths_of_interval, shift_spelling

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Of dynamics that state none: MuseScore's own, and those of the MusicXML reader for what only accents a note.
VELOCITIES = DYNAMIC_VELOCITIES | {"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126}
WEDGES = {"0": "crescendo", "1": "diminuendo", "2": "crescendo", "3": "diminuendo"}
TEXTS = ("StaffText", "SystemText", "Expression", "PlayTechAnnotation", "Sticking")
LINES = ("HairPin", "Ottava", "Volta", "TextLine", "GradualTempoChange")
MAX_FIFTHS = 100
MAX_QPM = 10**6


class Line(NamedTuple):
    """The start of a line whose end is not read yet."""

    element: Element
    measure: int
    position: int
    staff: int  # index in the part


class DirectionReader(PartRows):
    """Reads what stands between the notes of a part; `_staff` is the index of the staff it is reading."""

    def __init__(self, source: Source, part: PartSource, measures: Measures, durations: Durations) -> None:
        super().__init__(durations.ticks_per_quarter, Meanings())
        self.sounds: list[Sound] = [part.sound]
        self._changes: list[tuple[int, int]] = [(0, 0)]  # from which time in ticks which sound plays
        self._part = part
        self._measures = measures
        self._in_ticks = durations
        self._is_concert = source.is_concert
        self._major = source.major
        self._staff = 0
        self._ottavas: list[tuple[int, int, int, int]] = []  # staff, start and end in ticks, semitones
        self._lines: dict[str, Line] = {}
        self._directions: dict[str, Callable[[Element], None]] = {
            "Tempo": self._read_tempo,
            "KeySig": self._read_key,
            "Clef": self._read_clef,
            "Dynamic": self._read_dynamic,
            "RehearsalMark": self._read_rehearsal,
            "Harmony": self._read_harmony,
            "FretDiagram": self._read_fret_diagram,
            "BarLine": self._read_barline,
            "InstrumentChange": self._read_instrument_change,
            "Spanner": self._read_spanner,
            "endSpanner": self._read_end,
            **dict.fromkeys(TEXTS, self._read_text),
            **dict.fromkeys(LINES, self._read_line),
        }

    @property
    def _tick(self) -> int:
        return self._measures.starts[self._measure] + self._position

    @property
    def _staff_number(self) -> int:
        """The number of the staff in its part, −1 in a part of one staff, as MusicXML has it."""
        return self._staff + 1 if len(self._part.staves) > 1 else -1

    def _sound_at(self, tick: int) -> int:
        """Return which sound plays at a time."""
        if len(self._changes) == 1:
            return 0
        return self._changes[bisect_right(self._changes, (tick, len(self.sounds))) - 1][1]

    def _notation_shift(self) -> tuple[int, int]:
        """Return (letters, semitones) from what is notated here to what sounds; notes state how they sound."""
        return (0, 0) if self._is_concert else self.sounds[self._sound_at(self._tick)].shift

    def _read_tempo(self, element: Element) -> None:
        per_second = float(element.findtext("tempo") or "nan")
        qpm = round(60 * per_second, 6)  # stated with six digits
        if math.isfinite(qpm) and 0 < qpm <= MAX_QPM:
            self.tempos.append((self._measure, self._position, qpm, tempo_words(element.find("text"))))

    def _read_key(self, element: Element) -> None:
        """Keep the sounding key of the first staff: MuseScore 4 states it, the others the notated one."""
        concert = element.findtext("concertKey")
        written = concert or element.findtext("accidental") or element.findtext("subtype")
        if self._staff or written is None or element.find("custom") is not None:
            return
        fifths = int(written) + (0 if concert is not None else fifths_of_interval(*self._notation_shift()))
        if not -MAX_FIFTHS <= fifths <= MAX_FIFTHS:
            raise MuseScoreError(f"a key signature of {written} fifths")
        mode = (element.findtext("mode") or "").strip()
        self.keys.append((self._measure, self._position, fifths, mode if mode not in ("", "none", "unknown") else None))

    def _add_first_key(self) -> None:
        """State the key of a part that starts without a signature: it has no sharps or flats."""
        if not any(row[:2] == (0, 0) for row in self.keys) and self._measures.lengths:
            self._measure = self._position = 0
            self.keys.insert(0, (0, 0, fifths_of_interval(*self._notation_shift()), None))

    def _read_clef(self, element: Element) -> None:
        names = ("concertClefType", "transposingClefType", "subtype")
        concert, transposing, old = (element.findtext(name) for name in names)
        self._add_clef((concert if self._is_concert else transposing) or concert or transposing or old or "")

    def _add_clef(self, name: str) -> None:
        if name.strip() in CLEFS:
            sign, line, octaves = CLEFS[name.strip()]
            shown = -1 if line is None else line, -128 if octaves is None else octaves
            self.clefs.append((self._measure, self._position, sign, *shown, self._staff_number))

    def _read_dynamic(self, element: Element) -> None:
        name = (element.findtext("subtype") or "").strip()
        if name in ("", "other-dynamics"):
            name = line_of_text(element.find("text")) or ""
        if not name:
            return
        self.dynamics.append((self._measure, self._position, name, self._staff_number))
        stated = element.findtext("velocity")
        velocity = int(stated) if stated is not None else VELOCITIES.get(name, 0)
        if velocity > 0:
            self.levels.append((self._measure, self._position, min(velocity, 127)))

    def _read_text(self, element: Element) -> None:
        self._add_words(line_of_text(element.find("text")), "words")

    def _read_rehearsal(self, element: Element) -> None:
        self._add_words(line_of_text(element.find("text")), "rehearsal")

    def _add_words(self, text: str | None, kind: str) -> None:
        if text is not None:
            self.texts.append((self._measure, self._position, text, kind, self._staff_number))

    def _read_harmony(self, element: Element) -> None:
        symbol = read_symbol(element)
        if symbol is None:
            return
        shift = self._notation_shift()
        bass = None if symbol.bass is None else shift_spelling(symbol.bass, *shift)
        moved = symbol._replace(root=shift_spelling(symbol.root, *shift), bass=bass)
        self.symbols.append((self._measure, self._position, moved, self._staff_number))

    def _read_fret_diagram(self, element: Element) -> None:
        for harmony in element.iterfind("Harmony"):
            self._read_harmony(harmony)

    def _read_barline(self, element: Element) -> None:
        style = BAR_STYLES.get((element.findtext("subtype") or "").strip())
        if style is not None and self._position in (0, self._measures.lengths[self._measure]):
            self.styles[self._measure, "right" if self._position else "left"] = style

    def _read_instrument_change(self, element: Element) -> None:
        if element.find("Instrument") is None:
            return
        sound = read_sound(element.find("Instrument"))
        known = [index for index, other in enumerate(self.sounds) if other.identity == sound.identity]
        if not known:
            self._part.info.instruments[str(len(self.sounds))] = sound.instrument
            self.sounds.append(sound)
        insort(self._changes, (self._tick, known[0] if known else len(self.sounds) - 1))

    # --- lines -------------------------------------------------------------------------------------------------------

    def _read_spanner(self, element: Element) -> None:
        """Read a line that starts here; its end, met later, says nothing new."""
        following = element.find("next")
        content = next((child for child in element if child.tag == element.get("type")), None)
        if following is not None and content is not None:
            self._add_line_text(content)
            start = Line(content, self._measure, self._position, self._staff)
            self._end_line(start, self._place_after(following.find("location")))

    def _add_line_text(self, element: Element) -> None:
        """Keep the words with which a line starts ("cresc."); those of an ending bracket are its passes."""
        begin = element.find("beginText")
        if begin is not None and element.tag != "Volta":
            self._add_words(line_of_text(begin if begin.find("text") is None else begin.find("text")), "words")

    def _place_after(self, location: Element | None) -> int:
        """Return the time in ticks of a place that is given by its distance from here."""
        if location is None:
            return self._tick
        measures = location.findtext("measures") or "0"
        fractions = location.findtext("fractions")
        index = self._measure + (int(measures) if re.fullmatch(r"-?\d{1,6}", measures.strip()) else 0)
        distance = 0 if fractions is None else self._in_ticks.of_fraction(fractions)
        starts = self._measures.starts
        if index >= len(starts):
            return starts[-1] + self._measures.lengths[-1]
        return max(starts[max(index, 0)] + self._position + distance, 0)

    def _read_line(self, element: Element) -> None:
        identifier = element.get("id")
        if identifier is not None:
            self._add_line_text(element)
            self._lines[identifier] = Line(element, self._measure, self._position, self._staff)

    def _read_end(self, element: Element) -> None:
        line = self._lines.pop(element.get("id") or "", None)
        if line is not None:
            self._end_line(line, self._tick)

    def _end_line(self, line: Line, end: int) -> None:
        """Keep a line that ends at a time in ticks."""
        element, measure, position, staff = line
        subtype = (element.findtext("subtype") or "0").strip()
        start = self._measures.starts[measure] + position
        if element.tag == "HairPin" and subtype in WEDGES and end >= start:
            number = staff + 1 if len(self._part.staves) > 1 else -1
            self.wedges.append(Span(measure, position, *self._measures.place(end), WEDGES[subtype], -1, number, 0))
        elif element.tag == "Ottava":
            self._ottavas.append((staff, start, end, ottava_shift(subtype)))
        elif element.tag == "Volta":
            endings = line_of_text(element.find("endings")) or "1"
            last = max(self._measures.place_of_end(end), measure)
            self.signs += [Sign(measure, "ending-start", endings, None), Sign(last, "ending-stop", endings, None)]
