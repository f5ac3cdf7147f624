"""MusPy's functions do what the methods of the same names do."""

from __future__ import annotations

import inspect
from types import ModuleType

import muspy_core
import pytest
from muspy_core import Beat, Chord, Music, Note, Tempo, Track

NAMES = (
    "adjust_resolution",
    "adjust_time",
    "append",
    "clip",
    "extend",
    "get_end_time",
    "get_real_end_time",
    "remove_duplicate",
    "sort",
    "to_ordered_dict",
    "transpose",
)


@pytest.fixture
def song() -> Music:
    return Music(
        resolution=4,
        tempos=[Tempo(0, 60)],
        tracks=[Track(notes=[Note(4, 62, 4, 100), Note(0, 60, 4, 30), Note(0, 60, 4, 30)])],
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_function_has_the_signature_of_muspy(muspy: ModuleType, name: str) -> None:
    ours = inspect.signature(getattr(muspy_core, name)).parameters
    theirs = inspect.signature(getattr(muspy.core, name)).parameters
    assert list(ours) == list(theirs)
    assert [item.default for item in ours.values()] == [item.default for item in theirs.values()]


def test_they_change_their_argument_and_return_it(song: Music) -> None:
    assert muspy_core.sort(song) is song
    assert muspy_core.remove_duplicate(song) is song
    assert song.tracks[0].notes == [Note(0, 60, 4, 30), Note(4, 62, 4, 100)]
    assert muspy_core.clip(song, 40, 90) is song
    assert [note.velocity for note in song.tracks[0]] == [40, 90]
    assert muspy_core.transpose(song, 3) is song
    assert [note.pitch for note in song.tracks[0]] == [63, 65]
    assert muspy_core.adjust_resolution(song, factor=2) is song
    assert muspy_core.adjust_time(song, lambda time: time + 1) is song
    assert [(note.time, note.duration) for note in song.tracks[0]] == [(1, 8), (9, 8)]
    assert muspy_core.append(song, Beat(3)) is song
    assert muspy_core.extend(song, [Beat(5)]) is song
    assert [beat.time for beat in song.beats] == [3, 5]


def test_end_times(song: Music) -> None:
    assert muspy_core.get_end_time(song) == muspy_core.get_end_time(song.tracks[0], is_sorted=True) == 8
    assert muspy_core.get_real_end_time(song) == 2.0


def test_notes_chords_and_tracks_are_accepted_too(song: Music) -> None:
    assert muspy_core.transpose(Note(0, 60, 1), 2).pitch == 62
    assert muspy_core.clip(Chord(0, [60], 1, 100), upper=90).velocity == 90
    assert muspy_core.clip(song.tracks[0], 50).notes[1].velocity == 50


def test_extended_copies_share_nothing(song: Music) -> None:
    other = Music(tracks=[Track(notes=[Note(0, 70, 1)])])
    muspy_core.extend(song, other, deepcopy=True)
    assert song.tracks[1] == other.tracks[0]
    assert song.tracks[1] is not other.tracks[0]


def test_to_ordered_dict_keeps_the_order(song: Music) -> None:
    assert list(muspy_core.to_ordered_dict(song)) == ["metadata", "resolution", "tempos", "tracks"]
    assert list(muspy_core.to_ordered_dict(song, skip_missing=False)) == [
        "metadata",
        "resolution",
        "tempos",
        "key_signatures",
        "time_signatures",
        "barlines",
        "beats",
        "lyrics",
        "annotations",
        "tracks",
    ]
