"""Tracks and music do what MusPy's do, and the lists beyond MusPy's do it too."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import (
    Annotation,
    Barline,
    Beat,
    Chord,
    ControlChange,
    Dynamic,
    EventList,
    KeySignature,
    Lyric,
    Marker,
    Metadata,
    Music,
    Note,
    Pedal,
    PitchBend,
    Slur,
    Tempo,
    TimeSignature,
    Track,
)
from strategies import columnar, music, muspy_music, muspy_tracks, tracks


def to_muspy(muspy: ModuleType, ours: Music) -> Any:
    return muspy.Music.from_dict(ours.to_ordered_dict())


def content(whole: Any) -> dict[str, Any]:
    """The plain values of our or MusPy's music."""
    return dict(whole.to_ordered_dict())


def in_columns(whole: Music) -> Music:
    """The same music with every list in the columnar state."""
    made = whole.deepcopy()
    for container in (made, *made.tracks):
        for field, items in container.lists():
            if isinstance(items, EventList):
                setattr(container, field.name, columnar(items.event_type, items.peek()))
    for track in made.tracks:
        track.control_changes = columnar(ControlChange, track.control_changes.peek())
    return made


# --- what MusPy does, MusPy says ------------------------------------------------------------------------------------


OPERATIONS = {
    "remove_duplicate": lambda whole: whole.remove_duplicate(),
    "remove_invalid": lambda whole: whole.remove_invalid(),
    "clip": lambda whole: whole.clip(10, 60),
    "trim": lambda whole: whole.trim(30),
    "adjust_time": lambda whole: whole.adjust_time(lambda time: 2 * time + 1),
    "target": lambda whole: whole.adjust_resolution(whole.resolution * 5),
    "factor": lambda whole: whole.adjust_resolution(factor=2),
    "extend": lambda whole: whole.extend(type(whole).from_dict(whole.to_ordered_dict())),
    "add": lambda whole: whole + whole,
    "copy": lambda whole: whole.deepcopy(),
    "validate": lambda whole: whole.validate(),
}
# MusPy 0.5 does not clip chords, and holds all of them to be invalid.
FORGET_CHORDS = ("clip", "remove_invalid", "validate")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("state", ["objects", "columns"])
def test_operations_give_what_muspy_gives(muspy: ModuleType, name: str, state: str) -> None:
    operation = OPERATIONS[name]

    @settings(max_examples=20)
    @given(muspy_music)
    def check(ours: Music) -> None:
        for track in ours.tracks:
            if name in FORGET_CHORDS:
                track.chords = None
        theirs = to_muspy(muspy, ours)
        if state == "columns":
            ours = in_columns(ours)
        assert content(operation(ours)) == content(operation(theirs))

    check()


@settings(max_examples=20)
@given(muspy_tracks)
def test_tracks_are_sorted_as_by_muspy(ours: Track) -> None:
    # (Music of two tracks is more than MusPy 0.5 can sort.)
    muspy = pytest.importorskip("muspy")
    theirs = muspy.Track.from_dict(ours.to_ordered_dict())
    assert content(ours.sort()) == content(theirs.sort())
    assert Music(tracks=[ours, ours]).sort().tracks == [ours, ours]


@settings(max_examples=20)
@given(muspy_music)
def test_end_times_are_those_of_muspy(muspy_like: Music) -> None:
    muspy = pytest.importorskip("muspy")
    theirs = to_muspy(muspy, muspy_like)
    assert muspy_like.get_end_time() == theirs.get_end_time()
    for ours, other in zip(muspy_like.tracks, theirs.tracks, strict=True):
        assert ours.get_end_time() == other.get_end_time()
        assert (len(ours), ours[:2]) == (len(other), ours.notes[:2])
    muspy_like.sort("tempos")
    assert muspy_like.get_real_end_time() == pytest.approx(theirs.sort("tempos").get_real_end_time())


