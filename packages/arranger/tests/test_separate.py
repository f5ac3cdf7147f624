"""From music to music in parts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from arranger.decoding import FREE
from arranger.separate import SeparationError, merge, separate
from hypothesis import given, settings
from mixtures import musics
from muspy_core import Chord, ControlChange, KeySignature, Lyric, Music, Note, Tempo, TimeSignature, Track


def note_counts(music: Music) -> Counter[tuple[int, int, int, int]]:
    """The multiset of (onset, pitch, duration, velocity) of all pitched notes."""
    counts: Counter[tuple[int, int, int, int]] = Counter()
    for track in music.tracks:
        if not track.is_drum:
            counts.update((n.time, n.pitch, n.duration, n.velocity) for n in track.notes)
            counts.update((c.time, pitch, c.duration, c.velocity) for c in track.chords for pitch in c.pitches)
    return counts


def scale(*pitches: int) -> list[Note]:
    return [Note(24 * i, pitch, 24) for i, pitch in enumerate(pitches)]


@pytest.mark.parametrize("mode", ["causal", "online", "offline"])
@settings(max_examples=15)
@given(music=musics())
def test_no_note_is_lost_doubled_or_changed(mode: str, music: Music) -> None:
    before = note_counts(music)
    separation = separate(music, mode=mode)
    assert note_counts(separation.music) == before
    assert note_counts(music) == before
    assert [len(track.notes) for track in separation.music.tracks] == [len(rows) for rows in separation.part_rows]


def test_a_chord_is_spread_over_the_voices() -> None:
    separation = separate(Music(resolution=24, tracks=[Track(notes=[Note(0, p, 96) for p in (48, 55, 64, 72)])]))
    assert [track.notes[0].pitch for track in separation.music.tracks] == [72, 64, 55, 48]
    assert [track.name for track in separation.music.tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert ((separation.confidence > 0) & (separation.confidence <= 1)).all()


def test_drums_tempo_key_meter_and_lyrics_pass_through() -> None:
    drums = Track(is_drum=True, notes=[Note(0, 36, 24)])
    track = Track(notes=scale(72, 74, 76), lyrics=[Lyric(24, "la")])
    music = Music(
        resolution=24,
        tempos=[Tempo(0, 90.0)],
        key_signatures=[KeySignature(0, root=0, mode="major")],
        time_signatures=[TimeSignature(0, 3, 4)],
        tracks=[track, drums],
    )
    separated = separate(music).music
    assert separated.tempos == music.tempos
    assert separated.key_signatures == music.key_signatures
    assert separated.time_signatures == music.time_signatures
    assert separated.tracks[-1] == drums
    assert [[lyric.lyric for lyric in part.lyrics] for part in separated.tracks[:4]].count(["la"]) == 1


def test_spelling_and_articulation_stay_with_their_notes() -> None:
    notes = [Note(0, 61, 24, 80, "Db", articulations=["staccato"]), Note(24, 61, 24, 70, "C#")]
    separated = separate(Music(resolution=24, tracks=[Track(notes=notes)])).music
    found = sorted((note for track in separated.tracks for note in track.notes), key=lambda note: note.time)
    assert [note.pitch_str for note in found] == ["Db", "C#"]
    assert [note.articulations for note in found] == [["staccato"], None]


def test_members_of_chord_events_are_notes_too() -> None:
    music = Music(resolution=24, tracks=[Track(chords=[Chord(0, [48, 60, 67], 24, 70)], notes=[Note(24, 60, 24)])])
    assert note_counts(separate(music).music) == note_counts(music)


def test_pedal_of_a_single_track_goes_to_every_part_and_that_of_several_is_reported() -> None:
    played = Track(notes=scale(60, 62), control_changes=[ControlChange(0, 64, 127)])
    one = separate(Music(resolution=24, tracks=[played]))
    assert all(len(track.control_changes) == 1 for track in one.music.tracks)
    assert not one.warnings
    several = separate(Music(resolution=24, tracks=[played, Track(notes=scale(48, 50))]))
    assert any("controllers" in warning for warning in several.warnings)


def test_more_notes_than_parts_are_all_placed_and_reported() -> None:
    cluster = Music(resolution=24, tracks=[Track(notes=[Note(0, pitch, 24) for pitch in range(50, 62)])])
    separation = separate(cluster)
    assert note_counts(separation.music) == note_counts(cluster)
    assert "at 1 onset there are more notes than the 4 parts" in separation.warnings[0]


def test_notes_outside_all_ranges_are_placed_at_the_edge_and_reported() -> None:
    separation = separate(Music(resolution=24, tracks=[Track(notes=[Note(0, 20, 24), Note(0, 110, 24)])]))
    assert [len(track.notes) for track in separation.music.tracks] == [1, 0, 0, 1]
    assert any("2 notes outside" in warning for warning in separation.warnings)


def test_one_note_is_enough() -> None:
    separation = separate(Music(resolution=24, tracks=[Track(notes=[Note(0, 76, 24)])]), mode="offline")
    assert len(separation.mixture) == 1


@pytest.mark.parametrize(
    ("music", "reason"),
    [
        (Music(), "no note"),
        (Music(tracks=[Track()]), "no note"),
        (Music(tracks=[Track(is_drum=True, notes=[Note(0, 36, 24)])]), "only percussion"),
    ],
)
def test_music_without_pitched_notes_is_refused(music: Music, reason: str) -> None:
    with pytest.raises(SeparationError, match=reason):
        separate(music)


def test_excluded_parts_stay_empty() -> None:
    music = Music(resolution=24, tracks=[Track(notes=[Note(0, p, 96) for p in (48, 55, 64, 72)])])
    separated = separate(music, excluded_parts=["Tenor", "alto"]).music
    assert [len(track.notes) for track in separated.tracks] == [2, 0, 0, 2]
    with pytest.raises(SeparationError, match="leave at least one"):
        separate(music, excluded_parts=["1", "2", "3", "4"])


def test_locked_notes_stay() -> None:
    music = Music(resolution=24, tracks=[Track(notes=[Note(0, p, 96) for p in (48, 55, 64, 72)])])
    locks = np.full(len(merge(music)), FREE)
    locks[0] = 0
    separation = separate(music, locks=locks)
    assert separation.label[0] == 0
    assert sorted(separation.label.tolist()) == [0, 1, 2, 3]


def test_onsets_between_the_steps_are_kept_and_counted() -> None:
    music = Music(resolution=480, tracks=[Track(notes=[Note(0, 60, 480), Note(487, 62, 473)])])
    separation = separate(music)
    assert note_counts(separation.music) == note_counts(music)
    assert separation.warnings[0].startswith("the model read 1 onset rounded to 1/24 quarter")


def test_named_tracks_of_the_input_are_compared() -> None:
    named = Music(
        resolution=24,
        tracks=[Track(name=name, notes=scale(p, p + 2)) for name, p in (("Bass", 48), ("Tenor", 55), ("Soprano", 72))],
    )
    assert separate(named, excluded_parts=["Alto"]).agreement(named) == 1.0
    named.tracks[0].name = "Piano"
    assert separate(named).agreement(named) is None


def test_a_grid_of_another_resolution_gives_the_same_parts() -> None:
    coarse = Music(resolution=24, tracks=[Track(notes=scale(60, 64, 67, 72, 65, 59))])
    fine = coarse.deepcopy().adjust_resolution(480)
    assert separate(fine).label.tolist() == separate(coarse).label.tolist()
