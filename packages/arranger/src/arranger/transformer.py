"""Features → logits by self-attention: Transformer-Enc and Transformer-Dec of §4.4.2 (torch).

Both are the same stack; the "decoder" differs only by a mask that hides later notes. As published: post-norm blocks, a
fixed sinusoid of a note's index, which here has no upper limit, and no scaling of the input.

Symbols: B pieces, N notes (padded), H width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from arranger.config import ModelConfig
from arranger.model import PartTagger

LAYER_NORM_EPSILON = 1e-6  # that of the published models


class TransformerTagger(PartTagger):
    """Blocks of self-attention over embedded notes with their places in the sequence."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.project = nn.Linear(config.input_width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def make_layers(self, config: ModelConfig) -> nn.ModuleList:
        """Equal blocks."""
        return nn.ModuleList(TransformerBlock(config) for _ in range(config.layers))

    def run_layers(self, notes: Tensor, lengths: Tensor) -> Tensor:
        """See `PartTagger`."""
        count, width = notes.shape[1], self.config.hidden
        places = sinusoid(count, width).to(notes.device)
        hidden: Tensor = self.dropout(self.project(notes) + places)
        mask = None
        if self.config.bidirectional:  # padding stands at the end: a model that looks back never sees it
            mask = (torch.arange(count, device=notes.device) < lengths[:, None])[:, None, None, :]
        for block in self.layers:
            hidden = block(hidden, mask)
        return hidden


class TransformerBlock(nn.Module):
    """Self-attention and two dense layers, each with dropout, a residual connection and layer norm after it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query, self.key, self.value, self.out = (nn.Linear(config.hidden, config.hidden) for _ in range(4))
        self.expand = nn.Linear(config.hidden, config.feedforward)
        self.contract = nn.Linear(config.feedforward, config.hidden)
        self.attention_norm, self.norm = (nn.LayerNorm(config.hidden, eps=LAYER_NORM_EPSILON) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, notes: Tensor, mask: Tensor | None) -> Tensor:
        """notes: (B, N, H). mask: (B, 1, 1, N), True for notes that are there; None: later notes are hidden."""
        query, key, value = (self._split(layer(notes)) for layer in (self.query, self.key, self.value))
        attended = scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=mask is None)
        attended = self.out(attended.transpose(1, 2).flatten(2))
        notes = self.attention_norm(notes + self.dropout(attended))
        dense = self.contract(torch.relu(self.expand(notes)))
        normed: Tensor = self.norm(notes + self.dropout(dense))
        return normed

    def _split(self, values: Tensor) -> Tensor:
        """(B, N, H) → (B, heads, N, H / heads)."""
        return values.reshape(*values.shape[:2], self.heads, -1).transpose(1, 2)


def sinusoid(count: int, width: int) -> Tensor:
    """Return the encodings of the places 0 … count - 1, (count, width): sine at even, cosine at odd columns."""
    column = torch.arange(width)
    rates = torch.pow(torch.tensor(10000.0, dtype=torch.float64), -2.0 * (column // 2) / width)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * rates
    return torch.where(column % 2 == 0, angles.sin(), angles.cos()).float()