@settings(max_examples=20)
@given(muspy_music, st.integers(-3, 3))
def test_transposition_is_that_of_muspy_for_notes(ours: Music, semitones: int) -> None:
    muspy = pytest.importorskip("muspy")
    theirs = to_muspy(muspy, ours).transpose(semitones)
    pitches = [[note.pitch for note in track.notes] for track in ours.transpose(semitones).tracks]
    assert pitches == [[note.pitch for note in track.notes] for track in theirs.tracks]


@settings(max_examples=20)
@given(st.integers(1, 12), st.sampled_from([1, 2, 4, 8, 16]), st.integers(0, 300), st.sampled_from([4, 12, 24, 480]))
def test_bar_lines_and_beats_are_those_of_muspy(numerator: int, denominator: int, end: int, resolution: int) -> None:
    muspy = pytest.importorskip("muspy")
    signatures = [TimeSignature(0, numerator, denominator), TimeSignature(96, 3, 4)]
    ours = Music(resolution=resolution, time_signatures=signatures, tracks=[Track(notes=[Note(0, 60, end)])])
    theirs = to_muspy(muspy, ours)
    # MusPy rounds halves to even, so beats of half a step fall unevenly there.
    if (4 * resolution) % denominator == 0:
        assert content(ours.infer_barlines_and_beats()) == content(theirs.infer_barlines_and_beats())


@settings(max_examples=20)
@given(muspy_music)
def test_repr_is_that_of_muspy(ours: Music) -> None:
    muspy = pytest.importorskip("muspy")
    assert repr(ours) == repr(to_muspy(muspy, ours))
    assert repr(in_columns(ours)) == repr(ours)


# --- both states, all fields ----------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(music)
def test_columns_and_objects_are_the_same_music(whole: Music) -> None:
    table = in_columns(whole)
    assert table == whole
    table = in_columns(whole)
    assert repr(table) == repr(whole)
    assert table.to_ordered_dict() == whole.to_ordered_dict()
    assert table.is_valid()
    assert whole.is_valid()
    assert table.get_end_time() == whole.get_end_time()
    assert table.adjust_resolution(whole.resolution * 2) == whole.deepcopy().adjust_resolution(whole.resolution * 2)


@settings(max_examples=20)
@given(music)
def test_copies_dictionaries_and_pickles_hold_everything(whole: Music) -> None:
    assert whole.deepcopy() == whole
    assert copy.deepcopy(in_columns(whole)) == whole
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert pickle.loads(pickle.dumps(in_columns(whole))) == whole
    assert Music.from_dict(whole.to_ordered_dict()) == whole


@settings(max_examples=20)
@given(music)
def test_checking_looking_and_copying_leave_columns_as_they_are(whole: Music) -> None:
    table = in_columns(whole)
    for look in ("validate", "is_valid", "fix_type", "remove_invalid", "__repr__", "deepcopy", "to_ordered_dict"):
        getattr(table, look)()
    for container in (table, *table.tracks):
        assert all(items.is_columnar or not items for _, items in container.lists() if isinstance(items, EventList))


@settings(max_examples=20)
@given(tracks, tracks)
def test_adding_tracks_adds_every_list(first: Track, second: Track) -> None:
    both = first + second
    for field, items in both.lists():
        assert len(items) == len(getattr(first, field.name)) + len(getattr(second, field.name))
    assert both.control_changes == first.control_changes + second.control_changes


# --- faults of MusPy that are none here -----------------------------------------------------------------------------


def test_transposing_a_chord_replaces_its_pitches() -> None:
    track = Track(chords=[Chord(0, [60, 64], 1)], notes=[Note(0, 60, 1, pitch_str="C")])
    assert track.transpose(1).chords == [Chord(0, [61, 65], 1)]
    assert track.notes == [Note(0, 61, 1)]


def test_fixing_types_leaves_missing_values_missing() -> None:
    whole = Music(tracks=[Track(notes=[Note(0, "60", 1)], chords=[Chord(0, ["60"], 1)])])  # type: ignore[arg-type,list-item] # wrong on purpose
    assert whole.fix_type() is whole
    assert whole == Music(tracks=[Track(notes=[Note(0, 60, 1)], chords=[Chord(0, [60], 1)])])
    assert whole.metadata == Metadata()
    assert whole.is_valid()


