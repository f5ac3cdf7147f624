"""Codes → logits of the next event: the Multitrack Music Transformer (§3.3.2), and its baselines with one field.

Symbols as in `layers`; F fields. A baseline is the same network with F = 1.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from mmt.config import MMTConfig
from mmt.heads import ConditionalHeads, ParallelHeads
from mmt.layers import Block, Cache, position_table

if TYPE_CHECKING:
    from muspy_core import Music

    from mmt.checkpoint import Training
    from mmt.encoding import Codes
    from mmt.generate import Options
    from mmt.streaming import StreamedNote


class MMT(nn.Module):
    """A decoder-only transformer whose inputs and outputs have several fields.

    The defaults are the paper's model with absolute positions: 19,944,950 parameters.

    Args:
        config: Size and kind.
    """

    offsets: Tensor

    def __init__(self, config: MMTConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MMTConfig()
        sizes = config.sizes
        self.register_buffer("offsets", torch.tensor([sum(sizes[:i]) for i in range(len(sizes))]), persistent=False)
        self.embedding = nn.EmbeddingBag(sum(sizes), config.dim, mode="sum")
        nn.init.kaiming_normal_(self.embedding.weight)  # standard deviation √(2/D)
        self.positions = position_table(config.positions, config)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim)
        kind = ParallelHeads if config.heads == "parallel" else ConditionalHeads
        self.heads: ParallelHeads | ConditionalHeads = kind(config.dim, sizes)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str] = "default") -> MMT:
        """Load a model by its bundled name, folder or Hub id, ready to generate. Raises `mmt.checkpoint.ModelError`."""
        from mmt.checkpoint import load_checkpoint

        return load_checkpoint(name).model

    def save_pretrained(self, folder: str | os.PathLike[str], training: Training | None = None) -> None:
        """Write weights (safetensors, half precision) and configuration into a folder."""
        from mmt.checkpoint import save_checkpoint

        save_checkpoint(folder, self, training)

    def generate(
        self, prompt: Codes | None = None, *, n: int = 1, options: Options | None = None, **changes: Any
    ) -> list[Music]:
        """Write songs.

        prompt: codes (L, 6) that they begin with, such as `mmt.generate.instrument_informed(["piano"])`; None: nothing.
        n: how many. options, changes: how they are drawn, and fields of it that are to be others
        (`seed=3, length=200`). Raises as `mmt.generate.generate`.
        """
        from mmt.generate import Options, generate, music_of_codes, unconditioned

        chosen = dataclasses.replace(options or Options(), **changes)
        start = unconditioned(len(self.config.sizes)) if prompt is None else prompt
        return [music_of_codes(song) for song in generate(self, [start] * n, chosen)]

    def stream(
        self, prompt: Codes | None = None, *, options: Options | None = None, **changes: Any
    ) -> Iterator[StreamedNote]:
        """Give the notes of a song, each as soon as it is written; arguments as of `generate`."""
        from mmt.generate import Options, unconditioned
        from mmt.streaming import stream_notes

        chosen = dataclasses.replace(options or Options(), **changes)
        return stream_notes(self, unconditioned(len(self.config.sizes)) if prompt is None else prompt, chosen)

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def _blocks(self) -> list[Block]:
        return [cast(Block, block) for block in self.blocks]

    # --- whole songs -------------------------------------------------------------------------------------------------

    def forward(self, codes: Tensor, targets: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """Return for each field the logits of the event after each, (B, L, size).

        codes: (B, L, F). targets: (B, L, F), the events after them, which conditional heads look at field by field.
        mask: (B, L), False for padding that must not be attended to; only the published loss needs it.
        """
        logits: list[Tensor] = self.heads(self.hidden(codes, mask), targets)
        return logits

    def hidden(self, codes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the last layer's output, (B, L, D). codes: (B, L, F)."""
        events = self.embed(codes)
        for block in self.blocks:
            events = block(events, mask)
        normed: Tensor = self.norm(events)
        return normed

    def attention_weights(self, codes: Tensor, layer: int = -1) -> Tensor:
        """Return the attention weights of a layer, (B, H, L, L). codes: (B, L, F)."""
        events = self.embed(codes)
        before = range(len(self.blocks))[layer]
        for block in self._blocks[:before]:
            events = block(events)
        chosen = self._blocks[before]
        return chosen.attention.weights(chosen.attention_norm(events))

    def embed(self, codes: Tensor, positions: Tensor | None = None) -> Tensor:
        """Return the sum of the embeddings of the fields and of the position, (B, L, D).

        codes: (B, L, F). positions: (L,) or (B, L); 0, 1, … by default. Raises ValueError for songs longer than the
        model's length.
        """
        songs, length, fields = codes.shape
        if self.positions is not None and positions is None and length > len(self.positions):
            raise ValueError(f"{length} events, but the model sees {len(self.positions)} at once")
        events = self.embedding((codes + self.offsets).view(-1, fields)).view(songs, length, -1)
        if self.positions is not None:
            table = self.positions[:length] if positions is None else self.positions[positions]
            events = events + table * self.config.dim**-0.5
        dropped: Tensor = self.dropout(events)
        return dropped

    # --- event by event ----------------------------------------------------------------------------------------------

    def new_cache(self, songs: int) -> Cache:
        """Return an empty cache for so many songs."""
        return Cache.empty(self.config, songs, self.norm.weight)

    def extend(self, codes: Tensor, cache: Cache, counts: Tensor | None = None) -> Tensor:
        """Read new events and return what follows each song's last one, (B, D), for `heads.start`.

        codes: (B, L, F). counts: (B,), how many of them belong to each song (at least 1), before padding; None: all.
        cache: what came before; the new events are added to it. Raises ValueError if they do not fit.
        """
        songs, length, _ = codes.shape
        if cache.longest + length > cache.capacity:
            raise ValueError(f"{cache.longest + length} events, but the model sees {cache.capacity} at once")
        steps = torch.arange(length, device=codes.device)
        events = self.embed(codes, cache.longest + steps if cache.even else cache.lengths[:, None] + steps)
        for index, block in enumerate(self._blocks):
            events = block.extend(events, cache.keys[index], cache.values[index], cache)
        if counts is None:
            last = events[:, -1]
            if length == 1:
                cache.advance()
            else:
                cache.add(torch.full_like(cache.lengths, length))
        else:
            last = events[torch.arange(songs, device=codes.device), counts - 1]
            cache.add(counts)
        normed: Tensor = self.norm(last)
        return normed
