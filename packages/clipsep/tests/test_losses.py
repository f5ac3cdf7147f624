"""Losses equal sums written out place by place, for two and for three sources; orders are chosen for each mixture."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from clipsep.losses import (
    nit_loss,
    noise_activation,
    noise_regulariser,
    pit_loss,
    query_loss,
    similar_query_weights,
    weighted_bce,
)

B, G, T = 3, 4, 5


def masks(n: int, seed: int) -> torch.Tensor:
    return torch.rand(B, n, G, T, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).float()


def targets(n: int) -> torch.Tensor:
    return (masks(n, 9) > 0.5).float()


def weights() -> torch.Tensor:
    return masks(1, 8)[:, 0] * 3


def brute_force(mask: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> float:
    """W of one mask, place by place."""
    total = 0.0
    for g, t in itertools.product(range(G), range(T)):
        p, m, w = float(mask[g, t]), float(target[g, t]), float(weight[g, t])
        total -= w * (m * math.log(p) if m else math.log(1 - p) if p < 1 else -100.0)
    return total / (G * T)


@pytest.mark.parametrize("n", [2, 3])
def test_the_query_loss_is_the_mean_over_sources_and_mixtures(n: int) -> None:
    m, t, w = masks(n, 0), targets(n), weights()
    expected = sum(brute_force(m[b, i], t[b, i], w[b]) for b in range(B) for i in range(n)) / (B * n)
    assert query_loss(m, t, w).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_pit_takes_the_best_order_of_each_mixture(n: int) -> None:
    m, t, w = masks(n, 0), targets(n), weights()
    best = [
        min(
            sum(brute_force(m[b, order[i]], t[b, i], w[b]) for i in range(n)) / n
            for order in itertools.permutations(range(n))
        )
        for b in range(B)
    ]
    assert pit_loss(m, t, w).item() == pytest.approx(sum(best) / B, rel=1e-5)


def test_pit_is_blind_to_the_order_of_heads_of_each_mixture() -> None:
    m, t, w = masks(2, 0), targets(2), weights()
    mixed = m.clone()
    mixed[1] = m[1].flip(0)
    assert torch.allclose(pit_loss(m, t, w), pit_loss(mixed, t, w))


@pytest.mark.parametrize("n", [2, 3])
def test_nit_assigns_noise_heads_to_sources_in_the_best_way(n: int) -> None:
    m, noise, t, w = masks(n, 0), masks(n, 1) * 0.4, targets(n), weights()
    best = []
    for b in range(B):
        sums = []
        for order in itertools.permutations(range(n)):
            pairs = [(m[b, i] + noise[b, order[i]]).clamp(max=1.0) for i in range(n)]
            sums.append(sum(brute_force(pairs[i], t[b, i], w[b]) for i in range(n)) / n)
        best.append(min(sums))
    assert nit_loss(m, noise, t, w).item() == pytest.approx(sum(best) / B, rel=1e-5)


def test_without_noise_nit_is_the_query_loss() -> None:
    m, t, w = masks(2, 0), targets(2), weights()
    assert torch.allclose(nit_loss(m, torch.zeros_like(m), t, w), query_loss(m, t, w))


def test_noise_that_explains_what_no_query_does_costs_nothing() -> None:
    t, w = targets(2), weights()
    noise = t.flip(1) * (1 - 1e-6)  # in the other order
    assert nit_loss(t * 1e-6, noise, t, w) < 1e-4


def test_the_regulariser_is_a_hinge_on_the_mean_of_the_sums() -> None:
    noise = torch.full((B, 2, G, T), 0.2)
    assert noise_activation(noise).item() == pytest.approx(0.4)
    assert noise_regulariser(noise, 0.25).item() == pytest.approx(0.15)
    assert noise_regulariser(noise, 0.5).item() == 0.0


def test_masks_that_are_exactly_wrong_have_a_finite_loss_and_gradient() -> None:
    m = torch.tensor([[[[0.0, 1.0]]]], requires_grad=True)
    loss = query_loss(m, torch.tensor([[[[1.0, 0.0]]]]), torch.ones(1, 1, 2))
    loss.backward()
    assert loss.isfinite()
    assert m.grad is not None
    assert m.grad.isfinite().all()


def test_half_precision_masks_are_measured_in_single_precision() -> None:
    m = masks(2, 0).bfloat16()
    assert weighted_bce(m, targets(2), weights()[:, None]).dtype == torch.float32


def test_equal_queries_count_nothing_and_distant_ones_fully() -> None:
    pairs = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]])
    expected = torch.tensor([0.0, 1.0, 1 - 2 * (2**-0.5 - 0.5)])
    assert torch.allclose(similar_query_weights(pairs), expected, atol=1e-6)
