"""Pieces of chords → <note> elements (third stage of writing MusicXML)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

from muspy_core.io.musicxml import elements
from muspy_core.io.musicxml.drums import drum_place
from muspy_core.io.musicxml.durations import Value, nominal_type, single_value
from muspy_core.io.musicxml.voices import Head, Layer, Piece

BEAMED = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4, "128th": 5, "256th": 6, "512th": 7, "1024th": 8}


@dataclasses.dataclass
class Written:
    """What is decided about a piece before it is written down.

    accidentals: by head identifier. beams: (level, kind). slurs: (type, number). tuplet: start and stop of a bracket.
    """

    accidentals: dict[str, int] = dataclasses.field(default_factory=dict)
    beams: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    slurs: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    lyrics: list[tuple[str, int | None]] = dataclasses.field(default_factory=list)
    tuplet: list[str] = dataclasses.field(default_factory=list)


class NoteWriter:
    """Writes the notes of a part.

    place: written diatonic number and alteration of a head. instrument: id of the instrument of a head, None if the
    part has one only. level: velocity that the dynamics around give at a position.
    """

    def __init__(
        self,
        place: Callable[[Head], tuple[int, int]],
        instrument: Callable[[Head], str | None],
        level: Callable[[int], int],
        drum_tracks: frozenset[int],
        divisions: int,
    ) -> None:
        self._place = place
        self._instrument = instrument
        self._level = level
        self._drum_tracks = drum_tracks
        self._divisions = divisions

    def write(self, piece: Piece, layer: Layer, written: Written) -> str:
        """Return the notes of a chord, or of one piece of it."""
        return "".join(
            self._note(head, piece, layer, written, is_first=index == 0) for index, head in enumerate(piece.chord.heads)
        )

    def rest(self, duration: int, value: Value | None, layer: Layer, written: Written) -> str:
        """Return a rest; without a value it fills a measure."""
        measure = ' measure="yes"' if value is None else ""
        shown = "" if value is None else _shown_value(value)
        parts = [
            f"<note><rest{measure}/><duration>{duration}</duration>",
            "" if layer.voice is None else f"<voice>{layer.voice}</voice>",
            shown,
            "" if layer.staff is None else f"<staff>{layer.staff}</staff>",
            _notations([f'<tuplet type="{kind}"/>' for kind in written.tuplet]),
            "</note>",
        ]
        return "".join(parts)

    def _note(self, head: Head, piece: Piece, layer: Layer, written: Written, is_first: bool) -> str:
        is_last_piece = not piece.has_next
        suffix = "" if piece.number == 1 else f".{piece.number}"
        level = self._level(head.start)
        velocity = f' dynamics="{elements.percent(head.velocity)}"' if head.velocity != level else ""
        starts = piece.has_next or (is_last_piece and head.tie in ("start", "continue"))
        stops = piece.number > 1 or head.tie in ("stop", "continue")
        ties = [kind for kind, present in (("stop", stops), ("start", starts)) if present]
        notations = [f'<tied type="{kind}"/>' for kind in ties]
        if is_first:
            notations += [f'<slur type="{kind}" number="{number}"/>' for kind, number in written.slurs]
            notations += [f'<tuplet type="{kind}"/>' for kind in written.tuplet]
        notations += _marks(head, piece.number == 1, is_last_piece)
        staff = head.staff or layer.staff
        instrument = self._instrument(head)
        shape = self._shape(head)
        parts = [
            f'<note id="{head.identifier}{suffix}"{velocity}>',
            self._grace(head) if head.grace else "",
            "<cue/>" if head.is_cue else "",
            "" if is_first else "<chord/>",
            shape[0],
            "" if head.grace else f"<duration>{piece.duration}</duration>",
            "" if head.is_cue else "".join(f'<tie type="{kind}"/>' for kind in ties),
            "" if instrument is None else f'<instrument id="{instrument}"/>',
            "" if layer.voice is None else f"<voice>{layer.voice}</voice>",
            self._value(head, piece),
            self._accidental(head, written),
            _time_modification(piece.value),
            shape[1],
            "" if staff is None else f"<staff>{staff}</staff>",
            "".join(f'<beam number="{n}">{kind}</beam>' for n, kind in written.beams) if is_first else "",
            _notations(notations),
            "".join(elements.lyric(syllable, verse) for syllable, verse in written.lyrics) if is_first else "",
            "</note>\n",
        ]
        return "".join(parts)

    def _shape(self, head: Head) -> tuple[str, str]:
        """Return the pitch or unpitched element, and the notehead of drums."""
        if head.track not in self._drum_tracks:
            return elements.pitch(*self._place(head)), ""
        step, octave, notehead = drum_place(head.pitch, head.spelling)
        shown = "" if notehead == "normal" else f"<notehead>{notehead}</notehead>"
        place = f"<display-step>{step}</display-step><display-octave>{octave}</display-octave>"
        return f"<unpitched>{place}</unpitched>", shown

    def _grace(self, head: Head) -> str:
        return '<grace slash="yes"/>' if head.grace == "acciaccatura" else "<grace/>"

    def _value(self, head: Head, piece: Piece) -> str:
        if head.grace:
            return f"<type>{nominal_type(Fraction(head.nominal, self._divisions))}</type>"
        return f"<type>{piece.value.type}</type>" + "<dot/>" * piece.value.dots

    def _accidental(self, head: Head, written: Written) -> str:
        alter = written.accidentals.get(head.identifier)
        name = None if alter is None else elements.ACCIDENTALS.get(alter)
        return "" if name is None else f"<accidental>{name}</accidental>"


def _shown_value(value: Value) -> str:
    return f"<type>{value.type}</type>" + "<dot/>" * value.dots + _time_modification(value)


def _time_modification(value: Value) -> str:
    if value.actual == 1:
        return ""
    inside = f"<actual-notes>{value.actual}</actual-notes><normal-notes>{value.normal}</normal-notes>"
    return f"<time-modification>{inside}</time-modification>"


def _marks(head: Head, is_first_piece: bool, is_last_piece: bool) -> list[str]:
    """Return articulations and ornaments: all on the first of tied notes, but fermatas on the last."""
    marks = []
    for name in head.articulations:
        if is_last_piece if name == "fermata" else is_first_piece:
            marks.append(elements.articulation(name))
    if is_first_piece:
        marks += [elements.ornament(name) for name in head.ornaments]
    return marks


def _notations(parts: list[str]) -> str:
    return f"<notations>{''.join(parts)}</notations>" if parts else ""


def beam(pieces: list[Piece], written: dict[int, Written], beat_of: Callable[[Piece], int]) -> None:
    """Join short notes of a layer that lie in one beat; rests and longer notes end a beam.

    pieces: of one layer and measure, without grace notes. written: by id of the piece.
    """
    group: list[Piece] = []
    for piece in pieces:
        joins = bool(group) and piece.start == group[-1].end and beat_of(piece) == beat_of(group[-1])
        if not joins:
            _beam_group(group, written)
            group = []
        if piece.value.type in BEAMED:
            group.append(piece)
        else:
            _beam_group(group, written)
            group = []
    _beam_group(group, written)


def _beam_group(group: list[Piece], written: dict[int, Written]) -> None:
    if len(group) < 2:
        return
    levels = [BEAMED[piece.value.type] for piece in group]
    for index, piece in enumerate(group):
        for level in range(1, levels[index] + 1):
            before = index > 0 and levels[index - 1] >= level
            after = index + 1 < len(group) and levels[index + 1] >= level
            if before and after:
                kind = "continue"
            elif after:
                kind = "begin"
            elif before:
                kind = "end"
            else:
                kind = "forward hook" if index == 0 else "backward hook"
            written[id(piece)].beams.append((level, kind))


def bracket_tuplets(values: list[Value], add: Callable[[int, str], None]) -> None:
    """Group neighbouring tuplet values into brackets: as soon as a group lasts a plain note value it is complete.

    values: those of the notes and rests of a layer in order; `add` is told (index, "start" or "stop").
    """
    begin, lasted, ratio = -1, Fraction(0), (1, 1)
    for index, value in enumerate(values):
        current = (value.actual, value.normal)
        if begin >= 0 and current != ratio:
            add(index - 1, "stop")
            begin = -1
        if current == (1, 1):
            continue
        if begin < 0:
            begin, lasted, ratio = index, Fraction(0), current
            add(index, "start")
        lasted += value.quarters
        whole = single_value(lasted)
        if lasted.denominator & (lasted.denominator - 1) == 0 and (whole is None or whole.actual == 1):
            add(index, "stop")
            begin = -1
    if begin >= 0:
        add(len(values) - 1, "stop")
