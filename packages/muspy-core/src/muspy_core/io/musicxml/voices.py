"""Notes of a part → voices, chords and tied pieces in each measure (second stage of writing MusicXML)."""

from __future__ import annotations

import bisect
import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence

from muspy_core.events import GRACES, TIES
from muspy_core.io.musicxml.durations import Value, split_duration
from muspy_core.io.musicxml.layout import Page
from muspy_core.music import Track


@dataclasses.dataclass
class Head:
    """One note as it goes to the page. start, duration: divisions; 0 for grace notes, whose nominal is `nominal`.

    identifier: the id of its first written note. tie: what Note.tie says about its borders.
    """

    identifier: str
    track: int
    start: int
    duration: int
    pitch: int
    velocity: int
    spelling: str | None
    voice: int | None
    staff: int | None
    tie: str | None
    grace: str | None
    nominal: int
    is_cue: bool
    articulations: list[str]
    ornaments: list[str]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.duration


@dataclasses.dataclass
class Chord:
    """Notes struck and released together in one voice; a single note is a chord of one."""

    heads: list[Head]

    @property
    def start(self) -> int:
        """Onset in divisions."""
        return self.heads[0].start

    @property
    def duration(self) -> int:
        """Duration in divisions, 0 for grace notes."""
        return self.heads[0].duration

    @property
    def is_grace(self) -> bool:
        """Whether it takes no time."""
        return self.heads[0].grace is not None


@dataclasses.dataclass
class Piece:
    """A chord, or the part of it that one notated value shows. number: its place among the pieces of the chord.

    start, duration: divisions. has_next: whether it is tied to another piece.
    """

    chord: Chord
    start: int
    duration: int
    value: Value
    number: int
    has_next: bool

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.duration


@dataclasses.dataclass
class Layer:
    """A line of chords that do not overlap. voice: its number, None if the part has a single unnumbered voice.

    staff: the staff its rests belong to, None if the part has one staff.
    """

    voice: int | None
    staff: int | None
    chords: list[Chord]


def heads_of(track: Track, index: int, page: Page) -> list[Head]:
    """Return the notes and chords of a track; the notes get the ids "n<track>-<note>"."""
    table = track.notes.array
    columns = zip(
        *(table[name].tolist() for name in ("time", "duration", "pitch", "velocity", "voice", "staff")), strict=True
    )
    codes = zip(*(table[name].tolist() for name in ("tie", "grace", "cue")), strict=True)
    sides = zip(*(track.notes.side(name) for name in ("pitch_str", "articulations", "ornaments")), strict=True)
    heads = []
    for note, (numbers, (tie, grace, cue), (spelling, articulations, ornaments)) in enumerate(
        zip(columns, codes, sides, strict=True)
    ):
        time, duration, pitch, velocity, voice, staff = numbers
        start, shown = page.span(time, time + duration)
        heads.append(
            Head(
                identifier=f"n{index}-{note}",
                track=index,
                start=start,
                duration=0 if grace else shown,
                pitch=pitch,
                velocity=velocity,
                spelling=spelling,
                voice=voice if voice > 0 else None,
                staff=staff if staff > 0 else None,
                tie=TIES[tie - 1] if tie else None,
                grace=GRACES[grace - 1] if grace else None,
                nominal=duration,
                is_cue=bool(cue),
                articulations=list(articulations or ()),
                ornaments=list(ornaments or ()),
            )
        )
    return heads + _heads_of_chords(track, index, page)


def _heads_of_chords(track: Track, index: int, page: Page) -> list[Head]:
    heads = []
    for number, chord in enumerate(track.chords):
        start, shown = page.span(chord.time, chord.end)
        spellings: Sequence[str | None] = chord.pitches_str or [None] * len(chord.pitches)
        for place, (pitch, spelling) in enumerate(zip(chord.pitches, spellings, strict=False)):
            heads.append(
                Head(
                    identifier=f"c{index}-{number}-{place}",
                    track=index,
                    start=start,
                    duration=shown,
                    pitch=pitch,
                    velocity=chord.velocity,
                    spelling=spelling,
                    voice=chord.voice,
                    staff=chord.staff,
                    tie=None,
                    grace=None,
                    nominal=0,
                    is_cue=False,
                    articulations=[],
                    ornaments=[],
                )
            )
    return heads


