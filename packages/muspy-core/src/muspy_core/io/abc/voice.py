"""One voice of a tune: tokens → rows of notes and marks, in written order (third stage of reading ABC).

Positions and durations are integers in ticks (see `tokens`); nothing is repeated yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from muspy_core.errors import ABCError
from muspy_core.io.abc import marks
from muspy_core.io.abc.fields import Key, Meter, Staff
from muspy_core.io.abc.marking import MarkReader
from muspy_core.io.abc.tokens import (
    CHORD_NOTES,
    LETTERS,
    MAX_QUARTERS,
    NOTE,
    QUARTER,
    WHOLE,
    parse_length,
    parse_note,
    parse_passes,
)

GRACES = {"{": 1, "{/": 2}
MAX_TICKS = MAX_QUARTERS * QUARTER
ACCIDENTALS = {alter: "#" * alter if alter > 0 else "b" * -alter for alter in range(-12, 13)}
COUNTED_IN_THREE = (3, 6)  # tuplets of these take the time of 2; 2, 4, 8 that of 3; others depend on the meter


class VoiceReader(MarkReader):
    """Reads the music of one voice and collects its rows."""

    def __init__(self, identifier: str, key: Key, meter: Meter | None, unit: int) -> None:
        super().__init__()
        self.identifier = identifier
        self.staff = Staff()
        self.program: int | None = None
        self.is_drum = False
        self.midi_shift = 0
        self.propagation = "pitch"

        self.sung: list[int] = []  # onsets of the notes of the line being read; −1: a bar line
        self.verse = 0
        self.unit = unit
        self.meter = meter
        self.key = key
        self._alters: dict[int, int] = {}
        self._shift = 0
        self._measure_start = 0
        self._measure_end = 0
        self._layer = 1
        self._last = (0, 0, 0, 0)  # rows, onset and duration of the last note, chord or rest
        self._tuplets: list[list[int]] = []  # numerator, denominator, notes to come, all its notes
        self._broken: tuple[int, int] | None = None
        self._chord: int | None = None  # first row of an open chord
        self._chord_length = 0
        self._grace = 0
        self._held: dict[int, int] = {}  # alterations of tied notes by diatonic number
        self._open_slurs: list[int] = []
        self._handlers = {
            "bar": self._read_bar,
            "ending": self._read_ending,
            "quoted": self._read_quoted,
            "chord": self._open_chord,
            "chord_end": self._close_chord,
            "broken": self._read_broken,
            "tuplet": self._read_tuplet,
            "slur": self._open_slur,
            "slur_end": self._close_slur,
            "tie": self._read_tie,
            "rest": self._read_rest,
            "measures": self._read_measures,
            "grace": self._open_grace,
            "grace_end": self._close_grace,
            "decoration": self._read_decoration,
            "shorthand": self._read_shorthand,
            "overlay": self._read_overlay,
        }
        self.set_key(key, at_start=True)

    # --- fields ------------------------------------------------------------------------------------------------------

    def set_key(self, key: Key, at_start: bool = False) -> None:
        """Change the key from here on."""
        self.key = key
        self._alters = {}
        if not at_start and (key.root is not None or key.fifths is not None or any(key.alters) or self.keys):
            self.keys.append((self.position, key))

    def set_meter(self, meter: Meter | None) -> None:
        """Change the meter from here on."""
        self.meter = meter
        if meter is not None:
            self.meters.append((self.position, meter))

    def set_staff(self, staff: Staff) -> None:
        """Apply clef, octave and transposition; what `staff` leaves open stays as it is."""
        known = self.staff
        self.staff = staff.over(known)
        if staff.clef is not None and (self.staff.clef != known.clef or not self.clefs):
            self.clefs.append((self.position, *staff.clef))
            if staff.octave is None:
                self.staff = self.staff._replace(octave=None)
        self._shift = 12 * (self.staff.octave or 0) + (self.staff.transpose or 0) + self.midi_shift

    def set_midi_shift(self, semitones: int) -> None:
        """Apply a playback transposition."""
        self.midi_shift = semitones
        self.set_staff(Staff())

    # --- music -------------------------------------------------------------------------------------------------------

    def start_line(self) -> None:
        """Begin a music line to which lyrics may be aligned."""
        self.sung = []
        self.verse = 0

    def end_line(self) -> None:
        """Close what cannot go on in the next line. Raises ABCError if the voice has become absurdly long."""
        if self._chord is not None:
            self._close_chord("]")
        self._grace = 0
        if self.position > MAX_TICKS:
            raise ABCError(f"lasts more than {MAX_QUARTERS:,} quarter notes")

    def read(self, tokens: Iterator[re.Match[str]]) -> str | None:
        """Read tokens up to the next inline field, whose text is returned, or to the end (None)."""
        for token in tokens:
            kind = token.lastgroup
            if kind == "note":
                self._read_note(token.group())
            elif kind == "field":
                return token.group()
            else:
                handler = self._handlers.get(kind or "")
                if handler is not None:
                    handler(token.group())
        return None

    def _read_note(self, text: str) -> None:
        """Append the row of a note and, outside of chords and grace notes, move on. This is the hot loop."""
        diatonic, letter, natural, alter, numerator, denominator = parse_note(text)
        if alter is None:
            if diatonic in self._held:
                alter = self._held[diatonic]
            else:
                alter = self._alters.get(diatonic if self.propagation == "octave" else letter)
                if alter is None:
                    alter = self.key.alters[letter]
        elif self.propagation != "not":
            self._alters[diatonic if self.propagation == "octave" else letter] = alter
        pitch = natural + alter + self._shift
        if not 0 <= pitch <= 127:
            raise ABCError(f"note {text[:40]!r} sounds as MIDI note {pitch}, which is outside 0 to 127")
        if not denominator:
            raise ABCError(f"note {text[:40]!r} has a length divided by 0")
        row = len(self.onsets)
        duration = self.unit * numerator // denominator
        if self._chord is None and not self._grace:
            duration = self._scale(duration)
            self._last = (row, row + 1, self.position, duration)
            self._sing()
            self._held = {}
        elif self._chord == row:
            self._chord_length = duration
        if self._pending and not self._grace:
            self._attach(row)
        self.onsets.append(self.position)
        self.durations.append(duration)
        self.pitches.append(pitch)
        self.layers.append(self._layer)
        self.graces.append(self._grace)
        self.ties.append(0)
        self.spellings.append(LETTERS[letter] + ACCIDENTALS[alter])
        if self._chord is None and not self._grace:
            self.position += duration

    def _scale(self, duration: int) -> int:
        """Apply broken rhythm and tuplets to the length of the next note, chord or rest."""
        if self._broken is not None:
            duration = duration * self._broken[0] // self._broken[1]
            self._broken = None
        if self._tuplets:
            for tuplet in self._tuplets:
                duration = duration * tuplet[0] // tuplet[1]
                tuplet[2] -= 1
            self._tuplets = [tuplet for tuplet in self._tuplets if tuplet[2] > 0]
        return duration

    def _read_rest(self, text: str) -> None:
        numerator, denominator = parse_length(text[1:])
        if not denominator:
            raise ABCError(f"rest {text[:40]!r} has a length divided by 0")
        self._rest(self._scale(self.unit * numerator // denominator))

    def _read_measures(self, text: str) -> None:
        measure = self.meter.ticks if self.meter else WHOLE
        self._rest(measure * int(text[1:] or 1))

    def _rest(self, duration: int) -> None:
        if self._chord is not None or self._grace:
            return
        row = len(self.onsets)
        self._last = (row, row, self.position, duration)
        self._held = {}
        self._pending = []
        self.position += duration

    def _open_chord(self, text: str) -> None:
        if self._chord is None:
            self._chord = len(self.onsets)
            self._chord_length = 0

    def _close_chord(self, text: str) -> None:
        """Apply the length after a chord to its notes; the chord lasts as long as its first note."""
        if self._chord is None:
            return
        first, self._chord = self._chord, None
        last = len(self.onsets)
        if self._grace or first == last:
            return
        numerator, denominator = parse_length(text[1:])
        if not denominator:
            raise ABCError(f"chord length {text[1:41]!r} is divided by 0")
        written = self._chord_length
        length = self._scale(written * numerator // denominator)
        for row in range(first, last):
            own = self.durations[row]
            self.durations[row] = length if own == written else own * length // max(written, 1)
        self._last = (first, last, self.position, length)
        self._held = {} if not any(self.ties[first:last]) else self._held
        self._sing()
        self.position += length

    def _sing(self) -> None:
        """Remember that a syllable may go to the note or chord here; overlaid voices have no lyrics of their own."""
        if self._layer == 1:
            self.sung.append(self.position)

    def _read_broken(self, text: str) -> None:
        """Lengthen one of two notes by what the other is shortened: a>b, a>>b, a>>>b, a<b …"""
        first, last, onset, duration = self._last
        count = min(len(text), 8)
        short, whole = 1, 2**count
        long = 2 * whole - 1
        before, after = (long, short) if text[0] == ">" else (short, long)
        if self._broken is not None or self._chord is not None or self._grace or onset + duration != self.position:
            return
        changed = duration * before // whole
        for row in range(first, last):
            self.durations[row] = self.durations[row] * before // whole
        for row in range(last, len(self.onsets)):
            self.onsets[row] += changed - duration
        self.position += changed - duration
        self._last = (first, last, onset, changed)
        self._broken = (after, whole)

    def _read_tuplet(self, text: str) -> None:
        """Read (p:q:r, p notes in the time of q for the next r notes."""
        parts = [*text[1:].split(":"), "", ""]
        count = int(parts[0])
        if parts[1]:
            time = int(parts[1])
        elif count in COUNTED_IN_THREE:
            time = 2
        elif count in (2, 4, 8):
            time = 3
        else:
            time = 3 if self.meter is not None and self.meter.is_compound else 2
        notes = int(parts[2]) if parts[2] else count
        if self._tuplets and self._tuplets[-1][2] == self._tuplets[-1][3]:
            self._tuplets.pop()  # "(3(3abc" is a slip of the pen, no tuplet in a tuplet
        if count > 0 and time > 0 and notes > 0:
            self._tuplets.append([time, count, notes, notes])

    def _read_tie(self, text: str) -> None:
        """Mark the last note, or the last note of an open chord, as tied."""
        first, last = self._last[:2]
        if self._chord is not None:
            first, last = len(self.onsets) - 1, len(self.onsets)
            if last <= self._chord:
                return
        elif self._grace:
            return
        for row in range(first, last):
            self.ties[row] = 1
            letter = LETTERS.index(self.spellings[row][0])
            alter = self.spellings[row].count("#") - self.spellings[row].count("b")
            natural = self.pitches[row] - self._shift - alter
            self._held[7 * (natural // 12 - 1) + letter] = alter

    def _open_grace(self, text: str) -> None:
        self._grace = GRACES[text]

    def _close_grace(self, text: str) -> None:
        self._grace = 0

    def _open_slur(self, text: str) -> None:
        if len(self._open_slurs) < 100:
            self._open_slurs.append(self.position)

    def _close_slur(self, text: str) -> None:
        """Close the last slur that did not open at this very note: (c d (e) f g) is two slurs that meet at e."""
        onset = self._last[2]
        places = [index for index, start in enumerate(self._open_slurs) if start < onset]
        if places:
            self.slurs.append((self._open_slurs.pop(places[-1]), onset, self._layer))
        elif self._open_slurs:
            self._open_slurs.pop()

    # --- bar lines ---------------------------------------------------------------------------------------------------

    def _read_bar(self, text: str) -> None:
        """End the measure, and note repeat signs, double bars and the ending that may follow at once."""
        if text == "|":
            self._end_measure()
            return
        match = re.search(r"\d", text)
        bar, passes = (text[: match.start()], text[match.start() :]) if match else (text, "")
        self._end_measure()
        left, right, core = _colons(bar)
        if left:
            self._add_sign("backward", frozenset({min(left, 9) + 1}))
        elif "||" in core or "]" in core.replace("[|]", "") or "[|" in core.replace("[|]", ""):
            self._add_sign("double")
        if right:
            self._add_sign("forward")
        if passes:
            self._read_ending(passes)

    def _end_measure(self) -> None:
        if self._layer > 1:
            self.position = max(self.position, self._measure_end)
            self._layer = 1
            self._held = {}
        self._measure_start = self._measure_end = self.position
        self._alters = {}
        self.bars.append(self.position)
        self.sung.append(-1)
        self._broken = None

    def _read_ending(self, text: str) -> None:
        self._add_sign("ending", parse_passes(text))

    def _read_overlay(self, text: str) -> None:
        """Go back to the start of the measure for another voice on the same staff."""
        if text != "&":
            return
        self._measure_end = max(self._measure_end, self.position)
        self.position = self._measure_start
        self._layer += 1
        self._tuplets, self._broken, self._held = [], None, {}
        self._alters = {}

    # --- marks -------------------------------------------------------------------------------------------------------

    def _read_decoration(self, text: str) -> None:
        """Read !name! or the outdated +name+; notes between plus signs are a chord of ABC 1."""
        name = text[1:-1]
        if text[0] == "+" and CHORD_NOTES.fullmatch(name) and name not in marks.DYNAMICS:
            self._open_chord("[")
            for note in NOTE.findall(name):
                self._read_note(note)
            self._close_chord("]")
        else:
            self._decorate(name)


def _colons(bar: str) -> tuple[int, int, str]:
    """Return how many times a bar line says to repeat what came before and what follows, and its bare line."""
    core = bar.strip(".").strip(":")
    if not core:
        count = bar.count(":")
        return max(count // 2, 1), max(count // 2, 1), ""
    bar = bar.lstrip(".")
    return len(bar) - len(bar.lstrip(":")), len(bar) - len(bar.rstrip(":")), core
