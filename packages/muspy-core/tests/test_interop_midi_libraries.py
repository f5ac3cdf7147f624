"""mido, pretty_midi, symusic and pypianoroll objects become music and back."""

from __future__ import annotations

import sys

import muspy_core as muspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import Annotation, Chord, Lyric, Music, Note, Tempo, TimeSignature, Track

BY_VALUE = ("time", "pitch", "duration", "velocity")

rows = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 127), st.integers(1, 100), st.integers(1, 127)), max_size=8
)
tempos = st.lists(st.tuples(st.integers(0, 400), st.integers(20, 300)), max_size=4, unique_by=lambda row: row[0])


@pytest.fixture
def song() -> Music:
    return Music(
        resolution=96,
        tempos=[Tempo(0, 100), Tempo(100, 150), Tempo(300, 60.5)],
        time_signatures=[TimeSignature(0, 3, 4), TimeSignature(288, 6, 8)],
        key_signatures=[muspy.KeySignature(0, 3, "major"), muspy.KeySignature(288, 0, "minor")],
        lyrics=[Lyric(0, "la")],
        tracks=[
            Track(
                program=40,
                name="Violin",
                notes=[Note(0, 60, 50, 70), Note(0, 60, 100, 80), Note(150, 64, 200, 90)],
                chords=[Chord(360, [62, 65], 24, 50)],
                annotations=[Annotation(10, {"number": 64, "value": 127}, "control_change")],
                pitch_bends=[muspy.PitchBend(20, -4096)],
            ),
            Track(program=0, is_drum=True, notes=[Note(7, 38, 5)]),
        ],
    )


def table(track: Track) -> list[tuple[int, ...]]:
    """All notes of a track, those of its chords too, in order."""
    chords = [Note(c.time, pitch, c.duration, c.velocity) for c in track.chords for pitch in c.pitches]
    return sorted(tuple(getattr(note, name) for name in BY_VALUE) for note in [*track.notes, *chords])


# --- what the four have in common ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mido", "pretty_midi", "prettymidi", "pretty-midi", "symusic"])
def test_notes_tempi_names_controls_and_bends_survive(song: Music, kind: str) -> None:
    pytest.importorskip(kind.replace("-", "_").replace("prettymidi", "pretty_midi"))
    again = muspy.from_object(muspy.to_object(song, kind))
    again.validate()
    assert again.resolution == 96
    assert [table(track) for track in again] == [table(track) for track in song]
    assert [tempo.time for tempo in again.tempos] == [0, 100, 300]
    # MIDI counts whole microseconds a quarter note.
    assert [tempo.qpm for tempo in again.tempos] == pytest.approx([100, 150, 60.5], rel=1e-6)
    assert [(ts.time, ts.numerator, ts.denominator) for ts in again.time_signatures] == [(0, 3, 4), (288, 6, 8)]
    assert [(key.time, key.root, key.mode) for key in again.key_signatures] == [(0, 3, "major"), (288, 0, "minor")]
    assert [(track.program, track.is_drum, track.name) for track in again] == [(40, False, "Violin"), (0, True, None)]
    assert again.tracks[0].control_changes == [muspy.ControlChange(10, 64, 127)]
    assert again.tracks[0].pitch_bends == [muspy.PitchBend(20, -4096)]
    assert [lyric.lyric for part in (again, *again.tracks) for lyric in part.lyrics] == ["la"]


@pytest.mark.parametrize("kind", ["mido", "pretty_midi", "pypianoroll", "symusic", "music21"])
def test_empty_music_survives(kind: str) -> None:
    pytest.importorskip(kind)
    for music in (Music(), Music(tracks=[Track(name="nothing")])):
        again = muspy.from_object(muspy.to_object(music, kind))
        assert all(not track.notes for track in again)
        again.validate()


def test_unknown_kinds_and_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="music21, mido"):
        muspy.to_object(Music(), "sibelius")
    with pytest.raises(TypeError, match=r"builtins\.dict"):
        muspy.from_object({})


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypianoroll", None)
    with pytest.raises(ImportError, match=r'needs pypianoroll.*extra "interop"'):
        Music().to_pypianoroll()


# --- mido ------------------------------------------------------------------------------------------------------------


