"""Music → music21 Score (`music21.py` goes the other way)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from muspy_core.events import ChordSymbol, KeySignature, Lyric, Note
from muspy_core.interop.music21_names import ARTICULATIONS, ORNAMENTS, TREMOLO, spelling_there
from muspy_core.interop.peers import import_peer
from muspy_core.io.musicxml.spelling import place
from muspy_core.music import Music, Track

DRUM_CHANNEL = 9


def to_music21(music: Music) -> Any:
    """Return music as a music21 Score with one Part a track.

    Everything stands at its exact offset (a fraction of quarter notes) in the Part itself, without measures; music21's
    `makeNotation` adds them. Tempi, texts and chord symbols are in the first part, signatures in all.
    """
    music21 = import_peer("music21")
    score = music21.stream.Score()
    score.metadata = _metadata_of(music21, music)
    tracks = music.tracks or [Track()]
    for index, track in enumerate(tracks):
        part = _part_of(music21, track, music)
        if index == 0:
            _insert_marks(music21, part, music)
        score.insert(0, part)
    return score


def _metadata_of(music21: Any, music: Music) -> Any:
    metadata = music21.metadata.Metadata()
    source = music.metadata
    if source.title is not None:
        metadata.title = source.title
    if source.copyright is not None:
        metadata.copyright = source.copyright
    if source.movement_title is not None:
        metadata.movementName = source.movement_title
    if source.movement_number is not None:
        metadata.movementNumber = source.movement_number
    for name in source.creators:
        metadata.add("composer", name)
    for name in source.lyricists:
        metadata.add("lyricist", name)
    return metadata


def _insert_marks(music21: Any, part: Any, music: Music) -> None:
    """Insert what belongs to the piece and not to one track."""
    for tempo in music.tempos.peek():
        part.insert(
            _quarters(tempo.time, music.resolution), music21.tempo.MetronomeMark(text=tempo.text, number=tempo.qpm)
        )
    for symbol in music.chord_symbols.peek():
        made = _chord_symbol(music21, symbol)
        if made is not None:
            part.insert(_quarters(symbol.time, music.resolution), made)
    for text in music.texts.peek():
        expressions = music21.expressions
        mark = expressions.RehearsalMark if text.kind == "rehearsal" else expressions.TextExpression
        part.insert(_quarters(text.time, music.resolution), mark(text.text))


def _part_of(music21: Any, track: Track, music: Music) -> Any:
    resolution = music.resolution
    part = music21.stream.Part()
    part.partName = track.name
    part.partAbbreviation = track.abbreviation
    part.insert(0, _instrument_of(music21, track))
    part.atSoundingPitch = True
    for clef in track.clefs.peek():
        part.insert(_quarters(clef.time, resolution), _clef(music21, clef.sign, clef.line, clef.octave_change))
    for key in music.key_signatures.peek():
        made = _key(music21, key)
        if made is not None:
            part.insert(_quarters(key.time, resolution), made)
    for signature in music.time_signatures.peek():
        made = music21.meter.TimeSignature(f"{signature.numerator}/{signature.denominator}")
        part.insert(_quarters(signature.time, resolution), made)
    for dynamic in track.dynamics.peek():
        if dynamic.duration is None:
            part.insert(_quarters(dynamic.time, resolution), music21.dynamics.Dynamic(dynamic.dynamic))
    sounding = _insert_notes(music21, part, track, resolution)
    lyrics = [*track.lyrics.peek(), *(music.lyrics.peek() if music.tracks and track is music.tracks[0] else ())]
    for lyric in sorted(lyrics):
        _add_lyric(music21, part, sounding, lyric, resolution)
    for slur in track.slurs.peek():
        ends = (sounding.get(slur.time), sounding.get(slur.time + slur.duration))
        if None not in ends:
            part.insert(0, music21.spanner.Slur(*ends))
    return part


def _insert_notes(music21: Any, part: Any, track: Track, resolution: int) -> dict[int, Any]:
    """Insert notes and chords; return the first one at each time."""
    sounding: dict[int, Any] = {}
    for note in track.notes.peek():
        made = _note_of(music21, note, resolution)
        part.insert(_quarters(note.time, resolution), made)
        sounding.setdefault(note.time, made)
    for chord in track.chords.peek():
        spellings: list[str | None] = [*(chord.pitches_str or [])] + [None] * len(chord.pitches)
        pitches = [_pitch(music21, *pair) for pair in zip(chord.pitches, spellings, strict=False)]
        made = music21.chord.Chord(pitches, quarterLength=_quarters(chord.duration, resolution))
        made.volume.velocity = chord.velocity
        part.insert(_quarters(chord.time, resolution), made)
        sounding.setdefault(chord.time, made)
    return sounding


def _note_of(music21: Any, note: Note, resolution: int) -> Any:
    made = music21.note.Note()
    made.pitch = _pitch(music21, note.pitch, note.pitch_str)
    made.quarterLength = _quarters(note.duration, resolution)
    if note.grace is not None:
        made = made.getGrace(appoggiatura=note.grace == "appoggiatura")
        made.duration.slash = note.grace == "acciaccatura"
    made.volume.velocity = note.velocity
    if note.tie is not None:
        made.tie = music21.tie.Tie(note.tie)
    for name in note.articulations or ():
        if name == "fermata":
            made.expressions.append(music21.expressions.Fermata())
        elif name in ARTICULATIONS:
            made.articulations.append(getattr(music21.articulations, ARTICULATIONS[name])())
    for name in note.ornaments or ():
        if name in ORNAMENTS:
            made.expressions.append(getattr(music21.expressions, ORNAMENTS[name])())
        elif name.startswith(TREMOLO) and name[len(TREMOLO) :].isdigit():
            tremolo = music21.expressions.Tremolo()
            tremolo.numberOfMarks = int(name[len(TREMOLO) :])
            made.expressions.append(tremolo)
    return made


def _pitch(music21: Any, number: int, spelling: str | None) -> Any:
    diatonic = place(number, spelling)
    if diatonic is None or spelling is None:
        return music21.pitch.Pitch(number)
    name = spelling.rstrip("-0123456789")
    return music21.pitch.Pitch(f"{spelling_there(name)}{diatonic // 7}")


def _instrument_of(music21: Any, track: Track) -> Any:
    if track.is_drum:
        instrument = music21.instrument.UnpitchedPercussion()
        instrument.midiChannel = DRUM_CHANNEL
        instrument.midiProgram = track.program
    else:
        instrument = music21.instrument.instrumentFromMidiProgram(track.program)
        # The class has the usual transposition of the instrument, but the pitches are sounding ones.
        instrument.transposition = None
        instrument.midiProgram = track.program
    instrument.partName = track.name
    return instrument


def _clef(music21: Any, sign: str, line: int | None, octave_change: int | None) -> Any:
    if sign == "percussion":
        return music21.clef.PercussionClef()
    return music21.clef.clefFromString(f"{sign}{line or ''}", octaveShift=octave_change or 0)


def _key(music21: Any, key: KeySignature) -> Any:
    names = music21.key
    if key.mode and (key.root_str or key.root is not None) and key.mode in names.modeSharpsAlter:
        if key.root_str:
            return names.Key(spelling_there(key.root_str), key.mode)
        if key.fifths is None:
            fifths = (7 * (key.root or 0) + names.modeSharpsAlter[key.mode] + 5) % 12 - 5
            return names.KeySignature(fifths).asKey(key.mode)
    if key.fifths is not None:
        signature = names.KeySignature(key.fifths)
        return signature.asKey(key.mode) if key.mode in names.modeSharpsAlter else signature
    return None


def _chord_symbol(music21: Any, symbol: ChordSymbol) -> Any:
    harmony = music21.harmony
    if symbol.kind == "none" or not symbol.root:
        return harmony.NoChord() if symbol.kind == "none" else None
    kind = harmony.CHORD_ALIASES.get(symbol.kind, symbol.kind)
    made = harmony.ChordSymbol(
        root=spelling_there(symbol.root), kind=kind, bass=spelling_there(symbol.bass) if symbol.bass else None
    )
    if symbol.text:
        made.chordKindStr = symbol.text
    return made


def _add_lyric(music21: Any, part: Any, sounding: dict[int, Any], lyric: Lyric, resolution: int) -> None:
    """Put a lyric under the note it is sung to; without one it stays as a text."""
    note = sounding.get(lyric.time)
    if note is None:
        part.insert(_quarters(lyric.time, resolution), music21.expressions.TextExpression(lyric.lyric))
    else:
        note.lyrics.append(music21.note.Lyric(text=lyric.lyric, number=lyric.verse or 1, applyRaw=True))


def _quarters(steps: int, resolution: int) -> Fraction:
    return Fraction(steps, resolution)
