"""Events behave as MusPy's do: construction, repr, equality, dictionaries, checks, casts, copies."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from muspy_core import (
    Annotation,
    Barline,
    Beat,
    Chord,
    ControlChange,
    KeySignature,
    Lyric,
    Metadata,
    MidiMessage,
    Note,
    Pedal,
    PitchBend,
    Tempo,
    TimeSignature,
)
from strategies import EVENT_TYPES, events_of

MUSPY_EVENTS = (Tempo, KeySignature, TimeSignature, Beat, Barline, Lyric, Annotation, Note, Chord)


def test_repr_is_that_of_muspy() -> None:
    assert repr(Note(0, 60, 1)) == "Note(time=0, pitch=60, duration=1, velocity=64)"
    assert repr(Note(0, 60, 1, voice=2)) == "Note(time=0, pitch=60, duration=1, velocity=64, voice=2)"
    assert repr(Tempo(0, 100)) == "Tempo(time=0, qpm=100.0)"
    assert repr(Metadata(creators=list("abcd"))) == ("Metadata(schema_version='0.2', creators=['a', 'b', 'c', ...])")


@pytest.mark.parametrize("name", [cls.__name__ for cls in MUSPY_EVENTS] + ["Metadata"])
def test_attributes_stand_in_the_order_of_muspy(muspy: ModuleType, name: str) -> None:
    import muspy_core

    ours, theirs = getattr(muspy_core, name), getattr(muspy, name)
    names = list(theirs._attributes)
    assert list(ours._attributes)[: len(names)] == names
    assert list(ours._muspy_attributes()) == names
    assert set(theirs._optional_attributes) <= set(ours._optional_attributes)


def test_missing_values_get_their_defaults() -> None:
    assert Note(0, 60, 1, None).velocity == 64  # type: ignore[arg-type] # as MusPy allows
    assert Chord(0, [60], 1).velocity == 64
    assert Metadata().creators == []
    assert Tempo(0, 100).qpm == 100.0
    assert isinstance(Tempo(0, 100).qpm, float)


def test_the_end_of_a_note_follows_its_duration() -> None:
    note = Note(4, 60, 8)
    assert (note.start, note.end) == (4, 12)
    note.end = 10
    assert note.duration == 6
    note.start = 0
    assert (note.duration, note.end) == (6, 6)


def test_events_are_ordered_by_time_and_equal_by_value() -> None:
    assert Note(0, 90, 1) < Note(1, 60, 1)
    assert Note(2, 60, 1) > Note(1, 60, 1)
    assert Note(0, 60, 1) == Note(0, 60, 1)
    assert Note(0, 60, 1) != Note(0, 60, 1, tie="start")
    assert Beat(0) != Barline(0)
    assert hash(Note(0, 60, 1)) == hash(Note(0, 60, 1))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_dictionaries_copies_and_pickles_give_the_same_event(event_type: type[Any]) -> None:
    @given(events_of(event_type))
    def check(item: Any) -> None:
        assert event_type.from_dict(item.to_ordered_dict()) == item
        assert event_type.from_dict(item.to_ordered_dict(skip_missing=False)) == item
        if event_type is not MidiMessage:
            assert event_type.from_dict(item.to_ordered_dict(), strict=True) == item
            assert event_type.from_dict(item.to_ordered_dict(), cast=True) == item
        for copied in (item.copy(), item.deepcopy(), copy.copy(item), copy.deepcopy(item)):
            assert copied == item
            assert copied is not item
        assert pickle.loads(pickle.dumps(item)) == item
        assert item.is_valid()
        assert item.is_valid_type()
        assert item.fix_type() == item

    check()


def test_deep_copies_share_nothing() -> None:
    chord = Chord(0, [60, 64], 1)
    deep, shallow = chord.deepcopy(), chord.copy()
    chord.pitches.append(67)
    assert deep.pitches == [60, 64]
    assert shallow.pitches == [60, 64, 67]


def test_from_dict_asks_for_what_is_required() -> None:
    with pytest.raises(TypeError, match="`duration` is missing"):
        Note.from_dict({"time": 0, "pitch": 60})
    assert Note.from_dict({"time": 0, "pitch": 60, "duration": 1, "unknown": 2}) == Note(0, 60, 1)


def test_from_dict_checks_types_if_strict_and_converts_if_told_to_cast() -> None:
    rough = {"time": np.int64(0), "pitch": "60", "duration": np.array([1]), "velocity": 64.0}
    assert Note.from_dict(rough).pitch == "60"
    with pytest.raises(TypeError, match=r"Note\.time|Note\.pitch"):
        Note.from_dict(rough, strict=True)
    cast = Note.from_dict(rough, cast=True)
    assert cast == Note(0, 60, 1)
    assert {type(value) for value in (cast.time, cast.pitch, cast.duration, cast.velocity)} == {int}
    assert Chord.from_dict({"time": 0, "pitches": (60, 64), "duration": 1}, cast=True).pitches == [60, 64]
    with pytest.raises(AssertionError):
        Note.from_dict(rough, strict=True, cast=True)


def test_fix_type_converts_in_place() -> None:
    note = Note(np.int64(0), 60.0, "1")  # type: ignore[arg-type] # wrong on purpose
    assert not note.is_valid_type()
    assert note.fix_type() is note
    assert note.is_valid_type()
    assert type(note.pitch) is int


def test_a_tempo_takes_any_single_number() -> None:
    for qpm in (72, np.float64(72), np.array([72.0])):
        assert type(Tempo(0, qpm).qpm) is float  # type: ignore[arg-type] # arrays of one are what MusPy takes
        assert Tempo(0, qpm) == Tempo(0, 72.0)  # type: ignore[arg-type] # see above


@pytest.mark.parametrize(
    "wrong",
    [
        Note(-1, 60, 1),
        Note(0, 128, 1),
        Note(0, 60, -1),
        Note(0, 60, 1, 128),
        Note(0, 60, 1, off_velocity=200),
        Note(0, 60, 1, tie="middle"),  # type: ignore[arg-type] # wrong on purpose
        Chord(0, [60, 200], 1),
        Tempo(0, 0),
        TimeSignature(0, 0, 4),
        TimeSignature(0, 4, 0),
        Beat(-1),
        PitchBend(0, 8192),
        ControlChange(0, 0, 128),
    ],
    ids=repr,
)
def test_values_out_of_range_are_invalid(wrong: Any) -> None:
    assert wrong.is_valid_type()
    assert not wrong.is_valid()
    with pytest.raises(ValueError, match=type(wrong).__name__):
        wrong.validate()


@pytest.mark.parametrize(
    "wrong",
    [
        Note("0", 60, 1),  # type: ignore[arg-type] # wrong on purpose
        Note(0, 60.0, 1),  # type: ignore[arg-type] # wrong on purpose
        Note(True, 60, 1),
        Note(0, 60, 1, pitch_str=3),  # type: ignore[arg-type] # wrong on purpose
        Chord(0, "abc", 1),  # type: ignore[arg-type] # wrong on purpose
        Chord(0, [60.5], 1),  # type: ignore[list-item] # wrong on purpose
        Lyric(0, None),  # type: ignore[arg-type] # wrong on purpose
    ],
    ids=repr,
)
def test_values_of_the_wrong_type_are_invalid(wrong: Any) -> None:
    assert not wrong.is_valid_type()
    assert not wrong.is_valid()
    with pytest.raises(TypeError, match=type(wrong).__name__):
        wrong.validate()


def test_one_attribute_can_be_checked_alone() -> None:
    note = Note(-1, 60, 1)
    assert note.is_valid("pitch")
    assert not note.is_valid("time")
    with pytest.raises(AttributeError, match="no attribute `key`"):
        note.validate("key")


def test_time_is_adjusted_by_way_of_start_and_end() -> None:
    assert Note(3, 60, 4).adjust_time(lambda time: time**2) == Note(9, 60, 40)
    assert Chord(1, [60], 1).adjust_time(lambda time: 2 * time) == Chord(2, [60], 2)
    assert Tempo(3, 100).adjust_time(lambda time: time + 1).time == 4


def test_clip_and_transpose_change_the_event() -> None:
    assert Note(0, 60, 1, 100, "C").clip(0, 80).velocity == 80
    assert Note(0, 60, 1, pitch_str="C").transpose(2) == Note(0, 62, 1)
    assert Note(0, 60, 1, pitch_str="C").transpose(0).pitch_str == "C"
    assert Chord(0, [60, 64], 1, pitches_str=["C", "E"]).transpose(1) == Chord(0, [61, 65], 1)


def test_ordered_dictionaries_leave_out_what_is_unset() -> None:
    note = Note(0, 60, 1)
    assert list(note.to_ordered_dict()) == ["time", "pitch", "duration", "velocity"]
    assert list(note.to_ordered_dict(skip_missing=False)) == ["time", "pitch", "duration", "velocity", "pitch_str"]
    assert note.to_ordered_dict() == {"time": 0, "pitch": 60, "duration": 1, "velocity": 64}
    pitches = [60]
    assert Chord(0, pitches, 1).to_ordered_dict(deepcopy=False)["pitches"] is pitches
    assert Chord(0, pitches, 1).to_ordered_dict()["pitches"] is not pitches


def test_pretty_str_is_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    note = Note(0, 60, 1, pitch_str="C♯")
    assert yaml.safe_load(note.pretty_str()) == note.to_ordered_dict()
    assert "C♯" in note.pretty_str()
    note.print()
    assert capsys.readouterr().out.strip() == note.pretty_str().strip()


def test_a_pedal_has_an_end() -> None:
    assert Pedal(3, 4).end == 7


def test_midi_messages_are_hexadecimal_in_dictionaries() -> None:
    message = MidiMessage(0, b"\xf0\x01\xf7")
    assert message.to_ordered_dict() == {"time": 0, "data": "f001f7"}
    assert MidiMessage.from_dict({"time": 0, "data": "f001f7"}) == message


@given(events_of(Note))
def test_notes_print_checks_and_dictionaries_agree_with_muspy(note: Note) -> None:
    muspy = pytest.importorskip("muspy")
    plain = Note(note.time, note.pitch, note.duration, note.velocity, note.pitch_str)
    theirs = muspy.Note(note.time, note.pitch, note.duration, note.velocity, note.pitch_str)
    assert repr(plain) == repr(theirs)
    assert plain.to_ordered_dict() == theirs.to_ordered_dict()
    assert plain.to_ordered_dict(skip_missing=False) == theirs.to_ordered_dict(skip_missing=False)
    assert plain.is_valid() == theirs.is_valid()
