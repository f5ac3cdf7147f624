"""Measures of a part → XML (fourth stage of writing MusicXML)."""

from __future__ import annotations

import bisect
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction

from muspy_core.errors import MusicXMLError
from muspy_core.events import Lyric
from muspy_core.io.musicxml import elements
from muspy_core.io.musicxml.attributes_writer import AttributesWriter
from muspy_core.io.musicxml.directions_writer import Direction
from muspy_core.io.musicxml.durations import Value, split_rest
from muspy_core.io.musicxml.layout import Measure, Page
from muspy_core.io.musicxml.marks import DYNAMIC_VELOCITIES
from muspy_core.io.musicxml.note_writer import NoteWriter, Written, beam, bracket_tuplets
from muspy_core.io.musicxml.rows import MAX_QUARTERS
from muspy_core.io.musicxml.slurs import number_slurs
from muspy_core.io.musicxml.spelling import fifths_of_interval, natural_pitch, place, spell_in_key, usual_diatonic
from muspy_core.io.musicxml.voices import Head, Layer, Piece, heads_of, layers_of, pieces_of
from muspy_core.music import Music, Track

MAX_ALTERATION = 3
FURTHEST_INTERVAL = 12  # on the line of fifths; letters and semitones that are further apart do not fit each other


class Part:
    """The tracks that share a part of the score. first: index of the first one in the piece."""

    def __init__(self, number: int, first: int, tracks: list[Track]) -> None:
        self.number = number
        self.indices = range(first, first + len(tracks))
        self.tracks = tracks

    @property
    def identifier(self) -> str:
        """The id of the part."""
        return f"P{self.number}"

    @functools.cached_property
    def staves(self) -> int:
        """Number of staves: what the tracks say, at least as many as their notes stand on."""
        stated = max((track.staves or 1 for track in self.tracks), default=1)
        used = max((int(track.notes.array["staff"].max(initial=1)) for track in self.tracks), default=1)
        return max(stated, used, 1)

    @functools.cached_property
    def shift(self) -> tuple[int, int]:
        """Letters and semitones from the written to the sounding pitch."""
        track = self.tracks[0]
        if track.transposition is None:
            return 0, 0
        diatonic = track.diatonic_transposition
        if diatonic is None or abs(fifths_of_interval(diatonic, track.transposition)) > FURTHEST_INTERVAL:
            diatonic = usual_diatonic(track.transposition)
        return diatonic, track.transposition

    def instruments(self) -> list[tuple[str, Track, int | None]]:
        """Return (id, track, key) of its instruments: one for each track, and for each key of a drum track."""
        found: list[tuple[str, Track, int | None]] = []
        for index, track in zip(self.indices, self.tracks, strict=True):
            base = f"{self.identifier}-I{index - self.indices[0] + 1}"
            keys = sorted({*track.notes.array["pitch"].tolist(), *(p for chord in track.chords for p in chord.pitches)})
            if track.is_drum and keys:
                found += [(f"{base}-K{key}", track, key) for key in keys]
            else:
                found.append((base, track, None))
        return found


def parts_of(music: Music) -> list[Part]:
    """Group the tracks of a piece into parts: neighbours that come from one part of a MusicXML file stay together."""
    groups: list[tuple[int, list[Track]]] = []
    for index, track in enumerate(music.tracks):
        before = music.tracks[index - 1] if index else None
        if (
            before is not None
            and music.midi_format is None
            and track.midi_track is not None
            and track.midi_track == before.midi_track
        ):
            groups[-1][1].append(track)
        else:
            groups.append((index, [track]))
    return [Part(number, first, tracks) for number, (first, tracks) in enumerate(groups, 1)]