def test_clipping_includes_chords() -> None:
    assert Track(chords=[Chord(0, [60], 1, 100)]).clip(0, 70).chords[0].velocity == 70
    assert Track(notes=columnar(Note, [Note(0, 60, 1)])).clip(0, 100_000).notes[0].velocity == 64


def test_drum_tracks_are_not_transposed() -> None:
    whole = Music(tracks=[Track(notes=[Note(0, 36, 1)], is_drum=True), Track(notes=[Note(0, 60, 1)])])
    assert [track.notes[0].pitch for track in whole.transpose(12)] == [36, 72]


def test_a_drum_track_without_a_program_stays_one() -> None:
    assert Track(program=None, is_drum=True) == Track(0, True)  # type: ignore[arg-type] # as MusPy allows


def test_infer_barlines_keeps_what_is_there() -> None:
    whole = Music(
        time_signatures=[TimeSignature(0, 4, 4)], barlines=[Barline(7)], tracks=[Track(notes=[Note(0, 60, 96)])]
    )
    assert whole.infer_barlines().barlines == [Barline(7)]
    assert whole.infer_barlines(overwrite=True).barlines == [Barline(0)]
    assert Music(time_signatures=[TimeSignature(0, 4, 4)], beats=[Beat(1)]).infer_barlines_and_beats().beats == [
        Beat(1)
    ]
    with pytest.raises(ValueError, match="add a TimeSignature"):
        Music().infer_barlines()
    with pytest.raises(ValueError, match="add a TimeSignature"):
        Music().infer_barlines_and_beats()


@given(st.lists(st.builds(Note, st.integers(0, 5000), st.just(60), st.integers(0, 30)), max_size=9), st.integers(1, 48))
def test_a_note_that_had_a_duration_keeps_one(notes: list[Note], target: int) -> None:
    had = [note.duration > 0 for note in notes]
    table = columnar(Note, copy.deepcopy(notes))
    for state in (EventList(Note, notes), table):
        whole = Music(resolution=480, tracks=[Track(notes=state)]).adjust_resolution(target)
        assert [note.duration > 0 for note in whole.tracks[0].notes] == had
    assert table == notes


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [("round", [0, 1, 1, 2, 2]), ("floor", [0, 0, 1, 1, 2]), ("ceil", [0, 1, 1, 2, 2]), (None, [0, 1, 1, 2, 2])],
)
def test_steps_are_rounded_as_told(rounding: Any, expected: list[int]) -> None:
    whole = Music(resolution=2, beats=[Beat(time) for time in range(5)]).adjust_resolution(1, rounding=rounding)
    assert [beat.time for beat in whole.beats] == expected


def test_a_rounding_function_sees_the_unrounded_step() -> None:
    seen = []
    whole = Music(resolution=2, beats=[Beat(1), Beat(2)])
    whole.adjust_resolution(1, rounding=lambda step: seen.append(step) or int(step + 0.9))
    assert [beat.time for beat in whole.beats] == [1, 1]
    assert sorted(set(seen)) == [0.5, 1.0]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, ValueError),
        ({"target": 2, "factor": 2}, ValueError),
        ({"factor": 0.3}, ValueError),
        ({"target": 2.0}, TypeError),
        ({"target": 0}, ValueError),
        ({"target": 48, "rounding": "up"}, ValueError),
    ],
)
def test_impossible_resolutions_are_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    whole = Music(beats=[Beat(5)])
    with pytest.raises(error):
        whole.adjust_resolution(**arguments)
    assert (whole.resolution, whole.beats) == (24, [Beat(5)])


# --- lists of containers --------------------------------------------------------------------------------------------


