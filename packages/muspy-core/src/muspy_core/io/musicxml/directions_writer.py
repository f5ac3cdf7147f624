"""Tempi, dynamics, texts, chord symbols, repeats → <direction>, <harmony> and <barline> (used by the writer)."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from muspy_core.events import ChordSymbol, Dynamic, Repeat
from muspy_core.io.musicxml import elements
from muspy_core.io.musicxml.layout import Page
from muspy_core.io.musicxml.marks import DYNAMIC_VELOCITIES
from muspy_core.io.musicxml.spelling import parse_spelling, shift_spelling
from muspy_core.music import Music

if TYPE_CHECKING:
    from collections.abc import Callable

    from muspy_core.io.musicxml.part_writer import Part

JUMP_WORDS = {"dacapo": "D.C.", "dalsegno": "D.S.", "tocoda": "To Coda", "fine": "Fine"}
HIDDEN_TEMPO_CHANGE = 0.03  # metronome marks that differ less from the last one shown are left out
WEDGES = ("crescendo", "diminuendo")


@dataclasses.dataclass
class Direction:
    """Something between the notes. position: divisions. start, end: its XML before and after the <offset>.

    is_direction: whether it is a <direction>, whose offset must say that it moves the sound as well.
    """

    position: int
    start: str
    end: str
    is_direction: bool = True

    def xml(self, offset: int) -> str:
        """Return the element, `offset` divisions after the place where it stands in the measure."""
        sound = ' sound="yes"' if self.is_direction else ""
        shifted = f"<offset{sound}>{offset}</offset>" if offset else ""
        return f"{self.start}{shifted}{self.end}\n"


def _direction(
    position: int, kinds: list[str], staff: int | None = None, sound: str = "", placement: str = ""
) -> Direction:
    placed = f' placement="{placement}"' if placement else ""
    shown = "".join(f"<direction-type>{kind}</direction-type>" for kind in kinds)
    numbered = "" if staff is None else f"<staff>{staff}</staff>"
    return Direction(position, f"<direction{placed}>{shown}", f"{numbered}{sound}</direction>")


def _words(words: str) -> str:
    return f"<words>{elements.text(words)}</words>"


def score_directions(music: Music, page: Page) -> list[Direction]:
    """Return what stands once in the score, in its first part: tempi, markers, jumps and their targets."""
    directions = _tempos(music, page)
    for marker in music.markers:
        directions.append(_direction(page.position(marker.time), [_rehearsal(marker.text)], placement="above"))
    for repeat in music.repeats:
        directions += _jump(repeat, page)
    return directions


def _rehearsal(words: str) -> str:
    return f"<rehearsal>{elements.text(words)}</rehearsal>"


def _tempos(music: Music, page: Page) -> list[Direction]:
    """Return the tempi; each sounds, but those that hardly differ from the last one shown are not printed."""
    directions: list[Direction] = []
    shown: float | None = None
    for tempo in sorted(music.tempos, key=lambda item: item.time):
        if not tempo.qpm > 0:
            continue
        sound = f'tempo="{elements.number(tempo.qpm)}"'
        position = page.position(tempo.time)
        if tempo.text is None and shown is not None and abs(tempo.qpm / shown - 1) < HIDDEN_TEMPO_CHANGE:
            directions.append(Direction(position, f"<sound {sound}>", "</sound>", is_direction=False))
            continue
        shown = tempo.qpm
        kinds = [] if tempo.text is None else [_words(tempo.text)]
        rounded = elements.number(round(tempo.qpm, 0 if abs(tempo.qpm - round(tempo.qpm)) < 0.05 else 1))
        kinds.append(f"<metronome><beat-unit>quarter</beat-unit><per-minute>{rounded}</per-minute></metronome>")
        directions.append(_direction(position, kinds, sound=f"<sound {sound}/>", placement="above"))
    return directions


def _jump(repeat: Repeat, page: Page) -> list[Direction]:
    """Return a segno, coda, fine or jump; a jump stands at the end of the measure after which it is taken."""
    position = page.position(repeat.time)
    if repeat.kind in ("segno", "coda"):
        sound = f"<sound {repeat.kind}={elements.attribute(repeat.text)}/>" if repeat.text else ""
        return [_direction(position, [f"<{repeat.kind}/>"], sound=sound, placement="above")]
    if repeat.kind in JUMP_WORDS:
        value = {"dacapo": "yes", "dalsegno": "segno", "tocoda": "coda", "fine": "yes"}[repeat.kind]
        measure = page.measures[page.index_of_end(position)]
        words = repeat.text or JUMP_WORDS[repeat.kind]
        # Just before the end, so that it stays in its measure.
        place = min(position, measure.end - 1)
        return [_direction(place, [_words(words)], sound=f'<sound {repeat.kind}="{value}"/>', placement="above")]
    return []


def part_directions(part: Part, page: Page, level: Callable[[int], int], initial: int) -> list[Direction]:
    """Return the dynamics of a part. level: velocity that a mark at a position sets; initial: velocity at the start."""
    directions: list[Direction] = []
    if initial != 64:
        sound = f'<sound dynamics="{elements.percent(initial)}">'
        directions.append(Direction(0, sound, "</sound>", is_direction=False))
    wedges = sorted(
        (
            mark
            for track in part.tracks
            for mark in track.dynamics
            if mark.dynamic in WEDGES and mark.duration is not None
        ),
        key=lambda mark: mark.time,
    )
    directions += _wedges(wedges, page)
    for track in part.tracks:
        for mark in track.dynamics:
            if mark.dynamic in WEDGES and mark.duration is not None:
                continue
            position = page.position(mark.time)
            sound = ""
            if mark.dynamic in DYNAMIC_VELOCITIES:
                sound = f'<sound dynamics="{elements.percent(level(position))}"/>'
            directions.append(_direction(position, [elements.dynamic(mark.dynamic)], mark.staff, sound, "below"))
    return directions


def _wedges(wedges: list[Dynamic], page: Page) -> list[Direction]:
    """Return the starts and stops of hairpins, with numbers that tell simultaneous ones apart."""
    directions: list[Direction] = []
    ends: list[int] = []
    for wedge in wedges:
        start, end = page.position(wedge.time), page.position(wedge.time + (wedge.duration or 0))
        number = next((index for index, busy in enumerate(ends) if busy < start), len(ends))
        ends[number : number + 1] = [end]
        for position, kind in ((start, wedge.dynamic), (end, "stop")):
            shown = f'<wedge type="{kind}" number="{number + 1}"/>'
            directions.append(_direction(position, [shown], wedge.staff, placement="below"))
    return directions


def texts_and_chords(music: Music, part: Part, page: Page, is_first: bool, own: set[int]) -> list[Direction]:
    """Return the words and rehearsal marks of a part, and in the first part the chord symbols and all other texts.

    own: the values of `midi_track` that some part has.
    """
    directions: list[Direction] = []
    mine = {track.midi_track for track in part.tracks if track.midi_track is not None}
    for item in music.texts:
        if item.kind not in ("words", "rehearsal"):
            continue
        if item.midi_track in mine or (is_first and item.midi_track not in own):
            shown = _words(item.text) if item.kind == "words" else _rehearsal(item.text)
            directions.append(_direction(page.position(item.time), [shown], item.staff, placement="above"))
    if is_first:
        directions += [_harmony(symbol, part, page) for symbol in music.chord_symbols]
    return directions


def _harmony(symbol: ChordSymbol, part: Part, page: Page) -> Direction:
    letters, semitones = part.shift
    shown = "" if symbol.text is None else f" text={elements.attribute(symbol.text)}"
    root = parse_spelling(shift_spelling(symbol.root, -letters, -semitones)) or (0, 0)
    bass = None if symbol.bass is None else parse_spelling(shift_spelling(symbol.bass, -letters, -semitones))
    inside = [
        f"<harmony><root>{elements.step(root, 'root')}</root><kind{shown}>{elements.text(symbol.kind)}</kind>",
        "" if bass is None else f"<bass>{elements.step(bass, 'bass')}</bass>",
        "".join(elements.degree(name) for name in symbol.degrees or ()),
    ]
    staff = "" if symbol.staff is None else f"<staff>{symbol.staff}</staff>"
    return Direction(page.position(symbol.time), "".join(inside), f"{staff}</harmony>", is_direction=False)


def barlines(music: Music, page: Page) -> dict[tuple[int, str], str]:
    """Return the bar lines that are not plain, by (measure, "left" or "right"): styles, repeats and endings."""
    parts: dict[tuple[int, str], dict[str, str]] = {}

    def add(measure: int, location: str, kind: str, xml: str) -> None:
        parts.setdefault((measure, location), {}).setdefault(kind, xml)

    last = len(page.measures) - 1
    for repeat in music.repeats:
        position = page.position(repeat.time)
        if repeat.kind == "forward":
            add(page.measure_index(position), "left", "repeat", '<repeat direction="forward"/>')
        elif repeat.kind == "backward":
            times = f' times="{repeat.text}"' if repeat.text and repeat.text.isdecimal() else ""
            add(page.index_of_end(position), "right", "repeat", f'<repeat direction="backward"{times}/>')
        elif repeat.kind == "ending-start":
            xml = f'<ending number="{_passes(repeat)}" type="start"/>'
            add(page.measure_index(position), "left", "ending", xml)
        elif repeat.kind in ("ending-stop", "ending-discontinue"):
            xml = f'<ending number="{_passes(repeat)}" type="{repeat.kind[7:]}"/>'
            add(page.index_of_end(position), "right", "ending", xml)
    for index, measure in enumerate(page.measures):
        if measure.style is not None:
            place = (index - 1, "right") if index else (0, "left")
            if "repeat" not in parts.get(place, {}):
                add(*place, "style", f"<bar-style>{elements.text(measure.style)}</bar-style>")
    if "repeat" not in parts.get((last, "right"), {}):
        add(last, "right", "style", "<bar-style>light-heavy</bar-style>")
    return {place: _barline(place[1], found) for place, found in parts.items()}


def _passes(repeat: Repeat) -> str:
    """Return the passes of an ending as MusicXML writes them."""
    return ", ".join(re.findall(r"[1-9]\d*", repeat.text or "")) or "1"


def _barline(location: str, found: dict[str, str]) -> str:
    style = found.get("style", "")
    if "repeat" in found:
        style = f"<bar-style>{'heavy-light' if location == 'left' else 'light-heavy'}</bar-style>"
    inside = style + found.get("ending", "") + found.get("repeat", "")
    return f'<barline location="{location}">{inside}</barline>\n'
