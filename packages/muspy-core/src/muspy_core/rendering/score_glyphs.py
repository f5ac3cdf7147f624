"""Durations, keys and clefs → characters of a music font (Standard Music Font Layout, SMuFL), and the font itself.

Positions are diatonic numbers as in `io.musicxml.spelling` (middle C: 28) or staff spaces. Before `score_plotter.py`.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import importlib
import importlib.util
import io
import logging
import re
import tempfile
from fractions import Fraction
from pathlib import Path

from muspy_core.errors import RenderError
from muspy_core.external import get_bravura_font_path

DOT = "\ue1e7"
METRONOME_QUARTER = "\ue1d5"
ACCIDENTALS = {-2: "\ue264", -1: "\ue260", 0: "\ue261", 1: "\ue262", 2: "\ue263"}
_HEADS = {1: "\ue0a0", 0: "\ue0a2", -1: "\ue0a3"}
_BLACK_HEAD = "\ue0a4"
_FIRST_FLAG = 0xE240
_FIRST_DIGIT = 0xE080
_FIRST_TUPLET_DIGIT = 0xE880
_LONGEST, _SHORTEST = 1, -10  # powers of 2 of a whole note: breve, 1024th

# Clef → the diatonic number on its lowest line, the line it stands on, and octave → its character.
CLEFS: dict[str, tuple[int, int, dict[int, str]]] = {
    "treble": (30, 1, {0: "\ue050", 1: "\ue053", -1: "\ue052", 2: "\ue054", -2: "\ue051"}),
    "alto": (24, 2, {0: "\ue05c", -1: "\ue05d"}),
    "bass": (18, 3, {0: "\ue062", 1: "\ue065", -1: "\ue064", 2: "\ue066", -2: "\ue063"}),
}
# Where a signature has its signs in the treble clef; the other clefs have them octaves lower.
_SHARPS = (38, 35, 39, 36, 33, 37, 34)
_FLATS = (34, 37, 33, 36, 32, 35, 31)
_CLEF_OCTAVES = {"treble": 0, "alto": 1, "bass": 2}

_FONT = re.compile(r"base64,([A-Za-z0-9+/=\s]+)")


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A written note. power: of 2, of a whole note (−2 is a quarter). dots: 0–2. tuplet: 3 in a triplet, else 0."""

    power: int
    dots: int = 0
    tuplet: int = 0

    @property
    def head(self) -> str:
        """The character of the head."""
        return _HEADS.get(self.power, _BLACK_HEAD)

    @property
    def has_stem(self) -> bool:
        """Whether it is a half note or shorter."""
        return self.power < 0

    def flag(self, up: bool) -> str | None:
        """Return the character of the flags on a stem that goes up or down, None for a quarter note or longer."""
        return None if self.power > -3 else chr(_FIRST_FLAG + 2 * (-3 - self.power) + (not up))


def symbols_of(duration: int, resolution: int) -> list[Symbol]:
    """Return the notes, tied together, that write a duration in time steps; the longest first.

    A duration that is no sum of halves, quarters, eighths, … is written as one in a tuplet. What is shorter than a
    1024th is left out.
    """
    whole = Fraction(duration, 4 * resolution)
    odd = whole.denominator
    while odd % 2 == 0:
        odd //= 2
    # A third of a half note is written as a quarter in a triplet, a fifth of a whole note as one in a quintuplet.
    tuplet = odd if odd > 1 else 0
    rest = whole * Fraction(odd, 1 << (odd.bit_length() - 1))
    symbols = []
    while rest >= Fraction(1, 1 << -_SHORTEST):
        power = min(int(rest).bit_length() - 1, _LONGEST) if rest >= 1 else _power(rest)
        value = Fraction(2) ** power
        dots = 0
        # Two breves come before a dotted one.
        most = min(2, power - _SHORTEST) if rest < 2 * value else 0
        while dots < most and rest >= value * (2 - Fraction(1, 1 << (dots + 1))):
            dots += 1
        symbols.append(Symbol(power, dots, tuplet))
        rest -= value * (2 - Fraction(1, 1 << dots))
    return symbols


def _power(value: Fraction) -> int:
    """The largest power of 2 that is not above a value less than 1."""
    power = -1
    while Fraction(1, 1 << -power) > value:
        power -= 1
    return power


def number_text(number: int, tuplet: bool = False) -> str:
    """Return the characters of a number in a time signature, or over a tuplet."""
    first = _FIRST_TUPLET_DIGIT if tuplet else _FIRST_DIGIT
    return "".join(chr(first + int(digit)) for digit in str(number))


def signature_places(fifths: int, clef: str) -> list[int]:
    """Return the diatonic numbers on which the signs of a key signature stand."""
    places = _SHARPS[:fifths] if fifths > 0 else _FLATS[:-fifths]
    return [place - 7 * _CLEF_OCTAVES[clef] for place in places]


def signature_alterations(fifths: int) -> dict[int, int]:
    """Return letter (C = 0) → alteration, of the letters that a key signature changes."""
    sign = 1 if fifths > 0 else -1
    places = _SHARPS[:fifths] if fifths > 0 else _FLATS[:-fifths]
    return {place % 7: sign for place in places}


@functools.cache
def music_font() -> Path:
    """Return the file of Bravura: where MusPy downloads it to, else unpacked for this process from verovio's wheel.

    Raises RenderError if it is in neither place.
    """
    downloaded = get_bravura_font_path()
    if downloaded.is_file():
        return downloaded
    found = importlib.util.find_spec("verovio")
    sheet = Path(found.origin).parent / "data/Bravura.css" if found is not None and found.origin else None
    embedded = _FONT.search(sheet.read_text(encoding="utf-8")) if sheet is not None and sheet.is_file() else None
    if embedded is None:
        raise RenderError(
            "there is no music font: pip install 'muspy-core[render]' brings one, download_bravura_font() downloads "
            "it, or name a file by `font_path`"
        )
    path = Path(_folder().name, "Bravura.otf")
    path.write_bytes(_unpacked(base64.b64decode(embedded[1])))
    return path


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that is removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="muspy-core-font-")


def _unpacked(woff: bytes) -> bytes:
    """Return a WOFF2 font as OpenType, which is what matplotlib reads."""
    tt_lib = importlib.import_module("fontTools.ttLib")
    logger = logging.getLogger("fontTools")
    before = logger.level
    logger.setLevel(logging.ERROR)  # it warns of a timestamp in verovio's file
    try:
        font = tt_lib.TTFont(io.BytesIO(woff))
        font.flavor = None
        buffer = io.BytesIO()
        font.save(buffer)
    finally:
        logger.setLevel(before)
    return buffer.getvalue()
