"""music21 streams → Music (`music21_writer.py` goes the other way).

A stream is walked once, measures and voices included, and every element is put at its exact offset; offsets in quarter
notes become steps by rounding halves up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from muspy_core.events import (
    DEFAULT_VELOCITY,
    Barline,
    Beat,
    Chord,
    ChordSymbol,
    Clef,
    Dynamic,
    KeySignature,
    Lyric,
    Metadata,
    Note,
    Repeat,
    Slur,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.interop.music21_names import spelling_here
from muspy_core.interop.music21_notes import Sounding, merge_ties, soundings_of
from muspy_core.interop.peers import import_peer
from muspy_core.music import Music, Track
from muspy_core.timing import DEFAULT_RESOLUTION

DRUM_CHANNEL = 9
REPEAT_SIGNS = {
    "Segno": "segno",
    "Coda": "coda",
    "Fine": "fine",
    "DaCapo": "dacapo",
    "DaCapoAlFine": "dacapo",
    "DaCapoAlCoda": "dacapo",
    "DalSegno": "dalsegno",
    "DalSegnoAlFine": "dalsegno",
    "DalSegnoAlCoda": "dalsegno",
}


@dataclasses.dataclass(frozen=True)
class Placed:
    """An element of a stream at its time in steps, with the number of its voice (None outside voices)."""

    time: int
    element: Any
    voice: int | None
    offset: Fraction


def from_music21(stream: Any, resolution: int = DEFAULT_RESOLUTION) -> Any:
    """Return a music21 stream as Music; an Opus as a list of Music, a Part as a Track or a list of Tracks.

    Args:
        stream: A music21 Opus, Score, Part or any other stream, which is read as a score of one part.
        resolution: Time steps per quarter note.
    """
    music21 = import_peer("music21")
    if isinstance(stream, music21.stream.Opus):
        return from_music21_opus(stream, resolution)
    if isinstance(stream, music21.stream.Part):
        return from_music21_part(stream, resolution)
    return from_music21_score(stream, resolution)


def from_music21_opus(opus: Any, resolution: int = DEFAULT_RESOLUTION) -> list[Music]:
    """Return each score of a music21 Opus as Music. resolution: time steps per quarter note."""
    return [from_music21_score(score, resolution) for score in opus.scores]


def from_music21_score(score: Any, resolution: int = DEFAULT_RESOLUTION) -> Music:
    """Return a music21 Score as Music.

    Tempi, signatures, measures, beats, repeats, chord symbols and texts come from its first part, as far as they do not
    stand in the score itself; repeats are kept as signs, not played. resolution: time steps per quarter note.
    """
    parts = list(score.getElementsByClass("Part")) or [score]
    first = _walk(parts[0], resolution)
    # Tempi and signatures often stand in the score rather than in a part.
    shared = first if parts[0] is score else [*_own_elements(score, resolution), *first]
    measures = [item for item in first if _is(item, "Measure")]
    music = Music(
        metadata=_metadata_of(score),
        resolution=resolution,
        tempos=_tempos(shared),
        key_signatures=[_key_signature(item) for item in shared if _is(item, "KeySignature")],
        time_signatures=[
            TimeSignature(item.time, item.element.numerator, item.element.denominator)
            for item in shared
            if _is(item, "TimeSignature")
        ],
        barlines=[Barline(item.time, number=str(item.element.measureNumberWithSuffix())) for item in measures],
        chord_symbols=[_chord_symbol(item) for item in shared if _is(item, "ChordSymbol")],
        texts=[
            Text(item.time, item.element.content, "rehearsal" if _is(item, "RehearsalMark") else "words")
            for item in shared
            if _is(item, "TextExpression", "RehearsalMark") and item.element.content
        ],
        repeats=list(_repeats(shared)),
    )
    for part in parts:
        tracks = from_music21_part(part, resolution)
        music.tracks.extend(tracks if isinstance(tracks, list) else [tracks])
    music.remove_duplicate("key_signatures").remove_duplicate("time_signatures")
    if measures:
        music.beats.extend(_beats(measures, music, parts[0], resolution))
    elif music.time_signatures:
        music.infer_barlines_and_beats()
    return music


def from_music21_part(part: Any, resolution: int = DEFAULT_RESOLUTION) -> Track | list[Track]:
    """Return a music21 Part as a list of Tracks, one for each of its instruments, or as a Track if it names none.

    Pitches are sounding ones; tied notes are one note. resolution: time steps per quarter note.
    """
    music21 = import_peer("music21")
    divided = music21.instrument.partitionByInstrument(part) if len(part.getInstruments(recurse=True)) > 1 else None
    if divided is not None and len(divided.parts) > 1:
        return [_track_of(one, resolution) for one in divided.parts]
    track = _track_of(part, resolution)
    return [track] if list(part.recurse().getElementsByClass("Instrument")) else track


def _track_of(part: Any, resolution: int) -> Track:
    instrument = next(iter(part.recurse().getElementsByClass("Instrument")), None)
    transposition = getattr(instrument, "transposition", None)
    if transposition is not None and part.atSoundingPitch is not True:
        part = part.toSoundingPitch()
    program = getattr(instrument, "midiProgram", None)
    track = Track(
        program=program or 0,
        is_drum=_is_drum(instrument),
        name=_name_of(part, instrument),
        abbreviation=getattr(part, "partAbbreviation", None) or None,
        transposition=transposition.semitones if transposition is not None else None,
        diatonic_transposition=transposition.generic.staffDistance if transposition is not None else None,
    )
    placed = _walk(part, resolution)
    for item in merge_ties(sounding for one in placed for sounding in soundings_of(one.element, one.offset, one.voice)):
        _add_sounding(track, item, resolution)
    for one in placed:
        _add_mark(track, one)
    _add_spanners(track, part, placed)
    track.notes.sort_by("time", "pitch", "duration", "velocity")
    return track


def _add_sounding(track: Track, item: Sounding, resolution: int) -> None:
    time = steps_of(item.onset, resolution)
    # What has a length keeps one, however coarse the steps.
    duration = max(steps_of(item.onset + item.length, resolution) - time, 1 if item.length else 0)
    velocity = DEFAULT_VELOCITY if item.velocity is None else item.velocity
    if len(item.pitches) > 1:
        spellings = [spelling or "" for spelling in item.spellings]
        track.chords.append(
            Chord(time, list(item.pitches), duration, velocity, spellings if any(spellings) else None, voice=item.voice)
        )
        return
    track.notes.append(
        Note(
            time,
            item.pitches[0],
            duration,
            velocity,
            item.spellings[0],
            voice=item.voice,
            tie=item.open_tie,
            grace=item.grace,
            articulations=item.articulations,
            ornaments=item.ornaments,
        )
    )


def _add_mark(track: Track, item: Placed) -> None:
    element = item.element
    for lyric in element.lyrics if _is(item, "NotRest") else ():
        if lyric.text:
            track.lyrics.append(Lyric(item.time, lyric.text, verse=lyric.number if lyric.number > 1 else None))
    if _is(item, "Clef"):
        track.clefs.append(_clef(item))
    elif _is(item, "Dynamic"):
        track.dynamics.append(Dynamic(item.time, element.value))


def _add_spanners(track: Track, part: Any, placed: list[Placed]) -> None:
    times = {id(item.element): item.time for item in placed}
    for spanner in part.spannerBundle:
        name = type(spanner).__name__
        start, end = (times.get(id(element)) for element in (spanner.getFirst(), spanner.getLast()))
        if start is None or end is None:
            continue
        if name == "Slur":
            track.slurs.append(Slur(start, end - start))
        elif name in ("Crescendo", "Diminuendo"):
            track.dynamics.append(Dynamic(start, name.lower(), end - start))


def _walk(stream: Any, resolution: int) -> list[Placed]:
    """Return all elements of a stream at their times, measures before what stands in them."""
    return list(_placed(stream, Fraction(0), None, resolution))


def _placed(stream: Any, start: Fraction, voice: int | None, resolution: int) -> Iterator[Placed]:
    numbers = iter(range(1, 1000))
    for element in stream:
        offset = start + Fraction(element.getOffsetBySite(stream))
        yield Placed(steps_of(offset, resolution), element, voice, offset)
        if element.isStream:
            inner = next(numbers) if type(element).__name__ == "Voice" else voice
            yield from _placed(element, offset, inner, resolution)


def _own_elements(score: Any, resolution: int) -> list[Placed]:
    """The elements that stand in a score itself rather than in one of its parts."""
    return [
        Placed(steps_of(offset, resolution), element, None, offset)
        for element in score
        if not element.isStream
        for offset in (Fraction(element.getOffsetBySite(score)),)
    ]


def steps_of(quarters: Any, resolution: int) -> int:
    """Return the step nearest to a time in quarter notes, halves up."""
    return int((Fraction(quarters) * resolution + Fraction(1, 2)).__floor__())


def _is(item: Placed, *names: str) -> bool:
    return any(name in item.element.classes for name in names)


def _name_of(part: Any, instrument: Any) -> str | None:
    name = getattr(part, "partName", None) or getattr(instrument, "partName", None)
    return str(name).replace("\n", " ") if name else None


def _is_drum(instrument: Any) -> bool:
    if instrument is None:
        return False
    return instrument.midiChannel == DRUM_CHANNEL or "UnpitchedPercussion" in instrument.classes


def _metadata_of(score: Any) -> Metadata:
    source = score.metadata
    if source is None:
        return Metadata(source_format="music21")
    return Metadata(
        title=source.title or source.movementName,
        creators=[str(name) for name in source.composers],
        copyright=str(source.copyright) if source.copyright else None,
        source_format="music21",
        movement_number=str(source.movementNumber) if source.movementNumber else None,
        movement_title=source.movementName if source.title else None,
        lyricists=[str(name) for name in source.lyricists],
    )


def _tempos(placed: list[Placed]) -> list[Tempo]:
    tempos: dict[tuple[int, float], Tempo] = {}
    for item in placed:
        if _is(item, "MetronomeMark"):
            qpm = item.element.getQuarterBPM()
            if qpm:
                words = item.element.text if not item.element.textImplicit else None
                tempos.setdefault((item.time, qpm), Tempo(item.time, qpm, text=words or None))
    return list(tempos.values())


def _key_signature(item: Placed) -> KeySignature:
    key = item.element
    if not _is(item, "Key"):
        return KeySignature(item.time, fifths=key.sharps)
    return KeySignature(item.time, key.tonic.pitchClass, key.mode, key.sharps, spelling_here(key.tonic.name))


def _clef(item: Placed) -> Clef:
    clef = item.element
    sign = "percussion" if "PercussionClef" in clef.classes else clef.sign
    return Clef(item.time, sign or "G", clef.line, clef.octaveChange or None)


def _chord_symbol(item: Placed) -> ChordSymbol:
    harmony = import_peer("music21.harmony")
    symbol = item.element
    aliases = {there: here for here, there in harmony.CHORD_ALIASES.items()}
    root, bass = symbol.root(), symbol.bass()
    return ChordSymbol(
        item.time,
        spelling_here(root.name) if root is not None else "",
        aliases.get(symbol.chordKind, symbol.chordKind) or "none",
        symbol.chordKindStr or None,
        spelling_here(bass.name) if bass is not None and root is not None and bass.name != root.name else None,
        [
            f"{step.modType}{step.degree}" + (f"{step.interval.semitones:+d}" if step.interval.semitones else "")
            for step in symbol.getChordStepModifications()
        ]
        or None,
    )


def _repeats(placed: list[Placed]) -> Iterator[Repeat]:
    for item in placed:
        if _is(item, "Repeat"):
            is_start = item.element.direction == "start"
            times = item.element.times
            yield Repeat(
                item.time, "forward" if is_start else "backward", None if is_start or not times else str(times)
            )
        kind = REPEAT_SIGNS.get(type(item.element).__name__)
        if kind is not None:
            yield Repeat(item.time, kind)


def _beats(measures: list[Placed], music: Music, part: Any, resolution: int) -> Iterator[Beat]:
    """The beats of each measure, every 1/denominator of a whole note from its bar line to the next."""
    ends = [item.offset for item in measures[1:]] + [Fraction(part.highestTime)]
    signatures = sorted(music.time_signatures.peek())
    for item, end in zip(measures, ends, strict=True):
        current = [signature for signature in signatures if signature.time <= item.time]
        if not current:
            continue
        beat, position = Fraction(4, current[-1].denominator), item.offset
        while position < end:
            yield Beat(steps_of(position, resolution))
            position += beat
