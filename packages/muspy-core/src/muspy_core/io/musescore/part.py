"""The staves of a part → rows of notes and marks (fifth stage of reading MuseScore files).

The rows are those of the MusicXML reader, whose later stages take them from here. MuseScore 3 and 4 write the voices of
a measure one after the other, each from the bar line on; MuseScore 2 writes one sequence, in which <tick> moves to a
time and <track> names the voice.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from muspy_core.errors import MuseScoreError
from muspy_core.io.musescore import names
from muspy_core.io.musescore.chords import spelling_of_tpc
from muspy_core.io.musescore.directions import DirectionReader
from muspy_core.io.musescore.durations import PLAIN, Durations, Ratio, duration_text, read_ratio
from muspy_core.io.musescore.header import PartSource
from muspy_core.io.musescore.measures import Measures, read_stretch
from muspy_core.io.musescore.source import Source
from muspy_core.io.musescore.texts import line_of_text
from muspy_core.io.musicxml.rows import MAX_NUMBER, MAX_QUARTERS, TIE_START, TIE_STOP, NoteRow, Span
from muspy_core.io.musicxml.spelling import LETTERS, place

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

VOICES = 4  # of a staff
TOP_LINE = 38  # diatonic number of the top line of a staff with a treble clef (F5), by which drums are placed
RESTS = ("Rest", "RepeatMeasure", "MeasureRepeat", "MMRest")
TREMOLOS = ("Tremolo", "TremoloSingleChord", "TremoloTwoChord")
ARPEGGIO_BRACKET = "3"
FINGERINGS = ("Fingering", "Text")


class PartReader(DirectionReader):
    """Reads the staves of a part measure by measure and collects rows."""

    def __init__(
        self, source: Source, part: PartSource, measures: Measures, durations: Durations, keep_cue: bool
    ) -> None:
        super().__init__(source, part, measures, durations)
        self.lengths = measures.lengths
        self.staves = len(part.staves) if len(part.staves) > 1 else None
        self.transposition = part.sound.shift if part.sound.shift != (0, 0) else None
        self._keep_cue = keep_cue
        self._voice = 0
        self._stretches: list[Ratio] = [PLAIN] * len(part.staves)
        self._tuplets: list[Ratio] = []
        self._named_tuplets: dict[str, Ratio] = {}
        self._graces: list[Element] = []
        self._has_fermata = False
        self._tremolo = 0  # strokes between the last chord and the next one
        self._last_note: dict[int, int] = {}  # by voice: the row of the first note of its last chord
        self._slur_starts: dict[str, tuple[int, int, int, int, int]] = {}

    @property
    def place(self) -> str:
        """Where reading stands, in words."""
        name = self._part.info.name
        return f"part{f' {name[:40]!r}' if name else ''}, measure {self._measure + 1}"

    def read(self, check_time: Callable[[], None]) -> None:
        """Read all measures. Raises ValueError for content that makes no sense."""
        columns = [self._measures.of(staff) for staff in self._part.staves]
        for index in range(len(self.lengths)):
            check_time()
            self._measure = index
            for self._staff, column in enumerate(columns):
                if index < len(column):
                    self._read_measure(column[index])
        self._move_under_ottavas()
        self._add_first_clefs()
        if self.sounds[0].drum_lines is None:
            self._add_first_key()

    def _read_measure(self, measure: Element) -> None:
        voices = measure.findall("voice")
        self._position = 0
        for element in measure if not voices else (child for child in measure if child.tag != "voice"):
            self._read_element(element)
        for number, voice in enumerate(voices[:VOICES]):
            self._position, self._voice, self._tuplets, self._graces = 0, number, [], []
            for element in voice:
                self._read_element(element)
        self._voice, self._graces = 0, []

    def _read_element(self, element: Element) -> None:
        tag = element.tag
        if tag == "Chord":
            self._read_chord(element)
        elif tag in RESTS:
            self._position += self._length(element)
            self._has_fermata, self._tremolo = False, 0
        elif tag == "Tuplet":
            self._open_tuplet(element)
        elif tag == "endTuplet":
            self._tuplets = self._tuplets[:-1]
        elif tag == "location":
            self._move(element.findtext("fractions"))
        elif tag == "tick":
            self._go_to(element.text or "")
        elif tag == "TimeSig":
            self._stretches[self._staff] = read_stretch(element)
        elif tag == "Fermata":
            self._has_fermata = True
        elif tag == "Breath":
            self._add_breath(element)
        elif tag in self._directions:
            self._directions[tag](element)
        self._check_position()

    # --- time --------------------------------------------------------------------------------------------------------

    def _check_position(self) -> None:
        if self._position > MAX_QUARTERS * self._ticks_per_quarter:
            raise MuseScoreError(f"lasts more than {MAX_QUARTERS:,} quarter notes")

    def _open_tuplet(self, element: Element) -> None:
        if not len(element):
            return
        identifier = element.get("id")
        ratio = read_ratio(element, self._ratio(element.findtext("Tuplet")))
        if identifier is None:
            self._tuplets = [*self._tuplets, ratio]
        else:
            self._named_tuplets[identifier] = ratio

    def _ratio(self, named: str | None) -> Ratio:
        """Return the ratio of the tuplets around what is read: by number in MuseScore 2, else those that are open."""
        if named is not None and named.strip() in self._named_tuplets:
            return self._named_tuplets[named.strip()]
        return self._tuplets[-1] if self._tuplets else self._stretches[self._staff]

    def _length(self, element: Element) -> int:
        """Return the ticks of a chord or rest."""
        value = (element.findtext("durationType") or "measure").strip()
        if value == "measure":
            return self._measures.lengths[self._measure]
        ratio = self._ratio(element.findtext("Tuplet"))
        stated = element.find("duration")
        if stated is not None:  # differs from the value: tremolos between two notes are notated twice as long
            return max(self._in_ticks.of_fraction(duration_text(stated), ratio), 0)
        return self._in_ticks.of_value(value, element.findtext("dots") or "0", ratio)

    def _move(self, fractions: str | None) -> None:
        if fractions is not None:
            self._position = max(self._position + self._in_ticks.of_fraction(fractions), 0)

    def _go_to(self, text: str) -> None:
        """Move to a time in the ticks of the file (MuseScore 2)."""
        if not re.fullmatch(r"\d{1,12}", text.strip()):
            raise MuseScoreError(f"<tick> is {text[:40]!r}; it must be a number from 0 on")
        quarters = Fraction(int(text), self._in_ticks.division)
        ticks = math.floor(quarters * self._ticks_per_quarter + Fraction(1, 2))
        self._position = max(ticks - self._measures.starts[self._measure], 0)

    # --- notes -------------------------------------------------------------------------------------------------------

    def _read_chord(self, element: Element) -> None:
        """Append the notes of a chord with its grace notes, which the file has before it, and move on."""
        if any(element.find(tag) is not None for tag in names.GRACES):
            self._graces.append(element)
            return
        track = element.findtext("track")
        if track is not None and track.strip().isdecimal():
            self._voice = int(track) % VOICES
        duration = self._length(element)
        graces, self._graces = self._graces, []
        tags = [next(str(child.tag) for child in grace if child.tag in names.GRACES) for grace in graces]
        for grace, tag in zip(graces, tags, strict=True):
            if not tag.endswith("after"):
                self._add_chord(grace, self._grace_length(grace), names.GRACES[tag])
        self._add_chord(element, duration, 0)
        self._position += duration
        for grace, tag in zip(graces, tags, strict=True):
            if tag.endswith("after"):
                self._add_chord(grace, self._grace_length(grace), names.GRACES[tag])
        if track is not None:
            self._voice = 0

    def _grace_length(self, element: Element) -> int:
        """Return what a grace note would last as an ordinary note, as the MusicXML reader does."""
        return max(1, self._in_ticks.of_value((element.findtext("durationType") or "eighth").strip(), "0"))

    def _add_chord(self, element: Element, duration: int, grace: int) -> None:
        voice = VOICES * self._staff + self._voice + 1
        staff = self._staff_number
        moved = element.findtext("staffMove") or element.findtext("move")
        if staff > 0 and moved is not None:
            staff = min(max(staff + int(moved), 1), len(self._part.staves))
        sound = self._sound_at(self._tick)
        marks: list[str] = []
        ornaments: list[str] = []
        notes: list[Element] = []
        on_all: list[str] = []
        lyrics: list[Element] = []
        for child in element:
            tag = child.tag
            if tag == "Note":
                notes.append(child)
            elif tag in ("Articulation", "Ornament"):
                articulations, decorations = names.mark_of(child.findtext("subtype") or "", self._major)
                marks += articulations
                ornaments += decorations
            elif tag == "Lyrics":
                lyrics.append(child)
            elif tag in TREMOLOS:
                ornaments += self._read_tremolo(child)
            elif tag == "Arpeggio":
                is_bracket = (child.findtext("subtype") or "").strip() == ARPEGGIO_BRACKET
                on_all.append("non-arpeggiate" if is_bracket else "arpeggiate")
            elif tag == "ChordLine":
                subtype = (child.findtext("subtype") or "").strip()
                line = names.CHORD_LINES.get(subtype) or names.CHORD_LINE_NUMBERS.get(subtype)
                marks += [line] if line else []
            elif tag == "Slur":
                self._read_numbered_slur(child, voice, staff, sound)
            elif tag == "Spanner" and child.get("type") == "Slur" and child.find("next") is not None:
                end = self._place_after(child.find("next/location"))
                self.slurs.append(
                    Span(self._measure, self._position, *self._measures.place(end), "slur", voice, staff, sound)
                )
        if not grace:
            if self._has_fermata:
                marks.append("fermata")
                self._has_fermata = False
            if self._tremolo and not ornaments:
                ornaments.append(f"tremolo-stop-{self._tremolo}")
                self._tremolo = 0
            elif ornaments and ornaments[-1].startswith("tremolo-start"):
                self._tremolo = int(ornaments[-1].rpartition("-")[2])
        is_small = _is_small(element) or (self._major >= 4 and all(map(_is_small, notes)))
        cue = int(is_small and not grace)
        first = len(self.notes)
        for index, note in enumerate(notes):
            row = self._read_note(note, duration, grace, voice, staff, sound, cue)
            own = [*(marks if index == 0 else ()), *on_all, *_fingerings(note)]
            if row is not None:
                self.notes.append((*row, own or None, (ornaments or None) if index == 0 else None))
        if len(self.notes) > first:
            self._last_note[voice] = first
            for element in lyrics:
                self._read_lyrics(element, voice, sound)

    def _read_note(
        self, element: Element, duration: int, grace: int, voice: int, staff: int, sound: int, cue: int
    ) -> tuple[int, int, int, int, int, int, int, int, int, int, int, str | None] | None:
        """Return the row of a note but for its articulations and ornaments; None for a cue that is left out."""
        pitch = tie = 0
        velocity = -1
        tpc = velocity_type = None
        has_pitch = False
        for child in element:
            tag = child.tag
            if tag == "pitch":
                pitch, has_pitch = int(child.text or ""), True
            elif tag == "tpc":
                tpc = child.text
            elif tag == "Tie":
                tie |= TIE_START
            elif tag == "endSpanner":
                tie |= TIE_STOP
            elif tag == "Spanner" and child.get("type") == "Tie":
                tie |= TIE_START if child.find("next") is not None else 0
                tie |= TIE_STOP if child.find("prev") is not None else 0
            elif tag == "velocity":
                velocity = int(child.text or "")
            elif tag == "veloType":
                velocity_type = (child.text or "").strip()
            elif tag == "userVelocity":
                velocity, velocity_type = int(child.text or ""), "user"
        if not has_pitch:
            raise MuseScoreError("a note without <pitch>")
        if not 0 <= pitch <= 127:
            raise MuseScoreError(f"<pitch> is {pitch}; it must be 0 to 127")
        if cue and not self._keep_cue:
            return None
        drums = self.sounds[sound].drum_lines
        if drums is not None:
            self.unpitched.add(sound)
        spelling = _spell(pitch, tpc) if drums is None else _drum_place(drums.get(pitch))
        own = min(velocity, 127) if velocity_type == "user" and velocity > 0 else -1
        return self._measure, self._position, duration, pitch, voice, staff, grace, cue, tie, own, sound, spelling

    def _read_lyrics(self, element: Element, voice: int, sound: int) -> None:
        text = line_of_text(element.find("text"))
        if text is None:
            return
        syllabic = (element.findtext("syllabic") or "single").strip()
        opens = "- " if syllabic in ("middle", "end") else ""
        goes_on = " -" if syllabic in ("begin", "middle") else ""
        number = (element.findtext("no") or "0").strip()
        verse = int(number) + 1 if number.isdecimal() and int(number) < MAX_NUMBER else -1
        self.lyrics.append((self._measure, self._position, f"{opens}{text}{goes_on}", verse, voice, sound))

    def _read_tremolo(self, element: Element) -> list[str]:
        """Return a tremolo on one note ("r16") or the start of one between two ("c16"); strokes from 1 on."""
        match = re.fullmatch(r"([rc]?)(8|16|32|64)", (element.findtext("subtype") or "").strip())
        if match is None:
            return []
        strokes = names.TREMOLO_STROKES[match[2]]
        return [f"tremolo-start-{strokes}" if match[1] == "c" else f"tremolo-{strokes}"]

    def _read_numbered_slur(self, element: Element, voice: int, staff: int, sound: int) -> None:
        """Match the start and the end of a slur of MuseScore 2, which have one number."""
        identifier, kind = element.get("id") or "", element.get("type")
        if kind == "start":
            self._slur_starts[identifier] = self._measure, self._position, voice, staff, sound
        elif kind == "stop" and identifier in self._slur_starts:
            measure, position, voice, staff, sound = self._slur_starts.pop(identifier)
            self.slurs.append(Span(measure, position, self._measure, self._position, "slur", voice, staff, sound))

    def _add_breath(self, element: Element) -> None:
        """Give the last chord of the voice a breath mark, or a caesura."""
        index = self._last_note.get(VOICES * self._staff + self._voice + 1)
        if index is not None:
            name = "caesura" if "caesura" in (element.findtext("symbol") or "").lower() else "breath-mark"
            *start, articulations, ornaments = self.notes[index]
            self.notes[index] = _row((*start, [*(articulations or ()), name], ornaments))

    # --- when all is read --------------------------------------------------------------------------------------------

    def _move_under_ottavas(self) -> None:
        """Give notes under octave lines their sounding pitch; the file has them as they are notated."""
        shifts: dict[int, dict[int, int]] = {}  # by staff: semitones from a time on
        for staff, start, end, semitones in sorted(self._ottavas):
            shifts.setdefault(staff, {})[start] = semitones
            shifts[staff].setdefault(end, 0)
        times = {staff: sorted(changes) for staff, changes in shifts.items()}
        for index, row in enumerate(self.notes if shifts else ()):
            staff = (row[4] - 1) // VOICES
            before = bisect_right(times.get(staff, ()), self._measures.starts[row[0]] + row[1])
            pitch = row[3] + (shifts[staff][times[staff][before - 1]] if before else 0)
            if not 0 <= pitch <= 127:
                raise MuseScoreError(f"a note under an octave line sounds as {pitch}, outside 0 to 127")
            if pitch != row[3]:
                self.notes[index] = _row((*row[:3], pitch, *row[4:]))

    def _add_first_clefs(self) -> None:
        """State the clef that a staff starts with where no sign does."""
        stated = {row[5] for row in self.clefs if row[:2] == (0, 0)}
        self._measure = self._position = 0
        for staff, clef in enumerate(self._part.clefs if self.lengths else ()):
            self._staff = staff
            if self._staff_number not in stated:
                self._add_clef(clef)


def _row(values: tuple[object, ...]) -> NoteRow:
    return values  # type: ignore[return-value] # a changed copy of a NoteRow


def _spell(pitch: int, tpc: str | None) -> str | None:
    """Return the spelling of a note; None if the file has none that names its pitch."""
    if tpc is None or not re.fullmatch(r"-?\d{1,3}", tpc.strip()):
        return None
    spelling = spelling_of_tpc(int(tpc))
    return spelling if spelling is not None and place(pitch, spelling) is not None else None


def _is_small(element: Element) -> bool:
    return (element.findtext("small") or "0").strip() == "1"


def _drum_place(line: int | None) -> str | None:
    """Return where a drum is notated, read as on a treble clef ("F5")."""
    if line is None or not -10 <= line <= 20:
        return None
    octave, letter = divmod(TOP_LINE - line, 7)
    return f"{LETTERS[letter]}{octave}"


def _fingerings(note: Element) -> list[str]:
    """Return the fingerings of a note ("fingering-3")."""
    texts = [line_of_text(child.find("text")) for child in note if child.tag in FINGERINGS]
    return [f"fingering-{text}" for text in texts if text]
