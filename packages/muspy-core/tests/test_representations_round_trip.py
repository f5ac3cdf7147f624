"""Representations decode to the music they were made from, up to what they cannot hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import muspy_core
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from muspy_core import Barline, Music, Note, Tempo, Track
from muspy_core.representations import ENCODERS
from note_music import note_rows, notes, pieces


def without_overlaps(music: Music) -> bool:
    """Whether notes of the same track and pitch follow one another without touching."""
    for track in music.tracks:
        by_pitch: dict[int, int] = {}
        for note in sorted(track.notes, key=lambda note: note.time):
            if note.time <= by_pitch.get(note.pitch, -1):
                return False
            by_pitch[note.pitch] = note.end
    return True


def merged(music: Music) -> Music:
    return Music(tracks=[Track(notes=[note for track in music.tracks for note in track.notes])])


def sorted_rows(events: Any) -> list[tuple[int, int, int, int]]:
    return sorted(note_rows(events))


@given(pieces())
def test_rows_of_notes_lose_nothing_but_the_tracks(music: Music) -> None:
    decoded = muspy_core.from_note_representation(muspy_core.to_note_representation(music))
    assert note_rows(decoded.tracks[0].notes) == sorted_rows(merged(music).tracks[0].notes)


@given(pieces(notes(min_duration=1)))
def test_events_and_rolls_lose_only_what_overlaps(music: Music) -> None:
    assume(without_overlaps(merged(music)))
    expected = sorted_rows(merged(music).tracks[0].notes)
    events = muspy_core.to_event_representation(music, encode_velocity=True, velocity_bins=128)
    decoded = muspy_core.from_event_representation(events, velocity_bins=128)
    assert note_rows(decoded.tracks[0].notes) == expected
    roll = muspy_core.to_pianoroll_representation(music)
    audible = [row for row in expected if row[3] > 0]
    assert note_rows(muspy_core.from_pianoroll_representation(roll).tracks[0].notes) == audible


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 127), st.integers(1, 5)), min_size=1, max_size=12),
    st.booleans(),
)
def test_melodies_come_back_from_pitches(steps: list[tuple[int, int, int]], use_hold_state: bool) -> None:
    """A rest, a pitch and a duration at a time. Not kept: velocities; where a run of one pitch is cut, for it is one
    note; without the hold state rests, which are pitch 0."""
    melody, time = Track(), 0
    for rest, pitch, duration in steps:
        time += rest if use_hold_state else 0
        before = melody.notes[-1] if melody.notes else None
        assume(before is None or before.end < time or before.pitch != pitch or (use_hold_state and before.duration > 1))
        melody.notes.append(Note(time, pitch, duration))
        time += duration
    codes = muspy_core.to_pitch_representation(Music(tracks=[melody]), use_hold_state)
    decoded = muspy_core.from_pitch_representation(codes, use_hold_state=use_hold_state)
    assert note_rows(decoded.tracks[0].notes) == note_rows(melody.notes)


@given(pieces(notes(min_duration=1)))
def test_performance_and_default_sequences_come_back_in_velocity_bins(music: Music) -> None:
    assume(without_overlaps(merged(music)))
    rows = sorted_rows(merged(music).tracks[0].notes)
    performance = muspy_core.to_performance_event_sequence(music)
    decoded = muspy_core.from_performance_event_representation(performance)
    assert note_rows(decoded.tracks[0].notes) == [(t, p, d, v // 4 * 4) for t, p, d, v in rows]
    default = muspy_core.to_default_event_representation(music)
    decoded = muspy_core.from_default_event_representation(default, default_velocity=5)
    assert note_rows(decoded.tracks[0].notes) == [(t, p, d, 5) for t, p, d, _ in rows]


@given(pieces(notes(max_time=200, min_duration=0), min_notes=0), st.sampled_from([3, 100]))
def test_multitrack_sequences_keep_tracks_and_notes(music: Music, max_time_shift: int) -> None:
    assume(without_overlaps(music))
    options: dict[str, Any] = {
        "max_time_shift": max_time_shift,
        "velocity_bins": 128,
        "use_end_of_sequence_event": True,
    }
    codes = muspy_core.to_multitrack_event_representation(music, **options)
    decoded = muspy_core.from_multitrack_event_representation(codes, music.resolution, **options)
    assert len(decoded.tracks) == len(music.tracks)
    for ours, track in zip(decoded.tracks, music.tracks, strict=True):
        assert ours.is_drum == track.is_drum
        assert ours.is_drum or ours.program == track.program
        assert note_rows(ours.notes) == sorted_rows(track.notes)


@pytest.mark.slow
def test_multitrack_sequences_keep_every_note_of_real_files(shared_data: Path) -> None:
    options: dict[str, Any] = {"velocity_bins": 128, "max_tracks": 64}
    paths = sorted((shared_data / "freedoom-midi/musics").glob("*.mid"))
    paths += sorted((shared_data / "pop909/POP909").glob("*/*.mid"))[:60]
    assert len(paths) > 100
    for path in paths:
        music = muspy_core.read_midi(path)
        codes = muspy_core.to_multitrack_event_representation(music, **options)
        decoded = muspy_core.from_multitrack_event_representation(codes, music.resolution, **options)
        kept = [(track.is_drum, sorted_rows(track.notes)) for track in music.tracks]
        assert [(track.is_drum, note_rows(track.notes)) for track in decoded.tracks] == kept, path.name


@given(
    pieces(notes(max_time=400, min_duration=1, max_duration=64), resolutions=(16,)),
    st.sampled_from([16, 48, 64, 80]),
    st.lists(st.builds(Tempo, st.integers(0, 300), st.integers(30, 209)), max_size=3),
)
def test_remi_comes_back_on_its_grid(music: Music, measure: int, tempos: list[Tempo]) -> None:
    music.barlines = [Barline(time) for time in range(0, 401, measure)]
    music.tempos = sorted(tempos, key=lambda tempo: tempo.time)
    codes = muspy_core.to_remi_event_representation(music, max_duration=64)
    decoded = muspy_core.from_remi_event_representation(codes, measure_length=measure)

    def on_grid(time: int) -> int:
        bar, offset = divmod(time, measure)
        return bar * measure + -(-16 * offset // measure) * measure // 16

    expected = [(on_grid(t), p, d, v // 4 * 4) for t, p, d, v in note_rows(merged(music).tracks[0].notes)]
    assert note_rows(decoded.tracks[0].notes) == sorted(expected)
    assert sorted((tempo.time, tempo.qpm) for tempo in decoded.tempos) == sorted(
        (on_grid(tempo.time), tempo.qpm) for tempo in tempos
    )
    assert [barline.time for barline in decoded.barlines][: len(music.barlines)] == [
        barline.time for barline in music.barlines
    ]
    again = muspy_core.to_remi_event_representation(decoded, max_duration=64)
    np.testing.assert_array_equal(np.sort(again), np.sort(codes))


@pytest.mark.parametrize("kind", ENCODERS)
def test_decoders_fill_columns(kind: str) -> None:
    melody = Music(tracks=[Track(notes=[Note(0, 60, 2), Note(3, 62, 3)])])
    music = muspy_core.from_representation(muspy_core.to_representation(melody, kind), kind)
    assert music.tracks[0].notes.is_columnar
    assert len(music.tracks[0].notes) == 2 + (kind == "pitch")  # a rest without the hold state is pitch 0
    music.validate()


@given(st.sampled_from(sorted(ENCODERS)), st.lists(st.integers(-5, 600), max_size=80))
def test_any_codes_decode_to_valid_music(kind: str, codes: list[int]) -> None:
    assume(kind not in ("pitch", "note", "pianoroll"))
    muspy_core.from_representation(np.array(codes, int), kind).validate()
