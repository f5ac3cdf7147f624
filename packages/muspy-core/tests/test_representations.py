"""Representations: their layouts, what comes back from them, what is refused, and where they differ from MusPy."""

from __future__ import annotations

import copy
from typing import Any

import muspy_core
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import (
    Barline,
    Music,
    NoNotesError,
    Note,
    RepresentationError,
    Tempo,
    TimeSignature,
    Track,
)
from muspy_core.representations import (
    DefaultEventSequence,
    EventSequence,
    MultitrackEventVocabulary,
    PerformanceEventSequence,
    REMIEventSequence,
    get_indexer,
)
from note_music import note_rows, notes, pieces

KINDS = ("pitch", "pianoroll", "note", "event", "default", "performance", "remi", "multitrack")


def melody() -> Music:
    """C4 for two steps, a step of rest, D4 for three steps; two steps in a quarter."""
    return Music(resolution=2, tracks=[Track(notes=[Note(0, 60, 2, 64), Note(3, 62, 3, 80)])])


def names_of(music: Music, kind: str) -> list[str]:
    sequence: EventSequence = getattr(muspy_core, f"to_{kind}_event_sequence")(music)
    return sequence.events


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_pitches_hold_and_rest() -> None:
    held = muspy_core.to_pitch_representation(melody(), use_hold_state=True)
    assert held[:, 0].tolist() == [60, 129, 128, 62, 129, 129]
    # Without the hold state a rest is 0, as in MusPy.
    assert muspy_core.to_pitch_representation(melody())[:, 0].tolist() == [60, 60, 0, 62, 62, 62]


def test_a_piano_roll_ends_with_a_silent_row() -> None:
    roll = muspy_core.to_pianoroll_representation(melody())
    assert roll.shape == (7, 128)
    assert roll[:, 60].tolist() == [64, 64, 0, 0, 0, 0, 0]
    assert roll[:, 62].tolist() == [0, 0, 0, 80, 80, 80, 0]
    assert roll.dtype == np.uint8
    assert muspy_core.to_pianoroll_representation(melody(), encode_velocity=False).dtype == bool


def test_rows_of_notes_begin_with_time_and_pitch() -> None:
    assert muspy_core.to_note_representation(melody()).tolist() == [[0, 60, 2, 64], [3, 62, 3, 80]]
    ends = muspy_core.to_note_representation(melody(), use_start_end=True, encode_velocity=False)
    assert ends.tolist() == [[0, 60, 2], [3, 62, 6]]


def test_events_are_numbered_note_on_note_off_shift_velocity_end() -> None:
    codes = muspy_core.to_event_representation(melody(), encode_velocity=True, use_end_of_sequence_event=True)
    assert codes.shape == (10, 1)
    assert codes[:, 0].tolist() == [356 + 16, 60, 256 + 1, 128 + 60, 256, 356 + 20, 62, 256 + 2, 128 + 62, 388]


def test_one_note_off_code_moves_what_follows_down() -> None:
    codes = muspy_core.to_event_representation(melody(), use_single_note_off_event=True)
    assert codes[:, 0].tolist() == [60, 129 + 1, 128, 129, 62, 129 + 2, 128]


def test_long_shifts_take_several_events() -> None:
    music = Music(tracks=[Track(notes=[Note(250, 60, 1)])])
    codes = muspy_core.to_event_representation(music)
    assert codes[:, 0].tolist() == [355, 355, 256 + 49, 60, 256, 128 + 60]


def test_remi_counts_bars_and_sixteenths_of_them() -> None:
    music = Music(
        resolution=16,
        tempos=[Tempo(0, 96.5)],
        barlines=[Barline(0), Barline(64)],
        tracks=[Track(notes=[Note(0, 60, 16, 64), Note(68, 62, 8, 80)])],
    )
    assert names_of(music, "remi") == [
        *("bar", "position_0", "tempo_96", "position_0", "note_on_60", "note_velocity_16", "note_duration_16"),
        *("bar", "position_1", "note_on_62", "note_velocity_20", "note_duration_8"),
    ]


