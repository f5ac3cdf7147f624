"""The measures of a score in MEI → one list, with signatures, endings and repeat signs (third stage)."""

from __future__ import annotations

import dataclasses
import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from muspy_core.errors import MEIError
from muspy_core.io.musicxml.marks import MAX_BEATS, Meter
from muspy_core.io.musicxml.rows import Sign

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

REPEAT_MARKS = {"segno": "segno", "coda": "coda", "fine": "fine", "dalSegno": "dalsegno", "daCapo": "dacapo"}
BAR_STYLES = {"dbl": "light-light", "end": "light-heavy", "dashed": "dashed", "dotted": "dotted", "dbldashed": "dashed"}
MAX_TICKS_PER_QUARTER = 10**8
MAX_DOTS = 4
LONG_VALUES = {"maxima": 32, "long": 16, "breve": 8}


@dataclasses.dataclass
class Column:
    """A measure. definitions: the <scoreDef> and <staffDef> between it and the one before."""

    element: Element
    definitions: list[Element]


@dataclasses.dataclass
class Columns:
    """The measures of a score in written order, and the signs that steer their repetition."""

    measures: list[Column]
    signs: list[Sign]
    meters: list[tuple[int, int, Meter]]


def read_columns(root: Element) -> Columns:
    """Return the measures of a score."""
    columns = Columns([], [], [])
    score = root.find(".//score")
    pending: list[Element] = []
    if score is not None:
        _walk(score, columns, pending)
    return columns


def _walk(element: Element, columns: Columns, pending: list[Element]) -> None:
    for child in element:
        tag = child.tag
        if tag in ("scoreDef", "staffDef"):
            pending.append(child)
            _add_meter(child, columns)
        elif tag in ("section", "part", "rdg", "lem"):
            _walk(child, columns, pending)
        elif tag == "ending":
            first = len(columns.measures)
            _walk(child, columns, pending)
            last = len(columns.measures) - 1
            if last >= first:
                label = child.get("n") or "1"
                columns.signs += [Sign(first, "ending-start", label, None), Sign(last, "ending-stop", label, None)]
        elif tag == "measure":
            _add_signs(child, columns)
            columns.measures.append(Column(child, pending[:]))
            pending.clear()


def _add_meter(definition: Element, columns: Columns) -> None:
    """Keep the time signature of a definition; of several before one measure the first counts."""
    element = next(definition.iter("meterSig"), None)
    meter = None if element is None else read_meter(element)
    index = len(columns.measures)
    if meter is not None and (not columns.meters or columns.meters[-1][0] != index):
        columns.meters.append((index, 0, meter))


def read_meter(element: Element) -> Meter | None:
    """Return a time signature, None if it states no numbers."""
    top, bottom = element.get("count") or "", element.get("unit") or ""
    symbol = element.get("sym")
    if symbol in ("common", "cut") and not top:
        top, bottom = ("4", "4") if symbol == "common" else ("2", "2")
    terms = re.findall(r"\d{1,4}", top)
    if not terms or not re.fullmatch(r"\d{1,4}", bottom):
        return None
    numerator, denominator = sum(map(int, terms)), int(bottom)
    if not (0 < numerator <= MAX_BEATS and 0 < denominator <= MAX_BEATS):
        raise MEIError(f"time signature {numerator}/{denominator}: numbers must be 1 to {MAX_BEATS}")
    return Meter(numerator, denominator, symbol if symbol in ("common", "cut") else None, top if "+" in top else None)


def _add_signs(measure: Element, columns: Columns) -> None:
    index = len(columns.measures)
    left, right = measure.get("left") or "", measure.get("right") or ""
    if left in ("rptstart", "rptboth"):
        columns.signs.append(Sign(index, "forward", None, None))
    if right in ("rptend", "rptboth"):
        columns.signs.append(Sign(index, "backward", None, None))
    if right == "rptboth":
        columns.signs.append(Sign(index + 1, "forward", None, None))
    if left == "rptboth" and index:
        columns.signs.append(Sign(index - 1, "backward", None, None))
    for mark in measure.iterfind("repeatMark"):
        kind = REPEAT_MARKS.get(mark.get("func") or "")
        if kind is not None:
            words = " ".join("".join(mark.itertext()).split()) or None
            columns.signs.append(Sign(index, kind, "yes" if kind == "fine" else None, words))


def value_of(element: Element, dur: str | None) -> Fraction | None:
    """Return the quarter notes of a note value with the dots of an element, None if it is none."""
    if dur in LONG_VALUES:
        quarters = Fraction(LONG_VALUES[dur])
    elif dur is not None and re.fullmatch(r"[1-9]\d{0,3}", dur):
        quarters = Fraction(4, int(dur))
    else:
        return None
    dots = element.get("dots") or "0"
    count = int(dots) if dots.isdecimal() else 0
    if count > MAX_DOTS:
        raise MEIError(f"a note with {dots[:20]} dots; at most {MAX_DOTS} can be read")
    return quarters * (2 - Fraction(1, 2**count))


def ratio_of(tuplet: Element, outer: Fraction) -> Fraction:
    """Return the ratio of a tuplet times that of the tuplets around it."""
    actual, normal = tuplet.get("num") or "3", tuplet.get("numbase") or "2"
    if not (re.fullmatch(r"[1-9]\d{0,2}", actual) and re.fullmatch(r"[1-9]\d{0,2}", normal)):
        raise MEIError(f"a tuplet of {actual[:20]!r} notes in the time of {normal[:20]!r}")
    return Fraction(int(normal), int(actual)) * outer


def ticks_per_quarter(root: Any) -> int:
    """Return the smallest number of ticks that makes all note values and tuplets whole."""
    ticks = 1
    for element in root.iter("note", "chord", "rest", "space"):
        value = value_of(element, element.get("dur"))
        if value is not None:
            ticks = math.lcm(ticks, value.denominator)
    ticks *= _tuplet_factor(root, Fraction(1)) * (2 if root.find(".//fTrem") is not None else 1)
    if ticks > MAX_TICKS_PER_QUARTER:
        raise MEIError(f"needs {ticks:,} ticks in a quarter note; at most {MAX_TICKS_PER_QUARTER:,} can be read")
    return ticks


def _tuplet_factor(element: Element, outer: Fraction) -> int:
    """Return a number that the denominators of all (nested) tuplet ratios divide."""
    factor = outer.denominator
    for child in element:
        ratio = ratio_of(child, outer) if child.tag == "tuplet" else outer
        if len(child):
            factor = math.lcm(factor, _tuplet_factor(child, ratio))
            if factor > MAX_TICKS_PER_QUARTER:
                raise MEIError("tuplets nested beyond reason")
    return factor
