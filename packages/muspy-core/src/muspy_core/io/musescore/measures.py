"""The measures of all staves → lengths, numbers, time signatures and repeat signs (fourth stage).

MuseScore writes a measure once in each staff. What belongs to the whole score stands in the first staff; a length that
differs from the time signature (a pickup) in each of them.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from muspy_core.errors import MuseScoreError
from muspy_core.io.musescore.durations import Durations, read_count
from muspy_core.io.musescore.texts import line_of_text
from muspy_core.io.musicxml.marks import MAX_BEATS, Meter
from muspy_core.io.musicxml.rows import MAX_QUARTERS, Sign
from muspy_core.io.musicxml.timeline import nominal_lengths

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SYMBOLS = {"1": "common", "2": "cut"}
CODAS = ("codab", "varcoda", "codetta")
SEGNI = ("segno", "varsegno")
TO_CODA = ("coda", "toCoda", "toCodaSym", "da_coda", "da_dblcoda")


@dataclasses.dataclass
class Measures:
    """The measures of a score. lengths, starts: in ticks. nominal: what the time signatures say of lengths."""

    staves: dict[int, list[Element]]  # by the identity of the staff element: its measures
    lengths: list[int]
    starts: list[int]
    nominal: list[int]
    numbers: list[str | None]
    meters: list[tuple[int, int, Meter]]

    def of(self, staff: Element) -> list[Element]:
        """Return the measures of a staff."""
        return self.staves[id(staff)]

    def place(self, tick: int) -> tuple[int, int]:
        """Return (measure, position) of a time in ticks; the end of the score belongs to its last measure."""
        index = max(bisect_right(self.starts, tick) - 1, 0)
        return index, tick - self.starts[index]

    def place_of_end(self, tick: int) -> int:
        """Return the measure that ends at or contains what lies before a time in ticks."""
        return self.place(max(tick - 1, 0))[0]


def lay_out(staves: list[Element], durations: Durations) -> Measures:
    """Lay out the measures of the staves of a score. Raises MuseScoreError if it lasts absurdly long."""
    columns = {id(staff): _written(staff) for staff in staves}
    rows = list(columns.values())
    count = max(map(len, rows), default=0)
    meters = _meters(rows)
    nominal = nominal_lengths(meters, count, durations.ticks_per_quarter)
    lengths = []
    for index, usual in enumerate(nominal):
        stated = next((text for row in rows if index < len(row) and (text := row[index].get("len"))), None)
        length = usual if stated is None else durations.of_fraction(stated)
        if length < 1:
            raise MuseScoreError(f"measure {index + 1} has the length {stated!r}")
        lengths.append(length)
    if sum(lengths) > MAX_QUARTERS * durations.ticks_per_quarter:
        raise MuseScoreError(f"lasts more than {MAX_QUARTERS:,} quarter notes")
    starts = [0, *np.cumsum(lengths, dtype=np.int64).tolist()][:count]
    return Measures(columns, lengths, starts, nominal, _numbers(rows[0] if rows else []), meters)


def _written(staff: Element) -> list[Element]:
    """Return the measures of a staff without those that only show a rest over several of them."""
    return [measure for measure in staff.iterfind("Measure") if measure.find("multiMeasureRest") is None]


def _meters(rows: list[list[Element]]) -> list[tuple[int, int, Meter]]:
    """Return the time signatures of the score: those of the first staff that has any without a stretch."""
    for row in rows:
        meters = []
        for index, measure in enumerate(row):
            element = measure.find("voice/TimeSig")
            element = measure.find("TimeSig") if element is None else element
            if element is not None and read_stretch(element) == (1, 1):
                meters.append((index, 0, _read_meter(element)))
        if meters:
            return meters
    return []


def read_stretch(element: Element) -> tuple[int, int]:
    """Return by how much a time signature of one staff squeezes its notes: (a, b) plays b in the time of a."""
    top, bottom = (read_count(element.findtext(name) or "1", name) for name in ("stretchN", "stretchD"))
    common = math.gcd(top, bottom)
    return bottom // common, top // common


def _read_meter(element: Element) -> Meter:
    """Return a time signature; MuseScore 1 has its numerator in up to four terms."""
    bottom = element.findtext("sigD") or element.findtext("den") or "4"
    top = element.findtext("sigN")
    if top is None:
        terms = [element.findtext(f"nom{number}") or "0" for number in range(1, 5)]
        top = "+".join(term for term in terms if term.strip() not in ("0", ""))
    numbers = [read_count(term, "sigN") for term in top.split("+")]
    denominator = read_count(bottom, "sigD")
    numerator = sum(numbers)
    if numerator > MAX_BEATS:
        raise MuseScoreError(f"time signature {numerator}/{denominator}: numbers must be 1 to {MAX_BEATS}")
    printed = (line_of_text(element.find("textN")) or "").replace(" ", "")
    beats = next((text for text in (printed, top) if "+" in text), None)
    return Meter(numerator, denominator, SYMBOLS.get((element.findtext("subtype") or "").strip()), beats)


def _numbers(measures: list[Element]) -> list[str | None]:
    """Return the numbers of measures as MuseScore counts and exports them: irregular ones (pickups) are passed over."""
    numbers: list[str | None] = []
    count = irregular = 0
    for index, measure in enumerate(measures):
        count += _offset(measure)
        if measure.find("irregular") is None:
            count += 1
            numbers.append(str(count))
        elif index == 0:
            numbers.append("0")
        else:
            irregular += 1
            numbers.append(f"X{irregular}")
    return numbers


def _offset(measure: Element) -> int:
    text = (measure.findtext("noOffset") or "0").strip()
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 6 else 0


def read_signs(measures: list[Element]) -> list[Sign]:
    """Return the repeat bars, jumps and marks in the measures of a staff.

    MuseScore's jumps say by labels where they go, until where the music is then played and where it goes on. A "Fine"
    or "To Coda" that no jump names does not stop or divert the music.
    """
    jumps = [(index, _read_jump(jump)) for index, measure in enumerate(measures) for jump in measure.iter("Jump")]
    stated = [jump for _, jump in jumps]
    after_jump = "after-jump" if any(jump.plays_repeats for jump in stated) else None
    signs: list[Sign] = []
    for index, measure in enumerate(measures):
        if measure.find("startRepeat") is not None:
            signs.append(Sign(index, "forward", None, None))
        times = measure.findtext("endRepeat")
        if times is not None:
            signs.append(Sign(index, "backward", times.strip() or None, after_jump))
        for marker in measure.iter("Marker"):
            label = (marker.findtext("label") or "").strip()
            signs += [Sign(index, *sign, line_of_text(marker.find("text"))) for sign in _meanings(label, stated)]
    for index, jump in jumps:
        kind = "dacapo" if jump.target == "start" else "dalsegno"
        signs.append(Sign(index, kind, jump.target, jump.words))
    return signs


@dataclasses.dataclass(frozen=True)
class _Jump:
    """Where a jump goes, until which label the music is then played, and where it goes on; labels of markers."""

    target: str
    until: str
    onward: str
    plays_repeats: bool
    words: str | None


def _read_jump(element: Element) -> _Jump:
    target, until, onward, again = (
        (element.findtext(name) or "").strip() for name in ("jumpTo", "playUntil", "continueAt", "playRepeats")
    )
    return _Jump(target or "start", until, onward, again == "1", line_of_text(element.find("text")))


def _meanings(label: str, jumps: list[_Jump]) -> list[tuple[str, str | None]]:
    """Return (kind, label) of the signs that a marker is for the jumps of the score."""
    named = [jump for jump in jumps if label and jump.until == label]
    if label in SEGNI or any(jump.target == label for jump in jumps):
        return [("segno", label)]
    if label in CODAS or any(jump.onward == label for jump in jumps):
        return [("coda", label)]
    if jumps and not named:
        return []
    if label in TO_CODA or (named and named[0].onward):
        return [("tocoda", named[0].onward if named else None)]
    return [("fine", "yes")] if label == "fine" else []