def test_a_multitrack_sequence_declares_its_tracks_first() -> None:
    music = Music(
        tracks=[
            Track(33, notes=[Note(0, 40, 4, 64)]),
            Track(0, notes=[Note(0, 60, 2, 64), Note(2, 60, 2, 100)]),
            Track(0, True, notes=[Note(2, 36, 0, 100)]),
            Track(33),
        ]
    )
    vocabulary = MultitrackEventVocabulary(end_of_sequence=True)
    codes = muspy_core.to_multitrack_event_representation(music, use_end_of_sequence_event=True)[:, 0]
    assert [vocabulary.indexer.inverse[code] for code in codes.tolist()] == [
        *("program_33", "program_0", "drums", "program_33"),
        *("track_0", "velocity_16", "note_on_40", "track_1", "note_on_60", "time_shift_2"),
        *("note_off_60", "velocity_25", "note_on_60", "track_2", "note_on_36", "note_off_36", "time_shift_2"),
        *("track_0", "note_off_40", "track_1", "note_off_60", "end"),
    ]


def test_the_multitrack_vocabulary_continues_the_performance_vocabulary() -> None:
    vocabulary = MultitrackEventVocabulary()
    names = vocabulary.indexer
    assert len(names) == vocabulary.size == 549
    assert list(names)[:388] == list(get_indexer("performance"))
    assert (names["program_0"], names["drums"], names["track_0"], names["track_31"]) == (388, 516, 517, 548)


# --- where MusPy fails -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_encoding_never_changes_the_music(kind: str) -> None:
    music = Music(resolution=24, barlines=[Barline(0), Barline(96)], tracks=[Track(notes=[Note(5, 60, 31)])])
    before = copy.deepcopy(music)
    muspy_core.to_representation(music, kind)
    assert music == before
    for sequence in ("default", "performance"):
        getattr(muspy_core, f"to_{sequence}_event_sequence")(music, resolution=4)
    assert music == before


@given(pieces(notes(max_time=400), resolutions=(24, 10)), st.sampled_from([4, 12, 480]))
def test_a_sequence_at_another_resolution_is_that_of_the_rescaled_music(music: Music, resolution: int) -> None:
    expected = muspy_core.to_performance_event_sequence(music.deepcopy().adjust_resolution(resolution))
    assert muspy_core.to_performance_event_sequence(music, resolution) == expected


def test_remi_moves_a_position_at_the_end_of_a_bar_into_the_next() -> None:
    music = Music(
        resolution=16, barlines=[Barline(0), Barline(64)], tracks=[Track(notes=[Note(63, 60, 4), Note(127, 62, 4)])]
    )
    assert names_of(music, "remi") == [
        "bar",
        *("bar", "position_0", "note_on_60", "note_velocity_16", "note_duration_4"),
        *("bar", "position_0", "note_on_62", "note_velocity_16", "note_duration_4"),
    ]


def test_remi_goes_on_after_the_last_bar_line() -> None:
    music = Music(resolution=16, barlines=[Barline(0), Barline(48)], tracks=[Track(notes=[Note(48 * 5 + 3, 60, 4)])])
    assert names_of(music, "remi")[:7] == [*["bar"] * 6, "position_1"]


def test_remi_takes_bars_from_time_signatures_or_else_four_four() -> None:
    track = Track(notes=[Note(64, 60, 4)])
    signed = Music(resolution=16, time_signatures=[TimeSignature(0, 3, 4)], tracks=[track])
    assert names_of(signed, "remi")[:3] == ["bar", "bar", "position_6"]
    assert names_of(Music(resolution=16, tracks=[track]), "remi")[:3] == ["bar", "bar", "position_0"]
    single = Music(
        resolution=16,
        barlines=[Barline(0)],
        time_signatures=[TimeSignature(0, 2, 4)],
        tracks=[Track(notes=[Note(40, 60, 4)])],
    )
    assert names_of(single, "remi")[:3] == ["bar", "bar", "position_4"]


def test_remi_keeps_durations_and_tempi_inside_its_vocabulary() -> None:
    music = Music(
        resolution=16,
        tempos=[Tempo(0, 12.0), Tempo(0, 400.0)],
        tracks=[Track(notes=[Note(0, 60, 0), Note(0, 61, 100)])],
    )
    names = names_of(music, "remi")
    assert [name for name in names if name.startswith("tempo")] == ["tempo_30", "tempo_209"]
    assert [name for name in names if "duration" in name] == ["note_duration_1", "note_duration_32"]
    longest = muspy_core.to_remi_event_sequence(music, max_duration=64).events
    assert longest[-1] == "note_duration_64"
    with pytest.raises(ValueError, match="max_duration must be 1–64, got 65"):
        muspy_core.to_remi_event_sequence(music, max_duration=65)


