"""Small elements → values: keys, times, metronomes, lyrics, chord symbols, notations (used by the part reader)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml.header import line_of
from muspy_core.io.musicxml.spelling import accidentals

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Note types in quarter notes.
NOTE_TYPES = {
    "maxima": 32.0,
    "long": 16.0,
    "breve": 8.0,
    "whole": 4.0,
    "half": 2.0,
    "quarter": 1.0,
    "eighth": 0.5,
    "16th": 0.25,
    "32nd": 0.125,
    "64th": 0.0625,
    "128th": 0.03125,
    "256th": 0.015625,
    "512th": 0.0078125,
    "1024th": 0.00390625,
}

# Velocities of dynamic marks that carry no playback value: equal steps around mp = 64, MusPy's default velocity.
DYNAMIC_VELOCITIES = {
    "pppppp": 4,
    "ppppp": 6,
    "pppp": 8,
    "ppp": 16,
    "pp": 32,
    "p": 48,
    "mp": 64,
    "mf": 80,
    "f": 96,
    "ff": 112,
    "fff": 124,
    "ffff": 126,
    "fffff": 127,
    "ffffff": 127,
    "fp": 48,
    "pf": 96,
    "sfp": 48,
    "sfpp": 32,
}

TECHNICAL_WITH_TEXT = frozenset({"fingering", "string", "fret", "pluck"})
MAX_BEATS = 1024
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Meter(NamedTuple):
    """A time signature as read. symbol, beats: see TimeSignature. numerator 0: unmeasured."""

    numerator: int
    denominator: int
    symbol: str | None
    beats: str | None


class Symbol(NamedTuple):
    """A chord symbol as written, before transposition."""

    root: str
    kind: str
    text: str | None
    bass: str | None
    degrees: list[str] | None


def percent_to_velocity(percent: str) -> int:
    """Return the velocity of a `dynamics` attribute, which is a percentage of forte = 90."""
    value = float(percent) * 0.9
    if not math.isfinite(value):
        raise MusicXMLError(f"dynamics {percent!r} is not a number")
    return min(max(math.floor(value + 0.5), 0), 127)


def read_meter(element: Element) -> Meter | None:
    """Return a time signature; several fractions are added up over a common denominator."""
    symbol = element.get("symbol")
    if symbol not in ("common", "cut", "single-number"):
        symbol = None
    if element.find("senza-misura") is not None:
        return Meter(0, 4, "senza-misura", None)
    tops = [(top.text or "").replace(" ", "") for top in element.iterfind("beats")]
    bottoms = [int(beat_type.text or "") for beat_type in element.iterfind("beat-type")]
    if not tops or len(tops) != len(bottoms):
        return None
    sums = [sum(int(term) for term in terms.split("+")) for terms in tops]
    if not all(0 < value <= MAX_BEATS for value in (*sums, *bottoms)):
        raise MusicXMLError(f"time signature {'+'.join(tops)}/{bottoms[0]}: numbers must be 1 to {MAX_BEATS}")
    denominator = math.lcm(*bottoms)
    numerator = sum(top * (denominator // bottom) for top, bottom in zip(sums, bottoms, strict=True))
    if max(numerator, denominator) > MAX_BEATS:
        raise MusicXMLError(f"time signature {numerator}/{denominator}: numbers must be 1 to {MAX_BEATS}")
    beats: str | None
    if len(tops) > 1:
        beats = "+".join(f"{top}/{bottom}" for top, bottom in zip(tops, bottoms, strict=True))
    else:
        beats = tops[0] if "+" in tops[0] else None
    return Meter(numerator, denominator, symbol, beats)


def read_metronome(element: Element, current_qpm: float) -> float | None:
    """Return the quarter notes per minute of a metronome mark, None if it states no tempo.

    `beat unit = beat unit` relates to the current tempo (a metric modulation).
    """
    units: list[float] = []
    per_minute = None
    for child in element:
        if child.tag == "beat-unit":
            units.append(NOTE_TYPES.get((child.text or "").strip(), 0.0))
        elif child.tag == "beat-unit-dot" and units:
            # Each dot adds half of what the last one added: 1, 1.5, 1.75 … times the plain unit.
            units[-1] += _last_addition(units[-1]) / 2
        elif child.tag == "per-minute":
            match = NUMBER.search(child.text or "")
            per_minute = float(match.group()) if match else None
    if per_minute and units and units[0]:
        return per_minute * units[0]
    if len(units) == 2 and all(units):
        return current_qpm * units[1] / units[0]
    return None


def _last_addition(unit: float) -> float:
    """Return what the last dot added to a unit (a unit without dots: itself); units are dyadic, so this is exact."""
    numerator, denominator = unit.as_integer_ratio()
    return (numerator & -numerator) / denominator


def read_lyric(element: Element) -> str | None:
    """Return the syllable with MusPy's hyphens ("x -", "- x -", "- x"); elided syllables are joined by "‿"."""
    text = ""
    syllabic = []
    for child in element:
        if child.tag == "text":
            text += " ".join((child.text or "").split())
        elif child.tag == "elision":
            text += (child.text or "").strip() or "‿"
        elif child.tag == "syllabic":
            syllabic.append((child.text or "").strip())
    if not text:
        return None
    opens = bool(syllabic) and syllabic[0] in ("middle", "end")
    goes_on = bool(syllabic) and syllabic[-1] in ("begin", "middle")
    return f"{'- ' if opens else ''}{text}{' -' if goes_on else ''}"


