"""Masks and true masks → the loss: weighted cross-entropy, with the order of heads left open (§6.3.2, §6.4, §6.5).

Symbols: B mixtures, n sources, G bins, T frames. W(M, M̂) is the cross-entropy of a mask, weighted by place and averaged
over places; all losses are means over sources, where the paper writes sums: the minimum is the same.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def weighted_bce(masks: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return W of each mask (eq. 6.1): masks (…, G, T) → (…). weights: (…, G, T). Shapes are broadcast."""
    # Cross-entropy of probabilities is not for half precision.
    broadcast: Any = torch.broadcast_tensors  # has no types of its own
    masks, targets, weights = broadcast(masks.float(), targets.float(), weights.float())
    with torch.autocast(masks.device.type, enabled=False):
        return F.binary_cross_entropy(masks, targets, weights, reduction="none").mean(dim=(-2, -1))


def query_loss(masks: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return CLIPSep's loss, the mean of W over sources and mixtures.

    masks, targets: (B, n, G, T). weights: (B, G, T).
    """
    return weighted_bce(masks, targets, weights[:, None]).mean()


def pit_loss(masks: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the loss of heads in their best order, chosen for each mixture (eq. 6.7, any n).

    masks, targets: (B, n, G, T). weights: (B, G, T).
    """
    costs = weighted_bce(masks[:, None], targets[:, :, None], weights[:, None, None])
    return best_assignment(costs).mean()


def nit_loss(masks: Tensor, noise: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the loss of noise invariant training without its regulariser (eqs. 6.2 to 6.5, any n).

    masks: of the queries, noise: of the noise heads, targets: all (B, n, G, T). weights: (B, G, T). Source i is
    compared with min(1, M̂_i + N_j), for the best assignment of heads j to sources: n! of them.
    """
    costs = weighted_bce(combined(masks, noise), targets[:, :, None], weights[:, None, None])
    return best_assignment(costs).mean()


def combined(masks: Tensor, noise: Tensor) -> Tensor:
    """Return each query's mask with each noise head's, min(1, M̂_i + N_j), (B, i, j, G, T); both (B, n, G, T)."""
    return (masks[:, :, None] + noise[:, None]).clamp(max=1.0)


def noise_activation(noise: Tensor) -> Tensor:
    """Return how much the noise heads let through together: the mean over mixtures and places of their sum."""
    return noise.float().sum(dim=1).mean()


def noise_regulariser(noise: Tensor, gamma: float) -> Tensor:
    """Return by how much the activation of the noise heads passes γ (eq. 6.6), 0 below. noise: (B, n, G, T)."""
    return torch.relu(noise_activation(noise) - gamma)


def best_assignment(costs: Tensor) -> Tensor:
    """Return the least mean cost over assignments of columns to rows, (B,). costs: (B, n, n), row i and column j."""
    n = costs.shape[1]
    orders = torch.tensor(list(itertools.permutations(range(n))), device=costs.device)
    rows = torch.arange(n, device=costs.device).expand_as(orders)
    return costs[:, rows, orders].mean(dim=-1).amin(dim=-1)


def similar_query_weights(queries: Tensor) -> Tensor:
    """Return how much each mixture counts if pairs of similar queries shall count less, (B,); queries: (B, 2, D).

    1 up to a cosine of 0.5, then falling to 0 for equal queries (an option of the published code, off by default).
    """
    cosine = F.cosine_similarity(queries[:, 0], queries[:, 1], dim=-1)
    return torch.relu(1.0 - 2.0 * torch.relu(cosine - 0.5))
