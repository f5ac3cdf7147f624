"""Decorations and quoted strings: what they mean in the data model, and back again for the writer."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

# ABC name → MusicXML name.
ARTICULATIONS = {
    ".": "staccato",
    "staccato": "staccato",
    ">": "accent",
    "accent": "accent",
    "emphasis": "accent",
    "tenuto": "tenuto",
    "^": "strong-accent",
    "marcato": "strong-accent",
    "wedge": "staccatissimo",
    "fermata": "fermata",
    "invertedfermata": "inverted-fermata",
    "upbow": "up-bow",
    "downbow": "down-bow",
    "breath": "breath-mark",
    "open": "open-string",
    "thumb": "thumb-position",
    "snap": "snap-pizzicato",
    "plus": "stopped",
    "+": "stopped",
    "arpeggio": "arpeggiate",
    "slide": "scoop",
    "shortphrase": "caesura",
    "mediumphrase": "caesura",
    "longphrase": "caesura",
} | {str(finger): f"fingering-{finger}" for finger in range(6)}
ORNAMENTS = {
    "trill": "trill-mark",
    "tr": "trill-mark",
    "lowermordent": "mordent",
    "mordent": "mordent",
    "uppermordent": "inverted-mordent",
    "pralltriller": "inverted-mordent",
    "turn": "turn",
    "invertedturn": "inverted-turn",
    "turnx": "turn",
    "invertedturnx": "inverted-turn",
    "roll": "other-ornament-roll",
} | {"/" * strokes: f"tremolo-{strokes}" for strokes in (1, 2, 3)}
DYNAMICS = {"pppp", "ppp", "pp", "p", "mp", "mf", "f", "ff", "fff", "ffff", "sfz", "sf", "fz", "sfp", "fp", "rf", "rfz"}
WEDGES = {
    "crescendo(": ("crescendo", True),
    "<(": ("crescendo", True),
    "crescendo)": ("crescendo", False),
    "<)": ("crescendo", False),
    "diminuendo(": ("diminuendo", True),
    ">(": ("diminuendo", True),
    "diminuendo)": ("diminuendo", False),
    ">)": ("diminuendo", False),
}
SIGNS = {
    "segno": "segno",
    "s": "segno",
    "coda": "coda",
    "o": "coda",
    "fine": "fine",
    "d.c.": "dacapo",
    "dacapo": "dacapo",
    "d.c.alfine": "dacapo",
    "d.c.alcoda": "dacapo",
    "d.s.": "dalsegno",
    "dalsegno": "dalsegno",
    "d.s.alfine": "dalsegno",
    "d.s.alcoda": "dalsegno",
    "dacoda": "tocoda",
    "tocoda": "tocoda",
}
SHORTHANDS = {
    ".": "staccato",
    "~": "roll",
    "H": "fermata",
    "L": "accent",
    "M": "lowermordent",
    "O": "coda",
    "P": "uppermordent",
    "S": "segno",
    "T": "trill",
    "u": "upbow",
    "v": "downbow",
}

# The first name of each mark is the one to write.
ARTICULATION_NAMES = {value: name for name, value in reversed(ARTICULATIONS.items()) if len(name) > 1 or name.isdigit()}
ORNAMENT_NAMES = {value: name for name, value in reversed(ORNAMENTS.items())}
SIGN_NAMES = {
    "segno": "segno",
    "coda": "coda",
    "fine": "fine",
    "dacapo": "D.C.",
    "dalsegno": "D.S.",
    "tocoda": "dacoda",
}

# Chord quality as printed → MusicXML kind.
KINDS = {
    "": "major",
    "maj": "major",
    "M": "major",
    "m": "minor",
    "min": "minor",
    "-": "minor",
    "7": "dominant",
    "maj7": "major-seventh",
    "M7": "major-seventh",
    "m7": "minor-seventh",
    "min7": "minor-seventh",
    "mmaj7": "major-minor",
    "mM7": "major-minor",
    "dim": "diminished",
    "o": "diminished",
    "dim7": "diminished-seventh",
    "o7": "diminished-seventh",
    "m7b5": "half-diminished",
    "aug": "augmented",
    "+": "augmented",
    "aug7": "augmented-seventh",
    "+7": "augmented-seventh",
    "6": "major-sixth",
    "m6": "minor-sixth",
    "min6": "minor-sixth",
    "9": "dominant-ninth",
    "maj9": "major-ninth",
    "m9": "minor-ninth",
    "11": "dominant-11th",
    "m11": "minor-11th",
    "13": "dominant-13th",
    "sus": "suspended-fourth",
    "sus4": "suspended-fourth",
    "sus2": "suspended-second",
    "5": "power",
}
KIND_TEXTS = {kind: text for text, kind in reversed(KINDS.items())}

_SYMBOL = re.compile(r"([A-G])([#b♯♭]?)([^/\s]{0,20}?)(?:/([A-G])([#b♯♭]?))?")
_QUALITY = re.compile(r"(?:maj|min|dim|aug|sus|add|alt|no|[mMo+#b\-(),^°ø]|\d{1,2})*")
_SHARPS = {"♯": "#", "♭": "b"}


class Symbol(NamedTuple):
    """A chord symbol as in the columns of `ChordSymbol`."""

    root: str
    kind: str
    text: str | None
    bass: str | None


@functools.lru_cache(maxsize=1024)
def parse_symbol(text: str) -> Symbol | None:
    """Return the chord that a quoted string names ("Am7/C"; parentheses around it are ignored), else None."""
    stripped = text.strip()
    if stripped.startswith("(") and stripped.endswith(")"):
        stripped = stripped[1:-1].strip()
    match = _SYMBOL.fullmatch(stripped)
    if match is None:
        return None
    root, sign, quality, bass, bass_sign = match.groups()
    if quality not in KINDS and not _QUALITY.fullmatch(quality):
        return None
    sounding = None if bass is None else bass + _SHARPS.get(bass_sign, bass_sign)
    return Symbol(root + _SHARPS.get(sign, sign), KINDS.get(quality, "other"), quality or None, sounding)
