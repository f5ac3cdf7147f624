"""What is read from a part: rows of notes and marks, in written order, and the place where reading stands.

Every row starts with the index of its measure and its position in that measure. Positions and durations are integers in
ticks; a quarter note has as many ticks as the least common multiple of all divisions of the score, so all are exact.
"""

from __future__ import annotations

import dataclasses
import math
import re
from fractions import Fraction
from typing import NamedTuple

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml.marks import Meter, Symbol

# (measure, position, duration, pitch, voice, staff, grace, cue, tie, velocity, instrument, spelling, articulations,
# ornaments); numbers as in the columns of `Note`, tie in bits, velocity −1: from the dynamics around.
NoteRow = tuple[
    int, int, int, int, int, int, int, int, int, int, int, "str | None", "list[str] | None", "list[str] | None"
]

WrittenPitch = tuple["str | None", "str | None", "str | None"]  # texts of step, alter, octave

TIE_START, TIE_STOP = 1, 2
MAX_QUARTERS = 200_000  # length of a piece; beyond is an accident or an attack
MAX_BEATS = 1_000_000  # of a piece; tiny beats would fill memory long before MAX_QUARTERS
MAX_NUMBER = 32_767  # of voices, staves, verses: what the columns hold
DECIMAL = re.compile(r"\+?\d{1,18}(\.\d{0,18})?")


class Sign(NamedTuple):
    """A sign that steers the playing order. label: the name of a segno or coda, the number of an ending, how many times
    to repeat. words: as printed."""

    measure: int
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


@dataclasses.dataclass
class Meanings:
    """What texts mean, remembered for a whole score, since few of them occur again and again.

    pitches: sounding pitch and spelling by transposition and texts. durations: ticks by divisions and text.
    """

    pitches: dict[tuple[int, int], dict[WrittenPitch, tuple[int, str]]] = dataclasses.field(default_factory=dict)
    durations: dict[Fraction, dict[str | None, int]] = dataclasses.field(default_factory=dict)


class PartRows:
    """The rows of a part.

    ticks_per_quarter: the unit of positions. meanings: shared by the parts of a score.
    """

    def __init__(self, ticks_per_quarter: int, meanings: Meanings) -> None:
        self.notes: list[NoteRow] = []
        self.lengths: list[int] = []
        self.lyrics: list[tuple[int, int, str, int, int, int]] = []  # text, verse, voice, instrument
        self.levels: list[tuple[int, int, int]] = []  # velocity from here on
        self.dynamics: list[tuple[int, int, str, int]] = []  # mark, staff
        self.wedges: list[Span] = []
        self.slurs: list[Span] = []
        self.tempos: list[tuple[int, int, float, str | None]] = []
        self.keys: list[tuple[int, int, int, str | None]] = []  # sounding fifths, mode
        self.meters: list[tuple[int, int, Meter]] = []
        self.clefs: list[tuple[int, int, str, int, int, int]] = []  # sign, line, octave change, staff
        self.texts: list[tuple[int, int, str, str, int]] = []  # text, kind, staff
        self.symbols: list[tuple[int, int, Symbol, int]] = []  # staff
        self.signs: list[Sign] = []
        self.styles: dict[tuple[int, str], str] = {}  # (measure, location) → bar style
        self.unpitched: set[int] = set()  # instruments that play unpitched notes
        self.staves: int | None = None
        self.transposition: tuple[int | None, int] | None = None  # first one: diatonic, chromatic

        self._ticks_per_quarter = ticks_per_quarter
        self._divisions = Fraction(1)
        self._shift = (0, 0)  # diatonic, chromatic from written to sounding
        self._measure = 0
        self._position = 0
        self._meanings = meanings
        self._pitches = meanings.pitches.setdefault(self._shift, {})
        self._durations = meanings.durations.setdefault(self._divisions, {})
        self._numbers: dict[str | None, int] = {None: -1}  # of voices and staves; None: not said

    def _duration(self, text: str | None) -> int:
        """Return a duration in ticks."""
        known = self._durations.get(text)
        return self._read_duration(text) if known is None else known

    def _read_duration(self, text: str | None) -> int:
        """Return a duration in ticks that was not met before, and remember it."""
        exact = read_decimal(text, "duration") * self._ticks_per_quarter / self._divisions
        if exact > MAX_QUARTERS * self._ticks_per_quarter:
            raise MusicXMLError(f"duration {(text or '')[:40]!r} is longer than {MAX_QUARTERS:,} quarter notes")
        self._durations[text] = math.floor(exact + Fraction(1, 2))
        return self._durations[text]

    def _read_number(self, text: str) -> int:
        """Return a voice or staff number; names that are no number from 1 on get the next free one."""
        stripped = text.strip()
        if stripped.isdecimal() and 1 <= int(stripped) <= MAX_NUMBER:
            self._numbers[text] = int(stripped)
        else:
            self._numbers[text] = max(0, *self._numbers.values()) + 1
        return self._numbers[text]


def read_divisions(text: str | None) -> Fraction:
    """Return the divisions of a quarter note, a positive number (decimal fractions are allowed)."""
    value = read_decimal(text, "divisions")
    if not 0 < value <= 10**9:
        raise MusicXMLError(f"<divisions> is {text!r}; it must be between 0 and 10^9")
    return value


def read_decimal(text: str | None, what: str) -> Fraction:
    """Return a number without sign exactly. Raises MusicXMLError if it is none or absurdly long."""
    stripped = (text or "").strip()
    if not DECIMAL.fullmatch(stripped):
        raise MusicXMLError(f"<{what}> is {stripped[:40]!r}; it must be a number from 0 on")
    return Fraction(stripped)
