"""A track → the text of its measures, for the ABC writer."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from muspy_core.io.abc import marks
from muspy_core.io.abc.fields import CLEFS
from muspy_core.io.abc.layers import Grace, Pitch, Symbol, cut, make_layers
from muspy_core.io.abc.measures import Measures
from muspy_core.io.abc.notation import ACCIDENTALS, field_text, length_text, letter_text, one_line, quoted_text
from muspy_core.io.musicxml.spelling import LETTERS, natural_pitch, place, shift_spelling, spell_in_key, usual_diatonic
from muspy_core.music import Music, Track

DECORATIONS = marks.ARTICULATION_NAMES | marks.ORNAMENT_NAMES
MAX_VERSES = 50
MAX_TUPLET = 13


class Bar(NamedTuple):
    """A measure of a staff. lyrics: (verses, notes) syllables; notes: how many symbols of the first layer take one."""

    text: str
    lyrics: tuple[tuple[str, ...], ...] = ()
    notes: int = 0


class StaffWriter:
    """Writes the measures of a track.

    music: the piece if this is its first track, which also carries tempi, chord symbols and texts; else None.
    """

    def __init__(self, track: Track, music: Music | None, measures: Measures) -> None:
        self._measures = measures
        self._track = track
        self._shift = (track.transposition or 0) + 12 * (_octave(track) or 0)
        self._diatonic = usual_diatonic(track.transposition or 0) + 7 * (_octave(track) or 0)
        self._key_fields = measures.key_fields()
        self._before = self._collect_marks(music)
        self._layers, graces = make_layers(track, DECORATIONS)
        self._graces: dict[int, list[Grace]] = {}
        for grace in graces:
            self._graces.setdefault(grace.time, []).append(grace)
        self._opens, self._closes = self._collect_slurs()
        self._syllables: dict[int, list[tuple[int, str]]] = {}
        for lyric in track.lyrics:
            syllable = _syllable(lyric.lyric)
            if syllable:
                verse = min(lyric.verse or 1, MAX_VERSES)
                self._syllables.setdefault(lyric.time, []).append((verse, syllable))
        self._alters: dict[int, int] = {}
        self._index = 0

    @staticmethod
    def attributes(track: Track) -> str:
        """Return clef and transposition as in a V: field."""
        words = ""
        clef = next((clef for clef in track.clefs if clef.time == 0), None)
        if clef is not None:
            names = {value: name for name, value in CLEFS.items()}
            name = names.get((clef.sign, clef.line)) or names.get((clef.sign, None))
            if name is None and clef.sign in ("G", "F", "C") and clef.line in (1, 2, 3, 4, 5):
                name = f"{clef.sign}{clef.line}"
            if name is not None:
                words += f" clef={name}{ {1: '+8', -1: '-8'}.get(clef.octave_change or 0, '') }"
        if track.transposition:
            words += f" transpose={track.transposition}"
        return words

    def write(self) -> list[Bar]:
        """Return the text of every measure."""
        borders = self._measures.borders
        if len(borders) < 2:
            return []
        inner = {*self._before, *self._graces}
        places = sorted({*borders, *(time for time in inner if 0 <= time <= borders[-1])})
        first = _by_measure(cut(self._layers[0], places), places, borders)
        others = [_by_measure(cut(layer, borders), borders, borders) for layer in self._layers[1:]]
        return [
            self._write_measure(index, first[index], [layer[index] for layer in others])
            for index in range(self._measures.count)
        ]

    # --- what stands beside the notes --------------------------------------------------------------------------------

    def _collect_marks(self, music: Music | None) -> dict[int, list[str]]:
        """Return what is written before the symbol at a time."""
        before: dict[int, list[str]] = {}
        for time, text in self._measures.tempo_fields() if music is not None else ():
            before.setdefault(time, []).append(text)
        for text_ in music.texts if music is not None else ():
            if text_.kind == "rehearsal" and text_.text.strip() and "]" not in text_.text:
                before.setdefault(text_.time, []).append(f"[P:{field_text(text_.text)}]")
            elif text_.kind in (None, "words", "rehearsal") and one_line(text_.text):
                before.setdefault(text_.time, []).append(f'"^{quoted_text(text_.text)}"')
        for symbol in music.chord_symbols if music is not None else ():
            quality = symbol.text if symbol.text is not None else marks.KIND_TEXTS.get(symbol.kind, "")
            bass = f"/{symbol.bass}" if symbol.bass else ""
            before.setdefault(symbol.time, []).append(f'"{quoted_text(symbol.root + quality + bass)}"')
        for dynamic in self._track.dynamics:
            if dynamic.dynamic in ("crescendo", "diminuendo"):
                sign = "<" if dynamic.dynamic == "crescendo" else ">"
                before.setdefault(dynamic.time, []).append(f"!{sign}(!")
                before.setdefault(dynamic.time + max(dynamic.duration or 0, 0), []).append(f"!{sign})!")
            elif dynamic.dynamic in marks.DYNAMICS:
                before.setdefault(dynamic.time, []).append(f"!{dynamic.dynamic}!")
        return before

    def _collect_slurs(self) -> tuple[dict[int, int], dict[int, int]]:
        """Return how many slurs open and close at the onsets of the first layer."""
        onsets = {symbol.start for symbol in self._layers[0]}
        opens: dict[int, int] = {}
        closes: dict[int, int] = {}
        for slur in self._track.slurs:
            if slur.time in onsets and slur.time + slur.duration in onsets and slur.duration > 0:
                opens[slur.time] = opens.get(slur.time, 0) + 1
                closes[slur.time + slur.duration] = closes.get(slur.time + slur.duration, 0) + 1
        return opens, closes

    # --- measures ----------------------------------------------------------------------------------------------------

    def _write_measure(self, index: int, first: list[Symbol], others: list[list[Symbol]]) -> Bar:
        self._index = index
        start, stop = self._measures.borders[index : index + 2]
        self._alters = {}
        words = [self._key_fields[start]] if start in self._key_fields else []
        words.append(self._write_layer(first, start, is_first=True))
        if index == self._measures.count - 1:
            words += self._before.get(stop, [])
            words += self._grace_text(stop)
        active = max((number for number, layer in enumerate(others, 1) if any(s.pitches for s in layer)), default=0)
        for layer in others[:active]:
            self._alters = {}
            words.append("& " + self._write_layer(layer, start, is_first=False))
        notes = [symbol for symbol in first if symbol.pitches]
        return Bar(" ".join(word for word in words if word), self._lyrics_of(notes), len(notes))

    def _write_layer(self, symbols: list[Symbol], start: int, is_first: bool) -> str:
        """Return the symbols of a measure; those shorter than a quarter are joined inside a beat, which beams them."""
        beat = self._measures.beat(self._index)
        texts: list[str] = []
        written = self._lengths(symbols)
        for number, (symbol, (tuplet, length)) in enumerate(zip(symbols, written, strict=True)):
            text = tuplet + self._write_symbol(symbol, length, is_first)
            previous = symbols[number - 1] if number else None
            is_beamed = (
                previous is not None
                and max(symbol.end - symbol.start, previous.end - previous.start) < self._measures.resolution
                and (symbol.start - start) // beat == (previous.start - start) // beat
                and bool(symbol.pitches and previous.pitches)
            )
            texts.append(text if is_beamed or not texts else f" {text}")
        return "".join(texts)

    def _write_symbol(self, symbol: Symbol, length: Fraction, is_first: bool) -> str:
        words = []
        if is_first:
            words += self._before.get(symbol.start, [])
            words += self._grace_text(symbol.start, symbol.continued)
        if not symbol.pitches:
            return "".join([*words, "z" if is_first else "x", length_text(length)])
        if is_first and not symbol.continued:
            words.append("(" * self._opens.get(symbol.start, 0))
        words += [f"!{mark}!" if mark != "staccato" else "." for mark in symbol.marks]
        tie = "-" if symbol.tied else ""
        # A reader may carry the accidental of a tied note on; where a chord has one letter twice that is ambiguous.
        is_ambiguous = symbol.continued and len(symbol.pitches) > 1
        notes = [self._pitch_text(pitch, is_ambiguous) for pitch in symbol.pitches]
        words.append(notes[0] if len(notes) == 1 else f"[{''.join(notes)}]")
        words.append(length_text(length) + tie)
        if is_first and not symbol.continued:
            words.append(")" * self._closes.get(symbol.start, 0))
        return "".join(words)

    def _grace_text(self, time: int, explicit: bool = False) -> list[str]:
        graces = self._graces.get(time)
        if not graces:
            return []
        notes = [self._pitch_text(g.pitch, explicit) + length_text(self._units(g.duration)) for g in graces]
        return ["{" + ("/" if graces[0].slashed else "") + "".join(notes) + "}"]

    def _pitch_text(self, pitch: Pitch, explicit: bool) -> str:
        """Return a note without its length, with an accidental where key and measure ask for it or if `explicit`."""
        written = pitch.pitch - self._shift
        spelling = pitch.spelling
        if spelling and self._diatonic:
            spelling = shift_spelling(spelling, -self._diatonic, -self._shift)
        diatonic = place(written, spelling)
        if diatonic is None or abs(written - natural_pitch(diatonic)) > 2:
            fifths = self._measures.key(self._index).fifths or 0
            diatonic = spell_in_key(written, max(min(fifths, 7), -7))
        alter = written - natural_pitch(diatonic)
        letter = diatonic % len(LETTERS)
        usual = self._alters.get(letter, self._measures.key(self._index).alters[letter])
        accidental = ACCIDENTALS[alter] if explicit or alter != usual else ""
        if accidental:
            self._alters[letter] = alter
        return accidental + letter_text(diatonic)

    # --- lengths -----------------------------------------------------------------------------------------------------

    def _units(self, steps: int) -> Fraction:
        return Fraction(steps * self._measures.unit, 4 * self._measures.resolution)

    def _lengths(self, symbols: list[Symbol]) -> list[tuple[str, Fraction]]:
        """Return (tuplet mark, written length in units) of each symbol; what fits no tuplet keeps its odd fraction."""
        lengths = [self._units(symbol.end - symbol.start) for symbol in symbols]
        written: list[tuple[str, Fraction]] = []
        while len(written) < len(lengths):
            first = len(written)
            count, odd = _tuplet_at(lengths, first)
            if not count:
                written.append(("", lengths[first]))
                continue
            time = 2 ** (odd.bit_length() - 1)
            mark = "(3" if odd == count == 3 else f"({odd}:{time}:{count}"
            scaled = [length * odd / time for length in lengths[first : first + count]]
            written += [(mark if index == 0 else "", length) for index, length in enumerate(scaled)]
        return written

    def _lyrics_of(self, notes: list[Symbol]) -> tuple[tuple[str, ...], ...]:
        """Return the syllables of the notes of a measure, verse by verse."""
        if not self._syllables or not notes:
            return ()
        verses: list[list[str]] = []
        for index, symbol in enumerate(notes):
            for verse, syllable in () if symbol.continued else self._syllables.get(symbol.start, ()):
                verses += [["*"] * len(notes) for _ in range(verse - len(verses))]
                verses[verse - 1][index] = syllable
        return tuple(tuple(verse) for verse in verses)


def _octave(track: Track) -> int | None:
    """Return by how many octaves the first clef shifts the sound."""
    clef = next((clef for clef in track.clefs if clef.time == 0), None)
    return clef.octave_change if clef is not None and clef.octave_change in (-1, 1) else None


def _by_measure(pieces: list[list[Symbol]], places: list[int], borders: list[int]) -> list[list[Symbol]]:
    """Gather the symbols of intervals by measure; all borders are places."""
    gathered: list[list[Symbol]] = []
    measures = set(borders)
    for start, piece in zip(places, pieces, strict=False):
        if start in measures:
            gathered.append([])
        gathered[-1].extend(piece)
    return gathered


def _tuplet_at(lengths: list[Fraction], first: int) -> tuple[int, int]:
    """Return (number of symbols, p) of the shortest tuplet that starts here, (0, 0) if there is none.

    A tuplet lasts a power of two of units over a power of two, and all its symbols do when they are stretched.
    """
    odd = _odd_part(lengths[first].denominator)
    if odd == 1 or odd > MAX_TUPLET:
        return 0, 0
    total = Fraction(0)
    for count, length in enumerate(lengths[first : first + 2 * MAX_TUPLET], 1):
        total += length
        if odd % _odd_part(length.denominator):
            return 0, 0
        if _odd_part(total.denominator) == 1:
            return (count, odd) if count <= 99 else (0, 0)
    return 0, 0


def _odd_part(number: int) -> int:
    return number // (number & -number)


def _syllable(text: str) -> str:
    """Return a lyric as a word of a w: line; characters that would steer the alignment are left out."""
    stripped = one_line(text)
    goes_on = stripped.endswith(" -")
    stripped = stripped.removeprefix("- ").removesuffix(" -").strip()
    for character in "_*|":
        stripped = stripped.replace(character, "")
    escaped = stripped.replace("\\", "\\\\").replace("%", "\\%").replace("&", "&amp;").replace("-", "\\-")
    return escaped.replace(" ", "~") + ("-" if goes_on and escaped else "")