def test_every_mido_message_survives() -> None:
    mido = pytest.importorskip("mido")
    midi = mido.MidiFile(type=1, ticks_per_beat=480)
    meta, part = mido.MidiTrack(), mido.MidiTrack()
    midi.tracks += [meta, part]
    meta += [
        mido.MetaMessage("track_name", name="Title"),
        mido.MetaMessage("set_tempo", tempo=400000),
        mido.MetaMessage("time_signature", numerator=6, denominator=8, clocks_per_click=36),
        mido.MetaMessage("key_signature", key="Ebm", time=10),
        mido.MetaMessage("marker", text="Verse", time=20),
        mido.MetaMessage("sequencer_specific", data=(0, 1, 2)),
        mido.MetaMessage("end_of_track", time=1000),
    ]
    part += [
        mido.Message("program_change", program=5, channel=3),
        mido.Message("control_change", control=0, value=1, channel=3),
        mido.Message("note_on", note=60, velocity=100, channel=3, time=5),
        mido.Message("aftertouch", value=4, channel=3),
        mido.Message("polytouch", note=60, value=4, channel=3),
        mido.Message("note_off", note=60, velocity=33, channel=3, time=100),
        mido.Message("pitchwheel", pitch=-8192, channel=3),
        mido.Message("sysex", data=(1, 2, 3)),
        mido.Message("note_off", note=61, velocity=1, channel=3, time=1),
        mido.MetaMessage("lyrics", text="la"),
        mido.MetaMessage("end_of_track", time=3),
    ]
    again = muspy.to_mido(muspy.from_mido(midi))
    assert (again.type, again.ticks_per_beat) == (1, 480)
    assert [list(map(str, track)) for track in again.tracks] == [list(map(str, track)) for track in midi.tracks]


def test_a_mido_file_with_fractional_times_is_refused() -> None:
    mido = pytest.importorskip("mido")
    midi = mido.MidiFile()
    midi.tracks.append(mido.MidiTrack([mido.Message("note_on", time=0.5)]))
    with pytest.raises(muspy.MIDIError, match="mido cannot write"):
        muspy.from_mido(midi)


def test_the_duplicate_note_mode_is_passed_on() -> None:
    mido = pytest.importorskip("mido")
    midi = mido.MidiFile()
    messages = [("note_on", 0), ("note_on", 10), ("note_off", 10), ("note_off", 10)]
    midi.tracks.append(mido.MidiTrack([mido.Message(kind, note=60, time=time) for kind, time in messages]))
    durations = {
        mode: sorted(note.duration for note in muspy.from_mido(midi, mode).tracks[0].notes)
        for mode in ("fifo", "lifo", "all")
    }
    assert durations == {"fifo": [20, 20], "lifo": [10, 30], "all": [10, 20]}


# --- pretty_midi -----------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(rows, tempos, st.sampled_from([24, 220, 480]))
def test_pretty_midi_times_come_back_exactly(
    rows: list[tuple[int, ...]], tempos: list[tuple[int, int]], resolution: int
) -> None:
    pytest.importorskip("pretty_midi")
    music = Music(
        resolution=resolution,
        tempos=[Tempo(*tempo) for tempo in tempos],
        tracks=[Track(notes=[Note(*row) for row in rows])],
    )
    again = muspy.from_pretty_midi(muspy.to_pretty_midi(music))
    assert again.resolution == resolution
    assert table(again.tracks[0]) == sorted(rows)
    expected = {0: 120.0} | dict(tempos)
    assert {tempo.time: tempo.qpm for tempo in again.tempos} == pytest.approx(expected)


def test_the_resolution_of_from_pretty_midi_is_that_of_the_music(song: Music) -> None:
    pytest.importorskip("pretty_midi")
    midi = song.to_pretty_midi()
    music = muspy.from_pretty_midi(midi, resolution=480)
    assert music.resolution == 480
    assert music.tracks[0].notes[-1].time == 1800
    assert music.get_real_end_time() == pytest.approx(song.get_real_end_time(), abs=1e-3)


def test_seconds_in_pretty_midi_follow_the_tempo_map(song: Music) -> None:
    pytest.importorskip("pretty_midi")
    midi = song.to_pretty_midi()
    assert midi.get_tempo_changes()[1] == pytest.approx([100, 150, 60.5])
    assert midi.instruments[0].notes[2].start == pytest.approx(100 / 96 * 0.6 + 50 / 96 * 0.4)
    assert midi.get_end_time() == pytest.approx(float(song.tempo_map.seconds(384)))
    assert midi.instruments[1].name == ""


def test_music_too_long_for_pretty_midi_is_refused() -> None:
    pytest.importorskip("pretty_midi")
    with pytest.raises(ValueError, match="ends at step 1,099,511,627,777"):
        Music(tracks=[Track(notes=[Note(2**40, 60, 1)])]).to_pretty_midi()


