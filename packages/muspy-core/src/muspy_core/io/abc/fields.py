"""The values of information fields: meter, unit note length, tempo, key, voice, and text with ABC's escapes."""

from __future__ import annotations

import html
import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

from muspy_core.errors import ABCError
from muspy_core.io.abc.tokens import ALTERATIONS, LETTERS, WHOLE

# Order of sharps on the line of fifths; F is 0.
FIFTHS_ORDER = "FCGDAEB"

# Distance of each mode's tonic from the tonic of the major key with the same signature, in fifths.
MODES = {
    "maj": ("major", 0),
    "ion": ("ionian", 0),
    "min": ("minor", 3),
    "m": ("minor", 3),
    "aeo": ("aeolian", 3),
    "dor": ("dorian", 2),
    "phr": ("phrygian", 4),
    "lyd": ("lydian", -1),
    "mix": ("mixolydian", 1),
    "loc": ("locrian", 5),
}
CLEFS = {
    "treble": ("G", 2),
    "alto": ("C", 3),
    "tenor": ("C", 4),
    "bass": ("F", 4),
    "soprano": ("C", 1),
    "mezzosoprano": ("C", 2),
    "baritone": ("F", 3),
    "perc": ("percussion", None),
    "none": ("none", None),
}
MAX_SHIFT = 60  # semitones

_ATTRIBUTE = r"(?:clef|octave|transpose|middle|staff[a-z]+|score|sound|shift|cue|name|t|m)="


class Meter(NamedTuple):
    """A meter. symbol: "common", "cut" or None. beats: an additive numerator as written ("2+3")."""

    numerator: int
    denominator: int
    symbol: str | None = None
    beats: str | None = None

    @property
    def ticks(self) -> int:
        """Length of a measure in ticks."""
        return WHOLE * self.numerator // self.denominator

    @property
    def is_compound(self) -> bool:
        """Whether beats divide by three (6/8, 9/8, 12/8): tuplets of 5, 7 and 9 then take the time of 3."""
        return self.numerator % 3 == 0 and self.numerator > 3


class Staff(NamedTuple):
    """What a key or voice field says about clef and playing pitch; None where it says nothing.

    clef: (sign, line, octave change). octave, transpose: shift of the sound in octaves and in semitones.
    """

    clef: tuple[str, int | None, int | None] | None = None
    octave: int | None = None
    transpose: int | None = None
    name: str | None = None
    abbreviation: str | None = None

    def over(self, other: Staff) -> Staff:
        """Return this with what it leaves open taken from another."""
        return Staff(
            self.clef if self.clef is not None else other.clef,
            self.octave if self.octave is not None else other.octave,
            self.transpose if self.transpose is not None else other.transpose,
            self.name or other.name,
            self.abbreviation or other.abbreviation,
        )


class Key(NamedTuple):
    """A key. alters: alteration of each letter, C to B. fifths: None where the signature is none of the usual ones."""

    alters: tuple[int, ...]
    fifths: int | None
    root: str | None
    mode: str | None


def parse_meter(text: str) -> Meter | None:
    """Return the meter of an M: field, None for free meter. Raises ABCError for 0 in it or absurd numbers."""
    stripped = text.strip()
    if stripped.startswith("C|"):
        return Meter(2, 2, "cut")
    if stripped.startswith("C"):
        return Meter(4, 4, "common")
    match = re.search(r"\(?(\d{1,4}(?:\s?\+\s?\d{1,4}){0,20})\)?\s?/\s?(\d{1,5})", stripped)
    if match is None:
        return None
    parts = [int(part) for part in match.group(1).split("+")]
    numerator, denominator = sum(parts), int(match.group(2))
    if not (1 <= numerator <= 1000 and 1 <= denominator <= 1024):
        raise ABCError(f"meter {stripped[:40]!r} must have a numerator of 1 to 1000 and a denominator of 1 to 1024")
    beats = "+".join(map(str, parts)) if len(parts) > 1 else None
    return Meter(numerator, denominator, None, beats)


