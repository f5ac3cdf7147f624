"""Relative attention, against a plain loop over all pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmt.attention import Baseline, RelativeAttention, draw, evidence, relative_attention
from mmt.attention_maps import absolute_attention, draw_maps, draw_similarities, similarities
from mmt.config import MMTConfig
from mmt.encoding import FIELDS, encode
from mmt.model import MMT
from test_encoding import rows

NEAR = "near beats: the same and the two before, rather than the six before those"


@pytest.fixture(scope="module")
def model() -> MMT:
    torch.random.manual_seed(0)
    return MMT(MMTConfig(dim=128, depth=2, max_length=64)).eval()


def song(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return encode(rows(*((beat, int(rng.integers(12)), int(rng.integers(50, 70)), 12, 40) for beat in range(12))))


@pytest.mark.parametrize("field", ["beat", "position", "pitch"])
@pytest.mark.parametrize("baseline", ["causal", "full"])
def test_it_equals_a_loop_over_all_pairs(model: MMT, field: str, baseline: Baseline) -> None:
    songs = [song(0), song(1)]
    measured = relative_attention(model, songs, field, baseline=baseline)
    column = FIELDS.index(field)
    reach = model.config.sizes[column] - 1
    attended, uniform = np.zeros((2, 2 * reach + 1)), np.zeros(2 * reach + 1)
    for codes in songs:
        with torch.no_grad():
            weights = model.attention_weights(torch.from_numpy(codes[:-1])[None])[0].numpy()
        for t in range(1, len(codes)):
            for s in range(len(codes) - 1):
                if not (codes[t, column] and codes[s, column]):
                    continue
                place = codes[s, column] - codes[t, column] + reach
                if s < t:
                    attended[:, place] += weights[:, t - 1, s]
                if baseline == "full":
                    uniform[place] += 1
                elif s < t:
                    uniform[place] += 1 / t
    np.testing.assert_allclose(measured.attention, attended / attended.sum(1, keepdims=True), atol=1e-6)
    expected = attended / attended.sum(1, keepdims=True) - uniform / uniform.sum()
    np.testing.assert_allclose(measured.gain, expected, atol=1e-6)


def test_uniform_attention_gains_nothing(model: MMT) -> None:
    flat = MMT(MMTConfig(dim=64, depth=1)).eval()
    with torch.no_grad():
        flat.blocks[0].attention.qkv.weight.zero_()  # type: ignore[union-attr,operator]  # attention
    assert np.abs(relative_attention(flat, [song(0)], "pitch").gain).max() < 1e-6


def test_a_peak_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    measured = {}
    for field, reach in (("beat", 30), ("position", 12), ("pitch", 30)):
        weights = 1 + 0.01 * rng.standard_normal((120, 2, 2 * reach + 1))
        if field == "beat":
            weights[:, :, [reach - 4, reach - 8, reach - 12, reach - 16]] += 1
        measured[field] = RelativeAttention(field, np.arange(-reach, reach + 1), weights, np.ones((120, 2 * reach + 1)))
    found = {(item.claim, item.head): item for item in evidence(measured, rng)}
    peaks = [item for (claim, _), item in found.items() if claim == "beats 4, 8, 12 and 16 back"]
    assert [item.head for item in peaks] == [0, 1, 2]  # the mean, and two heads
    assert {item.verdict for item in peaks} == {"holds"}
    assert all(abs(item.mean) < 1e-3 for item in found.values() if item.claim not in (peaks[0].claim, NEAR))
    assert {found[NEAR, head].verdict for head in range(3)} == {"fails"}  # beats 4 and 8 back lie among the far ones


def test_figures_are_drawn(model: MMT, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    measured = relative_attention(model, [song(0)], "beat")
    assert draw(measured, tmp_path / "beat.png").read_bytes().startswith(b"\x89PNG")
    assert draw(measured, tmp_path / "beat.pdf", gain=False).read_bytes().startswith(b"%PDF")


def test_what_cannot_be_measured_is_refused(model: MMT) -> None:
    with pytest.raises(ValueError, match="beat, position, pitch"):
        relative_attention(model, [song(0)], "instrument")
    with pytest.raises(ValueError, match="no song has two events"):
        relative_attention(model, [encode(rows())], "pitch")


def test_absolute_attention_is_a_mean_over_pairs_of_codes(model: MMT) -> None:
    codes = song(0)
    maps = absolute_attention(model, [codes], "type")
    assert maps.shape == (2, 5, 5)
    np.testing.assert_allclose(maps.sum(-1)[:, 1:], 1)  # each type but the start of song is predicted
    with torch.no_grad():
        weights = model.attention_weights(torch.from_numpy(codes[:-1])[None])[0].numpy()
    ends = weights[:, -1]  # the row that predicts the end of song
    np.testing.assert_allclose(maps[:, 4, 3], ends[:, 3:].sum(1), atol=1e-6)
    assert absolute_attention(model, [codes], "instrument")[:, 41 - 16, 41 - 16].tolist() == pytest.approx([1.0, 1.0])


def test_codes_are_similar_to_themselves(model: MMT) -> None:
    found = similarities(model)
    assert {name: len(table) for name, table in found.items()}["pitch"] == 128
    for table in found.values():
        np.testing.assert_allclose(np.diag(table), 1)


@pytest.mark.slow
def test_maps_and_similarities_are_drawn(model: MMT, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert all(path.is_file() for path in draw_similarities(model, tmp_path))
    assert len(draw_maps(model, [song(0)], tmp_path)) == 9
