"""Objects and files of MusPy become ours and ours become MusPy's, with every attribute that MusPy has."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import muspy_core
import pytest
from hypothesis import given, settings
from muspy_core import Music, Note, Tempo, TimeSignature, Track
from strategies import muspy_music


def test_music_comes_back_equal(muspy: ModuleType) -> None:
    @settings(max_examples=20)
    @given(muspy_music)
    def check(music: Music) -> None:
        theirs = muspy_core.to_object(music, "muspy")
        assert isinstance(theirs, muspy.Music)
        assert muspy_core.from_object(theirs) == music

    check()


def test_tracks_and_events_have_the_class_of_their_name(muspy: ModuleType) -> None:
    track = Track(5, name="x", notes=[Note(0, 60, 4, pitch_str="C")])
    theirs = muspy_core.to_muspy(track)
    assert isinstance(theirs, muspy.Track)
    assert isinstance(theirs.notes[0], muspy.Note)
    assert muspy_core.from_muspy(theirs) == track
    assert muspy_core.from_muspy(theirs.notes[0]) == track.notes[0]


def test_what_muspy_does_not_know_is_left_out(muspy: ModuleType) -> None:
    theirs = muspy_core.to_muspy(Note(0, 60, 4, voice=2))
    assert theirs == muspy.Note(0, 60, 4)


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.json.gz"])
def test_saved_music_loads_in_the_other(name: str, muspy: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / name

    @settings(max_examples=10)
    @given(muspy_music)
    def check(music: Music) -> None:
        muspy.save(path, muspy_core.to_muspy(music))
        assert muspy_core.load(path) == music
        muspy_core.save(path, music)
        assert muspy_core.from_muspy(muspy.load(path)) == music

    check()


def test_midi_files_are_read_alike_by_both_whoever_wrote_them(muspy: ModuleType, tmp_path: Path) -> None:
    music = Music(
        resolution=24,
        tempos=[Tempo(0, 100), Tempo(48, 80)],
        time_signatures=[TimeSignature(0, 3, 4)],
        tracks=[
            Track(40, name="Violin", notes=[Note(12 * i, 60 + i, 12 + i % 5, 30 + i) for i in range(40)]),
            Track(0, True, "Drums", [Note(24 * i, 36, 6, 100) for i in range(20)]),
        ],
    )
    theirs = muspy_core.to_muspy(music)
    for library, piece in ((muspy, theirs), (muspy_core, music)):
        library.write(tmp_path / "a.mid", piece)
        for reader in (muspy, muspy_core):
            found = reader.read(tmp_path / "a.mid")
            assert found.resolution == 24
            assert [(tempo.time, tempo.qpm) for tempo in found.tempos] == [(0, 100), (48, 80)]
            assert [track.name for track in found.tracks] == ["Violin", "Drums"]
            assert [rows(track) for track in found.tracks] == [rows(track) for track in music.tracks]


def rows(track: Track) -> list[tuple[int, int, int, int]]:
    return sorted((note.time, note.pitch, note.duration, note.velocity) for note in track.notes)
