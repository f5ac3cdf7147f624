"""Parts of the transformer: positions, attention with a cache, blocks (§3.3.2).

Symbols: B songs, L events, H attention heads, D width, d = 64 width of a head, C events that a cache can hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmt.config import HEAD_DIM, MMTConfig, Positions

ROTATED = HEAD_DIM // 2  # the part of each head that rotary positions turn
ROTARY_BASE = 10_000.0


@dataclass
class Cache:
    """Keys and values of the events so far, in memory that is taken once.

    keys, values: (depth, B, H, C, d). lengths: (B,) events of each song. longest: their largest; even: whether they are
    all equal; both plain values that need no look at the tensor.
    """

    keys: Tensor
    values: Tensor
    lengths: Tensor
    longest: int = 0
    even: bool = True

    @classmethod
    def empty(cls, config: MMTConfig, songs: int, like: Tensor) -> Cache:
        """Return a cache for so many songs, with the device and type of `like`."""
        shape = (config.depth, songs, config.attention_heads, config.max_length, HEAD_DIM)
        return cls(
            like.new_zeros(shape), like.new_zeros(shape), torch.zeros(songs, dtype=torch.long, device=like.device)
        )

    @property
    def capacity(self) -> int:
        """Number of events that fit."""
        return int(self.keys.shape[3])

    def add(self, counts: Tensor) -> None:
        """Say that each song has so many events more; counts: (B,)."""
        self.lengths = self.lengths + counts
        self.longest = int(self.lengths.max())
        self.even = bool((self.lengths == self.longest).all())

    def advance(self) -> None:
        """Say that each song has one event more."""
        self.lengths += 1
        self.longest += 1


class Rotary(nn.Module):
    """Turns half of each query and key by an angle that grows with the position (Su et al. 2021)."""

    frequencies: Tensor

    def __init__(self) -> None:
        super().__init__()
        exponents = torch.arange(0, ROTATED, 2).float() / ROTATED
        self.register_buffer("frequencies", ROTARY_BASE**-exponents, persistent=False)

    def forward(self, heads: Tensor, positions: Tensor) -> Tensor:
        """heads: (B, H, L, d). positions: (L,) or (B, L). Returns the same shape as `heads`."""
        angles = positions[..., None] * self.frequencies
        angles = torch.cat([angles, angles], dim=-1)
        if angles.dim() == 3:
            angles = angles[:, None]
        turned, kept = heads[..., :ROTATED], heads[..., ROTATED:]
        first, second = turned.chunk(2, dim=-1)
        swapped = torch.cat([-second, first], dim=-1)
        return torch.cat([turned * angles.cos() + swapped * angles.sin(), kept], dim=-1).to(heads.dtype)


class Attention(nn.Module):
    """Causal self-attention with 64-wide heads; queries, keys and values without bias, the output with one."""

    def __init__(self, config: MMTConfig) -> None:
        super().__init__()
        self.heads = config.attention_heads
        self.dropout = config.dropout
        self.qkv = nn.Linear(config.dim, 3 * config.dim, bias=False)
        self.out = nn.Linear(config.dim, config.dim)
        self.rotary = Rotary() if config.positions == "rotary" else None
        # Row C-1-δ is the embedding of a key that lies δ events back (Huang et al. 2019).
        self.distances = (
            nn.Parameter(torch.zeros(config.max_length, HEAD_DIM)) if config.positions == "relative" else None
        )

    def forward(self, events: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend among whole songs.

        events: (B, L, D). mask: (B, L), False for padding that must not be attended to; padding at the end of a song
        needs none. Returns (B, L, D).
        """
        query, key, value = self._project(events, torch.arange(events.shape[1], device=events.device))
        dropout = self.dropout if self.training else 0.0
        if mask is None and self.distances is None:
            mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        else:
            bias = self._bias(query, key.shape[2], mask)
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
        return self._merge(mixed)

    def weights(self, events: Tensor) -> Tensor:
        """Return the attention weights among whole songs, (B, H, L, L): query × key. events: (B, L, D)."""
        query, key, _ = self._project(events, torch.arange(events.shape[1], device=events.device))
        scores = query @ key.transpose(-1, -2) / HEAD_DIM**0.5 + self._bias(query, key.shape[2], None)
        weights: Tensor = scores.softmax(-1)
        return weights

    def extend(self, events: Tensor, keys: Tensor, values: Tensor, cache: Cache) -> Tensor:
        """Attend from new events to all events before them and themselves, and put them into the cache.

        events: (B, L, D), at positions `cache.lengths` and on; of several new events, padding stands at the end. keys,
        values: (B, H, C, d), those of this layer. Returns (B, L, D).
        """
        songs, count, _ = events.shape
        end = cache.longest + count
        if cache.even and count == 1 and self.rotary is None and self.distances is None:
            # The path of most steps: one event of each song, and nothing that asks where it stands.
            query, key, value = self._project(events, None)
            keys[:, :, cache.longest : end] = key
            values[:, :, cache.longest : end] = value
            return self._merge(F.scaled_dot_product_attention(query, keys[:, :, :end], values[:, :, :end]))
        if cache.even:
            positions: Tensor = torch.arange(cache.longest, end, device=events.device)
        else:
            positions = cache.lengths[:, None] + torch.arange(count, device=events.device)
        query, key, value = self._project(events, positions)
        if cache.even:
            keys[:, :, cache.longest : end] = key
            values[:, :, cache.longest : end] = value
        else:
            rows = torch.arange(songs, device=events.device)[:, None]
            keys[rows, :, positions] = key.transpose(1, 2)
            values[rows, :, positions] = value.transpose(1, 2)
        seen_keys, seen_values = keys[:, :, :end], values[:, :, :end]
        if cache.even and count == 1 and self.distances is None:
            mixed = F.scaled_dot_product_attention(query, seen_keys, seen_values)
        else:
            bias = self._cached_bias(query, positions, end)
            mixed = F.scaled_dot_product_attention(query, seen_keys, seen_values, attn_mask=bias)
        return self._merge(mixed)

    def _project(self, events: Tensor, positions: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        songs, count, _ = events.shape
        stacked = self.qkv(events).view(songs, count, 3, self.heads, HEAD_DIM)
        query, key, value = stacked.permute(2, 0, 3, 1, 4)
        if self.rotary is not None and positions is not None:
            query, key = self.rotary(query, positions), self.rotary(key, positions)
        return query, key, value

    def _merge(self, mixed: Tensor) -> Tensor:
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result

    def _bias(self, query: Tensor, count: int, mask: Tensor | None) -> Tensor:
        """What is added to the scores of whole songs, (B or 1, H or 1, L, L): -inf where a query must not look."""
        positions = torch.arange(count, device=query.device)
        bias = self._cached_bias(query, positions, count)
        if mask is not None:
            bias = bias.masked_fill(~mask[:, None, None, :], float("-inf"))
        return bias

    def _cached_bias(self, query: Tensor, positions: Tensor, end: int) -> Tensor:
        """The same for queries at positions (L,) or (B, L) and keys at positions 0 to end - 1."""
        behind = positions[..., None] - torch.arange(end, device=query.device)  # (L, end) or (B, L, end)
        behind = behind[None, None] if behind.dim() == 2 else behind[:, None]
        bias = torch.zeros(behind.shape, dtype=query.dtype, device=query.device)
        if self.distances is not None:
            scores = query @ self.distances.flip(0).T / HEAD_DIM**0.5  # (B, H, L, C), by distance
            shape = (*scores.shape[:3], end)
            bias = scores.gather(-1, behind.clamp(0, scores.shape[-1] - 1).expand(shape))
        return bias.masked_fill(behind < 0, float("-inf"))


class Block(nn.Module):
    """Attention and a feed-forward layer of four times the width, each after a layer norm and added to its input."""

    def __init__(self, config: MMTConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.dim)
        self.attention = Attention(config)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(config.dim),
            nn.Linear(config.dim, 4 * config.dim),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(4 * config.dim, config.dim),
        )

    def forward(self, events: Tensor, mask: Tensor | None = None) -> Tensor:
        """events: (B, L, D). mask: as for `Attention`. Returns (B, L, D)."""
        events = events + self.attention(self.attention_norm(events), mask)
        result: Tensor = events + self.feed_forward(events)
        return result

    def extend(self, events: Tensor, keys: Tensor, values: Tensor, cache: Cache) -> Tensor:
        """The same for new events, with the keys and values of this layer."""
        events = events + self.attention.extend(self.attention_norm(events), keys, values, cache)
        result: Tensor = events + self.feed_forward(events)
        return result


def position_table(kind: Positions, config: MMTConfig) -> nn.Parameter | None:
    """Return the learned embedding of absolute positions, (C, D), where there is one."""
    return nn.Parameter(torch.randn(config.max_length, config.dim)) if kind == "absolute" else None
