"""symusic Score ⇄ Music, column by column (symusic's arrays ⇄ event tables)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import E, EventList, new_array
from muspy_core.events import (
    ControlChange,
    KeySignature,
    Lyric,
    Marker,
    Metadata,
    Note,
    PitchBend,
    Tempo,
    TimeSignature,
)
from muspy_core.interop.peers import import_peer
from muspy_core.interop.sounding import all_notes, tonic
from muspy_core.music import Music, Track

MICROSECONDS_PER_MINUTE = 60_000_000
MODES = ("major", "minor")


def from_symusic(score: Any) -> Music:
    """Return a symusic Score (in ticks, quarters or seconds) as Music with the score's ticks as time steps.

    A symusic Score keeps no channels, release velocities or texts, so neither does the music.
    """
    score = score.to("Tick")
    return Music(
        metadata=Metadata(source_format="symusic"),
        resolution=score.ticks_per_quarter,
        tempos=_events(Tempo, score.tempos.numpy(), {"qpm": lambda c: MICROSECONDS_PER_MINUTE / c["mspq"]}),
        time_signatures=_events(TimeSignature, score.time_signatures.numpy()),
        key_signatures=_key_signatures(score.key_signatures.numpy()),
        markers=[Marker(item.time, item.text) for item in score.markers],
        tracks=[_track(track) for track in score.tracks],
    )


def _track(track: Any) -> Track:
    return Track(
        program=track.program,
        is_drum=track.is_drum,
        name=track.name or None,
        notes=_events(Note, track.notes.numpy()),
        lyrics=[Lyric(item.time, item.text) for item in track.lyrics],
        control_changes=_events(ControlChange, track.controls.numpy()),
        pitch_bends=_events(PitchBend, track.pitch_bends.numpy()),
    )


def _events(
    event_type: type[E], columns: Mapping[str, NDArray[Any]], computed: Mapping[str, Any] | None = None
) -> EventList[E]:
    """Put arrays of the same names into the table of an event class; `computed`: column name → function of them."""
    table = new_array(event_type, len(columns["time"]))
    for name in table.dtype.names or ():
        if name in columns:
            table[name] = columns[name]
    for name, function in (computed or {}).items():
        table[name] = function(columns)
    return EventList.from_columns(event_type, table)


def _key_signatures(columns: Mapping[str, NDArray[Any]]) -> EventList[KeySignature]:
    table = new_array(KeySignature, len(columns["time"]))
    table["time"], table["fifths"] = columns["time"], columns["key"]
    modes = [MODES[int(minor)] for minor in columns["tonality"]]
    tonics = [tonic(int(fifths), mode) for fifths, mode in zip(columns["key"], modes, strict=True)]
    table["root"] = [root for root, _ in tonics]
    return EventList.from_columns(KeySignature, table, {"mode": modes, "root_str": [name for _, name in tonics]})


def to_symusic(music: Music) -> Any:
    """Return music as a symusic Score in ticks, its ticks the time steps of the music.

    Notes of chords become notes. Key signatures need fifths, or a root and mode, to be kept. Lyrics of the piece go to
    the first track. Raises ValueError if a time does not fit symusic's 32 bits.
    """
    symusic = import_peer("symusic")
    factory = import_peer("symusic.core")
    score = symusic.Score(music.resolution)
    tempos = music.tempos.array
    score.tempos = factory.TempoTickList.from_numpy(
        _int32(tempos["time"]), _int32(np.rint(MICROSECONDS_PER_MINUTE / tempos["qpm"]))
    )
    signatures = music.time_signatures.array
    score.time_signatures = [
        factory.TimeSignatureTick(*row) for row in signatures[["time", "numerator", "denominator"]].tolist()
    ]
    score.key_signatures = [
        factory.KeySignatureTick(key.time, fifths, MODES.index(key.mode or "major"))
        for key in music.key_signatures.peek()
        if (fifths := _fifths(key)) is not None
    ]
    score.markers = [factory.TextMetaTick(item.time, item.text) for item in music.markers.peek()]
    for track in music.tracks:
        score.tracks.append(_to_track(factory, track))
    if music.lyrics and len(score.tracks):
        for item in music.lyrics.peek():
            score.tracks[0].lyrics.append(factory.TextMetaTick(item.time, item.lyric))
    return score


def _to_track(factory: Any, track: Track) -> Any:
    made = factory.TrackTick(track.name or "", track.program, track.is_drum)
    notes = all_notes(track)
    made.notes = factory.NoteTickList.from_numpy(
        _int32(notes["time"]),
        _int32(notes["duration"]),
        notes["pitch"].astype(np.int8),
        notes["velocity"].astype(np.int8),
    )
    made.controls = [
        factory.ControlChangeTick(*row) for row in track.control_changes.array[["time", "number", "value"]].tolist()
    ]
    bends = track.pitch_bends.array
    made.pitch_bends = factory.PitchBendTickList.from_numpy(_int32(bends["time"]), _int32(bends["value"]))
    made.lyrics = [factory.TextMetaTick(item.time, item.lyric) for item in track.lyrics.peek()]
    return made


def _fifths(key: KeySignature) -> int | None:
    if key.mode not in (None, *MODES):
        return None
    if key.fifths is not None:
        return key.fifths
    if key.root is None:
        return None
    major = key.root + (3 if key.mode == "minor" else 0)
    return (7 * major + 5) % 12 - 5


def _int32(values: NDArray[Any]) -> NDArray[np.int32]:
    bounds = np.iinfo(np.int32)
    if len(values) and (values.max() > bounds.max or values.min() < bounds.min):
        raise ValueError(f"symusic keeps times and tempi in 32 bits, and {values.max()} does not fit")
    return np.ascontiguousarray(values, dtype=np.int32)
