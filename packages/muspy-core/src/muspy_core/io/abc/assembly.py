"""The rows of a tune → Music in columns (last stage of reading ABC)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.events import (
    Annotation,
    Barline,
    Beat,
    ChordSymbol,
    Clef,
    Dynamic,
    Event,
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
from muspy_core.io.abc.fields import Key
from muspy_core.io.abc.repeats import expand_parts, playing_order
from muspy_core.io.abc.rows import Sign
from muspy_core.io.abc.timeline import Timeline, beat_ticks
from muspy_core.io.abc.tokens import LETTER_PITCHES, LETTERS, WHOLE
from muspy_core.io.abc.tune import TuneReader
from muspy_core.io.abc.voice import VoiceReader
from muspy_core.music import Music, Track

# Ends and onsets that belong together may differ by what is rounded off lengths that are no whole ticks.
TOLERANCE = WHOLE // 100_000

E = TypeVar("E", bound=Event)
Numbers = NDArray[np.int64]

# Text fields without a place of their own in the data model are kept as annotations of these groups.
ANNOTATION_GROUPS = {
    "A": "area",
    "R": "rhythm",
    "O": "origin",
    "S": "source",
    "N": "notes",
    "D": "discography",
    "F": "file",
    "G": "group",
    "H": "history",
    "W": "words",
}


def make_music(tune: TuneReader, resolution: int, expand_repeats: bool, filename: str | None) -> Music:
    """Return the music of a tune that has been read. Raises ABCError if it is absurdly long when played."""
    voices = list(tune.voices.values())
    signs = max((voice.signs for voice in voices), key=len, default=[])
    end = max((voice.position for voice in voices), default=0)
    spans = [(0, end)]
    if expand_repeats and (signs or tune.part_order):
        spans = playing_order(signs, end, tune.parts, expand_parts(tune.part_order))
    timeline = Timeline(spans, end, resolution)
    music = Music(metadata=_make_metadata(tune, filename), resolution=resolution)
    _add_timing(music, voices, timeline)
    _add_marks(music, voices, timeline)
    if not expand_repeats:
        music.repeats = _make_repeats(signs, end, timeline)
    music.annotations = _make_annotations(tune)
    several = len(voices) > 1
    music.tracks = [_make_track(voice, timeline, several) for voice in voices if voice.has_notes or voice.lyrics]
    return music


def make_events(event_type: type[E], times: Any, **columns: Any) -> EventList[E]:
    """Return a list of events in the columnar state; `columns` may be numeric or side columns."""
    if not len(times):
        return EventList(event_type)
    array = new_array(event_type, len(times))
    array["time"] = times
    names = array.dtype.names or ()
    side = {name: values for name, values in columns.items() if name not in names}
    for name, values in columns.items():
        if name in names:
            array[name] = values
    used = {name: values for name, values in side.items() if any(value is not None for value in values)}
    return EventList.from_columns(event_type, array, used)


def _make_metadata(tune: TuneReader, filename: str | None) -> Metadata:
    texts = {letter: [value for value in values if value] for letter, values in tune.texts.items()}
    titles, books = texts.get("T", []), texts.get("B", [])
    return Metadata(
        title=titles[0] if titles else None,
        subtitle="; ".join(titles[1:]) or None,
        creators=texts.get("C", []),
        encoders=texts.get("Z", []),
        copyright=tune.copyright,
        collection="; ".join(books) or None,
        source_filename=filename,
        source_format="abc",
    )


def _make_annotations(tune: TuneReader) -> EventList[Annotation]:
    rows: list[tuple[Any, str]] = [] if tune.number is None else [(tune.number, "reference_number")]
    for letter, group in ANNOTATION_GROUPS.items():
        rows += [(text, group) for text in tune.texts.get(letter, ()) if text]
    return make_events(Annotation, [0] * len(rows), annotation=[row[0] for row in rows], group=[row[1] for row in rows])


def _add_timing(music: Music, voices: list[VoiceReader], timeline: Timeline) -> None:
    """Fill tempi, keys, meters, bar lines and beats; where voices disagree at a time, the first one counts."""
    tempos = timeline.hold(_first_at(row for voice in voices for row in voice.tempos), lambda row: row[1:])
    times = _steps(timeline, tempos)
    music.tempos = make_events(Tempo, times, qpm=[row[1] for _, row in tempos], text=[row[2] for _, row in tempos])

    keys = timeline.hold(_first_at(row for voice in voices for row in voice.keys), lambda row: row[1])
    music.key_signatures = _make_keys(_steps(timeline, keys), [row[1] for _, row in keys])

    meters = timeline.hold(_first_at(row for voice in voices for row in voice.meters), lambda row: row[1])
    music.time_signatures = make_events(
        TimeSignature,
        _steps(timeline, meters),
        numerator=[row[1].numerator for _, row in meters],
        denominator=[row[1].denominator for _, row in meters],
        symbol=[row[1].symbol for _, row in meters],
        beats=[row[1].beats for _, row in meters],
    )
    bars = timeline.bars(next((voice.bars for voice in voices if voice.bars), []))
    music.barlines = make_events(Barline, timeline.to_steps(np.array(bars, dtype=np.int64)))
    beats = beat_ticks(bars, timeline.length, [(time, row[1]) for time, row in meters])
    music.beats = make_events(Beat, timeline.to_steps(np.array(beats, dtype=np.int64)))


def _first_at(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    found: dict[int, tuple[Any, ...]] = {}
    own: dict[int, int] = {}
    for row in rows:
        found.setdefault(row[0], row)
        own[row[0]] = own.get(row[0], 0) + 1
    return list(found.values())


def _steps(timeline: Timeline, placed: list[tuple[int, Any]]) -> Numbers:
    return timeline.to_steps(np.array([time for time, _ in placed], dtype=np.int64))


def _make_keys(times: Numbers, keys: list[Key]) -> EventList[KeySignature]:
    roots = [-1 if key.root is None else _pitch_class(key.root) for key in keys]
    fifths = [key.fifths if key.fifths is not None and -100 < key.fifths < 100 else -128 for key in keys]
    return make_events(
        KeySignature,
        times,
        root=roots,
        mode=[key.mode for key in keys],
        fifths=fifths,
        root_str=[key.root for key in keys],
    )


def _pitch_class(name: str) -> int:
    return (LETTER_PITCHES[LETTERS.index(name[0])] + name.count("#") - name[1:].count("b")) % 12


def _add_marks(music: Music, voices: list[VoiceReader], timeline: Timeline) -> None:
    symbols = timeline.place([row for voice in voices for row in voice.symbols])
    if symbols:
        times = [time for time, _ in symbols]
        roots, kinds, texts, basses = (list(column) for column in zip(*(row[1] for _, row in symbols), strict=True))
        music.chord_symbols = make_events(ChordSymbol, times, root=roots, kind=kinds, text=texts, bass=basses)
    words = timeline.place([row for voice in voices for row in voice.texts])
    if words:
        music.texts = make_events(
            Text, [time for time, _ in words], text=[row[1] for _, row in words], kind=[row[2] for _, row in words]
        )


def _make_repeats(signs: list[Sign], end: int, timeline: Timeline) -> EventList[Repeat]:
    """Return the signs that steer the playing order as events; endings get their stops."""
    rows: list[tuple[int, str, str | None]] = []
    opened: str | None = None
    for sign in signs:
        if opened is not None and sign.kind in ("backward", "double", "forward", "ending"):
            rows.append((sign.position, "ending-stop", opened))
            opened = None
        if sign.kind == "ending":
            opened = ",".join(map(str, sorted(sign.passes))) or "1"
            rows.append((sign.position, "ending-start", opened))
        elif sign.kind == "backward":
            times = max(sign.passes, default=2)
            rows.append((sign.position, "backward", str(times) if times > 2 else None))
        elif sign.kind != "double":
            rows.append((sign.position, sign.kind, None))
    if opened is not None:
        rows.append((end, "ending-stop", opened))
    placed = timeline.place(rows)
    return make_events(
        Repeat, [time for time, _ in placed], kind=[row[1] for _, row in placed], text=[row[2] for _, row in placed]
    )


def _make_track(voice: VoiceReader, timeline: Timeline, several: bool) -> Track:
    transpose = (voice.staff.transpose or 0) + voice.midi_shift
    track = Track(
        program=voice.program or 0,
        is_drum=voice.is_drum,
        name=voice.staff.name or (voice.identifier if several else None),
        abbreviation=voice.staff.abbreviation,
        transposition=transpose or None,
    )
    notes, slurs = _make_notes(voice, timeline)
    track.notes = notes
    if voice.slurs:
        slurs += [(time, row[1] - row[0], row[2]) for time, row in _place_ticks(timeline, voice.slurs)]
    if slurs:
        starts = np.array([row[0] for row in slurs], dtype=np.int64)
        ends = starts + np.array([max(row[1], 0) for row in slurs], dtype=np.int64)
        times = timeline.to_steps(starts)
        layers = [row[2] if max(voice.layers) > 1 else -1 for row in slurs]
        track.slurs = make_events(Slur, times, duration=timeline.to_steps(ends) - times, voice=layers)
        track.slurs.sort_by("time")
    _add_marks_of_track(track, voice, timeline)
    return track


def _place_ticks(timeline: Timeline, rows: list[tuple[int, int, int]]) -> list[tuple[int, tuple[int, int, int]]]:
    indices, times = timeline.spread(np.array([row[0] for row in rows], dtype=np.int64))
    return [(time, rows[index]) for index, time in zip(indices.tolist(), times.tolist(), strict=True)]


def _add_marks_of_track(track: Track, voice: VoiceReader, timeline: Timeline) -> None:
    lyrics = timeline.place(voice.lyrics)
    if lyrics:
        track.lyrics = make_events(
            Lyric,
            [time for time, _ in lyrics],
            lyric=[row[1] for _, row in lyrics],
            verse=[row[2] for _, row in lyrics],
        )
    dynamics = timeline.place(voice.dynamics)
    if dynamics:
        lengths = np.array([max(row[2] - row[0], 0) for _, row in dynamics], dtype=np.int64)
        track.dynamics = make_events(
            Dynamic,
            [time for time, _ in dynamics],
            dynamic=[row[1] for _, row in dynamics],
            duration=np.where([row[2] < 0 for _, row in dynamics], -1, timeline.to_steps(lengths)),
        )
    clefs = timeline.hold(list(voice.clefs), lambda row: row[1:])
    if clefs:
        track.clefs = make_events(
            Clef,
            _steps(timeline, clefs),
            sign=[row[1] for _, row in clefs],
            line=[-1 if row[2] is None else row[2] for _, row in clefs],
            octave_change=[-128 if row[3] is None else row[3] for _, row in clefs],
        )


def _make_notes(voice: VoiceReader, timeline: Timeline) -> tuple[EventList[Note], list[tuple[int, int, int]]]:
    """Return the notes, ties joined, and slurs for the ties between different pitches."""
    rows, onsets = timeline.spread(np.array(voice.onsets, dtype=np.int64))
    durations = np.array(voice.durations, dtype=np.int64)[rows]
    pitches = np.array(voice.pitches, dtype=np.int64)[rows]
    layers = np.array(voice.layers, dtype=np.int64)[rows]
    graces = np.array(voice.graces, dtype=np.int64)[rows]
    ties = np.array(voice.ties, dtype=np.int64)[rows]
    kept, slurs = _join_ties(onsets, durations, pitches, layers, graces, ties)
    array = new_array(Note, int(kept.sum()))
    starts = timeline.to_steps(onsets[kept])
    lengths = timeline.to_steps(onsets[kept] + durations[kept]) - starts
    array["time"] = starts
    array["duration"] = np.maximum(lengths, 1)
    array["pitch"] = pitches[kept]
    array["velocity"] = 64
    array["grace"] = graces[kept]
    array["tie"] = ties[kept]
    array["order"] = np.arange(len(array))
    if voice.layers and max(voice.layers) > 1:
        array["voice"] = layers[kept]
    chosen = rows[kept].tolist()
    side: dict[str, list[Any] | None] = {"pitch_str": _spellings(voice, chosen)}
    if voice.articulations:
        side["articulations"] = [_copied(voice.articulations.get(row)) for row in chosen]
    if voice.ornaments:
        side["ornaments"] = [_copied(voice.ornaments.get(row)) for row in chosen]
    notes = EventList.from_columns(Note, array, side)
    notes.sort_by("time", "pitch", "duration", "velocity")
    return notes, slurs


def _copied(names: list[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _spellings(voice: VoiceReader, rows: list[int]) -> list[Any]:
    """Return the spellings of the sounding pitches."""
    written = [voice.spellings[row] for row in rows]
    transpose = (voice.staff.transpose or 0) + voice.midi_shift
    if transpose % 12 == 0:
        return written
    from muspy_core.io.musicxml.spelling import shift_spelling, usual_diatonic

    diatonic = usual_diatonic(transpose)
    return [shift_spelling(name, diatonic, transpose) for name in written]


def _join_ties(
    onsets: Numbers, durations: Numbers, pitches: Numbers, layers: Numbers, graces: Numbers, ties: Numbers
) -> tuple[NDArray[np.bool_], list[tuple[int, int, int]]]:
    """Join each tied note with the one of its pitch that follows, in place; return which rows stay, and slurs.

    In many books a tie stands between different pitches and means a slur; a tie with nothing after it stays open. All
    arrays are (rows,); ties is set to 0 where a tie is no tie.
    """
    kept = np.ones(len(onsets), dtype=bool)
    tied = np.flatnonzero(ties)
    if not len(tied):
        return kept, []
    starts: dict[tuple[int, int, int], list[int]] = {}
    sounding = np.flatnonzero(graces == 0)
    for row, onset, pitch, layer in zip(
        sounding.tolist(), onsets[sounding].tolist(), pitches[sounding].tolist(), layers[sounding].tolist(), strict=True
    ):
        starts.setdefault((onset // TOLERANCE, pitch, layer), []).append(row)
    followed = {onset // TOLERANCE for onset in onsets[sounding].tolist()}
    joined: set[int] = set()
    slurred: dict[int, tuple[int, int, int]] = {}
    for row in tied[np.argsort(-onsets[tied], kind="stable")].tolist():
        onset, end, layer = int(onsets[row]), int(onsets[row] + durations[row]), int(layers[row])
        places = (end // TOLERANCE, end // TOLERANCE - 1, end // TOLERANCE + 1)
        following = next((found for place in places if (found := starts.get((place, int(pitches[row]), layer)))), None)
        if following and end > onset + TOLERANCE:
            last = following.pop()
            durations[row] = onsets[last] + durations[last] - onset
            ties[row] = ties[last]
            kept[last] = False
            joined.add(onset)
        elif not followed.isdisjoint(places):
            ties[row] = 0
            slurred[row] = (onset, end - onset, layer)
    return kept, [slur for slur in slurred.values() if slur[0] not in joined]
