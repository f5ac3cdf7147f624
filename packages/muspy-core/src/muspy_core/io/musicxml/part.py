"""The measures of one part → rows of notes and marks, in written order (third stage of reading MusicXML).

Every row starts with the index of its measure and its position in that measure. Positions and durations are integers in
ticks; a quarter note has as many ticks as the least common multiple of all divisions of the score, so all are exact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml import marks
from muspy_core.io.musicxml.header import Instrument, line_of
from muspy_core.io.musicxml.spelling import (
    LETTERS,
    fifths_of_interval,
    natural_pitch,
    shift_spelling,
    spell,
    usual_diatonic,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# (measure, position, duration, pitch, voice, staff, grace, cue, tie, velocity, instrument, spelling, articulations,
# ornaments); numbers as in the columns of `Note`, tie in bits, velocity −1: from the dynamics around.
NoteRow = tuple[
    int, int, int, int, int, int, int, int, int, int, int, "str | None", "list[str] | None", "list[str] | None"
]

TIE_START, TIE_STOP = 1, 2
TIE_BITS = {"start": TIE_START, "stop": TIE_STOP, "continue": TIE_START | TIE_STOP}
MAX_QUARTERS = 200_000  # length of a piece; beyond is an accident or an attack
MAX_VOICE = 32_767
DECIMAL = re.compile(r"\+?\d{1,18}(\.\d{0,18})?")
NOTATED_ON_NOTES = ("fermata", "arpeggiate", "non-arpeggiate")
JUMP_WORDS = (
    ("dacapo", re.compile(r"\s*(d\.? ?c\.?|da capo)(?![a-z])", re.IGNORECASE)),
    ("dalsegno", re.compile(r"\s*(d\.? ?s\.?|dal segno)(?![a-z])", re.IGNORECASE)),
    ("tocoda", re.compile(r"\s*(to|al) coda\b", re.IGNORECASE)),
    ("fine", re.compile(r"\s*fine\.?\s*$", re.IGNORECASE)),
)
JUMPS = ("dacapo", "dalsegno", "tocoda", "fine")
TARGETS = ("segno", "coda")


class Sign(NamedTuple):
    """A sign that steers the playing order. label: the name of a segno or coda. words: as printed."""

    measure: int
    position: int
    kind: str
    label: str | None
    words: str | None


class Span(NamedTuple):
    """A slur or wedge from one place to another."""

    measure: int
    position: int
    end_measure: int
    end_position: int
    kind: str
    voice: int
    staff: int
    instrument: int


class PartReader:
    """Reads the measures of a part one after the other and collects rows.

    ticks_per_quarter: the unit of positions. keep_cue: whether cue notes become rows.
    """

    def __init__(self, instruments: dict[str, Instrument], ticks_per_quarter: int, keep_cue: bool) -> None:
        self.notes: list[NoteRow] = []
        self.lengths: list[int] = []
        self.lyrics: list[tuple[int, int, str, int, int, int]] = []  # text, verse, voice, instrument
        self.levels: list[tuple[int, int, int]] = []  # velocity from here on
        self.dynamics: list[tuple[int, int, str, int]] = []  # mark, staff
        self.wedges: list[Span] = []
        self.slurs: list[Span] = []
        self.tempos: list[tuple[int, int, float, str | None]] = []
        self.keys: list[tuple[int, int, int, str | None]] = []  # sounding fifths, mode
        self.meters: list[tuple[int, int, marks.Meter]] = []
        self.clefs: list[tuple[int, int, str, int, int, int]] = []  # sign, line, octave change, staff
        self.texts: list[tuple[int, int, str, str, int]] = []  # text, kind, staff
        self.symbols: list[tuple[int, int, marks.Symbol, int]] = []  # staff
        self.signs: list[Sign] = []
        self.styles: dict[tuple[int, str], str] = {}  # (measure, location) → bar style
        self.unpitched: set[int] = set()  # instruments that play unpitched notes
        self.staves: int | None = None
        self.transposition: tuple[int | None, int] | None = None  # first one: diatonic, chromatic

        self._instruments = list(instruments.values())
        self._instrument_indices = {identifier: index for index, identifier in enumerate(instruments)}
        self._ticks_per_quarter = ticks_per_quarter
        self._keep_cue = keep_cue
        self._divisions = Fraction(1)
        self._shift = (0, 0)  # diatonic, chromatic from written to sounding
        self._measure = 0
        self._position = 0
        self._onset = 0
        self._furthest = 0
        self._qpm = 120.0
        self._open_slurs: dict[str, tuple[int, int, int, int, int]] = {}
        self._open_wedges: dict[str, tuple[int, int, str, int]] = {}
        # Texts repeat all the time; these remember what they mean.
        self._durations: dict[str | None, int] = {}
        self._pitches: dict[tuple[str | None, ...], tuple[int, str]] = {}
        self._numbers: dict[str | None, int] = {}
        self._handlers: dict[str, Callable[[Element], None]] = {
            "note": self._read_note,
            "backup": self._read_backup,
            "forward": self._read_forward,
            "attributes": self._read_attributes,
            "direction": self._read_direction,
            "sound": self._read_lone_sound,
            "harmony": self._read_harmony,
            "barline": self._read_barline,
        }

    def read_measure(self, content: Element) -> None:
        """Read the next measure. Raises ValueError for content that makes no sense."""
        self._measure = len(self.lengths)
        self._position = self._onset = self._furthest = 0
        handlers = self._handlers
        for element in content:
            handler = handlers.get(element.tag)
            if handler is not None:
                handler(element)
        if self._furthest > MAX_QUARTERS * self._ticks_per_quarter:
            raise MusicXMLError(f"lasts more than {MAX_QUARTERS:,} quarter notes")
        self.lengths.append(self._furthest)

    # --- notes -------------------------------------------------------------------------------------------------------

    def _read_note(self, element: Element) -> None:
        """Append the row of a note and move on. This is the hot loop: one pass over the children, texts looked up."""
        duration = pitch = voice = staff = -1
        grace = cue = tie = instrument = 0
        is_rest = is_chord = False
        spelling = note_type = notations = unpitched = None
        lyrics: list[Element] | None = None
        for child in element:
            tag = child.tag
            if tag == "pitch":
                key = tuple([item.text for item in child])
                known = self._pitches.get(key)
                pitch, spelling = known if known is not None else self._read_pitch(child, key)
            elif tag == "duration":
                text = child.text
                duration = self._durations[text] if text in self._durations else self._read_duration(text)
            elif tag == "voice":
                text = child.text
                voice = self._numbers[text] if text in self._numbers else self._read_number(text)
            elif tag == "type":
                note_type = child.text
            elif tag == "staff":
                text = child.text
                staff = self._numbers[text] if text in self._numbers else self._read_number(text)
            elif tag == "chord":
                is_chord = True
            elif tag == "rest":
                is_rest = True
            elif tag == "tie":
                tie |= TIE_BITS.get(child.get("type", ""), 0)
            elif tag == "notations":
                notations = [*notations, *child] if notations else [*child]
            elif tag == "lyric":
                lyrics = [child] if lyrics is None else [*lyrics, child]
            elif tag == "grace":
                grace = 2 if child.get("slash") == "yes" else 1
            elif tag == "cue":
                cue = 1
            elif tag == "instrument":
                instrument = self._instrument_indices.get(child.get("id", ""), 0)
            elif tag == "unpitched":
                unpitched = child
        if grace:
            duration = self._nominal_duration(note_type)
        elif duration < 0:
            raise MusicXMLError("a note without <duration>")
        position = self._onset if is_chord else self._position
        if not is_chord:
            self._onset = position
            if not grace:
                self._position = position + duration
                self._furthest = max(self._furthest, self._position)
        if is_rest or (cue and not self._keep_cue):
            return
        if unpitched is not None:
            self.unpitched.add(instrument)
            pitch, spelling = self._read_unpitched(unpitched, instrument)
        elif pitch < 0:
            raise MusicXMLError("a note without <pitch>, <unpitched> or <rest>")
        articulations = ornaments = None
        if notations:
            tied, articulations, ornaments = self._read_notations(notations, position, voice, staff, instrument)
            tie = tie or tied
        percent = element.get("dynamics")
        velocity = -1 if percent is None else marks.percent_to_velocity(percent)
        self.notes.append(
            (
                self._measure,
                position,
                duration,
                pitch,
                voice,
                staff,
                grace,
                cue,
                tie,
                velocity,
                instrument,
                spelling,
                articulations,
                ornaments,
            )
        )
        if lyrics is not None:
            self._read_lyrics(lyrics, position, voice, instrument)

    def _read_pitch(self, element: Element, key: tuple[str | None, ...]) -> tuple[int, str]:
        """Return sounding pitch and spelling, and remember them for elements with the same texts."""
        step = (element.findtext("step") or "").strip()
        if step not in tuple(LETTERS):
            raise MusicXMLError(f"<step> is {step!r}; it must be one of A to G")
        alter = marks.read_alter(element.findtext("alter"))
        octave = int(element.findtext("octave") or "")
        diatonic = 7 * octave + LETTERS.index(step)
        pitch = natural_pitch(diatonic) + alter
        sounding = pitch + self._shift[1]
        if not 0 <= sounding <= 127:
            raise MusicXMLError(f"pitch {step}{octave} sounds as MIDI note {sounding}, which is outside 0 to 127")
        self._pitches[key] = sounding, spell(diatonic + self._shift[0], sounding)
        return self._pitches[key]

    def _read_unpitched(self, element: Element, instrument: int) -> tuple[int, str]:
        """Return the MIDI key of an unpitched instrument, else the displayed pitch, and the displayed place."""
        step = (element.findtext("display-step") or "B").strip()
        octave = int(element.findtext("display-octave") or "4")
        if step not in tuple(LETTERS) or not 0 <= octave <= 9:
            raise MusicXMLError(f"unpitched note displayed at {step}{octave}, which is no place on a staff")
        key = self._instruments[instrument].key
        displayed = natural_pitch(7 * octave + LETTERS.index(step))
        return min(displayed, 127) if key is None else key, f"{step}{octave}"

    def _read_duration(self, text: str | None) -> int:
        """Return a duration in ticks, and remember it until the divisions change."""
        exact = read_decimal(text, "duration") * self._ticks_per_quarter / self._divisions
        if exact > MAX_QUARTERS * self._ticks_per_quarter:
            raise MusicXMLError(f"duration {(text or '')[:40]!r} is longer than {MAX_QUARTERS:,} quarter notes")
        self._durations[text] = math.floor(exact + Fraction(1, 2))
        return self._durations[text]

    def _read_number(self, text: str | None) -> int:
        """Return a voice or staff number; names that are no number from 1 on get the next free one."""
        stripped = (text or "").strip()
        if stripped.isdecimal() and 1 <= int(stripped) <= MAX_VOICE:
            self._numbers[text] = int(stripped)
        else:
            self._numbers[text] = max(self._numbers.values(), default=0) + 1
        return self._numbers[text]

    def _nominal_duration(self, note_type: str | None) -> int:
        """Return what a grace note would last as an ordinary note (an eighth if its type is not given)."""
        quarters = marks.NOTE_TYPES.get((note_type or "").strip(), 0.5)
        return max(1, math.floor(quarters * self._ticks_per_quarter + 0.5))

    def _read_notations(
        self, notations: list[Element], position: int, voice: int, staff: int, instrument: int
    ) -> tuple[int, list[str] | None, list[str] | None]:
        """Return tie bits, articulations and ornaments; slurs and dynamics go to their own rows."""
        tie = 0
        articulations: list[str] = []
        ornaments: list[str] = []
        for element in sorted(notations, key=_starts_something):
            tag = element.tag
            if tag == "tied":
                tie |= TIE_BITS.get(element.get("type", ""), 0)
            elif tag == "slur":
                self._read_slur(element, position, voice, staff, instrument)
            elif tag in ("articulations", "technical"):
                articulations += marks.read_articulations(element)
            elif tag == "ornaments":
                ornaments += marks.read_ornaments(element)
            elif tag in NOTATED_ON_NOTES:
                articulations.append(tag)
            elif tag == "dynamics":
                self._read_dynamics(element, position, staff, None)
        return tie, articulations or None, ornaments or None

    def _read_slur(self, element: Element, position: int, voice: int, staff: int, instrument: int) -> None:
        number = element.get("number", "1")
        if element.get("type") == "start":
            self._open_slurs[number] = (self._measure, position, voice, staff, instrument)
        elif element.get("type") == "stop" and number in self._open_slurs:
            measure, start, voice, staff, instrument = self._open_slurs.pop(number)
            self.slurs.append(Span(measure, start, self._measure, position, "slur", voice, staff, instrument))

    def _read_lyrics(self, lyrics: list[Element], position: int, voice: int, instrument: int) -> None:
        for element in lyrics:
            text = marks.read_lyric(element)
            if text is not None:
                verse = element.get("number")
                number = int(verse) if verse is not None and verse.isdecimal() and 0 < int(verse) < MAX_VOICE else -1
                self.lyrics.append((self._measure, position, text, number, voice, instrument))

    # --- moving about ------------------------------------------------------------------------------------------------

    def _read_backup(self, element: Element) -> None:
        self._position = max(self._position - self._read_duration(element.findtext("duration")), 0)
        self._onset = self._position

    def _read_forward(self, element: Element) -> None:
        self._position += self._read_duration(element.findtext("duration"))
        self._onset = self._position
        self._furthest = max(self._furthest, self._position)

    # --- attributes --------------------------------------------------------------------------------------------------

    def _read_attributes(self, element: Element) -> None:
        key = None
        for child in element:
            tag = child.tag
            if tag == "divisions":
                self._divisions = read_divisions(child)
                self._durations.clear()
            elif tag == "key" and key is None:
                key = child
            elif tag == "time":
                meter = marks.read_meter(child)
                if meter is not None and child.get("number", "1") == "1":
                    self.meters.append((self._measure, self._position, meter))
            elif tag == "staves":
                self.staves = self._read_number(child.text)
            elif tag == "clef":
                self._read_clef(child)
            elif tag == "transpose":
                self._read_transpose(child)
        if key is not None:
            self._read_key(key)

    def _read_key(self, element: Element) -> None:
        """Keep the sounding key: a written one is moved by the transposition."""
        text = element.findtext("fifths")
        if text is None:
            return  # a key of freely placed accidentals, for which the model has no place
        fifths = int(text) + fifths_of_interval(*self._shift)
        if not -100 <= fifths <= 100:
            raise MusicXMLError(f"a key signature of {text} fifths")
        self.keys.append((self._measure, self._position, fifths, line_of(element.findtext("mode"))))

    def _read_clef(self, element: Element) -> None:
        sign = line_of(element.findtext("sign"))
        if sign is None or sign == "none":
            return
        line = element.findtext("line")
        octaves = element.findtext("clef-octave-change")
        number = element.get("number")
        self.clefs.append(
            (
                self._measure,
                self._position,
                sign,
                -1 if line is None else min(max(int(line), 0), 100),
                -128 if octaves is None else min(max(int(octaves), -10), 10),
                -1 if number is None else self._read_number(number),
            )
        )

    def _read_transpose(self, element: Element) -> None:
        chromatic = int(float(element.findtext("chromatic") or "0"))
        octaves = int(element.findtext("octave-change") or "0")
        text = element.findtext("diatonic")
        diatonic = None if text is None else int(text)
        if abs(chromatic) > 127 or abs(octaves) > 10 or abs(diatonic or 0) > 127:
            raise MusicXMLError(f"a transposition by {chromatic} semitones and {octaves} octaves")
        letters = usual_diatonic(chromatic) if diatonic is None else diatonic
        self._shift = letters + 7 * octaves, chromatic + 12 * octaves
        self._pitches.clear()
        if self.transposition is None:
            self.transposition = None if diatonic is None else self._shift[0], self._shift[1]

    # --- directions --------------------------------------------------------------------------------------------------

    def _read_direction(self, element: Element) -> None:
        staff, offset, position = -1, 0, self._position
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
                staff = self._read_number(child.text)
            elif tag == "offset":
                offset = self._read_offset(child.text)
        shown = max(position + offset, 0)
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
                self.signs.append(Sign(self._measure, shown, tag, None, None))
        text = line_of(" ".join(words))
        taken = sound is not None and self._read_sound(sound, position, text)
        if qpm is not None and (sound is None or sound.get("tempo") is None):
            taken = self._add_tempo(qpm, position, text) or taken
        if not taken and text is not None and not self._read_jump_words(text, position):
            self._add_text(text, "words", shown, staff)

    def _read_offset(self, text: str | None) -> int:
        """Return an offset in ticks, which may be negative."""
        stripped = (text or "0").strip()
        size = self._read_duration(stripped.lstrip("-"))
        return -size if stripped.startswith("-") else size

    def _read_lone_sound(self, element: Element) -> None:
        self._read_sound(element, self._position, None)

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
                self.signs.append(Sign(self._measure, position, kind, element.get(kind), None))
        for kind in JUMPS:
            value = element.get(kind)
            if value is not None and value != "no":
                self.signs.append(Sign(self._measure, position, kind, value, words))
                taken = True
        return taken

    def _read_jump_words(self, text: str, position: int) -> bool:
        """Take "D.C. al Fine" and the like, which some programs write without a <sound>."""
        for kind, pattern in JUMP_WORDS:
            if pattern.match(text):
                self.signs.append(Sign(self._measure, position, kind, None, text))
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
        at_start = location == "left"
        position = 0 if at_start else self._position
        repeat = element.find("repeat")
        style = line_of(element.findtext("bar-style"))
        if style is not None and style != "regular" and repeat is None and location != "middle":
            self.styles[self._measure, location] = style
        for ending in element.iterfind("ending"):
            kind = ending.get("type", "start")
            self.signs.append(Sign(self._measure, position, f"ending-{kind}", ending.get("number", "1"), None))
        if repeat is not None:
            direction = repeat.get("direction")
            if direction not in ("forward", "backward"):
                raise MusicXMLError(f"<repeat> has direction {direction!r}; it must be forward or backward")
            after_jump = "after-jump" if repeat.get("after-jump") == "yes" else None
            self.signs.append(Sign(self._measure, position, direction, repeat.get("times"), after_jump))


def read_divisions(element: Element) -> Fraction:
    """Return the divisions of a quarter note, a positive number (decimal fractions are allowed)."""
    value = read_decimal(element.text, "divisions")
    if not 0 < value <= 10**9:
        raise MusicXMLError(f"<divisions> is {element.text!r}; it must be between 0 and 10^9")
    return value


def read_decimal(text: str | None, what: str) -> Fraction:
    """Return a number without sign exactly. Raises MusicXMLError if it is none or absurdly long."""
    stripped = (text or "").strip()
    if not DECIMAL.fullmatch(stripped):
        raise MusicXMLError(f"<{what}> is {stripped[:40]!r}; it must be a number from 0 on")
    return Fraction(stripped)


def _starts_something(element: Element) -> bool:
    """Sort key: what ends on a note is read before what starts on it, so that numbers can be used again."""
    return element.get("type") == "start"
