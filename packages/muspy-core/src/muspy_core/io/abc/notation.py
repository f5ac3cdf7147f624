"""Pitches, lengths, keys, meters and texts as ABC writes them."""

from __future__ import annotations

import re
from fractions import Fraction

from muspy_core.errors import ABCError
from muspy_core.io.abc.tokens import LETTERS

ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
MODE_NAMES = {
    "major": "",
    "minor": "m",
    "ionian": " ionian",
    "aeolian": " aeolian",
    "dorian": " dorian",
    "phrygian": " phrygian",
    "lydian": " lydian",
    "mixolydian": " mixolydian",
    "locrian": " locrian",
}
MAJOR_TONICS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
# Tonics of pitch classes without a spelling; major and minor take the signature with fewer accidentals.
USUAL_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
USUAL_MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


def letter_text(diatonic: int) -> str:
    """Return a pitch without accidental: 28 (middle C) → "C", 35 → "c", 42 → "c'", 21 → "C,"."""
    octave, letter = divmod(diatonic, 7)
    if octave >= 5:
        return LETTERS[letter].lower() + "'" * (octave - 5)
    return LETTERS[letter] + "," * (4 - octave)


def length_text(length: Fraction) -> str:
    """Return a length in unit notes: 1 → "", 2 → "2", 1/2 → "/", 3/2 → "3/2"."""
    numerator = "" if length.numerator == 1 else str(length.numerator)
    if length.denominator == 1:
        return numerator
    return f"{numerator}/" if length.denominator == 2 else f"{numerator}/{length.denominator}"


def key_text(root: int | None, mode: str | None, fifths: int | None, root_str: str | None) -> str:
    """Return the value of a K: field for the columns of a `KeySignature`."""
    suffix = MODE_NAMES.get(mode or "major")
    if root_str and root_str[0] in LETTERS and root_str[1:] in ("", "#", "b") and suffix is not None:
        return root_str + suffix
    if fifths is not None and -7 <= fifths <= 7 and (root is None or suffix is None or mode in (None, "major")):
        return MAJOR_TONICS[fifths + 7]
    if fifths is not None and -7 <= fifths <= 7 and mode == "minor":
        tonics = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#")
        return f"{tonics[fifths + 7]}m"
    if root is None or suffix is None:
        return "none"
    return (USUAL_MINOR_TONICS if suffix == "m" else USUAL_TONICS)[root % 12] + suffix


def meter_text(numerator: int, denominator: int, symbol: str | None, beats: str | None) -> str:
    """Return the value of an M: field. Raises ABCError for a meter that could not be read back."""
    if not (1 <= numerator <= 1000 and 1 <= denominator <= 1024):
        raise ABCError(f"ABC cannot hold the meter {numerator}/{denominator}")
    if symbol == "common" and (numerator, denominator) == (4, 4):
        return "C"
    if symbol == "cut" and (numerator, denominator) == (2, 2):
        return "C|"
    return f"{beats}/{denominator}" if beats else f"{numerator}/{denominator}"


def tempo_text(qpm: float, words: str | None) -> str:
    """Return the value of a Q: field."""
    number = f"{qpm:.9f}".rstrip("0").rstrip(".")
    quoted = '"' + one_line(words).replace('"', "'") + '" ' if words else ""
    return f"{quoted}1/4={number}"


def one_line(text: str) -> str:
    """Return a text on one line."""
    return re.sub(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*", " ", text).strip()


def field_text(text: str) -> str:
    """Return a text for a field: on one line, with what would be a comment, an escape or an entity escaped."""
    return one_line(text).replace("\\", "\\\\").replace("%", "\\%").replace("&", "&amp;")


def quoted_text(text: str) -> str:
    """Return a text for an annotation, without its quotes."""
    return field_text(text).replace('"', "&quot;")