def test_append_finds_the_list_by_the_type() -> None:
    whole, track = Music(), Track()
    for item in (
        Tempo(0, 90),
        KeySignature(0),
        TimeSignature(0, 4, 4),
        Barline(0),
        Beat(0),
        Lyric(0, "a"),
        Marker(0, "b"),
    ):
        assert whole.append(item) is whole
    whole.append(track).append(Annotation(0, "x"))
    for item in (
        Note(0, 60, 1),
        Chord(0, [60], 1),
        ControlChange(0, 7, 9),
        PitchBend(0, 1),
        Slur(0, 1),
        Dynamic(0, "f"),
    ):
        track.append(item)
    assert whole.tracks == [track]
    assert [len(items) for items in (whole.tempos, whole.beats, whole.markers, whole.annotations)] == [1, 1, 1, 1]
    assert [len(items) for items in (track.notes, track.control_changes, track.dynamics)] == [1, 1, 1]
    with pytest.raises(TypeError, match="no list of Note"):
        whole.append(Note(0, 60, 1))
    with pytest.raises(TypeError, match="no list of str"):
        track.append("note")


def test_extend_shares_or_copies_as_told() -> None:
    note = Note(0, 60, 1)
    assert Track().extend([note, Lyric(0, "la")]).notes[0] is note
    assert Track().extend(Track(notes=[note])).notes[0] is note
    assert Track().extend([note], deepcopy=True).notes[0] is not note
    assert (Track(notes=[note]) + Track()).notes[0] is not note
    track = Track(notes=[note])
    track += Track(notes=[Note(1, 61, 1)])
    assert len(track.notes) == 2
    track += track
    assert len(track.notes) == 4
    with pytest.raises(TypeError, match="cannot extend a Track by a Music"):
        Track().extend(Music())


def test_containers_are_sequences_of_their_main_list() -> None:
    track = Track(notes=[Note(0, 60, 1), Note(1, 62, 1)])
    whole = Music(tracks=[track])
    assert (len(track), track[1].pitch, len(whole), whole[0]) == (2, 62, 1, track)
    del track[0]
    track[0] = Note(9, 70, 1)
    assert track.notes == [Note(9, 70, 1)]
    del whole[0]
    assert whole.tracks == []


def test_none_and_plain_lists_become_event_lists() -> None:
    track = Track(notes=None)
    assert isinstance(track.notes, EventList)
    track.notes = [Note(0, 60, 1)]
    assert isinstance(track.notes, EventList)
    track.notes = None
    assert len(track.notes) == 0


def test_a_shallow_copy_shares_its_lists() -> None:
    track = Track()
    track.copy().notes.append(Note(0, 60, 1))
    assert len(track.notes) == 1


def test_wrong_contents_are_named() -> None:
    with pytest.raises(TypeError, match=r"Track\.notes: expected Note, got str"):
        Track(notes=["C4"]).validate()  # type: ignore[list-item] # wrong on purpose
    with pytest.raises(ValueError, match=r"Track\.program: 128"):
        Music(tracks=[Track(128)]).validate()
    with pytest.raises(ValueError, match=r"Note\.pitch: 128"):
        Music(tracks=[Track(notes=[Note(0, 128, 1)])]).validate()
    assert Music(tracks=[Track(notes=[Note(0, 128, 1)])]).is_valid(recursive=False)
    whole = Music(tracks=[Track(notes=[Note(0, 128, 1), Note(0, 1, 1)])])
    assert whole.remove_invalid().tracks[0].notes == [Note(0, 1, 1)]


# --- annotations and pedals -----------------------------------------------------------------------------------------


def control(time: int, number: int, value: int) -> Annotation:
    return Annotation(time, {"number": number, "value": value}, "control_change")


def test_no_change_of_a_control_dictionary_is_lost() -> None:
    track = Track(annotations=[control(1, 64, 127)])
    values = track.annotations[0].annotation
    values.update(value=5)
    assert track.control_changes == [ControlChange(1, 64, 5)]
    values |= {"number": 11}
    assert track.control_changes == [ControlChange(1, 11, 5)]
    for remove in (values.clear, values.popitem, lambda: values.pop("value")):
        with pytest.raises(KeyError, match="removed"):
            remove()
    with pytest.raises(KeyError, match="no 'speed'"):
        values.update(speed=1)


