"""Four small autoregressive models of event sequences: RNN, LSTM, GRU and Transformer (§2.5.1).

Shapes: batch B, time T, vocabulary V. All have two layers of 128 units and differ in what a layer is.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

ModelName = Literal["rnn", "lstm", "gru", "transformer"]
Initialisation = Literal["orthogonal", "uniform"]
VOCABULARY = 357

State: TypeAlias = "Tensor | tuple[Tensor, Tensor]"


@dataclasses.dataclass(frozen=True)
class EventModelConfig:
    """Size of a model. The defaults are the paper's; they give 157,797 (RNN), 355,941 (LSTM), 289,893 (GRU) and 290,917
    (Transformer) parameters.

    initialisation: of the recurrent models; "uniform" is the published code's, "orthogonal" learns faster.
    """

    kind: ModelName = "lstm"
    vocabulary: int = VOCABULARY
    dim: int = 128
    layers: int = 2
    heads: int = 2
    feedforward: int = 128
    dropout: float = 0.5
    max_length: int = 1024
    initialisation: Initialisation = "orthogonal"


class RecurrentModel(nn.Module):
    """Embedding, recurrent layers and a linear layer over the vocabulary."""

    def __init__(self, config: EventModelConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.embedding = nn.Embedding(config.vocabulary, config.dim)
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[config.kind]
        self.recurrent = layer(config.dim, config.dim, config.layers, dropout=config.dropout, batch_first=True)
        self.output = nn.Linear(config.dim, config.vocabulary)
        if config.initialisation == "orthogonal":
            _initialise_recurrent(self.recurrent)
        else:
            nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        _initialise_output(self.output)

    def forward(self, events: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Predict the next event at every position.

        events: (B, T) int64. state: of the recurrent layers, zeros by default. Returns logits (B, T, V) and the state
        after the last event.
        """
        hidden, last_state = self.recurrent(self.dropout(self.embedding(events)), state)
        return self.output(self.dropout(hidden)), last_state


class TransformerModel(nn.Module):
    """Embedding, sinusoidal positions, causal post-norm Transformer layers and a linear layer over the vocabulary."""

    positions: Tensor
    mask: Tensor

    def __init__(self, config: EventModelConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(config.dim)
        self.embedding = nn.Embedding(config.vocabulary, config.dim)
        self.dropout = nn.Dropout(config.dropout)
        layer = nn.TransformerEncoderLayer(
            config.dim, config.heads, config.feedforward, config.dropout, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.output = nn.Linear(config.dim, config.vocabulary)
        self.register_buffer("positions", sinusoids(config.max_length, config.dim), persistent=False)
        mask = nn.Transformer.generate_square_subsequent_mask(config.max_length)
        self.register_buffer("mask", mask, persistent=False)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        _initialise_output(self.output)

    def forward(self, events: Tensor, state: State | None = None) -> tuple[Tensor, None]:
        """Predict the next event at every position.

        events: (B, T) int64, T ≤ max_length. state: none is kept. Returns logits (B, T, V) and None.
        """
        length = events.shape[1]
        hidden = self.dropout(self.embedding(events) * self.scale + self.positions[:length])
        hidden = self.layers(hidden, mask=self.mask[:length, :length], is_causal=True)
        return self.output(hidden), None


def build_model(config: EventModelConfig) -> RecurrentModel | TransformerModel:
    """Return a new model. Raises ValueError for an unknown kind."""
    if config.kind == "transformer":
        return TransformerModel(config)
    if config.kind in ("rnn", "lstm", "gru"):
        return RecurrentModel(config)
    raise ValueError(f'`kind` must be "rnn", "lstm", "gru" or "transformer", got {config.kind!r}')


def sinusoids(length: int, dim: int) -> Tensor:
    """Return fixed positions (length, dim): sines in even, cosines in odd dimensions (Vaswani et al. 2017)."""
    rate = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
    angles = torch.arange(length).unsqueeze(1) * rate
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def _initialise_recurrent(layers: nn.RNNBase) -> None:
    """Start with orthogonal recurrent weights and open forget gates.

    With these and the embedding's standard normal values the models learn in a few hundred steps that a note-off has
    the pitch of its note-on; with the published code's uniform values below 0.1 this takes them thousands.
    """
    size = layers.hidden_size
    for name, parameter in layers.named_parameters():
        if name.startswith("weight_hh"):
            for gate in torch.split(parameter.detach(), size):
                nn.init.orthogonal_(gate)
        elif name.startswith("bias_ih") and isinstance(layers, nn.LSTM):
            nn.init.ones_(parameter.detach()[size : 2 * size])


def _initialise_output(output: nn.Linear) -> None:
    nn.init.uniform_(output.weight, -0.1, 0.1)
    nn.init.zeros_(output.bias)
