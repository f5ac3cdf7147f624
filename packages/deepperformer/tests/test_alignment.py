"""Dynamic time warping, and the alignment of scores with recordings."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from deepperformer.alignment import align
from deepperformer.alignment.dtw import Band, warp
from deepperformer.alignment.metrics import onset_errors
from deepperformer.alignment.quality import quality_of
from deepperformer.alignment.reference import study, tempo_of
from deepperformer.errors import AlignmentError
from deepperformer.features.notes import NoteRows, Timings, performed_music
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import Audio, render
from tunes import timings_of, tune


def features(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, 3)).astype(np.float32)


def cheapest(costs: np.ndarray) -> float:
    """The textbook recurrence, cell by cell."""
    total = np.full(costs.shape, np.inf)
    total[0, 0] = costs[0, 0]
    for i, j in itertools.product(*map(range, costs.shape)):
        if i or j:
            ways = [total[i - 1, j] if i else np.inf, total[i, j - 1] if j else np.inf]
            ways.append(total[i - 1, j - 1] if i and j else np.inf)
            total[i, j] = costs[i, j] + min(ways)
    return float(total[-1, -1])


# --- warping ---------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 9))
def test_the_path_is_the_cheapest(n: int, m: int, seed: int) -> None:
    ours, theirs = features(n, seed), features(m, seed + 100)
    path = warp(ours, theirs)
    costs = np.linalg.norm(ours[:, None] - theirs[None], axis=2)
    along = costs[path.reference, path.recording]
    assert along.sum() == pytest.approx(cheapest(costs), rel=1e-4)
    assert path.cost == pytest.approx(along.mean(), rel=1e-3)
    assert (path.reference[0], path.recording[0], path.reference[-1], path.recording[-1]) == (0, 0, n - 1, m - 1)
    steps = np.stack([np.diff(path.reference), np.diff(path.recording)])
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(0) > 0).all()


@settings(max_examples=25)
@given(st.lists(st.floats(0, 60), min_size=1, max_size=40), st.integers(1, 8), st.integers(30, 61))
def test_a_path_stays_in_its_band_even_where_the_band_leaps(centers: list[float], half: int, m: int) -> None:
    band = Band.around(np.sort(np.array(centers)), half, m)
    band = Band(band.first - band.first[0], band.width)  # the first row holds the first frame
    path = warp(features(len(centers)), features(int(band.first[-1]) + band.width, 1), band)
    first = band.first[path.reference]
    assert ((path.recording >= first) & (path.recording < first + band.width)).all()
    assert (path.reference[-1], path.recording[-1]) == (len(centers) - 1, band.first[-1] + band.width - 1)


def test_a_band_around_the_path_does_not_change_it() -> None:
    theirs = np.repeat(features(60), np.random.default_rng(1).integers(1, 4, 60), axis=0)
    whole = warp(features(60), theirs)
    banded = warp(features(60), theirs, Band.around(whole.at(np.arange(60.0)), 6, len(theirs)))
    assert np.array_equal(whole.recording, banded.recording)
    assert whole.cost == pytest.approx(0, abs=1e-2)


def test_the_path_is_interpolated_between_frames() -> None:
    path = warp(features(20), np.repeat(features(20), 2, axis=0))
    assert path.at(np.array([0.0, 4.5, 10.0])).tolist() == [0.5, 9.5, 20.5]


@pytest.mark.slow
def test_librosa_finds_the_same_cost() -> None:
    librosa = pytest.importorskip("librosa")
    ours, theirs = features(80), features(100, 1)
    total, _ = librosa.sequence.dtw(ours.T, theirs.T)
    path = warp(ours, theirs)
    assert path.cost * len(path.reference) == pytest.approx(total[-1, -1], rel=1e-4)


# --- quality and errors ----------------------------------------------------------------------------------------------


def test_leaps_of_the_tempo_are_suspicious() -> None:
    rows, timings = tune(), timings_of(tune())
    assert quality_of(rows, timings, 0.4).suspicious == ()
    assert quality_of(rows, timings, 0.4).warnings == []
    late = timings.copy()
    late[rows[:, 0] > rows[20, 0]] += 10
    found = quality_of(rows, late, 0.9)
    assert 19 in found.suspicious or 20 in found.suspicious
    assert "match poorly" in found.warnings[0]
    assert "gross errors are likely" in found.warnings[1]


def test_errors_are_given_in_milliseconds() -> None:
    true = timings_of(tune())
    errors = onset_errors(true + 0.01, true)
    assert (errors.median, errors.bias, errors.over_50) == (pytest.approx(10), pytest.approx(10), 0)
    assert onset_errors(true - 0.3, true).over_200 == 100
    with pytest.raises(AlignmentError, match="cannot be compared"):
        onset_errors(true[:3], true)


def test_what_cannot_be_a_recording_of_the_score_is_refused() -> None:
    with pytest.raises(AlignmentError, match="qpm; is it the recording of this score"):
        tempo_of(tune(), 0.5)
    with pytest.raises(AlignmentError, match="the recording is silent"):
        align(tune(), Audio(np.zeros(160_000, np.float32), 16000))
    with pytest.raises(AlignmentError, match="choose one of interpolated, published"):
        align(tune(), Audio(np.zeros(160_000, np.float32), 16000), method="by ear")  # type: ignore[arg-type]


def test_the_study_is_sorted_and_in_the_violins_range() -> None:
    rows = study()
    assert (np.diff(rows[:, 0]) >= 0).all()
    assert rows[:, 2].min() >= 55
    assert rows[:, 2].max() <= 100


# --- whole alignments, on synthetic truth ----------------------------------------------------------------------------


def other_soundfont() -> Path | None:
    """A SoundFont that is not the default one and not derived from it."""
    path = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
    return path if path.is_file() else None


def performance(rows: NoteRows, timings: Timings) -> Audio:
    """A recording whose timings are known: another violin, reverberation, noise, a second of silence before."""
    sound = render(performed_music(rows, timings), soundfont=other_soundfont(), sample_rate=16000, reverb=1.5).to_mono()
    noise = np.random.default_rng(0).normal(0, 0.03 * sound.rms, sound.frames).astype(np.float32)
    return Audio(sound.samples + noise, 16000)


@pytest.mark.slow
def test_known_timings_are_found_and_better_than_by_the_published_procedure() -> None:
    pytest.importorskip("librosa")
    if other_soundfont() is None:
        pytest.skip("needs FluidR3_GM.sf2, for a violin that the calibration does not know")
    rows, timings = tune(notes=120), timings_of(tune(notes=120))
    audio = performance(rows, timings)
    ours = onset_errors(align(rows, audio).timings, timings)
    published = onset_errors(align(rows, audio, method="published").timings, timings)
    assert ours.median <= 10
    assert ours.p95 <= 30
    assert ours.over_200 == 0
    assert ours.median < published.median
    assert align(rows, audio).quality.warnings == []


@pytest.mark.slow
def test_another_piece_matches_worse() -> None:
    pytest.importorskip("librosa")
    rows, timings = tune(notes=60), timings_of(tune(notes=60))
    audio = performance(rows, timings)
    shuffled = rows.copy()
    shuffled[:, 2] = np.random.default_rng(5).permutation(rows[:, 2]) + 1
    assert align(shuffled, audio).quality.distance > align(rows, audio).quality.distance + 0.1
