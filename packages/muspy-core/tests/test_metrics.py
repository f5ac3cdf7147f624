"""The fourteen metrics equal MusPy's, and their edges are those that are documented."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import Annotation, Chord, Lyric, Music, Note, Track, metrics
from muspy_core.metrics.columns import merged_spans, sounding_time
from note_music import for_muspy, from_muspy, notes, pieces

PLAIN = (
    *("n_pitches_used", "n_pitch_classes_used", "pitch_range", "empty_beat_rate", "polyphony", "polyphony_rate"),
    *("scale_consistency", "pitch_entropy", "pitch_class_entropy", "drum_pattern_consistency"),
)
CALLS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    *((name, ()) for name in PLAIN),
    *(("polyphony_rate", (threshold,)) for threshold in (0, 1, 5)),
    *(("pitch_in_scale_rate", (root, mode)) for root, mode in ((0, "major"), (9, "minor"), (11, "Major"))),
    *(("drum_in_pattern_rate", (meter,)) for meter in ("duple", "triple", "Duple")),
    *((name, (length,)) for name in ("empty_measure_rate", "groove_consistency") for length in (1, 16, 36, 1000)),
)


def value_or_error(function: Any, *arguments: Any) -> float | type[Exception]:
    try:
        return float(function(*arguments))
    except ValueError:
        return ValueError


def assert_equal(ours: Any, theirs: Any, call: Any) -> None:
    if isinstance(ours, float) and isinstance(theirs, float):
        assert math.isclose(ours, theirs, rel_tol=0, abs_tol=1e-12) or (math.isnan(ours) and math.isnan(theirs)), call
    else:
        assert ours is theirs, call


def drums_only(music: Music) -> bool:
    with_notes = [track for track in music.tracks if track.notes]
    return bool(with_notes) and all(track.is_drum for track in with_notes)


@given(
    pieces(notes(max_time=120, max_duration=80), resolutions=(24, 8, 6, 5, 1), min_notes=0),
    st.lists(st.integers(0, 300), max_size=2),
)
def test_every_metric_equals_that_of_muspy(muspy: ModuleType, music: Music, lyrics: list[int]) -> None:
    music.tracks[0].lyrics = [Lyric(time, "la") for time in lyrics]
    theirs = for_muspy(music, muspy)
    for name, arguments in CALLS:
        if name == "pitch_range" and drums_only(music):
            assert muspy_core.pitch_range(music) == 0
            assert muspy.pitch_range(theirs) == -127
            continue
        ours = value_or_error(getattr(muspy_core, name), music, *arguments)
        assert_equal(ours, value_or_error(getattr(muspy, name), theirs, *arguments), (name, arguments))


@pytest.mark.parametrize("name", sorted({name for name, _ in CALLS}))
def test_metrics_take_the_arguments_of_muspy(muspy: ModuleType, name: str) -> None:
    theirs, ours = (inspect.signature(getattr(library, name)).parameters for library in (muspy, muspy_core))
    assert list(ours) == list(theirs)
    assert [argument.default for argument in ours.values()] == [argument.default for argument in theirs.values()]


@pytest.mark.slow
def test_every_metric_equals_that_of_muspy_on_real_files(muspy: ModuleType, shared_data: Path) -> None:
    paths = sorted((shared_data / "freedoom-midi/musics").glob("*.mid"))[:40]
    assert paths
    for path in paths:
        theirs = muspy.read_midi(path)
        for track in theirs.tracks:
            track.annotations = []
        ours = from_muspy(theirs)
        for name, arguments in CALLS:
            value = value_or_error(getattr(muspy_core, name), ours, *arguments)
            expected = value_or_error(getattr(muspy, name), theirs, *arguments)
            assert_equal(value, expected, (path.name, name, arguments))


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_music_without_tracks_or_notes_is_judged_as_by_muspy(
    muspy: ModuleType, name: str, arguments: tuple[Any, ...]
) -> None:
    for music in (Music(), Music(tracks=[Track()]), Music(tracks=[Track(is_drum=True)])):
        ours = value_or_error(getattr(muspy_core, name), music, *arguments)
        theirs = value_or_error(getattr(muspy, name), for_muspy(music, muspy), *arguments)
        assert_equal(ours, theirs, (name, arguments))


def test_values_of_a_small_piece() -> None:
    """The opening of Für Elise, on which MusPy's own tests give these values."""
    pitches = (76, 75, 76, 75, 76, 71, 74, 72, 69)
    music = Music(resolution=24, tracks=[Track(notes=[Note(6 * i, pitch, 6) for i, pitch in enumerate(pitches)])])
    assert metrics.n_pitches_used(music) == metrics.n_pitch_classes_used(music) == 6
    assert metrics.pitch_range(music) == 7
    assert metrics.empty_beat_rate(music) == metrics.empty_measure_rate(music, 36) == 0
    assert metrics.groove_consistency(music, 36) == pytest.approx(11 / 12)
    assert metrics.polyphony(music) == 1
    assert metrics.polyphony_rate(music) == 0
    assert metrics.pitch_in_scale_rate(music, 0, "major") == pytest.approx(7 / 9)
    assert metrics.scale_consistency(music) == pytest.approx(7 / 9)
    assert metrics.pitch_entropy(music) == metrics.pitch_class_entropy(music) == pytest.approx(2.4193819456463714)
    assert math.isnan(metrics.drum_in_pattern_rate(music, "duple"))
    assert math.isnan(metrics.drum_pattern_consistency(music))


