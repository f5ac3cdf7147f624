"""MusicXML elements as text: the vocabulary of the writer."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.sax.saxutils import escape as escape_text
from xml.sax.saxutils import quoteattr

ORNAMENTS = frozenset(
    {
        "trill-mark",
        "turn",
        "delayed-turn",
        "inverted-turn",
        "delayed-inverted-turn",
        "vertical-turn",
        "inverted-vertical-turn",
        "shake",
        "wavy-line",
        "mordent",
        "inverted-mordent",
        "schleifer",
        "tremolo",
        "haydn",
    }
)
TECHNICAL = frozenset(
    {
        "up-bow",
        "down-bow",
        "harmonic",
        "open-string",
        "thumb-position",
        "fingering",
        "pluck",
        "double-tongue",
        "triple-tongue",
        "stopped",
        "snap-pizzicato",
        "fret",
        "string",
        "hammer-on",
        "pull-off",
        "bend",
        "tap",
        "heel",
        "toe",
        "fingernails",
        "hole",
        "arrow",
        "handbell",
        "brass-bend",
        "flip",
        "smear",
        "open",
        "half-muted",
        "harmon-mute",
        "golpe",
    }
)
ARTICULATIONS = frozenset(
    {
        "accent",
        "strong-accent",
        "staccato",
        "tenuto",
        "detached-legato",
        "staccatissimo",
        "spiccato",
        "scoop",
        "plop",
        "doit",
        "falloff",
        "breath-mark",
        "caesura",
        "stress",
        "unstress",
        "soft-accent",
    }
)
ON_NOTES = frozenset({"fermata", "arpeggiate", "non-arpeggiate"})
DYNAMICS = frozenset(
    [
        "p",
        "pp",
        "ppp",
        "pppp",
        "ppppp",
        "pppppp",
        "f",
        "ff",
        "fff",
        "ffff",
        "fffff",
        "ffffff",
        "mp",
        "mf",
        "sf",
        "sfp",
        "sfpp",
        "fp",
        "rf",
        "rfz",
        "sfz",
        "sffz",
        "fz",
        "n",
        "pf",
        "sfzp",
    ]
)
ACCIDENTALS = {
    -3: "triple-flat",
    -2: "flat-flat",
    -1: "flat",
    0: "natural",
    1: "sharp",
    2: "double-sharp",
    3: "triple-sharp",
}
# Characters that XML 1.0 cannot hold, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TREMOLO = re.compile(r"tremolo(?:-(start|stop|unmeasured))?-(\d+)")
WAVY_LINE = re.compile(r"wavy-line-(start|stop|continue)")
DEGREE = re.compile(r"(add|alter|subtract)(\d+)([+-]\d+)?")


def text(value: object) -> str:
    """Return a value as the text of an element."""
    return escape_text(FORBIDDEN.sub("", str(value)))


def attribute(value: object) -> str:
    """Return a value as a quoted attribute."""
    return quoteattr(FORBIDDEN.sub("", str(value)))


def number(value: float | Fraction) -> str:
    """Return a number in its shortest exact form, without exponent where that is possible."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def percent(velocity: int) -> str:
    """Return a velocity as a `dynamics` attribute: a percentage of forte = 90."""
    return f"{velocity / 0.9:.2f}"


def pitch(diatonic: int, alter: int) -> str:
    """Return a <pitch> for a diatonic number (middle C: 28)."""
    octave, letter = divmod(diatonic, 7)
    altered = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{'CDEFGAB'[letter]}</step>{altered}<octave>{octave}</octave></pitch>"


def articulation(name: str) -> str:
    """Return the notation for a name in Note.articulations."""
    base, _, detail = name.partition("-")
    if name in ON_NOTES:
        return f"<{name}/>" if name != "non-arpeggiate" else '<non-arpeggiate type="bottom"/>'
    if name in ARTICULATIONS:
        return f"<articulations><{name}/></articulations>"
    if name in TECHNICAL:
        return f"<technical><{name}/></technical>"
    if base in TECHNICAL and detail:
        return f"<technical><{base}>{text(detail)}</{base}></technical>"
    return f"<articulations><other-articulation>{text(name)}</other-articulation></articulations>"


def ornament(name: str) -> str:
    """Return the notation for a name in Note.ornaments."""
    tremolo, wavy = TREMOLO.fullmatch(name), WAVY_LINE.fullmatch(name)
    if tremolo:
        inside = f'<tremolo type="{tremolo[1] or "single"}">{tremolo[2]}</tremolo>'
    elif wavy:
        inside = f'<wavy-line type="{wavy[1]}"/>'
    elif name in ORNAMENTS and name not in ("tremolo", "wavy-line"):
        inside = f"<{name}/>"
    else:
        inside = f"<other-ornament>{text(name)}</other-ornament>"
    return f"<ornaments>{inside}</ornaments>"


def dynamic(name: str) -> str:
    """Return a <dynamics> for a mark."""
    inside = f"<{name}/>" if name in DYNAMICS else f"<other-dynamics>{text(name)}</other-dynamics>"
    return f"<dynamics>{inside}</dynamics>"


def lyric(syllable: str, verse: int | None) -> str:
    """Return a <lyric> for a syllable with MusPy's hyphens ("x -", "- x -", "- x")."""
    goes_on = syllable.endswith(" -") and len(syllable) > 2
    inside = syllable[:-2] if goes_on else syllable
    opens = inside.startswith("- ") and len(inside) > 2  # not so "- -", a hyphen that is itself a syllable
    inside = inside[2 if opens else 0 :].strip()
    kind = {(False, False): "single", (False, True): "begin", (True, True): "middle", (True, False): "end"}[
        opens, goes_on
    ]
    numbered = f' number="{verse}"' if verse else ""
    return f"<lyric{numbered}><syllabic>{kind}</syllabic><text>{text(inside)}</text></lyric>"


def step(spelling: tuple[int, int], what: str) -> str:
    """Return the <root-step>, <root-alter> (or bass-) of a spelling (letter, alteration)."""
    letter, alter = spelling
    altered = f"<{what}-alter>{alter}</{what}-alter>" if alter else ""
    return f"<{what}-step>{'CDEFGAB'[letter]}</{what}-step>{altered}"


def degree(name: str) -> str:
    """Return the <degree> of a chord symbol for a name as "add9" or "alter5-1"; empty if it is none."""
    match = DEGREE.fullmatch(name)
    if match is None:
        return ""
    return (
        f"<degree><degree-value>{match[2]}</degree-value><degree-alter>{int(match[3] or 0)}</degree-alter>"
        f"<degree-type>{match[1]}</degree-type></degree>"
    )