def read_symbols(element: Element) -> list[Symbol]:
    """Return the chords of a <harmony>; those given only by function or numeral are left out."""
    chords: list[list[Element]] = []
    for child in element:
        if child.tag in ("root", "numeral", "function"):
            chords.append([child])
        elif chords:
            chords[-1].append(child)
    return [_read_symbol(chord) for chord in chords if chord[0].tag == "root"]


def _read_symbol(elements: list[Element]) -> Symbol:
    root, kind = "C", "other"
    text: str | None = None
    bass: str | None = None
    degrees: list[str] = []
    for element in elements:
        if element.tag == "root":
            root = _read_step(element, "root")
        elif element.tag == "kind":
            kind = line_of(element.text) or "other"
            text = element.get("text")
        elif element.tag == "bass":
            bass = _read_step(element, "bass")
        elif element.tag == "degree":
            degrees.append(_read_degree(element))
    return Symbol(root, kind, text, bass, degrees or None)


def _read_step(element: Element, what: str) -> str:
    step = (element.findtext(f"{what}-step") or "").strip()
    if step not in tuple("CDEFGAB"):
        raise MusicXMLError(f"<{what}-step> is {step!r}; it must be one of A to G")
    return step + accidentals(read_alter(element.findtext(f"{what}-alter")))


def _read_degree(element: Element) -> str:
    kind = line_of(element.findtext("degree-type")) or "add"
    value = int(element.findtext("degree-value") or "")
    alter = read_alter(element.findtext("degree-alter"))
    return f"{kind}{value}{alter:+d}" if alter else f"{kind}{value}"


def read_alter(text: str | None) -> int:
    """Return an alteration in semitones; quarter tones are rounded up."""
    if text is None or not text.strip():
        return 0
    value = float(text)
    if not -8 <= value <= 8:
        raise MusicXMLError(f"alteration {text!r} is not between -8 and 8 semitones")
    return math.floor(value + 0.5)


def read_articulations(element: Element) -> list[str]:
    """Return the names in <articulations> or <technical>; those that carry text as "fingering-3"."""
    names = []
    for child in element:
        text = line_of(child.text) if child.tag in TECHNICAL_WITH_TEXT else None
        names.append(f"{child.tag}-{text}" if text else str(child.tag))
    return names


def read_ornaments(element: Element) -> list[str]:
    """Return the names in <ornaments>: "trill-mark", "tremolo-3", "tremolo-start-2"; wavy lines have start and stop."""
    names = []
    for child in element:
        name = str(child.tag)
        if name == "accidental-mark":
            continue
        kind = child.get("type")
        if kind in ("start", "stop", "continue", "unmeasured"):
            name += f"-{kind}"
        if child.tag == "tremolo":
            name += f"-{line_of(child.text) or '3'}"
        names.append(name)
    return names