def test_control_changes_are_one_store_under_two_names() -> None:
    track = Track(annotations=[Annotation(3, "other"), control(1, 64, 127)])
    assert track.control_changes == [ControlChange(1, 64, 127)]
    assert track.annotations == [control(1, 64, 127), Annotation(3, "other")]
    track.annotations.append(control(5, 64, 0))
    track.control_changes.append(ControlChange(7, 11, 100))
    assert [item.time for item in track.annotations] == [1, 5, 7, 3]
    track.annotations[0].annotation["value"] = 90
    track.annotations[0].time = 2
    assert track.control_changes[0] == ControlChange(2, 64, 90)
    del track.annotations[1]
    assert [item.time for item in track.control_changes] == [2, 7]
    track.annotations[0] = Annotation(0, "text")
    assert len(track.control_changes) == 1
    track.annotations = [control(0, 1, 2)]
    assert (track.control_changes, len(track.annotations)) == ([ControlChange(0, 1, 2)], 1)
    assert track.to_ordered_dict()["annotations"] == [control(0, 1, 2).to_ordered_dict()]


def test_an_annotation_seen_through_the_view_is_an_annotation() -> None:
    seen = Track(control_changes=[ControlChange(1, 64, 127)]).annotations[0]
    assert isinstance(seen, Annotation)
    assert seen == control(1, 64, 127)
    assert control(1, 64, 127) == seen
    assert seen != control(1, 64, 126)
    assert hash(seen) == hash(control(1, 64, 127))
    assert copy.deepcopy(seen) == seen.deepcopy() == seen
    assert type(seen.to_ordered_dict()["annotation"]) is dict
    assert Track().append(seen).control_changes == [ControlChange(1, 64, 127)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=6), st.data())
def test_the_view_is_a_list_of_annotations(rows: list[tuple[bool, int]], data: st.DataObject) -> None:
    items = [control(time, 1, 2) if is_control else Annotation(time, "x") for is_control, time in rows]
    track = Track(annotations=items)
    view = track.annotations
    plain = sorted(items, key=lambda item: item.group is None)
    assert view == plain
    assert list(reversed(view)) == plain[::-1]
    assert view[1:3] == plain[1:3]
    if plain:
        index = data.draw(st.integers(-len(plain), len(plain) - 1))
        assert view[index] == plain[index]
        assert view.index(plain[index]) == plain.index(plain[index])
        assert view.pop(index) == plain.pop(index)
        assert view == plain


def test_other_annotations_of_that_group_stay_annotations() -> None:
    odd = [Annotation(0, "no dictionary", "control_change"), Annotation(0, {"number": 1}, "control_change")]
    track = Track(annotations=odd)
    assert not track.control_changes
    assert track.annotations == odd


def test_pedals_are_seen_in_the_controls() -> None:
    track = Track(
        notes=[Note(0, 60, 20)],
        control_changes=[
            ControlChange(14, 64, 127),
            ControlChange(0, 64, 100),
            ControlChange(2, 64, 127),
            ControlChange(3, 7, 0),
            ControlChange(4, 64, 63),
            ControlChange(5, 64, 0),
        ],
    )
    assert track.pedals == [Pedal(0, 4, 100), Pedal(14, 6, 127)]
    assert Track().pedals == []


def test_the_dynamics_of_a_piece_are_those_of_its_tracks() -> None:
    whole = Music(tracks=[Track(dynamics=[Dynamic(8, "f")]), Track(dynamics=[Dynamic(0, "p")])])
    assert whole.dynamics == [Dynamic(0, "p"), Dynamic(8, "f")]


def test_music_has_metadata_of_its_own() -> None:
    assert Music().metadata == Metadata()
    assert Music().metadata is not Music().metadata