def parse_unit(text: str) -> int | None:
    """Return the unit note length of an L: field in ticks, None if it is unreadable. Raises ABCError for n/0."""
    match = re.match(r"\s*(\d{1,4})(?:\s?/\s?(\d{1,5}))?\s*$", text)
    if match is None:
        return None
    numerator, denominator = int(match.group(1)), int(match.group(2) or 1)
    if not numerator or not denominator:
        raise ABCError(f"unit note length {text.strip()!r} has a 0 in it")
    return max(WHOLE * numerator // denominator, 1)


def default_unit(meter: Meter | None) -> int:
    """Return the unit note length that holds without an L: field: 1/16 in meters below 3/4, else 1/8."""
    short = meter is not None and 4 * meter.numerator < 3 * meter.denominator
    return WHOLE // 16 if short else WHOLE // 8


def parse_tempo(text: str, unit: int) -> tuple[float | None, str | None]:
    """Return (quarter notes a minute, words) of a Q: field; each None if absent.

    A bare number counts unit note lengths, as does the outdated C (ABC standard 2.1, §10.1). unit: in ticks.
    """
    words = " ".join(re.findall(r'"([^"]*)"', text)).strip() or None
    number = re.sub(r'"[^"]*"', " ", text).strip()
    beats, equals, rate = number.rpartition("=")
    match = re.match(r"\s*(\d{1,7}(?:\.\d{0,9})?)", rate)
    if match is None:
        return None, words
    ticks = Fraction(0)
    for numerator, denominator in re.findall(r"(\d{1,4})\s?/\s?(\d{1,5})", beats) if equals else ():
        ticks += Fraction(WHOLE * int(numerator), max(int(denominator), 1))
    if not ticks:
        outdated = re.match(r"\s*[Cc]\s?(\d{1,3})", beats)
        ticks = Fraction(unit * (int(outdated.group(1)) if outdated else 1))
    qpm = float(match.group(1)) * float(ticks * 4 / WHOLE)
    return (qpm if qpm > 0 else None), words


def parse_key(text: str) -> tuple[Key | None, Staff]:
    """Return the key and the clef of a K: field; the key is None if only a clef is given.

    Raises ABCError for an absurd transposition.
    """
    words = split_words(text)
    staff = parse_staff(words)
    stripped = text.strip()
    if stripped[:2] in ("HP", "Hp"):
        return Key(_alters(2), 2, "D", "major"), staff  # bagpipes sound F♯ and C♯, whether printed or not
    match = re.match(rf"([A-Ga-g])([#b♯♭]?)\s?(?!{_ATTRIBUTE})([A-Za-z]*)", stripped)
    if match is None or (match.group(1).islower() and words[0].lower().rstrip("+-0123456789") in CLEFS):
        if not stripped or stripped.lower().startswith(("none", "exp")) or _explicit(words):
            return _with_accidentals(Key(_alters(0), None, None, None), words), staff
        return None, staff
    letter, sign, mode_text = match.groups()
    place = FIFTHS_ORDER.index(letter.upper()) - 1 + (7 if sign in ("#", "♯") else -7 if sign else 0)
    mode, offset = _parse_mode(mode_text)
    root = letter.upper() + (("#" if sign in "#♯" else "b") if sign else "")
    if "exp" in (word.lower() for word in words):
        return _with_accidentals(Key(_alters(0), 0, root, None), words), staff
    fifths = place - offset
    return _with_accidentals(Key(_alters(fifths), fifths, root, mode), words), staff


def _parse_mode(text: str) -> tuple[str, int]:
    """Return mode and its offset in fifths: three letters of any case count, a lone m is minor, anything else major."""
    return MODES.get(text[:3].lower(), MODES["maj"])


def _alters(fifths: int) -> tuple[int, ...]:
    return tuple((fifths + 6 - FIFTHS_ORDER.index(letter)) // 7 for letter in LETTERS)


def _explicit(words: list[str]) -> list[tuple[str, str]]:
    found = []
    for word in words[:20]:
        accidentals = re.search(r"(?:(?:\^\^?|__?|=)[A-Ga-g])+$", word[:40])
        if accidentals is not None and not re.match(_ATTRIBUTE, word):
            found += re.findall(r"(\^\^?|__?|=)([A-Ga-g])", accidentals.group())
    return found


def _with_accidentals(key: Key, words: list[str]) -> Key:
    """Apply the explicit accidentals of a K: field ("K:D =c", "K:D exp _b _e ^f")."""
    explicit = _explicit(words)
    if not explicit:
        return key
    alters = list(key.alters)
    for accidental, letter in explicit:
        alters[LETTERS.index(letter.upper())] = ALTERATIONS[accidental] or 0
    fifths = sum(alters)
    usual = -7 <= fifths <= 7 and _alters(fifths) == tuple(alters)
    return Key(tuple(alters), fifths if usual else None, key.root, key.mode)


def split_words(text: str) -> list[str]:
    """Split a field at spaces, but for those inside quotes."""
    return re.findall(r'(?:[^\s"]|"[^"]*")+', text) or [""]


def parse_staff(words: list[str]) -> Staff:
    """Return what the words of a K: or V: field say about clef, octave, transposition and names."""
    clef: tuple[str, int | None, int | None] | None = None
    octave = transpose = name = abbreviation = None
    for word in words:
        attribute, equals, value = word.partition("=")
        attribute, value = attribute.lower(), value.strip('"')
        if not equals or attribute == "clef":
            found = _parse_clef(value if equals else word)
            clef = found or clef
            if found is None and re.fullmatch(r"[+-]8(va|vb)?", word):
                octave = 1 if word[0] == "+" else -1
        elif attribute == "octave":
            octave = _bounded(value, 12)
        elif attribute in ("transpose", "t"):
            transpose = _bounded(value, 1)
        elif attribute in ("name", "nm"):
            name = plain_text(value)
        elif attribute in ("subname", "snm", "sname"):
            abbreviation = plain_text(value)
    if clef is not None and clef[2] is not None:
        octave = (octave or 0) + clef[2]
    return Staff(clef, octave, transpose, name, abbreviation)


def _parse_clef(text: str) -> tuple[str, int | None, int | None] | None:
    match = re.fullmatch(r"([a-z]+|[GCF](?=\d))(\d?)([+-]8)?(?:va|vb)?", text)
    if match is None:
        return None
    name, line, shift = match.groups()
    sign, usual = CLEFS.get(name, (name, 2) if name in ("G", "C", "F") else ("", None))
    if not sign:
        return None
    return sign, int(line) if line else usual, (1 if shift == "+8" else -1) if shift else None


def _bounded(text: str, unit: int) -> int | None:
    match = re.match(r"[+-]?\d{1,3}", text)
    if match is None:
        return None
    value = int(match.group())
    if abs(value) * unit > MAX_SHIFT:
        raise ABCError(f"a transposition by {value * unit} semitones; at most {MAX_SHIFT} are read")
    return value


_ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    '"': "\u0308",
    ",": "\u0327",
    "c": "\u0327",
    "v": "\u030c",
    "u": "\u0306",
    "H": "\u030b",
    "=": "\u0304",
    ";": "\u0328",
}
_LIGATURES = {"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "/o": "ø", "/O": "Ø"}
_LIGATURES |= {"th": "þ", "TH": "Þ", "dh": "ð", "DH": "Ð"}
_ESCAPE = re.compile(
    r"""\\(?:u([0-9a-fA-F]{4})|(ss|ae|AE|oe|OE|aa|AA|/o|/O|th|TH|dh|DH)|([`'^~",cvuH=;])([A-Za-z])|([%&\\]))"""
)


def plain_text(text: str) -> str:
    """Return a text string with ABC's mnemonics (\\'e, \\ss), \\u codes and HTML entities as characters."""
    if "\\" in text:
        text = _ESCAPE.sub(_unescape, text)
    return html.unescape(text) if "&" in text else text


def _unescape(match: re.Match[str]) -> str:
    code, ligature, accent, letter, plain = match.groups()
    if code:
        character = chr(int(code, 16))
        return "\ufffd" if "\ud800" <= character <= "\udfff" else character
    if ligature:
        return _LIGATURES[ligature]
    if plain:
        return str(plain)
    return unicodedata.normalize("NFC", letter + _ACCENTS[accent])