def test_malformed_remi_notes_are_skipped() -> None:
    sequence = REMIEventSequence()
    sequence.extend_events(["position_4", "note_on_60", "note_velocity_10", "note_duration_2"])
    sequence.extend_events(["note_on_61", "note_duration_3", "note_on_62", "note_velocity_1", "note_on_63", "bar"])
    sequence.extend_events(["note_on_64", "note_velocity_2", "note_duration_1", "note_on_65"])
    decoded = muspy_core.from_remi_event_representation(sequence, default_velocity=7)
    assert note_rows(decoded.tracks[0].notes) == [(0, 64, 1, 8), (16, 60, 2, 40), (16, 61, 3, 7)]


def test_a_note_without_duration_at_the_end_has_no_place_among_pitches() -> None:
    music = Music(tracks=[Track(notes=[Note(0, 60, 2), Note(2, 62, 0)])])
    assert muspy_core.to_pitch_representation(music, use_hold_state=True)[:, 0].tolist() == [60, 129]


def test_ends_of_narrow_integers_do_not_wrap() -> None:
    rows = np.array([[250, 60, 255, 64]], np.uint8)
    (track,) = muspy_core.from_note_representation(rows, use_start_end=True).tracks
    assert note_rows(track.notes) == [(250, 60, 5, 64)]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_music_without_notes_is_refused(kind: str) -> None:
    for music in (Music(), Music(tracks=[Track()])):
        with pytest.raises(RuntimeError, match="No notes found"):
            muspy_core.to_representation(music, kind)
        with pytest.raises(NoNotesError):
            muspy_core.to_representation(music, kind)


def test_an_end_code_makes_empty_music_encodable() -> None:
    codes = muspy_core.to_event_representation(Music(), use_end_of_sequence_event=True)
    assert codes.tolist() == [[388]]
    codes = muspy_core.to_multitrack_event_representation(Music(tracks=[Track(5)]), use_end_of_sequence_event=True)
    assert codes.tolist() == [[393], [549]]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "note"])
def test_a_pitch_outside_midi_is_named(kind: str) -> None:
    music = Music(tracks=[Track(notes=[Note(0, 60, 1), Note(7, 128, 1)])])
    with pytest.raises(RepresentationError, match=r"the note at time 7 has pitch 128; only 0–127"):
        muspy_core.to_representation(music, kind)


def test_values_that_do_not_fit_the_dtype_are_refused() -> None:
    with pytest.raises(RepresentationError, match="305 does not fit uint8"):
        muspy_core.to_event_representation(Music(tracks=[Track(notes=[Note(50, 60, 1)])]), dtype=np.uint8)
    with pytest.raises(RepresentationError, match="velocities 200 to 200 do not fit int8"):
        muspy_core.to_pianoroll_representation(Music(tracks=[Track(notes=[Note(0, 60, 1, 200)])]), dtype=np.int8)
    with pytest.raises(RepresentationError, match="pitch 70000 is out of range"):
        muspy_core.from_note_representation(np.array([[0, 70000, 1, 64]]))


def test_arrays_of_another_type_or_shape_are_refused() -> None:
    for kind in ("pitch", "event", "note", "remi", "multitrack"):
        with pytest.raises(TypeError, match="Array must be of type int"):
            muspy_core.from_representation(np.zeros((4, 4)), kind)
    with pytest.raises(TypeError, match="of type int when `encode_velocity` is True"):
        muspy_core.from_pianoroll_representation(np.zeros((4, 128), bool))
    with pytest.raises(TypeError, match="of type bool when `encode_velocity` is False"):
        muspy_core.from_pianoroll_representation(np.zeros((4, 128), int), encode_velocity=False)
    with pytest.raises(RepresentationError, match=r"\(N, 4\), got one of shape \(5, 3\)"):
        muspy_core.from_note_representation(np.zeros((5, 3), int))
    with pytest.raises(RepresentationError, match=r"\(T, 128\), got an array of shape \(4, 88\)"):
        muspy_core.from_pianoroll_representation(np.zeros((4, 88), int))


