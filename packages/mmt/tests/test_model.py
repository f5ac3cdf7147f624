"""The transformer: sizes, causality, the cache, and what the heads know."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmt.checkpoint import ModelError, Training, load_checkpoint, save_checkpoint, with_beats
from mmt.config import MMTConfig
from mmt.losses import field_sums, masked_loss, published_loss
from mmt.model import MMT
from torch import Tensor

KINDS = [
    {"positions": "absolute"},
    {"positions": "none"},
    {"positions": "rotary"},
    {"positions": "relative"},
    {"heads": "conditional"},
    {"encoding": "mmm"},
]


def small(**settings: object) -> MMT:
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(**{"dim": 128, "depth": 2, "max_length": 32, **settings})).eval()  # type: ignore[arg-type]  # settings vary by test
    if settings.get("positions") == "relative":
        for block in model.blocks:
            torch.nn.init.normal_(block.attention.distances)
    return model


def codes_for(model: MMT, songs: int, length: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    columns = [torch.randint(size, (songs, length), generator=generator) for size in model.config.sizes]
    return torch.stack(columns, dim=-1)


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (MMTConfig(), 19_944_950),
        (MMTConfig(positions="none"), 19_420_662),
        (MMTConfig(positions="rotary"), 19_420_662),
        (MMTConfig(encoding="mmm"), 19_811_700),
        (MMTConfig(encoding="remi"), 20_726_000),
    ],
)
def test_the_models_of_the_paper_have_their_numbers_of_parameters(config: MMTConfig, expected: int) -> None:
    assert MMT(config).n_parameters == expected


def test_conditional_heads_cost_little_more() -> None:
    assert MMT(MMTConfig(heads="conditional")).n_parameters < 1.06 * MMT(MMTConfig()).n_parameters


@pytest.mark.parametrize(
    "wrong", [{"dim": 100}, {"depth": 0}, {"positions": "learned"}, {"heads": "serial"}, {"encoding": "remi+"}]
)
def test_a_size_that_no_model_has_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MMTConfig(**wrong)  # type: ignore[arg-type]  # wrong on purpose


# --- what is seen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", KINDS)
def test_no_event_sees_a_later_one(settings: dict[str, object]) -> None:
    model = small(**settings)
    codes = codes_for(model, 2, 16)
    changed = codes.clone()
    changed[:, 9:] = codes_for(model, 2, 23)[:, 16:]
    with torch.no_grad():
        torch.testing.assert_close(model.hidden(codes)[:, :9], model.hidden(changed)[:, :9])


@pytest.mark.parametrize("settings", KINDS)
def test_cached_logits_equal_uncached_ones(settings: dict[str, object]) -> None:
    model = small(**settings)
    codes = codes_for(model, 3, 20)
    counts = torch.tensor([5, 9, 7])
    rows = torch.arange(3)
    with torch.no_grad():
        expected = model.hidden(codes)
        cache = model.new_cache(3)
        hidden = model.extend(codes[:, :9], cache, counts)
        torch.testing.assert_close(hidden, expected[rows, counts - 1], atol=1e-4, rtol=1e-4)
        for step in range(10):
            hidden = model.extend(codes[rows, counts + step][:, None], cache)
            torch.testing.assert_close(hidden, expected[rows, counts + step], atol=1e-4, rtol=1e-4)


def test_the_cache_takes_several_events_at_once() -> None:
    model = small()
    codes = codes_for(model, 2, 12)
    with torch.no_grad():
        cache = model.new_cache(2)
        for start in range(0, 12, 4):
            hidden = model.extend(codes[:, start : start + 4], cache)
            torch.testing.assert_close(hidden, model.hidden(codes)[:, start + 3], atol=1e-4, rtol=1e-4)


def test_more_events_than_the_model_sees_are_refused() -> None:
    model = small()
    with pytest.raises(ValueError, match="33 events"):
        model.hidden(codes_for(model, 1, 33))
    with pytest.raises(ValueError, match="33 events"):
        model.extend(codes_for(model, 1, 33), model.new_cache(1))


def test_attention_weights_are_those_of_the_model() -> None:
    model = small()
    codes = codes_for(model, 1, 10)
    with torch.no_grad():
        weights = model.attention_weights(codes)
        assert weights.shape == (1, 2, 10, 10)
        torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 10))
        assert weights.triu(1).abs().max() == 0
        block = model.blocks[-1]
        events = model.blocks[0](model.embed(codes))
        _, _, value = block.attention._project(block.attention_norm(events), torch.arange(10))
        mixed = block.attention._merge(weights @ value)
        torch.testing.assert_close(mixed, block.attention(block.attention_norm(events)), atol=1e-5, rtol=1e-5)


# --- heads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", ["parallel", "conditional"])
def test_fields_drawn_one_by_one_have_the_logits_of_training(heads: str) -> None:
    model = small(heads=heads)
    if heads == "conditional":
        torch.nn.init.normal_(model.heads.conditions.weight)  # type: ignore[union-attr]  # conditional heads have it
    hidden = torch.randn(4, 128, generator=torch.Generator().manual_seed(2))
    targets = codes_for(model, 4, 1)[:, 0]
    with torch.no_grad():
        together = model.heads(hidden, targets)
        state = model.heads.start(hidden)
        for index, logits in enumerate(together):
            torch.testing.assert_close(model.heads.field(state, index), logits, atol=1e-5, rtol=1e-5)
            state = model.heads.given(state, index, targets[:, index].numpy())


def test_conditional_heads_know_the_fields_before_and_not_those_behind() -> None:
    model = small(heads="conditional")
    torch.nn.init.normal_(model.heads.conditions.weight)  # type: ignore[union-attr]  # conditional heads have it
    hidden = torch.zeros(1, 128)
    targets = torch.tensor([[3, 5, 2, 61, 12, 1]])
    other = targets.clone()
    other[0, 3] = 70
    with torch.no_grad():
        same = [
            torch.equal(a, b) for a, b in zip(model.heads(hidden, targets), model.heads(hidden, other), strict=True)
        ]
    assert same == [True, True, True, True, False, False]


# --- losses ----------------------------------------------------------------------------------------------------------


def test_the_masked_loss_counts_what_is_defined_and_nothing_else() -> None:
    model = small()
    targets = torch.tensor([[[1, 0, 0, 0, 0, 5], [3, 1, 1, 61, 12, 5], [4, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]])
    mask = torch.tensor([[True, True, True, False]])
    logits = [torch.randn(1, 4, size, generator=torch.Generator().manual_seed(size)) for size in model.config.sizes]
    by_hand = 0.0
    for place, columns in ((0, (0, 5)), (1, range(6)), (2, (0,))):
        for column in columns:
            by_hand -= float(logits[column][0, place].log_softmax(-1)[targets[0, place, column]])
    assert float(masked_loss(logits, targets, mask)) == pytest.approx(by_hand / 3, rel=1e-5)
    sums, counts = field_sums(logits, targets, mask)
    assert counts.tolist() == [3, 1, 1, 1, 1, 2]
    assert float(sums.sum()) == pytest.approx(by_hand, rel=1e-5)


def test_the_published_loss_counts_padding() -> None:
    sizes = MMTConfig().sizes
    logits = [torch.zeros(1, 4, size) for size in sizes]
    targets = torch.zeros(1, 4, 6, dtype=torch.long)
    expected = sum(torch.tensor(float(size)).log() for size in sizes)
    torch.testing.assert_close(published_loss(logits, targets), expected)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_model_survives_saving(tmp_path: Path) -> None:
    model = small(heads="conditional")
    save_checkpoint(tmp_path / "m", model, Training(steps=7, songs=("a", "b"), scores={"val_nll_note": 1.5}))
    loaded = load_checkpoint(tmp_path / "m")
    assert loaded.model.config == model.config
    assert loaded.training == Training(steps=7, songs=("a", "b"), scores={"val_nll_note": 1.5})
    codes = codes_for(model, 1, 8)
    with torch.no_grad():
        torch.testing.assert_close(loaded.model.hidden(codes), model.hidden(codes), atol=2e-2, rtol=2e-2)
    assert not loaded.model.training


@pytest.mark.parametrize("heads", ["parallel", "conditional"])
def test_codes_of_beats_that_were_never_seen_can_be_left_out(heads: str) -> None:
    model = small(heads=heads, tasks=True)
    if heads == "conditional":
        torch.nn.init.normal_(model.heads.conditions.weight)  # type: ignore[union-attr]  # conditional heads have it
    smaller = with_beats(model, 64)
    assert smaller.config.sizes == (6, 65, 13, 129, 33, 65)
    assert with_beats(smaller, 64) is smaller
    codes = codes_for(smaller, 2, 8)
    with torch.no_grad():
        for index, (whole, part) in enumerate(zip(model(codes, codes), smaller(codes, codes), strict=True)):
            torch.testing.assert_close(part, whole[..., :65] if index == 1 else whole, atol=1e-5, rtol=1e-5)


def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unknown model 'nothing'"):
        load_checkpoint("nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no mmt model"):
        load_checkpoint(tmp_path)
