"""Steps and seconds convert exactly and back; bar lines, beats and resolutions follow integer arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import EventList, Music, Note, Tempo, TempoMap, TimeSignature, Track
from muspy_core.timing import Rescale, barline_times, beat_times, round_half_up

tempo_lists = st.lists(st.builds(Tempo, st.integers(0, 10_000), st.floats(10, 500)), max_size=6)
resolutions = st.sampled_from([1, 4, 24, 220, 480, 10_080])


def exact_seconds(tempos: list[Tempo], resolution: int, step: int) -> Fraction:
    """The definition: the sum over all steps of what each of them lasts."""
    total, position, qpm = Fraction(0), 0, Fraction(120)
    for tempo in sorted(tempos, key=lambda tempo: tempo.time):
        if tempo.time > step:
            break
        total += (tempo.time - position) * 60 / (qpm * resolution)
        position, qpm = tempo.time, Fraction(tempo.qpm)
    return total + (step - position) * 60 / (qpm * resolution)


@given(tempo_lists, resolutions, st.lists(st.integers(0, 20_000), max_size=8))
def test_seconds_are_exact_to_a_nanosecond(tempos: list[Tempo], resolution: int, steps: list[int]) -> None:
    seconds = TempoMap.from_tempos(EventList(Tempo, tempos), resolution).seconds(steps)
    expected = [float(exact_seconds(tempos, resolution, step)) for step in steps]
    assert seconds == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(tempo_lists, resolutions, st.lists(st.integers(-100, 20_000), max_size=8))
def test_steps_invert_seconds(tempos: list[Tempo], resolution: int, steps: list[int]) -> None:
    tempo_map = TempoMap.from_tempos(EventList(Tempo, tempos), resolution)
    assert round_half_up(tempo_map.steps(tempo_map.seconds(steps))).tolist() == steps
    assert tempo_map.steps(tempo_map.seconds(steps)) == pytest.approx(steps, abs=1e-6)


@given(tempo_lists, resolutions)
def test_time_never_stands_still(tempos: list[Tempo], resolution: int) -> None:
    tempo_map = TempoMap.from_tempos(EventList(Tempo, tempos), resolution)
    assert (np.diff(tempo_map.seconds(np.arange(0, 12_000, 7))) > 0).all()


def test_a_tempo_map_by_hand() -> None:
    tempo_map = Music(resolution=10, tempos=[Tempo(20, 60), Tempo(40, 240)]).tempo_map
    assert tempo_map.seconds([0, 10, 20, 30, 40, 50]).tolist() == [0, 0.5, 1, 2, 3, 3.25]
    assert tempo_map.steps([0.25, 1.5, 3.25]).tolist() == [5, 25, 50]
    assert tempo_map.seconds(np.array([[0, 20], [40, 50]])).shape == (2, 2)
    assert float(tempo_map.seconds(-10)) == -0.5


def test_the_last_of_simultaneous_tempi_wins() -> None:
    assert Music(tempos=[Tempo(0, 60), Tempo(0, 120)]).tempo_map.seconds(24) == 0.5


def test_a_tempo_order_does_not_matter() -> None:
    shuffled = Music(tempos=[Tempo(48, 60), Tempo(0, 120)])
    assert shuffled.tempo_map.seconds(72) == Music(tempos=[Tempo(0, 120), Tempo(48, 60)]).tempo_map.seconds(72)


def test_impossible_tempi_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        _ = Music(tempos=[Tempo(0, 0)]).tempo_map
    with pytest.raises(ValueError, match="resolution"):
        TempoMap.from_tempos(EventList(Tempo), 0)


@given(st.integers(-(10**6), 10**6), st.integers(1, 2000), st.integers(1, 2000))
def test_rescaling_is_exact_on_integers_and_arrays(step: int, target: int, resolution: int) -> None:
    exact = Fraction(step * target, resolution)
    expected = {
        "round": (exact + Fraction(1, 2)).__floor__(),
        "floor": exact.__floor__(),
        "ceil": exact.__ceil__(),
    }
    for rounding, value in expected.items():
        scale = Rescale(target, resolution, rounding)
        assert scale(step) == value
        assert scale(np.array([step])).tolist() == [value]


def test_times_too_large_to_rescale_are_refused() -> None:
    with pytest.raises(OverflowError, match="too large"):
        Rescale(480, 1)(np.array([2**60]))
    assert Rescale(480, 1)(2**60) == 480 * 2**60


def test_equal_distances_stay_equal() -> None:
    whole = Music(resolution=2, tracks=[Track(notes=[Note(time, 60, 1) for time in range(1, 9, 2)])])
    whole.adjust_resolution(1)
    assert [note.time for note in whole.tracks[0].notes] == [1, 2, 3, 4]


@pytest.mark.parametrize("resolution", [24, 480, 10_080])
@pytest.mark.parametrize("numerator", [2, 4, 18, 96])
def test_measures_of_any_length_fit(resolution: int, numerator: int) -> None:
    signatures = EventList(TimeSignature, [TimeSignature(0, numerator, 4)])
    length = resolution * numerator
    assert barline_times(signatures, 3 * length, resolution).tolist() == [0, length, 2 * length]
    assert beat_times(signatures, length, resolution).tolist() == list(range(0, length, resolution))


def test_bar_lines_start_anew_at_each_signature() -> None:
    signatures = EventList(TimeSignature, [TimeSignature(30, 2, 4), TimeSignature(0, 3, 4)])
    assert barline_times(signatures, 60, 4).tolist() == [0, 12, 24, 30, 38, 46, 54]
    assert beat_times(signatures, 40, 4).tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 30, 34, 38]


def test_beats_of_half_a_step_go_up_and_down_evenly() -> None:
    signatures = EventList(TimeSignature, [TimeSignature(0, 3, 8)])
    assert beat_times(signatures, 6, 1).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]


@pytest.mark.parametrize("signature", [TimeSignature(0, 0, 4), TimeSignature(0, 4, 0), TimeSignature(0, -1, 4)])
def test_a_time_signature_of_no_length_is_refused(signature: TimeSignature) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Music(time_signatures=[signature], tracks=[Track(notes=[Note(0, 60, 9)])]).infer_barlines()


def test_a_time_far_beyond_all_music_does_not_take_all_memory() -> None:
    music = Music(time_signatures=[TimeSignature(0, 4, 4)], tracks=[Track(notes=[Note(2**60, 60, 1)])])
    with pytest.raises(ValueError, match="lines"):
        music.infer_barlines_and_beats()
