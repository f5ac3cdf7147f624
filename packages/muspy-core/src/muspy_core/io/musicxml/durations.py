"""Durations in time steps → notated values: note types with dots and tuplet ratios (used by the MusicXML writer).

A value is written as a base (whole, half, …) with dots, possibly as a tuplet: `actual` notes in the time of `normal`.
What no single value can show is split at the strongest metrical position inside it, and the pieces are tied.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import NamedTuple

# Quarter notes → name of the note type.
TYPE_NAMES = {
    Fraction(32): "maxima",
    Fraction(16): "long",
    Fraction(8): "breve",
    Fraction(4): "whole",
    Fraction(2): "half",
    Fraction(1): "quarter",
    Fraction(1, 2): "eighth",
    Fraction(1, 4): "16th",
    Fraction(1, 8): "32nd",
    Fraction(1, 16): "64th",
    Fraction(1, 32): "128th",
    Fraction(1, 64): "256th",
    Fraction(1, 128): "512th",
    Fraction(1, 256): "1024th",
}
TYPE_LENGTHS = {name: quarters for quarters, name in TYPE_NAMES.items()}
LONGEST = Fraction(8)  # longer notes are tied
MAX_DOTS = 2
DOT_FACTORS = tuple(2 - Fraction(1, 2**dots) for dots in range(MAX_DOTS + 1))

# Tuplets by the odd part of the denominator of a duration in quarter notes: actual notes in the time of normal ones.
# Largest power of two in the denominator of a notatable position or duration, by the odd part of the denominator.
MAX_DYADIC = {1: 64, 3: 32, 5: 8, 7: 8, 9: 8, 11: 8, 13: 8, 15: 4}
TOLERANCE = Fraction(1, 40)  # share by which a written value may differ from a duration that notation cannot show
TUPLETS = {3: 2, 5: 4, 7: 4, 9: 8, 11: 8, 13: 8, 15: 8, 21: 16, 25: 16, 27: 16}


class Value(NamedTuple):
    """A notated value. type: MusicXML's name. actual, normal: the tuplet ratio, 1 and 1 outside tuplets."""

    type: str
    dots: int
    actual: int
    normal: int

    @property
    def quarters(self) -> Fraction:
        """How many quarter notes it lasts."""
        return TYPE_LENGTHS[self.type] * DOT_FACTORS[self.dots] * self.normal / self.actual


@functools.lru_cache(maxsize=4096)
def single_value(quarters: Fraction) -> Value | None:
    """Return the value that lasts so many quarter notes, None if no single one does."""
    if quarters <= 0:
        return None
    plain = _plain_value(quarters)
    if plain is not None:
        return plain
    actual = _odd_part(quarters.denominator)
    normal = TUPLETS.get(actual)
    if normal is None:
        return None
    inside = _plain_value(quarters * actual / normal)
    return None if inside is None else inside._replace(actual=actual, normal=normal)


def _plain_value(quarters: Fraction) -> Value | None:
    for dots, factor in enumerate(DOT_FACTORS):
        base = quarters / factor
        if base in TYPE_NAMES and base <= LONGEST:
            return Value(TYPE_NAMES[base], dots, 1, 1)
    return None


def _odd_part(number: int) -> int:
    return number // (number & -number)


@functools.lru_cache(maxsize=65536)
def split_duration(start: Fraction, duration: Fraction, divisions: int) -> tuple[tuple[Fraction, Value], ...]:
    """Return (quarters, value) of the pieces that together last `duration` from a position in a measure.

    start, duration: quarter notes. divisions: of a quarter note, between which no piece may end. A duration that
    cannot be shown exactly comes with a value near it (files round a triplet of 256 divisions to 85, 85 and 86).
    """
    value = single_value(duration)
    if value is None and not is_notatable(duration):
        value = _near_value(duration)
    if value is not None:
        return ((duration, value),)
    middle = _strongest_position(start, start + duration, divisions)
    if middle is None:
        return ((duration, _shorter_value(duration)),)
    rest = start + duration - middle
    return split_duration(start, middle - start, divisions) + split_duration(middle, rest, divisions)


@functools.lru_cache(maxsize=65536)
def split_rest(start: Fraction, duration: Fraction, divisions: int) -> tuple[tuple[Fraction, Value], ...]:
    """Return (quarters, value) of the rests that fill a gap; unlike notes they do not hide the beats inside it."""
    end = start + duration
    starts_on_beat = start.denominator == 1
    if starts_on_beat and end.denominator == 1 and duration in (1, 2, 4) and start % duration == 0:
        return split_duration(start, duration, divisions)
    middle = _strongest_position(start, end, divisions)
    if middle is None or middle.denominator != 1:
        return split_duration(start, duration, divisions)
    return split_rest(start, middle - start, divisions) + split_rest(middle, end - middle, divisions)


def _strongest_position(start: Fraction, end: Fraction, divisions: int) -> Fraction | None:
    """Return the metrically strongest position strictly between two others, None if there is none on the divisions.

    The strongest is a multiple of the largest power of two that has a multiple in between.
    """
    unit = Fraction(1 << math.ceil(end).bit_length())
    while unit >= Fraction(1, 256):
        position = (start // unit + 1) * unit
        if position < end and divisions % position.denominator == 0:
            return position
        unit /= 2
    return None


def is_notatable(quarters: Fraction) -> bool:
    """Whether notation has a place for a position or duration: no finer than 256th notes or tuplets of usual kinds."""
    odd = _odd_part(quarters.denominator)
    return quarters.denominator // odd <= MAX_DYADIC.get(odd, 0)


def _near_value(quarters: Fraction) -> Value | None:
    """Return the value that differs by at most `TOLERANCE`, None if there is none."""
    length, value = min(_common_values(), key=lambda item: abs(item[0] - quarters))
    return value if abs(length - quarters) <= TOLERANCE * length else None


@functools.cache
def _common_values() -> tuple[tuple[Fraction, Value], ...]:
    """Return (quarters, value) of plain and dotted values, alone and in triplets and quintuplets."""
    return tuple(
        (base * factor * normal / actual, Value(name, dots, actual, normal))
        for base, name in TYPE_NAMES.items()
        for dots, factor in enumerate(DOT_FACTORS[:2])
        for actual, normal in ((1, 1), (3, 2), (5, 4))
        if base <= LONGEST
    )


def _shorter_value(quarters: Fraction) -> Value:
    for base, name in TYPE_NAMES.items():
        if base <= quarters:
            return Value(name, 0, 1, 1)
    return Value("1024th", 0, 1, 1)


def nominal_type(quarters: Fraction) -> str:
    """Return the note type of a grace note that would last so many quarter notes as an ordinary one."""
    return min(TYPE_NAMES.items(), key=lambda item: abs(item[0] - quarters))[1]
