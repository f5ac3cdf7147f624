"""Tables of metrics for many pieces, and comparisons of two sets."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from statistics import NormalDist

import muspy_core
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import KeySignature, MetricTable, Music, Note, TimeSignature, Track, metrics
from muspy_core.metrics.distributions import Density
from muspy_core.metrics.table import METRICS


def scale(root: int, notes: int = 8) -> Music:
    """A rising line of whole tones, a quarter each, in 3/4 and C major."""
    track = Track(notes=[Note(24 * i, root + 2 * i, 24) for i in range(notes)])
    return Music(key_signatures=[KeySignature(0, 0, "major")], time_signatures=[TimeSignature(0, 3, 4)], tracks=[track])


# --- tables ----------------------------------------------------------------------------------------------------------


def test_a_table_has_a_row_a_piece_and_a_column_a_metric() -> None:
    table = muspy_core.compute_metrics([scale(60), scale(62, 4)])
    assert set(table.columns) == set(METRICS) <= set(metrics.__all__)
    assert len(METRICS) == 14
    assert table.pieces == ("0", "1")
    assert len(table) == 2
    assert table["pitch_range"].tolist() == [14, 6]
    assert table["pitch_in_scale_rate"].tolist() == [metrics.pitch_in_scale_rate(scale(60), 0, "major"), 0.5]
    assert table["groove_consistency"][0] == metrics.groove_consistency(scale(60), 72)
    assert np.isnan(table["drum_pattern_consistency"]).all()
    assert table.means()["pitch_range"] == 10
    assert math.isnan(table.means()["drum_pattern_consistency"])


def test_chosen_metrics_are_computed_with_their_options() -> None:
    names = ["groove_consistency", "polyphony_rate"]
    table = muspy_core.compute_metrics([scale(60)], names, measure_resolution=48, threshold=0)
    assert list(table.columns) == names
    assert table["groove_consistency"].tolist() == [metrics.groove_consistency(scale(60), 48)]
    assert table["polyphony_rate"].tolist() == [1.0]


def test_music_without_tracks_has_no_rates() -> None:
    table = muspy_core.compute_metrics([Music()], ["n_pitches_used", "polyphony"])
    assert table["n_pitches_used"].tolist() == [0]
    assert np.isnan(table["polyphony"]).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_files_that_fail_are_listed_and_the_others_go_on(tmp_path: Path, n_jobs: int) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for number, path in enumerate(paths):
        scale(60, number + 2).save(path)
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    pieces = [paths[0], broken, paths[1], tmp_path / "missing.json", paths[2]]
    table = muspy_core.compute_metrics(pieces, ["pitch_range"], n_jobs=n_jobs)
    assert table.pieces == tuple(map(str, paths))
    assert table["pitch_range"].tolist() == [2, 4, 6]
    assert list(table.failures) == [str(broken), str(tmp_path / "missing.json")]
    assert "broken.json" in table.failures[str(broken)]


def test_tables_are_written_whole_as_csv_and_json(tmp_path: Path) -> None:
    table = muspy_core.compute_metrics([scale(60), Music()], ["pitch_range", "polyphony"])
    table.to_csv(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"piece": "0", "pitch_range": "14.0", "polyphony": "1.0"},
        {"piece": "1", "pitch_range": "0.0", "polyphony": ""},
    ]
    table.to_json(tmp_path / "table.json")
    content = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert content == {
        "pieces": [
            {"piece": "0", "pitch_range": 14.0, "polyphony": 1.0},
            {"piece": "1", "pitch_range": 0.0, "polyphony": None},
        ],
        "failures": {},
    }
    with pytest.raises(FileExistsError):
        table.to_csv(tmp_path / "table.csv", overwrite=False)


def test_unknown_metrics_and_options_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown metric loudness; there are n_pitches_used"):
        muspy_core.compute_metrics([scale(60)], ["loudness"])
    with pytest.raises(ValueError, match="Only duple and triple"):
        muspy_core.compute_metrics([scale(60)], meter="compound")
    with pytest.raises(ValueError, match="positive integer, got 0"):
        muspy_core.compute_metrics([scale(60)], measure_resolution=0)


# --- densities -------------------------------------------------------------------------------------------------------


def normal_sample(mean: float, sd: float, n: int) -> np.ndarray:
    """A sample that stands for a normal distribution: its quantiles."""
    quantiles = NormalDist(mean, sd).inv_cdf
    return np.array([quantiles((i + 0.5) / n) for i in range(n)])


@pytest.mark.parametrize("n", [2000, 20000])
def test_two_normal_samples_overlap_as_normal_densities_do(n: int) -> None:
    first, second = normal_sample(0, 1, n), normal_sample(1, 1, n)
    # The kernel widens both alike: sd² = 1 + bandwidth².
    sd = math.hypot(1, Density.of(first).bandwidth)  # type: ignore[union-attr] # it has spread
    expected = 2 * NormalDist().cdf(-0.5 / sd)
    assert muspy_core.overlap_area(first, second) == pytest.approx(expected, abs=2e-4)
    # The quantiles lack the far tails, where the logarithm is steepest.
    assert muspy_core.kl_divergence(first, second) == pytest.approx(1 / (2 * sd**2), abs=1e-2)


def test_divergence_of_normal_samples_of_other_width_is_that_of_normal_densities() -> None:
    first, second = normal_sample(0, 1, 2000), normal_sample(1, 2, 2000)
    p, q = (math.hypot(sd, Density.of(x).bandwidth) for sd, x in ((1, first), (2, second)))  # type: ignore[union-attr] # the same
    expected = math.log(q / p) + (p**2 + 1) / (2 * q**2) - 0.5
    assert muspy_core.kl_divergence(first, second) == pytest.approx(expected, abs=2e-3)


def test_densities_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, 300), rng.gamma(2, 1, 200)
    p, q = stats.gaussian_kde(first), stats.gaussian_kde(second)
    x = np.linspace(-8, 20, 20001)
    np.testing.assert_allclose(np.exp(Density.of(first).log(x)), p(x), rtol=1e-9, atol=1e-300)  # type: ignore[union-attr] # the same
    overlap = np.minimum(p(x), q(x)).sum() * (x[1] - x[0])
    assert muspy_core.overlap_area(first, second) == pytest.approx(overlap, abs=1e-5)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30, unique=True))
def test_a_sample_is_like_itself(sample: list[float]) -> None:
    if np.ptp(sample) < 1e-6:
        return
    assert muspy_core.overlap_area(sample, sample) == pytest.approx(1, abs=1e-4)
    assert muspy_core.kl_divergence(sample, sample) == pytest.approx(0, abs=1e-9)


def test_samples_far_apart_share_nothing_and_diverge_finitely() -> None:
    first, second = [0.0, 1, 2], [1000.0, 1001, 1002]
    assert muspy_core.overlap_area(first, second) == 0
    assert 1e5 < muspy_core.kl_divergence(first, second) < math.inf


def test_samples_without_spread_have_no_density() -> None:
    for sample in ([], [1.0], [2.0, 2.0], [0.1] * 7, [math.nan, 1.0], [0.0, math.inf], [0.0, 5e-324]):
        assert math.isnan(muspy_core.overlap_area(sample, [0.0, 1.0]))
        assert math.isnan(muspy_core.kl_divergence([0.0, 1.0], sample))


# --- sets ------------------------------------------------------------------------------------------------------------


def table_of(values: np.ndarray) -> MetricTable:
    return MetricTable(tuple(map(str, range(len(values)))), {"polyphony": values})


def test_a_set_drawn_like_the_reference_is_closer_than_another() -> None:
    rng = np.random.default_rng(1)
    reference, alike, other = rng.normal(2, 1, 80), rng.normal(2, 1, 80), rng.normal(6, 1, 80)
    for method in ("distances", "values"):
        near = muspy_core.compare_metrics(table_of(reference), table_of(alike), method=method)["polyphony"]  # type: ignore[arg-type] # literals
        far = muspy_core.compare_metrics(table_of(reference), table_of(other), method=method)["polyphony"]  # type: ignore[arg-type] # literals
        assert near.overlap_area > 0.8 > 0.5 > far.overlap_area
        assert near.kl_divergence < 0.2 < 1 < far.kl_divergence
        assert far.other_mean == pytest.approx(6, abs=0.5)
        assert (far.reference_n, far.other_n) == (80, 80)


def test_distances_are_those_within_the_reference_and_across_the_sets() -> None:
    found = muspy_core.compare_metrics(table_of(np.array([0.0, 1, 3, math.nan])), table_of(np.array([2.0, 5])))
    intra, inter = [1.0, 3, 2], [2.0, 5, 1, 4, 1, 2]
    assert found["polyphony"].overlap_area == muspy_core.overlap_area(intra, inter)
    assert found["polyphony"].kl_divergence == muspy_core.kl_divergence(intra, inter)
    assert found["polyphony"].reference_n == 3
    assert found["polyphony"].reference_sd == pytest.approx(np.std([0, 1, 3], ddof=1))


def test_metrics_that_one_set_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="pitch_range is not in both tables"):
        muspy_core.compare_metrics(table_of(np.zeros(2)), table_of(np.zeros(2)), ["pitch_range"])
    with pytest.raises(ValueError, match='"distances" or "values"'):
        muspy_core.compare_metrics(table_of(np.zeros(2)), table_of(np.zeros(2)), method="medians")  # type: ignore[arg-type] # on purpose
