"""Relative attention, against a plain loop over all pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmt.attention import Baseline, RelativeAttention, draw, evidence, relative_attention
from mmt.config import MMTConfig
from mmt.encoding import FIELDS, encode
from mmt.model import MMT
from test_encoding import rows


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
    verdicts = {found.claim: found.verdict for found in evidence(measured, rng)}
    assert verdicts.pop("attends to beats 4, 8, 12 and 16 back") == "holds"
    assert "holds" not in verdicts.values()


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
