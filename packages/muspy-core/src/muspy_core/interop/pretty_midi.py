"""PrettyMIDI ⇄ Music (seconds ⇄ time steps, through the exact tempo map)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.events import (
    ControlChange,
    KeySignature,
    Lyric,
    Metadata,
    Note,
    PitchBend,
    Tempo,
    Text,
    TimeSignature,
)
from muspy_core.interop.peers import import_peer
from muspy_core.interop.sounding import all_notes
from muspy_core.music import Music, Track
from muspy_core.timing import DEFAULT_QPM, TempoMap, round_half_up

MODES = ("major", "minor")
# PrettyMIDI keeps the seconds of every tick.
MAX_TICKS = 10_000_000


def from_pretty_midi(midi: Any, resolution: int | None = None) -> Music:
    """Return a PrettyMIDI as Music: tempo map, signatures, lyrics, texts, notes, controls and bends.

    Args:
        midi: The PrettyMIDI.
        resolution: Time steps per quarter note of the music; by default those of the PrettyMIDI.
    """
    tempos = _tempos_of(midi)
    tempo_map = TempoMap.from_tempos(tempos, midi.resolution)

    def steps(seconds: Any) -> NDArray[np.int64]:
        return np.maximum(round_half_up(tempo_map.steps(seconds)), 0)

    music = Music(
        metadata=Metadata(source_format="pretty_midi"),
        resolution=midi.resolution,
        tempos=tempos,
        time_signatures=[
            TimeSignature(int(steps(item.time)), item.numerator, item.denominator)
            for item in midi.time_signature_changes
        ],
        key_signatures=[
            KeySignature(int(steps(item.time)), item.key_number % 12, MODES[item.key_number // 12])
            for item in midi.key_signature_changes
        ],
        lyrics=[Lyric(int(steps(item.time)), item.text) for item in midi.lyrics],
        texts=[Text(int(steps(item.time)), item.text) for item in getattr(midi, "text_events", ())],
        tracks=[_track_of(instrument, steps) for instrument in midi.instruments],
    )
    return music if resolution is None else music.adjust_resolution(resolution)


def _tempos_of(midi: Any) -> EventList[Tempo]:
    times, qpm = midi.get_tempo_changes()
    table = new_array(Tempo, len(times))
    table["time"] = [int(midi.time_to_tick(time)) for time in times]
    table["qpm"] = qpm
    return EventList.from_columns(Tempo, table)


def _track_of(instrument: Any, steps: Any) -> Track:
    notes = new_array(Note, len(instrument.notes))
    notes["time"] = steps([note.start for note in instrument.notes])
    notes["duration"] = np.maximum(steps([note.end for note in instrument.notes]) - notes["time"], 0)
    notes["pitch"] = [note.pitch for note in instrument.notes]
    notes["velocity"] = [note.velocity for note in instrument.notes]
    controls = new_array(ControlChange, len(instrument.control_changes))
    controls["time"] = steps([change.time for change in instrument.control_changes])
    controls["number"] = [change.number for change in instrument.control_changes]
    controls["value"] = [change.value for change in instrument.control_changes]
    bends = new_array(PitchBend, len(instrument.pitch_bends))
    bends["time"] = steps([bend.time for bend in instrument.pitch_bends])
    bends["value"] = [bend.pitch for bend in instrument.pitch_bends]
    track = Track(instrument.program, bool(instrument.is_drum), instrument.name or None)
    track.notes = EventList.from_columns(Note, notes)
    track.control_changes = EventList.from_columns(ControlChange, controls)
    track.pitch_bends = EventList.from_columns(PitchBend, bends)
    track.notes.sort_by("time", "pitch", "duration", "velocity")
    return track


def to_pretty_midi(music: Music) -> Any:
    """Return music as a PrettyMIDI with the same tempo map, so that its ticks are the time steps of the music.

    Notes of chords become notes, lyrics of tracks lyrics of the piece. Key signatures need a root and "major" or
    "minor" to be kept. Raises ValueError for music of more time steps than PrettyMIDI has ticks (ten million).
    """
    pretty_midi = import_peer("pretty_midi")
    tempo_map = music.tempo_map
    end = max(music.get_end_time(), int(tempo_map.starts[-1]))
    if end >= MAX_TICKS:
        raise ValueError(f"PrettyMIDI holds fewer than {MAX_TICKS:,} ticks, and this music ends at step {end:,}")
    qpm = 60.0 / (tempo_map.seconds_per_step * music.resolution)
    midi = pretty_midi.PrettyMIDI(resolution=music.resolution, initial_tempo=float(qpm[0]) if len(qpm) else DEFAULT_QPM)
    # PrettyMIDI has no public way to set more than its first tempo; both names have been stable since its version 0.2.
    midi._tick_scales = list(zip(tempo_map.starts.tolist(), tempo_map.seconds_per_step.tolist(), strict=True))
    midi._update_tick_to_time(end + 1)
    midi.time_signature_changes = [
        pretty_midi.TimeSignature(item.numerator, item.denominator, float(tempo_map.seconds(item.time)))
        for item in music.time_signatures.peek()
    ]
    midi.key_signature_changes = [
        pretty_midi.KeySignature(item.root + 12 * MODES.index(item.mode), float(tempo_map.seconds(item.time)))
        for item in music.key_signatures.peek()
        if item.root is not None and item.mode in MODES
    ]
    lyrics = music.lyrics.peek() + [lyric for track in music.tracks for lyric in track.lyrics.peek()]
    midi.lyrics = [pretty_midi.Lyric(lyric.lyric, float(tempo_map.seconds(lyric.time))) for lyric in sorted(lyrics)]
    midi.text_events = [pretty_midi.Text(text.text, float(tempo_map.seconds(text.time))) for text in music.texts.peek()]
    midi.instruments = [_instrument_of(pretty_midi, track, tempo_map) for track in music.tracks]
    return midi


def _instrument_of(pretty_midi: Any, track: Track, tempo_map: TempoMap) -> Any:
    instrument = pretty_midi.Instrument(track.program, track.is_drum, track.name or "")
    notes = all_notes(track)
    starts = tempo_map.seconds(notes["time"]).tolist()
    ends = tempo_map.seconds(notes["time"] + notes["duration"]).tolist()
    instrument.notes = [
        pretty_midi.Note(velocity, pitch, start, end)
        for velocity, pitch, start, end in zip(
            notes["velocity"].tolist(), notes["pitch"].tolist(), starts, ends, strict=True
        )
    ]
    controls = track.control_changes.array
    instrument.control_changes = [
        pretty_midi.ControlChange(number, value, time)
        for number, value, time in zip(
            controls["number"].tolist(),
            controls["value"].tolist(),
            tempo_map.seconds(controls["time"]).tolist(),
            strict=True,
        )
    ]
    bends = track.pitch_bends.array
    instrument.pitch_bends = [
        pretty_midi.PitchBend(value, time)
        for value, time in zip(bends["value"].tolist(), tempo_map.seconds(bends["time"]).tolist(), strict=True)
    ]
    return instrument