def layers_of(heads: Iterable[Head], staves: int) -> list[Layer]:
    """Sort notes into layers, ordered by staff and voice; each staff has at least one.

    Notes with a voice stay in it; notes of one voice that overlap go to several layers with the same number. Notes
    without one are spread over as few voices as their overlaps allow, and stay without a number if one is enough.
    """
    by_voice: dict[tuple[int, int], list[Head]] = defaultdict(list)
    unvoiced: dict[int, list[Head]] = defaultdict(list)
    for head in heads:
        staff = min(head.staff or 1, staves)
        if head.voice is None:
            unvoiced[staff].append(head)
        else:
            by_voice[head.voice, staff].append(head)
    layers = []
    for voice, lines in _join_staves(by_voice).items():
        layers += [Layer(voice, staff, line) for staff, group in lines for line in _lines(group)]
    taken = max((voice for voice, _ in by_voice), default=0)
    needs_numbers = taken > 0 or len(unvoiced) > 1
    for staff, group in sorted(unvoiced.items()):
        lines_of_staff = _lines(group)
        for line in lines_of_staff:
            taken += 1
            number = taken if needs_numbers or len(lines_of_staff) > 1 else None
            layers.append(Layer(number, staff, line))
    for staff in range(1, staves + 1):
        if not any(layer.staff == staff for layer in layers):
            is_only = staves == 1 and not layers
            taken += 1
            layers.append(Layer(None if is_only else taken, staff, []))
    layers.sort(key=lambda layer: (layer.staff, layer.voice or 0))
    if staves == 1:
        for layer in layers:
            layer.staff = None
    return layers


def _join_staves(by_voice: dict[tuple[int, int], list[Head]]) -> dict[int, list[tuple[int, list[Head]]]]:
    """Join what one voice has on several staves if it is one line that crosses them, not several lines."""
    voices: dict[int, list[tuple[int, list[Head]]]] = defaultdict(list)
    for (voice, staff), heads in sorted(by_voice.items()):
        voices[voice].append((staff, heads))
    for voice, lines in voices.items():
        together = [head for _, heads in lines for head in heads]
        if len(lines) > 1 and len(_lines(together)) == max(len(_lines(heads)) for _, heads in lines):
            home = max(lines, key=lambda line: len(line[1]))[0]
            voices[voice] = [(home, together)]
    return voices


def _lines(heads: list[Head]) -> list[list[Chord]]:
    """Group notes into chords and chords into lines without overlaps, as few as needed."""
    lines: list[list[Chord]] = []
    ends: list[int] = []
    for chord in _chords(heads):
        index = next((index for index, end in enumerate(ends) if end <= chord.start), len(lines))
        if index == len(lines):
            lines.append([])
            ends.append(0)
        lines[index].append(chord)
        ends[index] = chord.start + chord.duration
    return lines


def _chords(heads: list[Head]) -> list[Chord]:
    """Group notes with equal onset, duration and kind; grace notes stay single, before the note they lead to."""
    groups: dict[tuple[object, ...], list[Head]] = {}
    graces: list[Chord] = []
    for head in heads:
        if head.grace:
            graces.append(Chord([head]))
        else:
            groups.setdefault((head.start, head.duration, head.is_cue), []).append(head)
    chords = [Chord(sorted(group, key=lambda head: head.pitch)) for group in groups.values()]
    return sorted(graces + chords, key=lambda chord: (chord.start, not chord.is_grace, -chord.duration))


def pieces_of(layer: Layer, page: Page, syllables: dict[int | None, set[int]]) -> dict[int, list[Piece]]:
    """Return the written notes of a layer by measure: chords cut at bar lines and into notatable values.

    syllables: positions of lyrics by voice; a note is cut (and tied) where a new one starts in it.
    """
    breaks = sorted(syllables.get(layer.voice, set()) | syllables.get(None, set()))
    measures: dict[int, list[Piece]] = defaultdict(list)
    for chord in layer.chords:
        if chord.is_grace:
            index = page.measure_index(chord.start)
            measures[index].append(Piece(chord, chord.start, 0, Value("eighth", 0, 1, 1), 1, False))
            continue
        cuts = list(_cuts(chord, page, breaks))
        for number, (index, start, duration, value) in enumerate(cuts, 1):
            measures[index].append(Piece(chord, start, duration, value, number, number < len(cuts)))
    return measures


def _cuts(chord: Chord, page: Page, breaks: list[int]) -> Iterable[tuple[int, int, int, Value]]:
    """Yield (measure, start, duration, value) of the pieces of a chord."""
    position, end = chord.start, chord.start + chord.duration
    following = bisect.bisect_right(breaks, position)
    while position < end:
        index = page.measure_index(position)
        measure = page.measures[index]
        until = min(end, measure.end) if index + 1 < len(page.measures) else end
        if following < len(breaks) and breaks[following] < until:
            until = breaks[following]
            following += 1
        inside = page.quarters(position - measure.start)
        for quarters, value in split_duration(inside, page.quarters(until - position), page.divisions):
            duration = int(quarters * page.divisions)
            yield index, position, duration, value
            position += duration
        while following < len(breaks) and breaks[following] <= position:
            following += 1
