"""Keys, times, clefs and transposition of a part → <attributes> (used by the MusicXML writer)."""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from muspy_core.events import Clef, KeySignature
from muspy_core.io.musicxml import elements
from muspy_core.io.musicxml.layout import Meter, Page
from muspy_core.io.musicxml.spelling import MODE_FIFTHS, fifths_of_interval, parse_spelling
from muspy_core.music import Music

if TYPE_CHECKING:
    from muspy_core.io.musicxml.part_writer import Part

BASS_BELOW = 57  # a staff whose median pitch lies below gets a bass clef
USUAL_ROOT_FIFTHS = (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)  # of the major keys on C, Db, D …
MAX_FIFTHS = 7
FURTHEST_KEY = 14  # every letter twice sharpened or flattened
BEATS = re.compile(r"\d{1,3}(\+\d{1,3})*")
FRACTIONS = re.compile(r"\d{1,3}/\d{1,3}(\+\d{1,3}/\d{1,3})*")


def fifths_of_key(key: KeySignature) -> int | None:
    """Return the fifths of a key signature, computed from root and mode where it does not state them; None if neither
    it nor they make sense."""
    if key.fifths is not None:
        return key.fifths if abs(key.fifths) <= FURTHEST_KEY else None
    offset = MODE_FIFTHS.get(key.mode or "")
    spelled = parse_spelling(key.root_str)
    if offset is None:
        return None
    if spelled is not None:
        letter, alter = spelled
        fifths = (2 * letter + 1) % 7 - 1 + 7 * alter - offset
        return fifths if abs(fifths) <= FURTHEST_KEY else None
    if key.root is None or not 0 <= key.root < 12:
        return None
    fifths = USUAL_ROOT_FIFTHS[key.root] - offset
    return fifths + 12 if fifths < -MAX_FIFTHS else fifths


class AttributesWriter:
    """Writes the <attributes> of a part at the start of measures and inside them."""

    def __init__(self, part: Part, music: Music, page: Page) -> None:
        self._part = part
        self._page = page
        keys = [(page.position(key.time), fifths_of_key(key), key.mode) for key in music.key_signatures]
        self._keys = [
            (position, fifths, mode) for position, fifths, mode in sorted(keys, key=_first) if fifths is not None
        ]
        self._parts: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for position, fifths, mode in self._keys:
            named = "" if mode is None else f"<mode>{elements.text(mode)}</mode>"
            written = f"<key><fifths>{self._written(fifths)}</fifths>{named}</key>"
            self._parts[self._inside(position)]["key"] = [written]
        for meter in page.meters:
            self._parts[self._inside(meter.time)]["time"] = [_time(meter)]
        for clef in self._clefs():
            self._parts[self._inside(page.position(clef.time))]["clef"].append(self._clef(clef))
        self._starts = {measure.start for measure in page.measures}
        start = self._parts[0]
        start["divisions"] = [f"<divisions>{page.divisions}</divisions>"]
        if part.staves > 1 or part.tracks[0].staves:
            start["staves"] = [f"<staves>{part.staves}</staves>"]
        start["transpose"] = [self._transpose()]

    def _inside(self, position: int) -> int:
        return min(max(position, 0), self._page.end)

    def fifths_at(self, position: int) -> int:
        """Return the sounding key signature in force at a position, 0 before the first."""
        index = bisect.bisect_right([key[0] for key in self._keys], position) - 1
        return self._keys[index][1] if index >= 0 else 0

    def written_fifths_at(self, position: int) -> int:
        """Return the written key signature in force at a position."""
        return self._written(self.fifths_at(position))

    def _written(self, fifths: int) -> int:
        """Return the key a transposing part shows; one beyond seven sharps or flats is respelled."""
        written = fifths - fifths_of_interval(*self._part.shift)
        if self._part.shift == (0, 0) or abs(written) <= MAX_FIFTHS:
            return written
        return written - 12 if written > 0 else written + 12

    def at_start(self, measure: int) -> str:
        """Return the attributes at the start of a measure, empty if there are none."""
        return self._xml(self._page.measures[measure].start)

    def inside(self, measure: int) -> dict[int, str]:
        """Return the attributes inside a measure by position; those at the end of the piece count to its last one."""
        shown = self._page.measures[measure]
        end = shown.end + 1 if measure == len(self._page.measures) - 1 else shown.end
        return {position: self._xml(position) for position in self._parts if shown.start < position < end}

    def _xml(self, position: int) -> str:
        parts = self._parts.get(position)
        if not parts:
            return ""
        order = ("divisions", "key", "time", "staves", "clef", "transpose")
        inside = "".join("".join(parts[name]) for name in order if name in parts)
        return f"<attributes>{inside}</attributes>\n" if inside else ""

    def _transpose(self) -> str:
        track = self._part.tracks[0]
        if track.transposition is None:
            return ""
        octaves = int(track.transposition / 12)
        chromatic = track.transposition - 12 * octaves
        stated = track.diatonic_transposition is not None
        letters = f"<diatonic>{self._part.shift[0] - 7 * octaves}</diatonic>" if stated else ""
        change = f"<octave-change>{octaves}</octave-change>" if octaves else ""
        return f"<transpose>{letters}<chromatic>{chromatic}</chromatic>{change}</transpose>"

    def _clefs(self) -> list[Clef]:
        """Return the clefs of the part, with a suitable one at the start of each staff that has none there."""
        clefs = [clef for track in self._part.tracks for clef in track.clefs]
        have = {clef.staff or 1 for clef in clefs if self._page.position(clef.time) <= 0}
        return [self._usual_clef(staff) for staff in range(1, self._part.staves + 1) if staff not in have] + clefs

    def _usual_clef(self, staff: int) -> Clef:
        number = staff if self._part.staves > 1 else None
        if all(track.is_drum for track in self._part.tracks):
            return Clef(0, "percussion", staff=number)
        pitches = [
            track.notes.array["pitch"][np.maximum(track.notes.array["staff"], 1) == staff]
            for track in self._part.tracks
        ]
        together = np.concatenate(pitches)
        median = float(np.median(together)) - self._part.shift[1] if len(together) else (60.0 if staff == 1 else 48.0)
        return Clef(0, "F", 4, staff=number) if median < BASS_BELOW else Clef(0, "G", 2, staff=number)

    def _clef(self, clef: Clef) -> str:
        numbered = "" if clef.staff is None else f' number="{clef.staff}"'
        line = "" if clef.line is None else f"<line>{clef.line}</line>"
        octaves = "" if clef.octave_change is None else f"<clef-octave-change>{clef.octave_change}</clef-octave-change>"
        return f"<clef{numbered}><sign>{elements.text(clef.sign)}</sign>{line}{octaves}</clef>"


def _first(item: tuple[int, int | None, str | None]) -> int:
    return item[0]


def _time(meter: Meter) -> str:
    if meter.symbol == "senza-misura":
        return "<time><senza-misura/></time>"
    symbol = "" if meter.symbol is None else f" symbol={elements.attribute(meter.symbol)}"
    pairs = [(str(meter.numerator), str(meter.denominator))]
    beats = meter.beats or ""
    if FRACTIONS.fullmatch(beats):
        pairs = [(top, bottom) for top, _, bottom in (pair.partition("/") for pair in beats.split("+"))]
    elif BEATS.fullmatch(beats):
        pairs = [(beats, str(meter.denominator))]
    inside = "".join(
        f"<beats>{elements.text(top)}</beats><beat-type>{elements.text(bottom)}</beat-type>" for top, bottom in pairs
    )
    return f"<time{symbol}>{inside}</time>"
