"""Weights of 8 bits: nearly the same model, in a quarter of the memory."""

from __future__ import annotations

import pytest
import torch
from mmt.config import MMTConfig
from mmt.generate import Options, generate, unconditioned
from mmt.int8 import Int8Linear, to_int8
from mmt.losses import field_sums
from mmt.model import MMT
from test_generate import check_song
from test_model import codes_for, small


@pytest.mark.parametrize("heads", ["parallel", "conditional"])
def test_the_likelihood_of_songs_hardly_changes(heads: str) -> None:
    model = small(heads=heads)
    codes = codes_for(model, 4, 32)
    mask = torch.ones(4, 31, dtype=torch.bool)
    with torch.no_grad():
        exact, rounded = (
            float(field_sums(kind(codes[:, :-1], codes[:, 1:]), codes[:, 1:], mask)[0].sum())
            for kind in (model, to_int8(model))
        )
    assert rounded == pytest.approx(exact, rel=0.01)
    assert rounded != exact


def test_every_linear_layer_is_rounded_and_the_model_is_left_as_it_is() -> None:
    model = small(heads="conditional")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rounded = to_int8(model)
    assert not [layer for layer in rounded.modules() if isinstance(layer, torch.nn.Linear)]
    assert len([layer for layer in rounded.modules() if isinstance(layer, Int8Linear)]) == 4 * 2 + 3 * 6
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_rounded_model_generates_the_same_songs_again() -> None:
    torch.random.manual_seed(0)
    model = to_int8(MMT(MMTConfig(dim=64, depth=1, max_length=64)).eval())
    first, second = (generate(model, [unconditioned()] * 2, Options(12, seed=1)) for _ in range(2))
    for song, again in zip(first, second, strict=True):
        check_song(song)
        assert song.tolist() == again.tolist()