class PartWriter:
    """Writes the measures of one part.

    barlines: XML of the left and right bar lines of measures.
    """

    def __init__(
        self,
        part: Part,
        page: Page,
        attributes: AttributesWriter,
        barlines: dict[tuple[int, str], str],
    ) -> None:
        self._part = part
        self._page = page
        self._attributes = attributes
        self._barlines = barlines
        heads = [head for i, track in zip(part.indices, part.tracks, strict=True) for head in heads_of(track, i, page)]
        self._places = {head.identifier: self._spell(head) for head in heads}
        self._layers = layers_of(heads, part.staves)
        syllables: dict[int | None, set[int]] = defaultdict(set)
        for lyric in (lyric for track in part.tracks for lyric in track.lyrics):
            syllables[lyric.voice].add(page.position(lyric.time))
        self._pieces = [pieces_of(layer, page, syllables) for layer in self._layers]
        self._written: dict[int, Written] = defaultdict(Written)
        self._levels = _levels(part, page, heads)
        self._directions: dict[int, list[Direction]] = defaultdict(list)
        ids = {(track, key): name for name, track, key in self._instrument_keys()}
        has_several = len(ids) > 1
        drum_tracks = frozenset(i for i, track in zip(part.indices, part.tracks, strict=True) if track.is_drum)
        self._notes = NoteWriter(
            place=lambda head: self._places[head.identifier],
            instrument=lambda head: (
                ids.get((head.track, head.pitch), ids.get((head.track, -1))) if has_several else None
            ),
            level=self.level,
            drum_tracks=drum_tracks,
            divisions=page.divisions,
        )
        self._attach_slurs()
        self.attach_lyrics([lyric for track in part.tracks for lyric in track.lyrics])

    def _instrument_keys(self) -> Iterable[tuple[str, int, int]]:
        indices = dict(zip(map(id, self._part.tracks), self._part.indices, strict=True))
        for name, track, key in self._part.instruments():
            yield name, indices[id(track)], -1 if key is None else key

    def _spell(self, head: Head) -> tuple[int, int]:
        """Return the written diatonic number and alteration of a note."""
        diatonic = place(head.pitch, head.spelling)
        if diatonic is None:
            diatonic = spell_in_key(head.pitch, self._attributes.fifths_at(head.start))
        letters, semitones = self._part.shift
        written, pitch = diatonic - letters, head.pitch - semitones
        if abs(pitch - natural_pitch(written)) > MAX_ALTERATION:
            written = spell_in_key(pitch, self._attributes.written_fifths_at(head.start))
        return written, pitch - natural_pitch(written)

    @property
    def initial_level(self) -> int:
        """The velocity before the first dynamic mark."""
        return self._levels[1][0]

    def add_directions(self, directions: list[Direction]) -> None:
        """Show something between the notes."""
        for direction in directions:
            if direction.position > MAX_QUARTERS * self._page.divisions:
                raise MusicXMLError(f"a mark beyond {MAX_QUARTERS:,} quarter notes does not go on paper")
            self._directions[self._page.measure_index(direction.position)].append(direction)

    def level(self, position: int) -> int:
        """Return the velocity that dynamic marks give to a note at a position without one of its own."""
        positions, velocities = self._levels
        return velocities[bisect.bisect_right(positions, position)]

    # --- what hangs on notes -----------------------------------------------------------------------------------------

    def _attach_slurs(self) -> None:
        slurs = [slur for track in self._part.tracks for slur in track.slurs]
        if slurs:
            pieces = [
                (layer, piece)
                for layer, found in zip(self._layers, self._pieces, strict=True)
                for group in found.values()
                for piece in group
            ]
            for piece, kind, number in number_slurs(slurs, pieces, self._page):
                self._written[id(piece)].slurs.append((kind, number))

    def attach_lyrics(self, lyrics: list[Lyric]) -> None:
        """Hang each syllable on the note of its voice at its time, else on the last note before."""
        onsets: dict[int | None, dict[int, Piece]] = defaultdict(dict)
        in_any: dict[int, Piece] = {}
        for layer, measures in zip(self._layers, self._pieces, strict=True):
            for group in measures.values():
                for piece in group:
                    if not piece.chord.is_grace:
                        onsets[layer.voice].setdefault(piece.start, piece)
                        if piece.number == 1 or piece.start not in in_any:
                            in_any[piece.start] = piece
        positions = sorted(in_any)
        for lyric in lyrics if positions else []:
            position = self._page.position(lyric.time)
            nearest = positions[max(bisect.bisect_right(positions, position) - 1, 0)]
            hung_on = onsets[lyric.voice].get(position) or in_any[nearest]
            self._written[id(hung_on)].lyrics.append((lyric.lyric, lyric.verse))

    # --- measures ----------------------------------------------------------------------------------------------------

    def write(self) -> str:
        """Return the measures."""
        return "".join(self._measure(index, measure) for index, measure in enumerate(self._page.measures))

    def _measure(self, index: int, measure: Measure) -> str:
        implicit = ' implicit="yes"' if measure.is_implicit else ""
        out = [f"<measure number={elements.attribute(measure.number)}{implicit}>\n"]
        out.append(self._barlines.get((index, "left"), ""))
        out.append(self._attributes.at_start(index))
        self._choose_accidentals(index)
        inside = self._attributes.inside(index)
        directions = sorted(self._directions.get(index, []), key=lambda direction: direction.position)
        cursor = measure.start
        for number, (layer, pieces) in enumerate(zip(self._layers, self._pieces, strict=True)):
            found = pieces.get(index, [])
            is_main = number == 0 or layer.staff != self._layers[number - 1].staff
            if not found and not is_main:
                continue
            if cursor != measure.start:
                out.append(f"<backup><duration>{cursor - measure.start}</duration></backup>\n")
            cursor = self._layer(out, measure, layer, found, is_main, directions if number == 0 else [], inside)
        for position in sorted(inside):
            out.append(_move(cursor, position))
            out.append(inside[position])
            cursor = position
        for direction in directions:
            out.append(direction.xml(direction.position - cursor))
        out.append(_move(cursor, measure.end))
        out.append(self._barlines.get((index, "right"), ""))
        out.append("</measure>\n")
        return "".join(out)

    def _layer(
        self,
        out: list[str],
        measure: Measure,
        layer: Layer,
        pieces: list[Piece],
        is_main: bool,
        directions: list[Direction],
        inside: dict[int, str],
    ) -> int:
        """Append the notes and rests of a layer in a measure; return where it ends.

        The main layer of a staff is filled up with rests; others have rests between their notes only. Directions go
        before the note or rest in whose time they stand and are taken off the list, as are attributes in `inside`.
        """
        items = self._with_rests(measure, layer, pieces, is_main)
        self._decorate(measure, items)
        cursor = measure.start
        for start, duration, piece, value, written in items:
            out.append(_move(cursor, start))
            cursor = start
            if start in inside and start > measure.start:
                out.append(inside.pop(start))
            while directions and directions[0].position < start + max(duration, 1) and duration:
                direction = directions.pop(0)
                out.append(direction.xml(direction.position - cursor))
            if piece is not None:
                out.append(self._notes.write(piece, layer, written))
            else:
                out.append(self._notes.rest(duration, value, layer, written) + "\n")
            cursor += duration
        return cursor

    def _with_rests(
        self, measure: Measure, layer: Layer, pieces: list[Piece], is_main: bool
    ) -> list[tuple[int, int, Piece | None, Value | None, Written]]:
        """Return (start, duration, piece, value, decisions) of notes and the rests between them."""
        if is_main and not any(piece.duration for piece in pieces):
            graces = [
                (measure.start, 0, piece, piece.value, self._written[id(piece)])
                for piece in pieces
                if piece.start == measure.start
            ]
            late = [
                (piece.start, 0, piece, piece.value, self._written[id(piece)])
                for piece in pieces
                if piece.start != measure.start
            ]
            if not late:
                return [*graces, (measure.start, measure.length, None, None, Written())]
        items: list[tuple[int, int, Piece | None, Value | None, Written]] = []
        cursor = measure.start
        for piece in pieces:
            if piece.start > cursor and (is_main or items):
                items += self._rests(measure, cursor, piece.start)
            items.append((piece.start, piece.duration, piece, piece.value, self._written[id(piece)]))
            cursor = max(piece.end, cursor)
        if is_main and cursor < measure.end:
            items += self._rests(measure, cursor, measure.end)
        return items

    def _rests(
        self, measure: Measure, start: int, end: int
    ) -> list[tuple[int, int, Piece | None, Value | None, Written]]:
        rests: list[tuple[int, int, Piece | None, Value | None, Written]] = []
        page = self._page
        for quarters, value in split_rest(
            page.quarters(start - measure.start), page.quarters(end - start), page.divisions
        ):
            duration = int(quarters * page.divisions)
            rests.append((start, duration, None, value, Written()))
            start += duration
        return rests

    def _decorate(self, measure: Measure, items: list[tuple[int, int, Piece | None, Value | None, Written]]) -> None:
        """Decide on beams and tuplet brackets of a layer in a measure."""
        timed = [item for item in items if item[1]]
        values = [item[3] or Value("whole", 0, 1, 1) for item in timed]
        bracket_tuplets(values, lambda index, kind: timed[index][4].tuplet.append(kind))
        beat = _beam_length(measure, self._page.divisions)
        beam(
            [item[2] for item in timed if item[2] is not None],
            self._written,
            lambda piece: int((piece.start - measure.start) // beat),
        )

    def _choose_accidentals(self, index: int) -> None:
        """Decide which notes of a measure show an accidental: those that differ from the key or the last on a line."""
        fifths = self._attributes.written_fifths_at(self._page.measures[index].start)
        in_key = _key_alterations(fifths)
        current: dict[tuple[int, int], int] = {}
        found: list[tuple[int, bool, int, Head, Piece]] = []
        for layer, measures in zip(self._layers, self._pieces, strict=True):
            for piece in measures.get(index, []):
                for head in piece.chord.heads:
                    staff = head.staff or layer.staff or 1
                    found.append((piece.start, not piece.chord.is_grace, staff, head, piece))
        found.sort(key=lambda item: item[:3])
        for _, _, staff, head, piece in found:
            diatonic, alter = self._places[head.identifier]
            if piece.number > 1 or head.tie in ("stop", "continue"):
                continue
            if current.get((staff, diatonic), in_key[diatonic % 7]) != alter:
                self._written[id(piece)].accidentals[head.identifier] = alter
                current[staff, diatonic] = alter


def _move(cursor: int, target: int) -> str:
    if target > cursor:
        return f"<forward><duration>{target - cursor}</duration></forward>\n"
    if target < cursor:
        return f"<backup><duration>{cursor - target}</duration></backup>\n"
    return ""


def _beam_length(measure: Measure, divisions: int) -> Fraction:
    """Return how far a beam may reach: a beat, in compound metres three eighths (or sixteenths)."""
    meter = measure.meter
    unit = Fraction(4 * divisions, meter.denominator)
    if meter.denominator >= 8 and meter.numerator % 3 == 0:
        return 3 * unit
    return max(unit, Fraction(divisions))


def _key_alterations(fifths: int) -> list[int]:
    """Return the alteration of each letter C … B in a key signature."""
    # On the line of fifths F C G D A E B have the places −1 … 5; a signature raises or lowers them in this order.
    return [(fifths - ((2 * letter + 1) % 7 - 1) + 5) // 7 for letter in range(7)]


def _levels(part: Part, page: Page, heads: list[Head]) -> tuple[list[int], list[int]]:
    """Return (positions, velocities) of the dynamic levels that are written; velocities[0] holds before the first."""
    marks = sorted(
        page.position(mark.time)
        for track in part.tracks
        for mark in track.dynamics
        if mark.dynamic in DYNAMIC_VELOCITIES
    )
    onsets = sorted((head.start, head.velocity) for head in heads)
    usual = Counter(head.velocity for head in heads).most_common(1)
    initial = 64
    if usual and (not marks or marks[0] > onsets[0][0]):
        initial = usual[0][0]
    levels = []
    for position in marks:
        following = bisect.bisect_left(onsets, (position, -1))
        levels.append(onsets[following][1] if following < len(onsets) else initial)
    return marks, [initial, *levels]