def test_unknown_kinds_modes_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Expect `kind` to be one of pitch, .* but got 'chroma'"):
        muspy_core.to_representation(melody(), "chroma")
    with pytest.raises(ValueError, match="Expect `kind`"):
        muspy_core.from_representation(np.zeros(3, int), "chroma")
    with pytest.raises(ValueError, match="'fifo', 'lifo' and 'all'"):
        muspy_core.from_event_representation(np.zeros(3, int), duplicate_note_mode="none")
    with pytest.raises(ValueError, match="max_time_shift must be at least 1, got 0"):
        muspy_core.to_event_representation(melody(), max_time_shift=0)
    with pytest.raises(ValueError, match="at least 1 step"):
        muspy_core.from_remi_event_representation(np.zeros(3, int), measure_length=0)
    with pytest.raises(RepresentationError, match="3 tracks, and the vocabulary has 2"):
        muspy_core.to_multitrack_event_representation(
            Music(tracks=[Track(notes=[Note(0, 60, 1)]) for _ in range(3)]), max_tracks=2
        )


# --- sequences, processors, methods ----------------------------------------------------------------------------------


def test_a_sequence_is_a_list_of_codes_with_names() -> None:
    sequence = DefaultEventSequence([60, 257])
    sequence.append(188)
    sequence.extend([61])
    sequence.append_event("time_shift_3")
    sequence.extend_events(sequence.to_time_shift_events(205))
    assert sequence.events == [
        *("note_on_60", "time_shift_2", "note_off_60", "note_on_61", "time_shift_3"),
        *("time_shift_100", "time_shift_100", "time_shift_5"),
    ]
    assert sequence.get_event(0) == sequence.to_event(60) == "note_on_60"
    assert sequence.to_code("note_off_60") == 188
    sequence[0] = 62
    del sequence[1:]
    assert sequence == [62]
    assert sequence == EventSequence([62])
    assert repr(sequence) == "EventSequence([62])"
    assert np.array(sequence).tolist() == [62]
    assert len(EventSequence()) == 0
    assert EventSequence([1], {"one": 1}).events == ["one"]
    with pytest.raises(KeyError):
        sequence.append_event("velocity_3")
    assert PerformanceEventSequence().to_code(PerformanceEventSequence.to_velocity_event(127)) == 387


@given(pieces())
def test_processors_encode_and_decode_with_their_options(music: Music) -> None:
    events = muspy_core.EventRepresentationProcessor(True, True, True, False, 50, 16, 33)
    expected = muspy_core.to_event_representation(music, True, True, True, False, 50, 16)
    np.testing.assert_array_equal(events.encode(music), expected)
    options: dict[str, Any] = {"use_single_note_off_event": True, "use_end_of_sequence_event": True}
    options |= {"max_time_shift": 50, "velocity_bins": 16, "default_velocity": 33}
    assert events.decode(expected) == muspy_core.from_event_representation(expected, **options)

    rows = muspy_core.NoteRepresentationProcessor(True, False, np.int32, 33)
    encoded = rows.encode(music)
    assert encoded.dtype == np.int32
    assert {note.velocity for note in rows.decode(encoded).tracks[0].notes} == {33}

    roll = muspy_core.PianoRollRepresentationProcessor(encode_velocity=False, default_velocity=33)
    assert roll.encode(music).dtype == bool
    roll.decode(roll.encode(music)).validate()

    pitch = muspy_core.PitchRepresentationProcessor(use_hold_state=True, default_velocity=33)
    encoded = pitch.encode(music)
    np.testing.assert_array_equal(encoded, muspy_core.to_pitch_representation(music, use_hold_state=True))
    expected = muspy_core.from_pitch_representation(encoded, use_hold_state=True, default_velocity=33)
    assert pitch.decode(encoded) == expected


def test_music_has_the_encoders_as_methods() -> None:
    music = melody()
    for kind in ("pitch", "pianoroll", "event", "note"):
        array = getattr(music, f"to_{kind}_representation")()
        np.testing.assert_array_equal(array, music.to_representation(f"{kind}"))
    np.testing.assert_array_equal(music.to_representation("Piano Roll"), music.to_representation("piano-roll"))
