"""Hypothesis strategies for music made of notes, and the same music for MusPy."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import muspy_core
from hypothesis import strategies as st
from muspy_core import EventList, Music, Note, Track

PITCHES = st.one_of(st.integers(58, 64), st.sampled_from([0, 1, 126, 127]))


def notes(max_time: int = 60, min_duration: int = 0, max_duration: int = 40) -> st.SearchStrategy[Note]:
    return st.builds(
        Note, st.integers(0, max_time), PITCHES, st.integers(min_duration, max_duration), st.integers(0, 127)
    )


def tracks(note: st.SearchStrategy[Note], min_notes: int = 0) -> st.SearchStrategy[Track]:
    return st.builds(Track, st.integers(0, 127), st.booleans(), notes=st.lists(note, min_size=min_notes, max_size=12))


def pieces(
    note: st.SearchStrategy[Note] | None = None, resolutions: tuple[int, ...] = (24,), min_notes: int = 1
) -> st.SearchStrategy[Music]:
    """Music of one to three tracks, with at least `min_notes` notes in each; some lists are columns, some objects."""
    chosen = tracks(notes() if note is None else note, min_notes)
    music = st.builds(Music, resolution=st.sampled_from(resolutions), tracks=st.lists(chosen, min_size=1, max_size=3))
    return st.builds(_maybe_columnar, music, st.booleans())


def _maybe_columnar(music: Music, columnar: bool) -> Music:
    if columnar:
        for track in music.tracks:
            track.notes = EventList.from_columns(Note, track.notes.array.copy())
    return music


def for_muspy(music: Music, muspy: ModuleType) -> Any:
    """The same notes, bar lines and tempi as MusPy's objects."""
    return muspy.Music(
        resolution=music.resolution,
        tempos=[muspy.Tempo(tempo.time, tempo.qpm) for tempo in music.tempos],
        barlines=[muspy.Barline(barline.time) for barline in music.barlines],
        tracks=[
            muspy.Track(
                track.program,
                track.is_drum,
                notes=[muspy.Note(*note) for note in note_rows(track.notes)],
                lyrics=[muspy.Lyric(lyric.time, lyric.lyric) for lyric in track.lyrics],
            )
            for track in music.tracks
        ],
    )


def from_muspy(music: Any) -> Music:
    """The notes, bar lines and tempi of MusPy's music as columns."""
    copied = Music(
        resolution=music.resolution,
        tempos=[muspy_core.Tempo(tempo.time, tempo.qpm) for tempo in music.tempos],
        barlines=[muspy_core.Barline(barline.time) for barline in music.barlines],
    )
    for track in music.tracks:
        listed = EventList(Note, [Note(*note) for note in note_rows(track.notes)])
        columns = EventList.from_columns(Note, listed.array.copy())
        copied.tracks.append(Track(track.program, track.is_drum, notes=columns))
    return copied


def note_rows(events: Any) -> list[tuple[int, int, int, int]]:
    """Time, pitch, duration and velocity of each note, in order."""
    return [(note.time, note.pitch, note.duration, note.velocity) for note in events]