# --- symusic ---------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(rows, st.sampled_from([1, 24, 480]))
def test_symusic_columns_come_back_exactly(rows: list[tuple[int, ...]], resolution: int) -> None:
    pytest.importorskip("symusic")
    music = Music(resolution=resolution, tracks=[Track(notes=[Note(*row) for row in rows])])
    again = muspy.from_symusic(muspy.to_symusic(music))
    assert again.resolution == resolution
    assert again.tracks[0].notes.is_columnar
    assert table(again.tracks[0]) == sorted(rows)


def test_symusic_scores_in_quarters_and_seconds_are_read(song: Music) -> None:
    pytest.importorskip("symusic")
    score = song.to_symusic()
    for unit in ("Quarter", "Second"):
        assert table(muspy.from_symusic(score.to(unit)).tracks[0]) == table(song.tracks[0])


@pytest.mark.parametrize("fifths", range(-7, 8))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_key_signatures_name_their_tonic(fifths: int, mode: str) -> None:
    pytest.importorskip("symusic")
    music21 = pytest.importorskip("music21")
    music = Music(key_signatures=[muspy.KeySignature(0, mode=mode, fifths=fifths)], tracks=[Track()])
    key = muspy.from_symusic(music.to_symusic()).key_signatures[0]
    expected = music21.key.KeySignature(fifths).asKey(mode).tonic
    assert (key.fifths, key.mode) == (fifths, mode)
    assert (key.root, key.root_str) == (expected.pitchClass, expected.name.replace("-", "b"))


def test_keys_that_symusic_cannot_hold_are_left_out() -> None:
    pytest.importorskip("symusic")
    keys = [muspy.KeySignature(0, 2, "dorian"), muspy.KeySignature(0), muspy.KeySignature(0, 9, "minor")]
    music = Music(key_signatures=keys, tracks=[Track()])
    assert muspy.from_symusic(music.to_symusic()).key_signatures == [muspy.KeySignature(0, 9, "minor", 0, "A")]


def test_times_beyond_32_bits_are_refused() -> None:
    pytest.importorskip("symusic")
    with pytest.raises(ValueError, match="32 bits"):
        Music(tracks=[Track(notes=[Note(2**40, 60, 1)])]).to_symusic()


# --- pypianoroll -----------------------------------------------------------------------------------------------------


def test_a_mark_at_the_end_is_inside_the_roll() -> None:
    pytest.importorskip("pypianoroll")
    music = Music(
        tempos=[Tempo(0, 120), Tempo(24, 60)],
        barlines=[muspy.Barline(0), muspy.Barline(24)],
        beats=[muspy.Beat(0), muspy.Beat(24)],
        tracks=[Track(notes=[Note(0, 60, 24)])],
    )
    multitrack = music.to_pypianoroll()
    assert multitrack.tracks[0].pianoroll.shape == (25, 128)
    assert multitrack.tempo[[0, 23, 24], 0].tolist() == [120, 120, 60]
    assert np.flatnonzero(multitrack.downbeat).tolist() == [0, 24]
    again = muspy.from_pypianoroll(multitrack)
    assert again.tempos == music.tempos
    assert again.barlines == music.barlines
    assert again.tracks[0].notes == music.tracks[0].notes


@settings(max_examples=40)
@given(rows)
def test_a_roll_is_read_as_it_was_drawn(rows: list[tuple[int, ...]]) -> None:
    pytest.importorskip("pypianoroll")
    drawn = Music(tracks=[Track(notes=[Note(*row) for row in rows])]).to_pypianoroll()
    redrawn = muspy.from_pypianoroll(drawn).to_pypianoroll()
    assert np.array_equal(drawn.tracks[0].pianoroll > 0, redrawn.tracks[0].pianoroll > 0)


def test_notes_apart_come_back_exactly(song: Music) -> None:
    pytest.importorskip("pypianoroll")
    music = Music(
        tracks=[Track(20, name="organ", notes=[Note(0, 60, 10, 5), Note(0, 64, 20, 6), Note(11, 60, 1, 127)])]
    )
    assert muspy.from_pypianoroll(music.to_pypianoroll()).tracks == music.tracks


def test_binary_rolls_get_the_default_velocity() -> None:
    pypianoroll = pytest.importorskip("pypianoroll")
    roll = np.zeros((4, 128), dtype=bool)
    roll[1:3, 60] = True
    track = pypianoroll.BinaryTrack(name="x", program=3, pianoroll=roll)
    assert muspy.from_pypianoroll_track(track, default_velocity=99).notes == [Note(1, 60, 2, 99)]
    assert muspy.from_object(track) == Track(3, False, "x", [Note(1, 60, 2, 64)])
