"""The prior: its size, causality, nulls, the choice of a candidate, and that it learns a map."""

from __future__ import annotations

import pytest
import torch
from clipsonic.config import ModelError, PriorConfig
from clipsonic.prior import Block, Prior, nearest_candidates, prior_loss, sample_images
from clipsonic.sampling import generators_of
from torch.nn import functional as F

SMALL = PriorConfig(query_dim=8, dim=32, depth=2, heads=4, tokens=0)


def prior(**changes: object) -> Prior:
    torch.random.manual_seed(0)
    return Prior(PriorConfig(**{**SMALL.to_dict(), **changes})).eval()


def test_sizes_are_those_of_the_paper_and_of_our_small_one() -> None:
    with torch.device("meta"):
        assert Prior().n_parameters == 88_722_432
        small = Prior(PriorConfig(query_dim=384, dim=256, depth=4, heads=4, tokens=0))
    assert small.n_parameters == 3_588_608


def test_a_place_sees_only_itself_and_those_before() -> None:
    model = prior()
    block = model.blocks[0]
    assert isinstance(block, Block)
    places = torch.randn(1, 6, 32)
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    changed = places.clone()
    changed[:, 4] += 1
    before, after = block(places, mask), block(changed, mask)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert (before[:, 4:] - after[:, 4:]).abs().max() > 1e-3


def test_text_step_and_image_are_all_read() -> None:
    model = prior()
    noisy, steps, texts = torch.randn(1, 8), torch.tensor([500]), torch.randn(1, 8)
    said = model(noisy, steps, texts)
    assert said.shape == (1, 8)
    for other in (
        model(noisy + 1, steps, texts),
        model(noisy, steps + 300, texts),
        model(noisy, steps, texts.flip(1)),
    ):
        assert (other - said).abs().max() > 1e-4
    torch.testing.assert_close(model(noisy, steps, 5 * texts), said)


def test_a_dropped_text_is_forgotten_with_its_tokens() -> None:
    model = prior(tokens=3)
    noisy, steps = torch.randn(2, 8), torch.tensor([10, 10])
    noisy[1] = noisy[0]
    texts, tokens = torch.randn(2, 8), torch.randn(2, 3, 8)
    kept = model(noisy, steps, texts, tokens)
    assert (kept[0] - kept[1]).abs().max() > 1e-4
    dropped = model(noisy, steps, texts, tokens, torch.tensor([True, True]))
    torch.testing.assert_close(dropped[0], dropped[1])


def test_tokens_after_the_end_do_not_matter_but_those_before_do() -> None:
    model = prior(tokens=3)
    noisy, steps, texts = torch.randn(1, 8), torch.tensor([10]), torch.randn(1, 8)
    short = torch.randn(1, 2, 8)
    padded = F.pad(short, (0, 0, 0, 1))
    torch.testing.assert_close(model(noisy, steps, texts, short), model(noisy, steps, texts, padded))
    assert (model(noisy, steps, texts, short) - model(noisy, steps, texts, short.flip(1))).abs().max() > 1e-5


def test_of_two_candidates_the_nearer_is_kept() -> None:
    texts = F.normalize(torch.randn(5, 8), dim=-1)
    choices = F.normalize(torch.randn(5, 2, 8), dim=-1)
    chosen = nearest_candidates(choices, texts)
    for item in range(5):
        cosines = choices[item] @ texts[item]
        torch.testing.assert_close(chosen[item] @ texts[item], cosines.max())


def test_an_item_does_not_depend_on_its_neighbours() -> None:
    model, texts = prior(), torch.randn(3, 8)
    together = sample_images(model, texts, generators_of([1, 2, 3]), steps=4)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(3))
    alone = sample_images(model, texts[1:2], generators_of([2]), steps=4)
    torch.testing.assert_close(together[1:2], alone, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_rotation_is_learned() -> None:
    model = prior().train()
    turn, _ = torch.linalg.qr(torch.randn(8, 8))
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    for _ in range(500):
        texts = F.normalize(torch.randn(32, 8), dim=-1)
        loss = prior_loss(model, texts @ turn, texts, None, torch.rand(32) < 0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    texts = F.normalize(torch.randn(20, 8), dim=-1)
    made = sample_images(model.eval(), texts, generators_of(range(20)), steps=16)
    assert F.cosine_similarity(made, texts @ turn).mean() > 0.85


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ModelError, match="multiple"):
        PriorConfig(dim=30, heads=4)
