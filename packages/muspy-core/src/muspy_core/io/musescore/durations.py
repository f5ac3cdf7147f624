"""Note values, tuplets and fractions → ticks: a unit in which all positions of a score are whole (second stage).

A duration is a note value with dots, times normal/actual of each tuplet around it.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from muspy_core.errors import MuseScoreError
from muspy_core.io.musicxml.durations import TYPE_LENGTHS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_TICKS_PER_QUARTER = 10**8
MAX_DOTS = 4
MAX_RATIO = 1024  # of a tuplet
MAX_DEPTH = 8  # of tuplets in tuplets
FRACTION = re.compile(r"([+-]?\d{1,9})/(\d{1,9})")

Ratio = tuple[int, int]  # normal, actual
PLAIN: Ratio = (1, 1)


class Durations:
    """Durations in ticks. ticks_per_quarter: the smallest unit that makes all of them whole. division: the file's."""

    def __init__(self, score: Element, division: int) -> None:
        self.ticks_per_quarter = _ticks_per_quarter(score, division)
        self.division = division
        self._known: dict[tuple[str, str, Ratio], int] = {}

    def of_value(self, value: str, dots: str, ratio: Ratio = PLAIN) -> int:
        """Return the ticks of a note value ("eighth") with dots ("1") in tuplets of a ratio."""
        key = value, dots, ratio
        known = self._known.get(key)
        if known is None:
            quarters = _value(value) * (2 - Fraction(1, 2 ** _dots(dots))) * Fraction(*ratio)
            known = self._known[key] = self._round(quarters)
        return known

    def of_fraction(self, text: str, ratio: Ratio = PLAIN) -> int:
        """Return the ticks of a fraction of a whole note ("-3/8") in tuplets of a ratio."""
        return self._round(4 * read_fraction(text) * Fraction(*ratio))

    def _round(self, quarters: Fraction) -> int:
        return math.floor(quarters * self.ticks_per_quarter + Fraction(1, 2))


def read_fraction(text: str) -> Fraction:
    """Return a fraction as MuseScore writes it. Raises MuseScoreError if it is none."""
    match = FRACTION.fullmatch(text.strip())
    if match is None or not int(match[2]):
        raise MuseScoreError(f"{text[:40]!r} is no fraction")
    return Fraction(int(match[1]), int(match[2]))


def duration_text(element: Element) -> str:
    """Return the fraction in a <duration>: its text, attributes in MuseScore 2."""
    if element.get("z") is not None:
        return f"{element.get('z')}/{element.get('n')}"
    return element.text or ""


def read_ratio(tuplet: Element, outer: Ratio = PLAIN) -> Ratio:
    """Return the ratio of a tuplet, times that of the tuplet around it."""
    normal, actual = (tuplet.findtext(name) or "" for name in ("normalNotes", "actualNotes"))
    if not (
        normal.isdecimal() and actual.isdecimal() and 0 < int(normal) <= MAX_RATIO and 0 < int(actual) <= MAX_RATIO
    ):
        raise MuseScoreError(f"a tuplet of {actual[:20]!r} notes in the time of {normal[:20]!r}")
    ratio = Fraction(int(normal), int(actual)) * Fraction(*outer)
    if max(ratio.numerator, ratio.denominator) > MAX_RATIO**2:
        raise MuseScoreError("tuplets nested beyond reason")
    return ratio.numerator, ratio.denominator


def _value(text: str) -> Fraction:
    length = TYPE_LENGTHS.get(text.strip())
    if length is None:
        raise MuseScoreError(f"<durationType> is {text[:40]!r}; it must be one of {', '.join(TYPE_LENGTHS)}")
    return length


def _dots(text: str) -> int:
    if not text.strip().isdecimal() or int(text) > MAX_DOTS:
        raise MuseScoreError(f"<dots> is {text[:20]!r}; it must be 0 to {MAX_DOTS}")
    return int(text)


def _ticks_per_quarter(score: Any, division: int) -> int:
    """Return the smallest number of ticks that makes all note values, tuplets and stated lengths whole.

    division: unit of the positions that files of MuseScore 2 state.
    """
    values = {_value(text) for text in set(score.xpath("//durationType/text()")) if text.strip() != "measure"}
    most_dots = max((_dots(text) for text in set(score.xpath("//dots/text()"))), default=0)
    ticks = math.lcm(*(value.denominator << most_dots for value in values))
    for duration in score.iterfind(".//Chord/duration"):
        ticks = _check(math.lcm(ticks, (4 * read_fraction(duration_text(duration))).denominator))
    ticks = _check(ticks * _tuplet_factor(score))
    for text in {*score.xpath("//Measure/@len"), *score.xpath("//voice/location/fractions/text()")}:
        ticks = _check(math.lcm(ticks, (4 * read_fraction(text)).denominator))
    for text in set(score.xpath("//TimeSig/stretchN/text()")):
        ticks = _check(ticks * read_count(text, "stretchN"))
    if score.find("Staff/Measure/tick") is not None:
        ticks = math.lcm(ticks, division)
    return _check(ticks)


def read_count(text: str, what: str) -> int:
    """Return a number of beats or the like. Raises MuseScoreError if it is none from 1 to 1024."""
    if not text.strip().isdecimal() or not 1 <= int(text) <= MAX_RATIO:
        raise MuseScoreError(f"<{what}> is {text[:40]!r}; it must be 1 to {MAX_RATIO}")
    return int(text)


def _check(ticks: int) -> int:
    if ticks > MAX_TICKS_PER_QUARTER:
        raise MuseScoreError(
            f"needs {ticks:,} ticks in a quarter note to be exact; at most {MAX_TICKS_PER_QUARTER:,} can be read"
        )
    return ticks


def _tuplet_factor(score: Any) -> int:
    """Return a number that the denominators of all (nested) tuplet ratios divide."""
    factor = 1
    open_tuplets: list[Ratio] = []
    named: dict[str, Ratio] = {}  # MuseScore 2 gives tuplets numbers, and notes name theirs
    for element in score.iter("voice", "Tuplet", "endTuplet"):
        if element.tag == "voice":
            open_tuplets = []
        elif element.tag == "endTuplet":
            open_tuplets = open_tuplets[:-1]
        elif len(element):
            outer = named.get(element.findtext("Tuplet") or "", open_tuplets[-1] if open_tuplets else PLAIN)
            ratio = read_ratio(element, outer)
            identifier = element.get("id")
            if identifier is None:
                open_tuplets.append(ratio)
            else:
                named[identifier] = ratio
            factor = _check(math.lcm(factor, ratio[1]))
    return factor
