"""Chord symbols → roots, kinds and degrees as MusicXML has them (used by the reader of staves).

MuseScore keeps a root as a place on the line of fifths and the quality as text ("m7b5"), which it plays and exports by
a list of chord descriptions.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from muspy_core.io.musescore.texts import line_of_text
from muspy_core.io.musicxml.marks import Symbol
from muspy_core.io.musicxml.spelling import accidentals

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LINE_OF_FIFTHS = "FCGDAEB"
MAX_DEGREE = 13

# Quality without alterations → MusicXML kind.
KINDS = {
    "": "major",
    "maj": "major",
    "m": "minor",
    "aug": "augmented",
    "dim": "diminished",
    "7": "dominant",
    "maj7": "major-seventh",
    "m7": "minor-seventh",
    "dim7": "diminished-seventh",
    "aug7": "augmented-seventh",
    "m7b5": "half-diminished",
    "0": "half-diminished",
    "07": "half-diminished",
    "mmaj7": "major-minor",
    "6": "major-sixth",
    "maj6": "major-sixth",
    "m6": "minor-sixth",
    "9": "dominant-ninth",
    "maj9": "major-ninth",
    "m9": "minor-ninth",
    "11": "dominant-11th",
    "maj11": "major-11th",
    "m11": "minor-11th",
    "13": "dominant-13th",
    "maj13": "major-13th",
    "m13": "minor-13th",
    "sus": "suspended-fourth",
    "sus4": "suspended-fourth",
    "sus2": "suspended-second",
    "5": "power",
    "ped": "pedal",
    "n6": "Neapolitan",
    "it6": "Italian",
    "fr6": "French",
    "ger6": "German",
    "tristan": "Tristan",
}
# Seventh chords with a suspended fourth: the degrees over a suspended fourth.
SUSPENDED = {"7": ["add7-1"], "9": ["add7-1", "add9"], "13": ["add7-1", "add9", "add13"], "maj7": ["add7"]}
SPELLINGS = (
    (re.compile(r"^(?:mi|min|-)(?![a-z]*maj)"), "m"),
    (re.compile(r"^(?:mi|min|-)(?=maj|ma|M)"), "m"),
    (re.compile(r"(?:major|Maj|maj|ma(?=\d|$)|M|t(?=\d|$)|\^|Δ)"), "maj"),
    (re.compile(r"^(?:\+|#5)(?=7|$)"), "aug"),
    (re.compile(r"^(?:o|°)"), "dim"),
    (re.compile(r"^[øØ]7?"), "0"),
    (re.compile(r"[(),\s]"), ""),
)
ALTERATION = re.compile(r"(add|no|omit|alt|b|#|sus4?|sus2|/)(\d{1,2})?")


def spelling_of_tpc(tpc: int) -> str | None:
    """Return the spelling of a tonal pitch class (14 = C, 15 = G), None if it is out of range."""
    if not -8 <= tpc <= 40:
        return None
    alter, letter = divmod(tpc + 1, 7)
    return LINE_OF_FIFTHS[letter] + accidentals(alter - 2)


def read_symbol(element: Element) -> Symbol | None:
    """Return a <Harmony>, None if it names no root (a Roman numeral, a Nashville number, "N.C.")."""
    if (element.findtext("harmonyType") or "0").strip() != "0":
        return None
    inside = element.find("harmonyInfo")  # since MuseScore 4.6
    chord = element if inside is None else inside
    root = _spelling(chord.findtext("root"))
    if root is None:
        return None
    bass = _spelling(chord.findtext("bass") or chord.findtext("base"))
    name = line_of_text(chord.find("name"))
    kind, degrees = read_quality(name or "") if name or chord.find("extension") is None else ("other", ())
    return Symbol(root, kind, name, bass, list(degrees) or None)


def _spelling(text: str | None) -> str | None:
    return spelling_of_tpc(int(text)) if text is not None and re.fullmatch(r"-?\d{1,3}", text.strip()) else None


@functools.lru_cache(maxsize=1024)
def read_quality(name: str) -> tuple[str, tuple[str, ...]]:
    """Return MusicXML's kind and degrees of a quality as printed ("7b9" → "dominant", "add9-1")."""
    text = name.strip()
    for pattern, usual in SPELLINGS:
        text = pattern.sub(usual, text)
    if text in KINDS:
        return KINDS[text], ()
    base = max((known for known in KINDS if text.startswith(known)), key=len)
    rest = text[len(base) :]
    degrees = _degrees(f"add{rest}" if base.endswith("6") and rest == "9" else rest, base)
    if degrees is None:
        return "other", ()
    if "sus" in degrees:
        if base not in SUSPENDED:
            return "other", ()
        return "suspended-fourth", (*SUSPENDED[base], *(degree for degree in degrees if degree != "sus"))
    return KINDS[base], tuple(degrees)


def _degrees(text: str, base: str) -> list[str] | None:
    """Return the degrees of alterations ("b9#11") of a chord, None if they are none.

    "sus" stands for a suspended fourth. What the chord holds already is altered, not added.
    """
    degrees: list[str] = []
    highest = int(re.sub(r"\D", "", base) or "5")
    place = 0
    for match in ALTERATION.finditer(text):
        if match.start() != place:
            return None
        place = match.end()
        word, number = match[1], match[2]
        if word.startswith("sus"):
            degrees.append("sus")
        elif number is None or int(number) > MAX_DEGREE:
            return None
        elif word in ("no", "omit"):
            degrees.append(f"subtract{number}")
        elif word in ("add", "/"):
            degrees.append(f"add{number}")
        elif word in ("b", "#"):
            alter = -1 if word == "b" else 1
            degrees.append(f"{'alter' if number == '5' or int(number) < highest else 'add'}{number}{alter:+d}")
        else:
            return None
    return degrees if place == len(text) else None
