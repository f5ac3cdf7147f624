"""The measures of one part → rows of notes and marks (third stage of reading MusicXML)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml import marks
from muspy_core.io.musicxml.directions import DirectionReader
from muspy_core.io.musicxml.header import Instrument, line_of
from muspy_core.io.musicxml.rows import (
    MAX_NUMBER,
    MAX_QUARTERS,
    TIE_START,
    TIE_STOP,
    Meanings,
    Span,
    read_divisions,
)
from muspy_core.io.musicxml.spelling import LETTERS, fifths_of_interval, natural_pitch, spell, usual_diatonic
from muspy_core.io.musicxml.tree import (
    HAS_SLASH,
    IS_CHORD,
    IS_CUE,
    IS_GRACE,
    IS_REST,
    STARTS_TIE,
    STOPS_TIE,
    steps_of,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TIE_BITS = {"start": TIE_START, "stop": TIE_STOP, "continue": TIE_START | TIE_STOP}
TIES = {0: 0, STARTS_TIE: TIE_START, STOPS_TIE: TIE_STOP, STARTS_TIE | STOPS_TIE: TIE_START | TIE_STOP}
GRACES = {0: 0, IS_GRACE: 1, IS_GRACE | HAS_SLASH: 2}
NOTATED_ON_NOTES = ("fermata", "arpeggiate", "non-arpeggiate")


class PartReader(DirectionReader):
    """Reads the measures of a part one after the other and collects rows.

    ticks_per_quarter: the unit of positions. keep_cue: whether cue notes become rows.
    """

    def __init__(
        self, instruments: dict[str, Instrument], ticks_per_quarter: int, meanings: Meanings, keep_cue: bool
    ) -> None:
        super().__init__(ticks_per_quarter, meanings)
        self._instruments = list(instruments.values())
        self._instrument_indices = {identifier: index for index, identifier in enumerate(instruments)}
        self._keep_cue = keep_cue
        self._onset = 0
        self._voice = -1
        self._furthest = 0
        self._open_slurs: dict[str, tuple[int, int, int, int, int]] = {}
        self._early_stops: dict[str, tuple[int, int]] = {}
        self._handlers: dict[str, Callable[[Element], None]] = {
            "measure": self._begin_measure,
            "backup": self._read_backup,
            "forward": self._read_forward,
            "attributes": self._read_attributes,
            "direction": self._read_direction,
            "sound": self._read_lone_sound,
            "harmony": self._read_harmony,
            "barline": self._read_barline,
            "figured-bass": self._pass_over,
        }

    def read(self, part: Element) -> None:
        """Read all measures of a part. Raises ValueError for content that makes no sense."""
        handlers = self._handlers
        read_note = self._read_note
        self._measure = -1
        for step in steps_of(part):
            if type(step) is tuple:
                read_note(*step)
            else:
                handlers[step.tag](step)
        if self._measure >= 0:
            self._end_measure()

    def _begin_measure(self, _: Element) -> None:
        if self._measure >= 0:
            self._end_measure()
        self._measure += 1
        self._position = self._onset = self._furthest = 0

    def _end_measure(self) -> None:
        if self._furthest > MAX_QUARTERS * self._ticks_per_quarter:
            raise MusicXMLError(f"lasts more than {MAX_QUARTERS:,} quarter notes")
        self.lengths.append(self._furthest)

    def _pass_over(self, element: Element) -> None:
        """Leave out what only looks like the content of a note (the durations of a figured bass)."""

    # --- notes -------------------------------------------------------------------------------------------------------

    def _read_note(
        self,
        element: Element,
        flags: int,
        step: str | None,
        alter: str | None,
        octave: str | None,
        length: str | None,
        voice_text: str | None,
        staff_text: str | None,
        sounds: str | None,
        notations: list[Element] | None,
        lyrics: list[Element] | None,
        unpitched: Element | None,
    ) -> None:
        """Append the row of a note and move on. The arguments are those of `NoteItems`; this is the hot path."""
        duration = self._durations.get(length)
        if flags & IS_GRACE:
            duration = self._nominal_duration(element.findtext("type"))
        elif duration is None:
            if length is None:
                raise MusicXMLError("a note without <duration>")
            duration = self._read_duration(length)
        numbers = self._numbers
        voice, staff = numbers.get(voice_text), numbers.get(staff_text)
        if voice is None:
            voice = self._read_number(voice_text or "")
        if staff is None:
            staff = self._read_number(staff_text or "")
        if flags & IS_CHORD:
            position = self._onset
            voice = self._voice if voice < 0 else voice
        else:
            position = self._onset = self._position
            self._voice = voice
            if not flags & IS_GRACE:
                self._position = position + duration
                if self._position > self._furthest:
                    self._furthest = self._position
        if flags & IS_REST or (flags & IS_CUE and not self._keep_cue):
            return
        instrument = 0 if sounds is None else self._instrument_indices.get(sounds, 0)
        if unpitched is not None:
            self.unpitched.add(instrument)
            pitch, spelling = self._read_unpitched(unpitched, instrument)
        else:
            known = self._pitches.get((step, alter, octave))
            pitch, spelling = self._read_pitch(step, alter, octave) if known is None else known
        tie = TIES[flags & (STARTS_TIE | STOPS_TIE)] if flags else 0
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
                GRACES[flags & (IS_GRACE | HAS_SLASH)] if flags else 0,
                1 if flags & IS_CUE else 0,
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

    def _read_pitch(self, letter: str | None, alteration: str | None, number: str | None) -> tuple[int, str]:
        """Return sounding pitch and spelling, and remember them for notes with the same texts."""
        if letter is None and number is None:
            raise MusicXMLError("a note without <pitch>, <unpitched> or <rest>")
        step = (letter or "").strip()
        if step not in tuple(LETTERS):
            raise MusicXMLError(f"<step> is {step!r}; it must be one of A to G")
        alter = marks.read_alter(alteration)
        octave = int(number or "")
        diatonic = 7 * octave + LETTERS.index(step)
        pitch = natural_pitch(diatonic) + alter
        sounding = pitch + self._shift[1]
        if not 0 <= sounding <= 127:
            raise MusicXMLError(f"pitch {step}{octave} sounds as MIDI note {sounding}, which is outside 0 to 127")
        spelling = spell(diatonic + self._shift[0], sounding)
        self._pitches[letter, alteration, number] = sounding, spelling
        return sounding, spelling

    def _read_unpitched(self, element: Element, instrument: int) -> tuple[int, str]:
        """Return the MIDI key of an unpitched instrument, else the displayed pitch, and the displayed place."""
        step = (element.findtext("display-step") or "B").strip()
        octave = int(element.findtext("display-octave") or "4")
        if step not in tuple(LETTERS) or not 0 <= octave <= 9:
            raise MusicXMLError(f"unpitched note displayed at {step}{octave}, which is no place on a staff")
        key = self._instruments[instrument].key
        displayed = natural_pitch(7 * octave + LETTERS.index(step))
        return min(displayed, 127) if key is None else key, f"{step}{octave}"

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
        slurs: list[Element] = []
        for element in notations:
            tag = element.tag
            if tag == "slur":
                slurs.append(element)
            elif tag == "articulations" or tag == "technical":
                articulations += marks.read_articulations(element)
            elif tag == "tied":
                tie |= TIE_BITS.get(element.get("type", ""), 0)
            elif tag == "ornaments":
                ornaments += marks.read_ornaments(element)
            elif tag in NOTATED_ON_NOTES:
                articulations.append(tag)
            elif tag == "dynamics":
                self._read_dynamics(element, position, staff, None)
        if len(slurs) > 1:
            slurs.sort(key=_starts)
        for slur in slurs:
            self._read_slur(slur, position, voice, staff, instrument)
        return tie, articulations or None, ornaments or None

    def _read_slur(self, element: Element, position: int, voice: int, staff: int, instrument: int) -> None:
        """Match the start and the stop of a slur; where voices cross, the stop may be written first."""
        number = element.get("number", "1")
        kind = element.get("type")
        if kind == "start":
            early = self._early_stops.pop(number, None)
            if early is not None and early[0] == self._measure and early[1] > position:
                self.slurs.append(Span(self._measure, position, *early, "slur", voice, staff, instrument))
            else:
                self._open_slurs[number] = (self._measure, position, voice, staff, instrument)
        elif kind == "stop" and number in self._open_slurs:
            measure, start, voice, staff, instrument = self._open_slurs.pop(number)
            self.slurs.append(Span(measure, start, self._measure, position, "slur", voice, staff, instrument))
        elif kind == "stop":
            self._early_stops[number] = (self._measure, position)

    def _read_lyrics(self, lyrics: list[Element], position: int, voice: int, instrument: int) -> None:
        for element in lyrics:
            text = marks.read_lyric(element)
            if text is not None:
                verse = element.get("number")
                number = int(verse) if verse is not None and verse.isdecimal() and 0 < int(verse) < MAX_NUMBER else -1
                self.lyrics.append((self._measure, position, text, number, voice, instrument))

    # --- moving about ------------------------------------------------------------------------------------------------

    def _read_backup(self, element: Element) -> None:
        self._position = max(self._position - self._duration(element.findtext("duration")), 0)
        self._onset = self._position

    def _read_forward(self, element: Element) -> None:
        self._position += self._duration(element.findtext("duration"))
        self._onset = self._position
        self._furthest = max(self._furthest, self._position)

    # --- attributes --------------------------------------------------------------------------------------------------

    def _read_attributes(self, element: Element) -> None:
        key = None
        for child in element:
            tag = child.tag
            if tag == "divisions":
                self._divisions = read_divisions(child.text)
                self._durations = self._meanings.durations.setdefault(self._divisions, {})
            elif tag == "key" and key is None:
                key = child
            elif tag == "time":
                meter = marks.read_meter(child)
                if meter is not None and child.get("number", "1") == "1":
                    self.meters.append((self._measure, self._position, meter))
            elif tag == "staves":
                self.staves = self._read_number(child.text or "")
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
        self._pitches = self._meanings.pitches.setdefault(self._shift, {})
        if self.transposition is None:
            self.transposition = None if diatonic is None else self._shift[0], self._shift[1]


def _starts(slur: Element) -> bool:
    """Sort key: the slur that ends on a note is read before the one that starts on it, which may have its number."""
    return slur.get("type") == "start"
