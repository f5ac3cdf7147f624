"""MuseScore's names of marks → MusicXML's, which the data model uses (used by the reader of staves).

MuseScore 3 and 4 name symbols after the SMuFL font standard ("articStaccatoAbove"), MuseScore 2 has names of its own
("staccato").
"""

from __future__ import annotations

import re

ARTICULATIONS: dict[str, tuple[str, ...]] = {
    "articaccent": ("accent",),
    "articaccentstaccato": ("accent", "staccato"),
    "articmarcato": ("strong-accent",),
    "articmarcatostaccato": ("strong-accent", "staccato"),
    "articmarcatotenuto": ("strong-accent", "tenuto"),
    "articsoftaccent": ("soft-accent",),
    "articsoftaccentstaccato": ("soft-accent", "staccato"),
    "articsoftaccenttenuto": ("soft-accent", "tenuto"),
    "articsoftaccenttenutostaccato": ("soft-accent", "detached-legato"),
    "articstaccatissimo": ("staccatissimo",),
    "articstaccatissimostroke": ("staccatissimo",),
    "articstaccatissimowedge": ("staccatissimo",),
    "articstaccato": ("staccato",),
    "articstress": ("stress",),
    "articunstress": ("unstress",),
    "artictenuto": ("tenuto",),
    "artictenutoaccent": ("tenuto", "accent"),
    "artictenutostaccato": ("detached-legato",),
    "brassmuteclosed": ("stopped",),
    "brassmuteopen": ("open-string",),
    "brassmutehalfclosed": ("half-muted",),
    "guitarfadein": ("fade-in",),
    "guitarfadeout": ("fade-out",),
    "guitarvolumeswell": ("volume-swell",),
    "pluckedsnappizzicato": ("snap-pizzicato",),
    "stringsdownbow": ("down-bow",),
    "stringsharmonic": ("harmonic",),
    "stringsthumbposition": ("thumb-position",),
    "stringsupbow": ("up-bow",),
    "lutefingeringrhthumb": ("fingering-p",),
    "lutefingeringrhfirst": ("fingering-i",),
    "lutefingeringrhsecond": ("fingering-m",),
    "lutefingeringrhthird": ("fingering-a",),
    # MuseScore 2
    "sforzato": ("accent",),
    "accent": ("accent",),
    "espressivo": ("soft-accent",),
    "staccato": ("staccato",),
    "staccatissimo": ("staccatissimo",),
    "ustaccatissimo": ("staccatissimo",),
    "dstaccatissimo": ("staccatissimo",),
    "tenuto": ("tenuto",),
    "portato": ("detached-legato",),
    "uportato": ("detached-legato",),
    "dportato": ("detached-legato",),
    "marcato": ("strong-accent",),
    "umarcato": ("strong-accent",),
    "dmarcato": ("strong-accent",),
    "ouvert": ("open-string",),
    "plusstop": ("stopped",),
    "upbow": ("up-bow",),
    "downbow": ("down-bow",),
    "snappizzicato": ("snap-pizzicato",),
    "thumb": ("thumb-position",),
    "harmonic": ("harmonic",),
    "fermata": ("fermata",),
    "shortfermata": ("fermata",),
    "longfermata": ("fermata",),
    "verylongfermata": ("fermata",),
}
ORNAMENTS = {
    "ornamenttrill": "trill-mark",
    "ornamentturn": "turn",
    "ornamentturninverted": "inverted-turn",
    "ornamentturnslash": "inverted-vertical-turn",
    "ornamentturnup": "vertical-turn",
    "ornamentmordent": "mordent",
    "ornamentshorttrill": "inverted-mordent",
    "ornamentmordentinverted": "mordent",
    "ornamenttremblement": "inverted-mordent",
    "ornamentprallmordent": "mordent",
    "ornamentupprall": "inverted-mordent",
    "ornamentdownprall": "inverted-mordent",
    "ornamentprallup": "inverted-mordent",
    "ornamentpralldown": "inverted-mordent",
    "ornamentupmordent": "mordent",
    "ornamentdownmordent": "mordent",
    "ornamentlineprall": "inverted-mordent",
    "ornamentprecompslide": "schleifer",
    "ornamenthaydn": "haydn",
    "ornamentshake3": "shake",
    "ornamentshakemuffat1": "shake",
    # MuseScore 2
    "trill": "trill-mark",
    "turn": "turn",
    "reverseturn": "inverted-turn",
    "mordent": "mordent",
    "prall": "inverted-mordent",
    "prallprall": "inverted-mordent",
    "prallmordent": "mordent",
    "upprall": "inverted-mordent",
    "downprall": "inverted-mordent",
    "upmordent": "mordent",
    "downmordent": "mordent",
    "pralldown": "inverted-mordent",
    "prallup": "inverted-mordent",
    "lineprall": "inverted-mordent",
    "schleifer": "schleifer",
}
CHORD_LINES = {"fall": "falloff", "doit": "doit", "plop": "plop", "scoop": "scoop"}
CHORD_LINE_NUMBERS = {"1": "falloff", "2": "doit", "3": "plop", "4": "scoop"}
TREMOLO_STROKES = {"8": 1, "16": 2, "32": 3, "64": 4}
GRACES = {
    "acciaccatura": 2,
    "appoggiatura": 1,
    "grace4": 1,
    "grace16": 1,
    "grace32": 1,
    "grace8after": 1,
    "grace16after": 1,
    "grace32after": 1,
}
BAR_STYLES = {
    "double": "light-light",
    "dashed": "dashed",
    "dotted": "dotted",
    "end": "light-heavy",
    "reverse-end": "heavy-light",
    "heavy": "heavy",
    "double-heavy": "heavy-heavy",
    "tick": "tick",
    "short": "short",
}
# Semitones by which a line above or below a staff moves its notes; MuseScore 1 numbers them.
OTTAVAS = {"8va": 12, "8vb": -12, "15ma": 24, "15mb": -24, "22ma": 36, "22mb": -36}
OTTAVA_NUMBERS = ("8va", "15ma", "8vb", "15mb", "22ma", "22mb")
# Clef → sign, line, octaves.
CLEFS: dict[str, tuple[str, int | None, int | None]] = {
    "G": ("G", 2, None),
    "G8va": ("G", 2, 1),
    "G8vb": ("G", 2, -1),
    "G8vbo": ("G", 2, -1),
    "G8vbp": ("G", 2, None),
    "G8vbc": ("G", 2, -1),
    "G15ma": ("G", 2, 2),
    "G15mb": ("G", 2, -2),
    "G1": ("G", 1, None),
    "G3": ("C", 3, -1),
    "F": ("F", 4, None),
    "F8va": ("F", 4, 1),
    "F8vb": ("F", 4, -1),
    "F15ma": ("F", 4, 2),
    "F15mb": ("F", 4, -2),
    "F3": ("F", 3, None),
    "F_B": ("F", 3, None),
    "F5": ("F", 5, None),
    "F_C": ("F", 5, None),
    "C1": ("C", 1, None),
    "C2": ("C", 2, None),
    "C3": ("C", 3, None),
    "C4": ("C", 4, None),
    "C4_8vb": ("C", 4, -1),
    "C5": ("C", 5, None),
    "PERC": ("percussion", None, None),
    "PERC2": ("percussion", None, None),
    "TAB": ("TAB", 5, None),
    "TAB2": ("TAB", 5, None),
    "TAB4": ("TAB", 5, None),
}
_PLACE = re.compile(r"(above|below)$")


def mark_of(subtype: str, major: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the articulations and the ornaments that a symbol means; both empty if it means neither.

    major: the version of MuseScore. Until 3 the name that SMuFL gives to the mordent meant the short trill.
    """
    name = _PLACE.sub("", subtype.strip().lower())
    if name == "ornamentmordent" and major < 4:
        name = "ornamentshorttrill"
    if name in ORNAMENTS:
        return (), (ORNAMENTS[name],)
    if name.startswith("fermata"):
        return ("fermata",), ()
    return ARTICULATIONS.get(name, ()), ()


def ottava_shift(subtype: str) -> int:
    """Return the semitones that an ottava line adds to the notes under it."""
    name = subtype.strip()
    if name.isdecimal():
        name = OTTAVA_NUMBERS[int(name)] if int(name) < len(OTTAVA_NUMBERS) else ""
    return OTTAVAS.get(name, 0)
