"""The staves of a part in MEI → rows of notes and marks (fourth stage); the MusicXML reader's later stages take them.

Notes stand in layers, which start at the bar line. What hangs on notes (ties, slurs, marks) stands at the end of the
measure and names them by id, or names a beat.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING

from muspy_core.errors import MEIError
from muspy_core.io.mei.header import PartSource, fifths_of, text_of
from muspy_core.io.mei.measures import BAR_STYLES, Columns, ratio_of, value_of
from muspy_core.io.musescore.chords import read_quality
from muspy_core.io.musicxml.directions import JUMP_WORDS
from muspy_core.io.musicxml.marks import DYNAMIC_VELOCITIES, Symbol
from muspy_core.io.musicxml.rows import MAX_QUARTERS, TIE_START, TIE_STOP, Meanings, NoteRow, PartRows, Sign, Span
from muspy_core.io.musicxml.spelling import fifths_of_interval, natural_pitch, shift_spelling, spell
from muspy_core.io.musicxml.timeline import nominal_lengths

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ID = "{http://www.w3.org/XML/1998/namespace}id"
VOICES = 4  # of a staff
ALTERS = {
    "s": 1, "f": -1, "ss": 2, "x": 2, "ff": -2, "n": 0, "xs": 3, "sx": 3, "ts": 3, "tf": -3,
    "nf": -1, "ns": 1, "1qs": 0, "1qf": 0, "3qs": 1, "3qf": -1, "su": 1, "sd": 1, "fu": -1, "fd": -1,
}  # fmt: skip
LETTERS = "cdefgab"
TIES = {"i": TIE_START, "m": TIE_START | TIE_STOP, "t": TIE_STOP}
CONTAINERS = (
    "beam",
    "tuplet",
    "bTrem",
    "fTrem",
    "graceGrp",
    "ligature",
    "supplied",
    "app",
    "lem",
    "choice",
    "sic",
    "reg",
)
ARTICULATIONS = {
    "acc": "accent", "stacc": "staccato", "ten": "tenuto", "stacciss": "staccatissimo", "marc": "strong-accent",
    "spicc": "spiccato", "ten-stacc": "detached-legato", "dnbow": "down-bow", "upbow": "up-bow", "harm": "harmonic",
    "snap": "snap-pizzicato", "stop": "stopped", "open": "open-string", "doit": "doit", "scoop": "scoop",
    "fall": "falloff", "plop": "plop", "stress": "stress", "unstress": "unstress", "acc-soft": "soft-accent",
}  # fmt: skip
CLEF_SIGNS = {"G": "G", "F": "F", "C": "C", "perc": "percussion", "TAB": "TAB"}
WORDS = {"dir": "words", "reh": "rehearsal"}
SYMBOL = re.compile(r"([A-G])([#b♯♭]?)([^/]{0,20})(?:/([A-G])([#b♯♭]?))?")
SHARPS = {"♯": "#", "♭": "b"}


class PartReader(PartRows):
    """Reads the staves of a part measure by measure and collects rows. ticks_per_quarter: the unit of positions."""

    def __init__(self, part: PartSource, columns: Columns, ticks_per_quarter: int, keep_cue: bool) -> None:
        super().__init__(ticks_per_quarter, Meanings())
        self._part = part
        self._columns = columns
        self._keep_cue = keep_cue
        self._shift = part.shift
        self.staves = len(part.staves) if len(part.staves) > 1 else None
        self.transposition = part.shift if part.shift != (0, 0) else None
        self.nominal = nominal_lengths(columns.meters, len(columns.measures), ticks_per_quarter)
        self._units = self._denominators()
        self._staff = 0
        self._voice = 1
        self._places: dict[
            str, tuple[int, int, int, int, int]
        ] = {}  # by id: measure, position, row or −1, voice, staff
        self._ties: dict[int, int] = {}
        self._marks: dict[int, tuple[list[str], list[str]]] = {}  # by row: articulations, ornaments

    def _denominators(self) -> list[int]:
        stated = {row[0]: row[2].denominator for row in self._columns.meters}
        units, unit = [], 4
        for index in range(len(self._columns.measures)):
            unit = stated.get(index, unit)
            units.append(unit)
        return units

    def read(self) -> None:
        """Read all measures. Raises ValueError for content that makes no sense."""
        for index, column in enumerate(self._columns.measures):
            self._measure = index
            for definition in column.definitions:
                self._read_definition(definition)
            furthest = 0
            for staff in column.element.iterfind("staff"):
                if staff.get("n") in self._part.staves:
                    self._staff = self._part.staves.index(staff.get("n") or "")
                    furthest = max(furthest, self._read_staff(staff))
            self.lengths.append(furthest)
            style = BAR_STYLES.get(column.element.get("right") or "")
            if style is not None:
                self.styles[self._measure, "right"] = style
        for index, column in enumerate(self._columns.measures):  # only now: marks may name notes of later measures
            self._measure = index
            for element in column.element:
                self._read_mark(element)
        self._finish()

    @property
    def place(self) -> str:
        """Where reading stands, in words."""
        return f"measure {self._measure + 1}"

    @property
    def _staff_number(self) -> int:
        return self._staff + 1 if len(self._part.staves) > 1 else -1

    # --- staves ------------------------------------------------------------------------------------------------------

    def _read_definition(self, definition: Element) -> None:
        """Read clefs and keys before a measure: of a staff of this part, or of the whole score."""
        self._position = 0
        staves = [definition] if definition.tag == "staffDef" else list(definition.iter("staffDef"))
        own = [staff for staff in staves if staff.get("n") in self._part.staves]
        for staff in own:
            self._staff = self._part.staves.index(staff.get("n") or "")
            for clef in staff.iterfind("clef"):
                self._read_clef(clef)
        keys = [key for holder in (*own[:1], definition) for key in holder.iterfind("keySig")]
        if keys and (definition.tag == "scoreDef" or own):
            self._read_key(keys[0])
        tempo = definition.get("midi.bpm")
        if definition.tag == "scoreDef" and tempo is not None:
            self._add_tempo(tempo, None)

    def _read_key(self, element: Element) -> None:
        fifths = fifths_of(element.get("sig"))
        if fifths is not None:
            sounding = fifths + fifths_of_interval(*self._shift)
            if not -100 <= sounding <= 100:
                raise MEIError(f"a key signature of {fifths} fifths")
            self.keys.append((self._measure, self._position, sounding, element.get("mode")))

    def _read_clef(self, element: Element) -> None:
        sign = CLEF_SIGNS.get(element.get("shape") or "")
        if sign is not None:
            line = element.get("line") or ""
            octaves = {"8": 1, "15": 2, "22": 3}.get(element.get("dis") or "", 0)
            octaves *= -1 if element.get("dis.place") == "below" else 1
            shown = int(line) if line.isdecimal() and int(line) < 100 else -1
            self.clefs.append((self._measure, self._position, sign, shown, octaves or -128, self._staff_number))

    def _read_staff(self, staff: Element) -> int:
        """Read the layers of a staff in a measure; return how far they reach in ticks."""
        furthest = 0
        for number, layer in enumerate(staff.findall("layer")[:VOICES]):
            self._position, self._voice = 0, VOICES * self._staff + number + 1
            self._read_elements(layer, Fraction(1), "")
            furthest = max(furthest, self._position)
        return furthest

    def _read_elements(self, parent: Element, ratio: Fraction, grace: str) -> None:
        for element in parent:
            tag = element.tag
            if tag in ("note", "chord"):
                self._read_chord(element, ratio, grace or element.get("grace") or "")
            elif tag in ("rest", "space"):
                if not element.get("grace"):
                    self._advance(self._length(element, ratio))
                self._remember(element, -1)
            elif tag in ("mRest", "mSpace", "mRpt", "mRpt2", "multiRest"):
                self._remember(element, -1)  # fills the measure, however long the others make it
            elif tag in CONTAINERS:
                inner = ratio_of(element, ratio) if tag == "tuplet" else ratio / 2 if tag == "fTrem" else ratio
                self._read_elements(element, inner, grace or element.get("grace") or "")
            elif tag == "clef":
                self._read_clef(element)
            elif tag == "keySig" and self._voice == 1:
                self._read_key(element)

    def _advance(self, ticks: int) -> None:
        self._position += ticks
        if self._position > MAX_QUARTERS * self._ticks_per_quarter:
            raise MEIError(f"lasts more than {MAX_QUARTERS:,} quarter notes")

    def _length(self, element: Element, ratio: Fraction) -> int:
        value = value_of(element, element.get("dur"))
        if value is None:
            return 0
        return math.floor(value * ratio * self._ticks_per_quarter + Fraction(1, 2))

    # --- notes -------------------------------------------------------------------------------------------------------

    def _read_chord(self, element: Element, ratio: Fraction, grace: str) -> None:
        duration = self._length(element, Fraction(1) if grace else ratio)
        kind = {"": 0, "unacc": 2}.get(grace, 1)
        notes = [element] if element.tag == "note" else list(element.iter("note"))
        cue = int(element.get("cue") == "true")
        first = len(self.notes)
        for note in notes if not cue or self._keep_cue else ():
            self._add_note(note, duration or self._length(note, ratio), kind, cue)
        self._remember(element, first if len(self.notes) > first else -1)
        if len(self.notes) > first:
            marks = [ARTICULATIONS.get(name, "") for name in _artic_names(element)]
            self._mark(first, [mark for mark in marks if mark], [])
            self._read_verses(element)
            strokes = re.match(r"([1-6])slash", element.get("stem.mod") or notes[0].get("stem.mod") or "")
            if strokes and not kind:
                self._mark(first, [], [f"tremolo-{strokes[1]}"])
        if not kind:
            self._advance(duration or (self._length(notes[0], ratio) if notes else 0))

    def _add_note(self, note: Element, duration: int, grace: int, cue: int) -> None:
        pitched = _read_pitch(note)
        if pitched is None:
            return
        diatonic, pitch = pitched
        spelling = None
        if diatonic is None:
            self.unpitched.add(0)
        else:
            pitch += self._shift[1]
            spelling = spell(diatonic + self._shift[0], pitch)
        if not 0 <= pitch <= 127:
            raise MEIError(f"a note sounds as MIDI note {pitch}, which is outside 0 to 127")
        tie = TIES.get(note.get("tie") or "", 0)
        velocity = note.get("vel") or ""
        row: NoteRow = (
            self._measure, self._position, duration, pitch, self._voice, self._staff_number, grace, cue, tie,
            min(int(velocity), 127) if re.fullmatch(r"\d{1,3}", velocity) else -1, 0, spelling, None, None,
        )  # fmt: skip
        self._remember(note, len(self.notes))
        self.notes.append(row)

    def _remember(self, element: Element, row: int) -> None:
        """Keep where an element with an id stands, for what names it."""
        identifier = element.get(ID)
        if identifier is not None:
            self._places[identifier] = self._measure, self._position, row, self._voice, self._staff_number

    def _read_verses(self, element: Element) -> None:
        for number, verse in enumerate(element.iter("verse"), 1):
            syllables = verse.findall("syl")
            text = "‿".join(filter(None, map(text_of, syllables)))
            if not text:
                continue
            opens = "- " if syllables[0].get("wordpos") in ("m", "t") else ""
            goes_on = " -" if syllables[-1].get("wordpos") in ("i", "m") else ""
            stanza = verse.get("n") or str(number)
            stated = int(stanza) if re.fullmatch(r"[1-9]\d{0,3}", stanza) else number
            self.lyrics.append((self._measure, self._position, f"{opens}{text}{goes_on}", stated, self._voice, 0))

    def _mark(self, row: int, articulations: list[str], ornaments: list[str]) -> None:
        known = self._marks.setdefault(row, ([], []))
        known[0].extend(articulations)
        known[1].extend(ornaments)

    # --- what names notes and beats ----------------------------------------------------------------------------------

    def _read_mark(self, element: Element) -> None:
        """Read an element that stands after the staves of a measure, if it is for this part."""
        tag = element.tag
        start = self._start_of(element)
        if start is None:
            return
        measure, position, row, voice, staff = start
        if tag == "tie":
            end = self._places.get((element.get("endid") or "").lstrip("#"))
            if end is not None and row >= 0 and end[2] >= 0:
                self._ties[row] = self._ties.get(row, 0) | TIE_START
                self._ties[end[2]] = self._ties.get(end[2], 0) | TIE_STOP
        elif tag == "slur":
            stop = self._end_of(element)
            if stop is not None:
                self.slurs.append(Span(measure, position, *stop, "slur", voice, staff, 0))
        elif tag == "hairpin":
            stop = self._end_of(element)
            kind = {"cres": "crescendo", "dim": "diminuendo"}.get(element.get("form") or "")
            if stop is not None and kind is not None:
                self.wedges.append(Span(measure, position, *stop, kind, -1, staff, 0))
        elif tag == "dynam":
            self._read_dynamic(text_of(element), element.get("val") or "", measure, position, staff)
        elif tag in WORDS:
            self._read_words(element, measure, position, staff)
        elif tag == "tempo":
            self._position = position
            self._add_tempo(element.get("midi.bpm"), text_of(element))
        elif tag == "harm":
            self._read_harmony(text_of(element) or "", measure, position, staff)
        elif row >= 0:
            self._read_note_mark(element, row)

    def _read_note_mark(self, element: Element, row: int) -> None:
        tag, form = element.tag, element.get("form")
        if tag in ("fermata", "breath", "caesura", "arpeg"):
            names = {"fermata": "fermata", "breath": "breath-mark", "caesura": "caesura", "arpeg": "arpeggiate"}
            self._mark(row, [names[tag]], [])
        elif tag == "trill":
            self._mark(row, [], ["trill-mark"])
        elif tag == "mordent":
            self._mark(row, [], ["inverted-mordent" if form == "upper" else "mordent"])
        elif tag == "turn":
            self._mark(row, [], ["inverted-turn" if form == "lower" else "turn"])

    def _start_of(self, element: Element) -> tuple[int, int, int, int, int] | None:
        """Return where an element stands: at the note that it names, else at its beat in a staff of the part."""
        named = element.get("startid")
        if named is not None:
            return self._places.get(named.lstrip("#"))
        staff = (element.get("staff") or "").split()[:1]
        if staff and staff[0] not in self._part.staves:
            return None
        if not staff and element.tag not in ("tempo", "dir", "reh", "harm"):
            return None
        self._staff = self._part.staves.index(staff[0]) if staff else 0
        position = self._position_of(element.get("tstamp"), self._measure)
        return self._measure, position, -1, VOICES * self._staff + 1, self._staff_number

    def _end_of(self, element: Element) -> tuple[int, int] | None:
        named = element.get("endid")
        if named is not None:
            place = self._places.get(named.lstrip("#"))
            return None if place is None else place[:2]
        match = re.fullmatch(r"(?:(\d{1,4})m\s*\+\s*)?(\d{1,4}(?:\.\d{1,9})?)", (element.get("tstamp2") or "").strip())
        if match is None:
            return None
        measure = min(self._measure + int(match[1] or 0), len(self.lengths) - 1)
        return measure, self._position_of(match[2], measure)

    def _position_of(self, beat: str | None, measure: int) -> int:
        """Return the ticks of a beat, counted from 1 in units of the time signature."""
        if beat is None or not re.fullmatch(r"\d{1,5}(\.\d{1,9})?", beat.strip()):
            return 0
        quarters = max(Fraction(beat.strip()) - 1, Fraction(0)) * 4 / self._units[measure]
        return math.floor(quarters * self._ticks_per_quarter + Fraction(1, 2))

    def _add_tempo(self, text: str | None, words: str | None) -> None:
        qpm = float(text) if text is not None and re.fullmatch(r"\d{1,6}(\.\d{1,9})?", text.strip()) else 0.0
        if qpm > 0:
            self.tempos.append((self._measure, self._position, qpm, _without_symbols(words)))

    def _read_dynamic(self, name: str | None, velocity: str, measure: int, position: int, staff: int) -> None:
        if name is None:
            return
        self.dynamics.append((measure, position, name, staff))
        if re.fullmatch(r"[1-9]\d{0,2}", velocity):
            self.levels.append((measure, position, min(int(velocity), 127)))
        elif name in DYNAMIC_VELOCITIES:
            self.levels.append((measure, position, DYNAMIC_VELOCITIES[name]))

    def _read_words(self, element: Element, measure: int, position: int, staff: int) -> None:
        text = _without_symbols(text_of(element))
        if text is None:
            return
        for kind, pattern in JUMP_WORDS if element.tag == "dir" else ():
            if pattern.match(text):
                self.signs.append(Sign(measure, kind, None, text))
                return
        self.texts.append((measure, position, text, WORDS[element.tag], staff))

    def _read_harmony(self, text: str, measure: int, position: int, staff: int) -> None:
        match = SYMBOL.fullmatch(text.strip())
        if match is None:
            return
        root, sign, quality, bass, bass_sign = match.groups()
        kind, degrees = read_quality(quality)
        sounding = shift_spelling(root + SHARPS.get(sign, sign), *self._shift)
        low = None if bass is None else shift_spelling(bass + SHARPS.get(bass_sign, bass_sign), *self._shift)
        symbol = Symbol(sounding, kind, quality or None, low, list(degrees) or None)
        self.symbols.append((measure, position, symbol, staff))

    def _finish(self) -> None:
        """Put ties and marks into the rows of their notes."""
        for index in {*self._ties, *self._marks}:
            row = self.notes[index]
            articulations, ornaments = self._marks.get(index, ([], []))
            tie = row[8] | self._ties.get(index, 0)
            self.notes[index] = (*row[:8], tie, *row[9:12], articulations or None, ornaments or None)


def _read_pitch(note: Element) -> tuple[int | None, int] | None:
    """Return (diatonic number, written MIDI pitch); no diatonic number for a drum, None for a note without a pitch."""
    name, octave = note.get("pname"), note.get("oct.ges") or note.get("oct") or ""
    if name is None or name not in LETTERS or not re.fullmatch(r"\d", octave):
        number = note.get("pnum") or ""
        return (None, int(number)) if re.fullmatch(r"\d{1,3}", number) and int(number) < 128 else None
    diatonic = 7 * int(octave) + LETTERS.index(name)
    return diatonic, natural_pitch(diatonic) + ALTERS.get(_accidental(note), 0)


def _accidental(note: Element) -> str:
    """Return the accidental that sounds: a gestural one before a written one, on the note or in an <accid>."""
    holders = [note, *note.iterfind("accid")]
    sounding = [holder.get("accid.ges") for holder in holders]
    written = [holder.get("accid") for holder in holders]
    return next(filter(None, [*sounding, *written]), "n")


def _artic_names(element: Element) -> list[str]:
    names = [element.get("artic") or "", *(child.get("artic") or "" for child in element.iter("artic"))]
    return " ".join(names).split()


def _without_symbols(text: str | None) -> str | None:
    """Return a text without music symbols and the number after a note value ("Allegro" of "Allegro ♩ = 120")."""
    if text is None:
        return None
    plain = re.sub(r"[(\[]?\s*[\ue000-\uf8ff♩♪𝅘𝅥\s.]*=\s*[\d.,]+\s*[)\]]?|[\ue000-\uf8ff]", " ", text)
    return " ".join(plain.split()) or None
