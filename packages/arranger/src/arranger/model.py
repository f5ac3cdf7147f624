"""Features → logits: the LSTM, the BiLSTM and the perceptron of §4.4.2, and their common frame (torch).

Symbols: B pieces, N notes (padded), K parts, H width of a layer.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from arranger.config import ModelConfig
from arranger.features import FEATURES

LAYER_NORM_EPSILON = 1e-3  # that of the published models


class NoteEmbedding(nn.Module):
    """Concatenates the features of every note into one vector, in the order of the configuration."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.features = config.features
        self.tables = nn.ModuleDict(
            {
                name: nn.Embedding(FEATURES[name].size, FEATURES[name].width)
                for name in config.features
                if FEATURES[name].kind == "embedding"
            }
        )

    def forward(self, columns: dict[str, Tensor]) -> Tensor:
        """columns: by name (B, N) or (B, N, K) codes, or (B, N, width) values. Returns (B, N, input width)."""
        return torch.cat([self._embed(name, columns[name]) for name in self.features], dim=-1)

    def _embed(self, name: str, column: Tensor) -> Tensor:
        kind = FEATURES[name].kind
        if kind in ("embedding", "shared"):
            embedded: Tensor = self.tables[FEATURES[name].table or name](column)
            return embedded.flatten(2)
        if kind == "one-hot":
            return nn.functional.one_hot(column, FEATURES[name].size).float()
        return column


class RecurrentLayer(nn.Module):
    """An LSTM over the notes in one direction or both, layer norm, dropout; the halves stand side by side."""

    def __init__(self, inputs: int, hidden: int, *, bidirectional: bool, residual: bool, dropout: float) -> None:
        super().__init__()
        width = hidden // 2 if bidirectional else hidden
        self.forwards = nn.LSTM(inputs, width, batch_first=True)
        self.backwards = nn.LSTM(inputs, width, batch_first=True) if bidirectional else None
        self.norm = nn.LayerNorm(hidden, eps=LAYER_NORM_EPSILON)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, notes: Tensor, reversal: Tensor) -> Tensor:
        """notes: (B, N, inputs). reversal: (B, N), `reversed_rows` of the lengths. Returns (B, N, H)."""
        output, _ = self.forwards(notes)
        if self.backwards is not None:
            backward, _ = self.backwards(take_rows(notes, reversal))
            output = torch.cat([output, take_rows(backward, reversal)], dim=-1)
        normed: Tensor = self.dropout(self.norm(output))
        return normed + notes if self.residual else normed


class PartTagger(nn.Module):
    """Layers over embedded notes, and a linear layer to one logit for each part; subclasses say which layers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = NoteEmbedding(config)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.layers = self.make_layers(config)
        self.head = nn.Linear(config.hidden, len(config.part_set))

    def make_layers(self, config: ModelConfig) -> nn.ModuleList:
        """Return the layers of this kind of model."""
        raise NotImplementedError

    def run_layers(self, notes: Tensor, lengths: Tensor) -> Tensor:
        """notes: (B, N, input width). lengths: (B,). Returns (B, N, H)."""
        raise NotImplementedError

    def forward(self, columns: dict[str, Tensor], lengths: Tensor) -> Tensor:
        """Return the logits, (B, N, K); rows beyond a piece's length mean nothing.

        columns: as for `NoteEmbedding`. lengths: (B,) notes in each piece.
        """
        notes = self.input_dropout(self.embedding(columns))
        logits: Tensor = self.head(self.run_layers(notes, lengths))
        return logits


class RecurrentTagger(PartTagger):
    """LSTM or BiLSTM."""

    def make_layers(self, config: ModelConfig) -> nn.ModuleList:
        """Each layer reads the one before."""
        return nn.ModuleList(
            RecurrentLayer(
                config.hidden if index else config.input_width,
                config.hidden,
                bidirectional=config.bidirectional,
                residual=config.residual and index > 0,
                dropout=config.dropout,
            )
            for index in range(config.layers)
        )

    def run_layers(self, notes: Tensor, lengths: Tensor) -> Tensor:
        """See `PartTagger`."""
        reversal = reversed_rows(lengths, notes.shape[1])
        for layer in self.layers:
            notes = layer(notes, reversal)
        return notes


class PerceptronTagger(PartTagger):
    """Dense layers on every note by itself; what it knows of others is in its features (§4.5.3)."""

    def make_layers(self, config: ModelConfig) -> nn.ModuleList:
        """Dense, ReLU (none in the published code), dropout."""
        activation: type[nn.Module] = nn.Identity if config.linear else nn.ReLU
        widths = [config.input_width, *[config.hidden] * config.layers]
        return nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, outputs), activation(), nn.Dropout(config.dropout))
            for inputs, outputs in pairwise(widths)
        )

    def run_layers(self, notes: Tensor, lengths: Tensor) -> Tensor:
        """See `PartTagger`."""
        for layer in self.layers:
            notes = layer(notes)
        return notes


def build_model(config: ModelConfig) -> PartTagger:
    """Return a new model of the configuration's architecture."""
    from arranger.transformer import TransformerTagger

    kinds: dict[str, type[PartTagger]] = {
        "recurrent": RecurrentTagger,
        "transformer": TransformerTagger,
        "perceptron": PerceptronTagger,
    }
    return kinds[config.architecture](config)


def reversed_rows(lengths: Tensor, size: int) -> Tensor:
    """Return the indices that reverse the first `lengths` of `size` rows and leave the padding behind them, (B, N).

    Gathering by these and running a plain LSTM equals a packed sequence, and is several times faster on a CPU.
    """
    rows = torch.arange(size, device=lengths.device)[None, :]
    backwards = lengths[:, None] - 1 - rows
    return torch.where(backwards >= 0, backwards, rows)


def take_rows(notes: Tensor, rows: Tensor) -> Tensor:
    """notes: (B, N, D). rows: (B, N). Returns (B, N, D), row by row what `rows` names."""
    return torch.gather(notes, 1, rows[:, :, None].expand(-1, -1, notes.shape[2]))
