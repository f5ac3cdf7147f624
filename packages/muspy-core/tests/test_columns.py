"""An `EventList` is a list, whichever state it is in; columns and objects hold the same music."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from muspy_core import Annotation, Dynamic, KeySignature, Lyric, Note, Tempo
from muspy_core.columns import EventList, dtype_of, new_array
from strategies import EVENT_TYPES, columnar, events_of, plain_notes

KEYS = {"pitch": lambda note: note.pitch, "end": lambda note: note.end}


class ListMachine(RuleBasedStateMachine):
    """The same operations on an event list and on a plain list of equal notes."""

    @initialize(items=st.lists(plain_notes, max_size=6), as_columns=st.booleans())
    def start(self, items: list[Note], as_columns: bool) -> None:
        self.plain = items
        copies = copy.deepcopy(items)
        self.notes: EventList[Note] = columnar(Note, copies) if as_columns else EventList(Note, copies)

    @invariant()
    def they_hold_the_same(self) -> None:
        assert self.notes.peek() == self.plain
        assert len(self.notes) == len(self.plain)
        assert bool(self.notes) == bool(self.plain)
        assert repr(self.notes) == repr(self.plain)
        assert self.notes.array["pitch"].tolist() == [note.pitch for note in self.plain]
        assert self.notes.side("pitch_str") == [note.pitch_str for note in self.plain]

    @rule()
    def back_to_columns(self) -> None:
        self.notes = columnar(Note, self.notes.peek())

    @rule(note=plain_notes)
    def append(self, note: Note) -> None:
        self.notes.append(note.copy())
        self.plain.append(note)

    @rule(items=st.lists(plain_notes, max_size=3))
    def extend(self, items: list[Note]) -> None:
        self.notes.extend(copy.deepcopy(items))
        self.plain += items

    @rule(items=st.lists(plain_notes, max_size=3))
    def add_in_place(self, items: list[Note]) -> None:
        self.notes += columnar(Note, items)
        self.plain += items

    @rule(index=st.integers(-8, 8), note=plain_notes)
    def insert(self, index: int, note: Note) -> None:
        self.notes.insert(index, note.copy())
        self.plain.insert(index, note)

    @rule(index=st.integers(-8, 8), note=plain_notes)
    def set_item(self, index: int, note: Note) -> None:
        self.same(lambda items: items.__setitem__(index, note.copy()))

    @rule(index=st.integers(-8, 8))
    def get_item(self, index: int) -> None:
        self.same(lambda items: items[index])

    @rule(start=st.integers(-8, 8), stop=st.integers(-8, 8), step=st.sampled_from([None, 1, 2, -1]))
    def get_slice(self, start: int, stop: int, step: int | None) -> None:
        assert type(self.notes[start:stop:step]) is list
        self.same(lambda items: items[start:stop:step])

    @rule(start=st.integers(-8, 8), stop=st.integers(-8, 8), items=st.lists(plain_notes, max_size=2))
    def set_slice(self, start: int, stop: int, items: list[Note]) -> None:
        self.same(lambda target: target.__setitem__(slice(start, stop), copy.deepcopy(items)))

    @rule(index=st.integers(-8, 8))
    def delete(self, index: int) -> None:
        self.same(lambda items: items.__delitem__(index))

    @rule(start=st.integers(-8, 8), stop=st.integers(-8, 8))
    def delete_slice(self, start: int, stop: int) -> None:
        self.same(lambda items: items.__delitem__(slice(start, stop)))

    @rule(index=st.integers(-8, 8))
    def pop(self, index: int) -> None:
        self.same(lambda items: items.pop(index))

    @rule(note=plain_notes)
    def remove_count_index_contains(self, note: Note) -> None:
        self.same(lambda items: (items.count(note), note in items))
        self.same(lambda items: items.index(note))
        self.same(lambda items: items.remove(note))

    @rule(key=st.sampled_from([None, *KEYS]), reverse=st.booleans())
    def sort(self, key: str | None, reverse: bool) -> None:
        self.same(lambda items: items.sort(key=KEYS.get(key), reverse=reverse))

    @rule()
    def reverse(self) -> None:
        self.same(lambda items: items.reverse())

    @rule()
    def clear(self) -> None:
        self.same(lambda items: items.clear())

    @rule(times=st.integers(0, 2))
    def multiply(self, times: int) -> None:
        self.same(lambda items: items * times)
        self.same(lambda items: times * items)

    @rule(items=st.lists(plain_notes, max_size=2))
    def concatenate(self, items: list[Note]) -> None:
        self.same(lambda target: target + items)
        self.same(lambda target: items + target)

    @rule()
    def sort_by_columns(self) -> None:
        self.notes.sort_by("time", "pitch", "duration", "velocity")
        self.plain.sort(key=lambda note: (note.time, note.pitch, note.duration, note.velocity))

    @rule()
    def remove_duplicate(self) -> None:
        self.notes.remove_duplicate()
        self.plain[:] = [note for index, note in enumerate(self.plain) if note not in self.plain[:index]]

    @rule(factor=st.integers(1, 3), shift=st.integers(0, 3))
    def adjust_time(self, factor: int, shift: int) -> None:
        self.notes.adjust_time(lambda time: time * factor + shift)
        for note in self.plain:
            note.time, note.duration = note.time * factor + shift, note.duration * factor

    @rule(end=st.integers(0, 9))
    def trim(self, end: int) -> None:
        self.notes.trim(end)
        self.plain[:] = [note for note in self.plain if note.time < end]
        for note in self.plain:
            note.end = min(note.end, end)

    def same(self, operation: Any) -> None:
        outcomes = []
        for items in (self.notes, self.plain):
            try:
                outcomes.append(operation(items))
            except (IndexError, ValueError) as error:
                outcomes.append(type(error))
        assert outcomes[0] == outcomes[1]


TestAnEventListIsAList = ListMachine.TestCase


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_columns_hold_every_event_of_every_class(event_type: type[Any]) -> None:
    @given(st.lists(events_of(event_type), max_size=4))
    def check(items: list[Any]) -> None:
        table = columnar(event_type, items)
        assert table.is_columnar
        assert table == EventList(event_type, items)
        assert table == items
        assert table.is_columnar
        assert [type(item) for item in table] == [event_type] * len(items)
        assert not table.is_columnar

    check()


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_both_states_answer_alike(event_type: type[Any]) -> None:
    @given(st.lists(events_of(event_type), max_size=4))
    def check(items: list[Any]) -> None:
        table, objects = columnar(event_type, items), EventList(event_type, copy.deepcopy(items))
        assert repr(table) == repr(objects)
        assert table.end_time() == objects.end_time()
        assert (table.array == objects.array).all()
        for field in event_type._side_fields:
            assert table.side(field.name) == objects.side(field.name)
            assert table.has_side(field.name) == objects.has_side(field.name)
        for field in event_type._column_fields:
            assert table.optional(field.name) == objects.optional(field.name)
        for state in (table, objects):
            state.validate()
            state.validate_type()
            state.remove_invalid()
            state.fix_type()
            assert len(state) == len(items)
            state.adjust_time(lambda time: 2 * time)
            state.sort_by("time")
            state.trim(20)
            state.remove_duplicate()
        assert table.is_columnar
        assert not objects.is_columnar
        assert table.deepcopy() == objects
        assert pickle.loads(pickle.dumps(table)) == pickle.loads(pickle.dumps(objects)) == objects

    check()


def test_a_note_is_forty_bytes_without_padding() -> None:
    assert dtype_of(Note).itemsize == 40
    assert dtype_of(Note).names[:4] == ("time", "pitch", "duration", "velocity")


def test_looking_does_not_thaw() -> None:
    notes = columnar(Note, [Note(0, 60, 4), Note(4, 62, 4, pitch_str="D")])
    repr(notes)
    notes.peek()
    notes.deepcopy()
    notes.validate()
    notes.sort_by("pitch")
    pickle.dumps(notes)
    assert notes == columnar(Note, [Note(0, 60, 4), Note(4, 62, 4, pitch_str="D")])
    assert notes.is_columnar


def test_identity_is_stable_once_thawed() -> None:
    notes = columnar(Note, [Note(0, 60, 4)])
    first = notes[0]
    first.pitch = 61
    assert notes[0] is first
    assert notes.array["pitch"].tolist() == [61]


def test_the_array_is_the_store_as_long_as_it_is_columnar() -> None:
    notes = columnar(Note, [Note(0, 60, 4), Note(1, 64, 4)])
    notes.array["pitch"] += 12
    assert [note.pitch for note in notes] == [72, 76]
    with pytest.raises(ValueError, match="read-only"):
        notes.array["pitch"] += 12


@pytest.mark.parametrize("pitch", [40000, 60.5, "C4", None])
def test_a_value_without_a_column_names_its_event(pitch: Any) -> None:
    notes = EventList(Note, [Note(0, 60, 4), Note(4, pitch, 4)])
    with pytest.raises(TypeError, match=r"pitch=.* does not fit int16: Note\(time=4"):
        _ = notes.array


def test_edits_that_do_not_fit_are_refused() -> None:
    notes = columnar(Note, [Note(0, 60, 4)])
    with pytest.raises(TypeError, match="pitch"):
        notes.edit("pitch", lambda pitches: pitches + 40000)
    assert notes.array["pitch"].tolist() == [60]


def test_optional_values_come_back_as_none() -> None:
    keys = columnar(KeySignature, [KeySignature(0, fifths=-1), KeySignature(4)])
    assert keys.array["fifths"].tolist() == [-1, -128]
    assert keys.optional("fifths") == [-1, None]
    assert [key.fifths for key in keys] == [-1, None]


def test_file_order_is_no_part_of_equality() -> None:
    first, second = new_array(Note, 1), new_array(Note, 1)
    first["order"] = 7
    assert EventList.from_columns(Note, first) == EventList.from_columns(Note, second)
    note = EventList.from_columns(Note, first)[0]
    assert (note._order, note._off_order) == (7, -1)
    assert note == Note(0, 0, 0, 0)


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(TypeError, match="expected"):
        EventList.from_columns(Note, np.zeros(2))
    with pytest.raises(ValueError, match="no side column `lyric`"):
        EventList.from_columns(Note, new_array(Note, 1), {"lyric": ["la"]})
    with pytest.raises(ValueError, match="2 values for 1 events"):
        EventList.from_columns(Note, new_array(Note, 1), {"pitch_str": ["C", "D"]})


def test_a_missing_required_side_column_reads_as_none() -> None:
    assert EventList.from_columns(Lyric, new_array(Lyric, 1))[0].lyric is None
    assert not EventList.from_columns(Lyric, new_array(Lyric, 1)).peek()[0].is_valid()


@pytest.mark.parametrize("state", ["columns", "objects"])
def test_invalid_events_are_found_and_removed_in_both_states(state: str) -> None:
    bad = [Note(0, 128, 4), Note(0, 60, -1), Note(0, 60, 4, 200), Note(-1, 60, 4), Note(0, 60, 4, pitch_str=5)]
    good = [Note(0, 0, 0, 0), Note(3, 127, 1, 127, "G", off_kind="open", voice=1, tie="stop", articulations=["accent"])]
    for wrong in bad:
        items = [good[0], wrong, good[1]]
        notes = columnar(Note, items) if state == "columns" else EventList(Note, items)
        expected: type[Exception] = TypeError if wrong.pitch_str == 5 else ValueError
        with pytest.raises(expected, match="Note"):
            notes.validate()
        notes.remove_invalid()
        assert notes.is_columnar == (state == "columns")
        assert notes == good


def test_a_tempo_must_be_positive_in_both_states() -> None:
    for qpm in (0.0, -1.0, float("nan")):
        for tempos in (columnar(Tempo, [Tempo(0, qpm)]), EventList(Tempo, [Tempo(0, qpm)])):
            with pytest.raises(ValueError, match="qpm"):
                tempos.validate()


def test_duplicates_are_equal_events_whatever_their_values() -> None:
    values = [{"a": 1}, {"a": 1.0}, [1], {"a": 2}, [1]]
    items = [Annotation(0, value) for value in values]
    for table in (columnar(Annotation, items), EventList(Annotation, items)):
        table.remove_duplicate()
        assert table == [items[0], items[2], items[3]]


def test_an_unknown_duration_stays_unknown() -> None:
    marks = [Dynamic(0, "mf"), Dynamic(2, "crescendo", 10)]
    for dynamics in (columnar(Dynamic, marks), EventList(Dynamic, copy.deepcopy(marks))):
        dynamics.trim(8)
        dynamics.adjust_time(lambda time: time + 1)
        assert dynamics == [Dynamic(1, "mf"), Dynamic(3, "crescendo", 6)]


@pytest.mark.parametrize("touched", [False, True])
def test_equal_values_of_any_type_are_duplicates_and_others_are_not(touched: bool) -> None:
    values = [{"a": [1, 2]}, {"a": [1, 2.0]}, {"a": (1, 2)}, {1}, {1}, "x", "x", None, 1, True, np.int64(1)]
    events = EventList(Annotation, [Annotation(0, value) for value in values])
    if not touched:
        array = events.array.copy()
        events = EventList.from_columns(Annotation, array, {"annotation": values})
    events.remove_duplicate()
    assert [item.annotation for item in events] == [{"a": [1, 2]}, {"a": (1, 2)}, {1}, "x", None, 1]
