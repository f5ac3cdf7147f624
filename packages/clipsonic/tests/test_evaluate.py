"""Metrics: identities of the Fréchet distance, the judge, and the published network of aisfx where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from clipsonic.aisfx import AisfxNet, aisfx_vectors, blocks_of, load_aisfx
from clipsonic.cli import main
from clipsonic.clips import Clip, DataError
from clipsonic.config import MelConfig, ModelError
from clipsonic.evaluate import Reference, balanced, cosine_table, figures
from clipsonic.judge import mels_of, train_judge
from clipsonic.metrics import frechet_distance, half_split_floor, mean_cosine, mean_pairwise_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from sound_folders import tone


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 40), dim=st.integers(1, 12))
def test_the_distance_is_symmetric_zero_for_equals_and_at_least_that_of_means(seed: int, n: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((n, dim)), 2 * rng.standard_normal((n + 3, dim)) + 1
    distance = frechet_distance(a, b)
    assert distance == pytest.approx(frechet_distance(b, a), rel=1e-6, abs=1e-8)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert distance >= np.square(a.mean(0) - b.mean(0)).sum() - 1e-8


def test_the_distance_of_normal_distributions_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((20_000, 2)), rng.standard_normal((20_000, 2)) * [3, 1] + [1, 0]
    assert frechet_distance(a, b) == pytest.approx(1 + (3 - 1) ** 2, rel=0.03)


def test_one_vector_has_no_distribution() -> None:
    with pytest.raises(DataError, match="at least 2"):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))


def test_halves_of_one_set_are_near_and_shifted_sets_are_far() -> None:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((200, 4))
    floor = half_split_floor(real, rng)
    assert floor.n == 100
    assert floor.mean < 0.5 < frechet_distance(real, real + 2)


def test_cosines_and_diversity() -> None:
    a = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert mean_cosine(a, a) == pytest.approx(1)
    assert mean_cosine(a, a[::-1]) == pytest.approx(0)
    assert mean_pairwise_distance(a) == pytest.approx(5**0.5)
    assert mean_pairwise_distance(np.ones((4, 3))) == pytest.approx(0)
    assert cosine_table(a, {"ZS": a, "SD": a[::-1]}) == {"ZS": pytest.approx(1), "SD": pytest.approx(0)}


def test_clips_are_drawn_evenly_over_labels() -> None:
    clips = [Clip(f"{index}", label, "test", 0, 1) for label, n in (("a", 9), ("b", 3)) for index in range(n)]
    drawn = [clip.label for clip in balanced(clips, 7, np.random.default_rng(0))]
    assert drawn == ["a", "b", "a", "b", "a", "b", "a"]


def test_blocks_are_a_hundred_frames_that_overlap_by_half() -> None:
    assert blocks_of(tone(440.0, 1.0)).shape == (1, 100, 96)
    blocks = blocks_of(tone(440.0, 6.0))
    assert blocks.shape == (5, 100, 96)
    np.testing.assert_array_equal(blocks[0, 50:], blocks[1, :50])
    assert 0 <= blocks.min() <= blocks.max() <= 1


def test_filters_are_those_that_aisfx_asks_librosa_for() -> None:
    librosa = pytest.importorskip("librosa")
    from clipsonic.aisfx import _filters

    expected = librosa.filters.mel(sr=44_100, n_fft=2048, n_mels=96, fmin=0, fmax=22_050, htk=True, norm=1.0)
    np.testing.assert_allclose(_filters(), expected, atol=1e-6)


def test_other_weights_than_the_published_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pth").write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not the checkpoint"):
        load_aisfx(tmp_path / "checkpoint.pth")
    with pytest.raises(ModelError, match="no weights"):
        load_aisfx(tmp_path / "missing.pth")


def test_a_judge_tells_tones_apart_and_figures_say_so() -> None:
    mel = MelConfig()
    sounds = [tone(hz * (1 + 0.01 * index), 0.5) for index in range(12) for hz in (200.0, 1500.0)]
    labels = ["low", "high"] * 12
    torch.random.manual_seed(0)
    judge = train_judge(mels_of(sounds, 0.5, mel), labels, epochs=6)
    network = AisfxNet().eval()
    reference = Reference(sounds[:8], labels[:8], aisfx_vectors(network, sounds[:8]), judge, network, mel, 0.5)
    made = figures(sounds, labels, reference)
    assert made["accuracy"] == made["accuracy_real"] == 1
    assert made["accuracy_shuffled"] < 1
    assert made["n"] == 8
    swapped = figures(sounds[8:16], [*labels[9:16], "low"], reference)
    assert swapped["accuracy"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "holds no prepared clips"),
        (["--data", "nowhere", "--figure", "x.svg"], "give several weights"),
        (["--data", "nowhere", "--guidance", "high"], "invalid"),
    ],
)
def test_evaluate_says_what_is_missing(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    try:
        code = main(["evaluate", *arguments])
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    assert message in capsys.readouterr().err


def test_the_published_network_loads_without_running_its_pickle() -> None:
    pytest.importorskip("aisfx", reason="the weights of aisfx come with its wheel (pip install --no-deps aisfx==0.1.2)")
    network = load_aisfx()
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_684_224 + 1_920
    vectors = aisfx_vectors(network, [tone(440.0), tone(450.0), tone(3000.0)])
    near, far = np.linalg.norm(vectors[0] - vectors[1]), np.linalg.norm(vectors[0] - vectors[2])
    assert near < far
