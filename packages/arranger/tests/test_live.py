"""Notes that are assigned while they are played."""

from __future__ import annotations

from collections import Counter

import pytest
from arranger.checkpoint import ModelError, load_checkpoint
from arranger.clocks import MidiClock, SteadyTempo
from arranger.control import control_of
from arranger.decoding import decode, decode_causally
from arranger.inference import Tagger
from arranger.live import LiveArranger, PartEvent
from arranger.mixture import Mixture
from arranger.parts import SATB
from hypothesis import given, settings
from hypothesis import strategies as st
from mixtures import mixtures

QPM = 60.0
STEP_S = 60.0 / QPM / 24


def played(mixture: Mixture, arranger: LiveArranger) -> list[PartEvent]:
    """Play a mixture in time: at each moment the releases first, then the keys from low to high."""
    moments = [(int(end), 0, row) for row, end in enumerate(mixture.offset)]
    moments += [(int(onset), 1, row) for row, onset in enumerate(mixture.onset)]
    events, numbers = [], {}
    for step, is_on, row in sorted(moments):
        time, pitch = step * STEP_S, int(mixture.pitch[row])
        if is_on:
            numbers[row] = len(numbers)
            events += arranger.note_on(pitch, int(mixture.velocity[row]), time)
        else:
            events += arranger.note_off(pitch, time, numbers[row])
    return events + arranger.finish(float(mixture.offset.max()) * STEP_S + 1)


def parts_of(events: list[PartEvent], count: int) -> list[int]:
    labels = {event.note: event.part for event in events if event.kind == "on"}
    return [labels[note] for note in range(count)]


@settings(max_examples=25)
@given(mixtures)
def test_streaming_note_by_note_equals_the_batch(mixture: Mixture) -> None:
    checkpoint = load_checkpoint("bach-chorales", "causal")
    arranger = LiveArranger(checkpoint, window_s=0, chord_s=0, clock=SteadyTempo(QPM, 0.0), missing="ignored")
    logits = Tagger(checkpoint).logits(mixture)
    whole = decode_causally(mixture, logits, SATB, arranger.control.decoding(checkpoint.decoding))
    assert parts_of(played(mixture, arranger), len(mixture)) == whole.tolist()


@settings(max_examples=25)
@given(mixtures)
def test_streaming_chord_by_chord_equals_the_batch(mixture: Mixture) -> None:
    checkpoint = load_checkpoint("bach-chorales", "online")
    arranger = LiveArranger(checkpoint, window_s=0.01, chord_s=0.02, clock=SteadyTempo(QPM, 0.0), missing="ignored")
    logits = Tagger(checkpoint).logits(mixture)
    whole = decode(mixture, logits, SATB, arranger.control.decoding(checkpoint.decoding))
    assert parts_of(played(mixture, arranger), len(mixture)) == whole.tolist()


keys = st.tuples(st.floats(0, 2), st.integers(36, 84), st.floats(0.001, 1), st.integers(1, 127))


@settings(max_examples=25)
@given(st.lists(keys, min_size=1, max_size=12), st.sampled_from([0.0, 0.012, 0.05]))
def test_no_note_is_lost_repeated_or_hurried(notes: list[tuple[float, int, float, int]], window_s: float) -> None:
    arranger = LiveArranger(window_s=window_s)
    moments = sorted(
        [(on, 1, i) for i, (on, *_) in enumerate(notes)] + [(n[0] + n[2], 0, i) for i, n in enumerate(notes)]
    )
    events, number = [], {}
    for time, is_on, i in moments:
        if is_on:
            number[i] = len(number)
            events += arranger.note_on(notes[i][1], notes[i][3], time)
        else:
            events += arranger.note_off(notes[i][1], time, number[i])
    events += arranger.finish(10.0)
    on = {event.note: event for event in events if event.kind == "on"}
    off = {event.note: event for event in events if event.kind == "off"}
    assert len(events) == 2 * len(notes)
    for i, (time, pitch, duration, velocity) in enumerate(notes):
        begin, end = on[number[i]], off[number[i]]
        assert (begin.pitch, begin.velocity, begin.part) == (pitch, velocity, end.part)
        assert -1e-9 <= begin.time - time <= window_s + 1e-9
        assert end.time - begin.time == pytest.approx(duration)
    assert [event.time for event in events[:-1]] <= [event.time for event in events[1:]]


def test_a_note_leaves_as_soon_as_its_window_has_passed() -> None:
    arranger = LiveArranger(window_s=0.01)
    assert arranger.note_on(60, 80, 1.0) == []
    assert arranger.next_time == pytest.approx(1.01)
    assert arranger.advance(1.009) == []
    [event] = arranger.advance(1.02)
    assert (event.kind, event.time, event.pitch, event.velocity) == ("on", pytest.approx(1.01), 60, 80)
    assert arranger.next_time is None


def test_a_rolled_chord_is_heard_as_one_whatever_its_order() -> None:
    chord = [(48, 3), (55, 2), (64, 1), (72, 0)]
    for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
        arranger = LiveArranger(window_s=0.012)
        events = []
        for place, i in enumerate(order):
            events += arranger.note_on(chord[i][0], 80, 0.003 * place)
        events += arranger.advance(0.1)
        assert {(event.pitch, event.part) for event in events} == set(chord)


def test_a_late_note_of_a_chord_takes_a_part_that_is_left() -> None:
    arranger = LiveArranger(window_s=0.005, chord_s=0.035)
    events = [e for i, pitch in enumerate((48, 55, 64, 72)) for e in arranger.note_on(pitch, 80, 0.01 * i)]
    events += arranger.advance(1.0)
    assert Counter(event.part for event in events) == {0: 1, 1: 1, 2: 1, 3: 1}


def test_a_release_of_a_key_that_is_not_pressed_changes_nothing() -> None:
    arranger = LiveArranger()
    assert arranger.note_off(60, 0.0) == []
    assert arranger.finish(1.0) == []


def test_a_velocity_of_zero_is_a_release() -> None:
    arranger = LiveArranger(window_s=0)
    arranger.note_on(60, 80, 0.0)
    assert [event.kind for event in arranger.note_on(60, 0, 0.5)] == ["off"]


def test_demands_hold_while_playing_too() -> None:
    control = control_of(SATB, excluded=["Alto"], ranges=["Soprano=C5-C6"], polyphony=["Bass=1"])
    arranger = LiveArranger(control=control)
    events = [e for pitch in (50, 55, 60, 70) for e in arranger.note_on(pitch, 80, 0.0)] + arranger.advance(1.0)
    by_part = Counter(event.part for event in events)
    assert by_part[1] == by_part[0] == 0
    assert by_part[3] == 1


def test_models_that_must_know_the_end_are_refused() -> None:
    with pytest.raises(ModelError, match="online or causal"):
        LiveArranger(mode="offline")
    with pytest.raises(ValueError, match="latency window"):
        LiveArranger(window_s=-1)
    with pytest.raises(ValueError, match="tempo"):
        LiveArranger(clock=0.0)


def test_midi_clock_counts_steps_and_follows_the_tempo() -> None:
    clock = MidiClock(120.0)
    assert clock.step(5.0) == 0
    for pulse in range(25):
        clock.pulse(10.0 + 0.02 * pulse)
    assert clock.step(10.0 + 0.02 * 24) == 24
    assert clock.step(10.0 + 0.02 * 26) == 26
    clock.start()
    clock.pulse(20.0)
    assert clock.step(20.0) == 0