def test_a_chord_of_two_is_not_more_than_two() -> None:
    music = Music(tracks=[Track(notes=[Note(0, 60, 4), Note(0, 64, 4)]), Track(notes=[Note(2, 67, 2), Note(2, 60, 6)])])
    assert metrics.polyphony_rate(music) == 2 / 8
    assert metrics.polyphony_rate(music, threshold=1) == 4 / 8
    assert metrics.polyphony_rate(music, threshold=-1) == 1
    # C4 sounds on both tracks at once, and counts once.
    assert metrics.polyphony(music) == (8 + 4 + 2) / 8


def test_a_note_touches_the_beat_in_which_it_ends() -> None:
    music = Music(resolution=4, tracks=[Track(notes=[Note(0, 60, 8), Note(20, 60, 1)])])
    assert metrics.empty_beat_rate(music) == pytest.approx(2 / 6)
    assert metrics.empty_measure_rate(music, 8) == pytest.approx(0)
    assert metrics.empty_measure_rate(music, 7) == pytest.approx(0)


def test_the_length_of_music_counts_everything_on_its_tracks() -> None:
    track = Track(notes=[Note(0, 60, 1)])
    for extra in (Lyric(15, "la"), Annotation(15, "end"), Chord(11, [60], 4), muspy_core.ControlChange(15, 64, 0)):
        music = Music(resolution=4, tracks=[track.deepcopy()])
        music.tracks[0].append(extra)
        assert metrics.empty_beat_rate(music) == pytest.approx(3 / 4)


def test_grooves_differ_by_their_onsets_alone() -> None:
    same = Music(tracks=[Track(notes=[Note(t, 60 + t, 1) for t in (0, 3, 8, 11, 16, 19)]), Track()])
    assert metrics.groove_consistency(same, 8) == 1
    other = Music(tracks=[Track(notes=[Note(t, 60, 2) for t in (0, 3, 8, 9)])])
    # Two measures (and no third: the music ends at 11); they differ at steps 1 and 3.
    assert metrics.groove_consistency(other, 8) == 1 - 2 / 8
    assert math.isnan(metrics.groove_consistency(other, 12))


def test_impossible_arguments_are_refused() -> None:
    music = Music(tracks=[Track(notes=[Note(0, 60, 9)])])
    for metric in (metrics.groove_consistency, metrics.empty_measure_rate):
        with pytest.raises(ValueError, match="must be a positive integer, got 0"):
            metric(music, 0)
    with pytest.raises(ValueError, match="either 'major' or 'minor', got 'dorian'"):
        metrics.pitch_in_scale_rate(music, 0, "dorian")
    with pytest.raises(ValueError, match="Only duple and triple meters are supported, got 'compound'"):
        metrics.drum_in_pattern_rate(music, "compound")
    with pytest.raises(ValueError, match="pitches must be 0–127, got -1 to 60"):
        metrics.pitch_entropy(Music(tracks=[Track(notes=[Note(0, -1, 1), Note(0, 60, 1)])]))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), min_size=1, max_size=15), st.integers(1, 6))
def test_spans_cover_what_counting_every_step_covers(spans: list[tuple[int, int]], at_least: int) -> None:
    starts = np.array([start for start, _ in spans])
    ends = starts + [length for _, length in spans]
    counts = np.zeros(60, int)
    for start, end in zip(starts, ends, strict=True):
        counts[start:end] += 1
    assert sounding_time(starts, ends, at_least) == np.count_nonzero(counts >= at_least)
    union = merged_spans(starts, ends)
    assert (union[1] - union[0]).sum() == np.count_nonzero(counts)
    assert (union[0][1:] >= union[1][:-1]).all()


def test_metrics_leave_columns_as_they_are() -> None:
    listed = Track(notes=[Note(0, 60, 4), Note(2, 62, 4)]).notes
    music = Music(tracks=[Track(notes=muspy_core.EventList.from_columns(Note, listed.array.copy()))])
    for name, arguments in CALLS:
        value_or_error(getattr(muspy_core, name), music, *arguments)
    assert music.tracks[0].notes.is_columnar
