"""Embedded notes → hidden notes without torch: the NumPy twins of the layers in `model` and `transformer`.

The sigmoids of an LSTM are computed as tanh, sigmoid(x) = (1 + tanh(x / 2)) / 2, so that one call covers all gates.
Symbols: B pieces, N notes (padded), D width of the input, W width of one direction, H width of a layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arranger.checkpoint import ModelError, Weights
from arranger.config import ModelConfig
from arranger.mixture import Integers

Floats = NDArray[np.float32]
State = list[tuple[Floats, Floats]]  # (hidden, cell), (B, W), of every layer

RECURRENT_EPSILON, TRANSFORMER_EPSILON = 1e-3, 1e-6  # as in model.py and transformer.py


class Recurrent:
    """LSTM or BiLSTM layers, each with layer norm."""

    def __init__(self, weights: Weights, config: ModelConfig) -> None:
        sides = ("forwards", "backwards") if config.bidirectional else ("forwards",)
        self.cells = [[_cell(weights, f"layers.{i}.{side}") for side in sides] for i in range(config.layers)]
        self.norms = [_norm(weights, f"layers.{i}.norm", config.hidden) for i in range(config.layers)]
        self.residual = config.residual

    def run(self, notes: Floats, lengths: Integers) -> Floats:
        """notes: (B, N, D), padded at the end. lengths: (B,). Returns (B, N, H)."""
        rows = np.arange(notes.shape[1])[None, :]
        reversal = np.where(rows < lengths[:, None], lengths[:, None] - 1 - rows, rows)[:, :, None]
        for index, (forwards, *backwards) in enumerate(self.cells):
            output, _ = _recur(forwards, notes, _rest(len(notes), forwards.width))
            for cell in backwards:
                backward = np.take_along_axis(notes, reversal, axis=1)
                backward, _ = _recur(cell, backward, _rest(len(notes), cell.width))
                output = np.concatenate([output, np.take_along_axis(backward, reversal, axis=1)], axis=-1)
            notes = self._after(index, output, notes)
        return notes

    def start(self) -> State:
        """Return the state before the first note, for `step`."""
        return [_rest(1, cells[0].width) for cells in self.cells]

    def step(self, notes: Floats, state: State) -> tuple[Floats, State]:
        """Read the next notes of one piece, (m, D); return (m, H), and the state after them."""
        hidden, after = notes[None], []
        for index, (cell, *_) in enumerate(self.cells):
            output, layer_state = _recur(cell, hidden, state[index])
            after.append(layer_state)
            hidden = self._after(index, output, hidden)
        return hidden[0], after

    def _after(self, index: int, output: Floats, notes: Floats) -> Floats:
        """Layer norm, and the residual connection where the model has one."""
        normed = _normed(output, self.norms[index], RECURRENT_EPSILON)
        return np.asarray(normed + notes if self.residual and index else normed)


class Transformer:
    """Blocks of self-attention with post-norm."""

    def __init__(self, weights: Weights, config: ModelConfig) -> None:
        width = config.hidden
        self.heads, self.causal = config.heads, not config.bidirectional
        self.project = _dense(weights, "project", config.input_width, width)
        self.blocks = []
        for i in range(config.layers):
            prefix = f"layers.{i}"
            attention = [_dense(weights, f"{prefix}.{name}", width, width) for name in ("query", "key", "value", "out")]
            dense = [
                _dense(weights, f"{prefix}.expand", width, config.feedforward),
                _dense(weights, f"{prefix}.contract", config.feedforward, width),
            ]
            norms = [_norm(weights, f"{prefix}.{name}", width) for name in ("attention_norm", "norm")]
            self.blocks.append((attention, dense, norms))

    def run(self, notes: Floats, lengths: Integers) -> Floats:
        """notes: (B, N, D), padded at the end. lengths: (B,). Returns (B, N, H)."""
        count = notes.shape[1]
        hidden = _apply(self.project, notes)
        hidden = hidden + sinusoid(count, hidden.shape[-1])
        rows = np.arange(count)
        if self.causal:
            hides = (rows[None, :] > rows[:, None])[None, None]
        else:
            hides = (rows >= lengths[:, None])[:, None, None, :]
        penalty = np.where(hides, np.float32(-1e9), np.float32(0))
        for (query, key, value, out), (expand, contract), (attention_norm, norm) in self.blocks:
            queries, keys, values = (self._split(_apply(layer, hidden)) for layer in (query, key, value))
            scores = queries @ keys.swapaxes(-1, -2) * np.float32(queries.shape[-1] ** -0.5) + penalty
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            attended = (scores / scores.sum(axis=-1, keepdims=True)) @ values
            attended = attended.swapaxes(1, 2).reshape(hidden.shape)
            hidden = _normed(hidden + _apply(out, attended), attention_norm, TRANSFORMER_EPSILON)
            dense = _apply(contract, np.maximum(_apply(expand, hidden), 0))
            hidden = _normed(hidden + dense, norm, TRANSFORMER_EPSILON)
        return np.asarray(hidden, np.float32)

    def _split(self, values: Floats) -> Floats:
        split: Floats = values.reshape(*values.shape[:2], self.heads, -1).swapaxes(1, 2)
        return split


class Perceptron:
    """Dense layers on every note by itself."""

    def __init__(self, weights: Weights, config: ModelConfig) -> None:
        widths = [config.input_width, *[config.hidden] * config.layers]
        self.layers = [_dense(weights, f"layers.{i}.0", *widths[i : i + 2]) for i in range(config.layers)]
        self.linear = config.linear

    def run(self, notes: Floats, lengths: Integers) -> Floats:
        """notes: (B, N, D). lengths: (B,), not used. Returns (B, N, H)."""
        for layer in self.layers:
            notes = _apply(layer, notes)
            if not self.linear:
                notes = np.maximum(notes, 0)
        return notes


Network = Recurrent | Transformer | Perceptron
NETWORKS: dict[str, type[Network]] = {"recurrent": Recurrent, "transformer": Transformer, "perceptron": Perceptron}


def sinusoid(count: int, width: int) -> Floats:
    """Return the encodings of the places 0 … count - 1, (count, width)."""
    column = np.arange(width)
    angles = np.arange(count)[:, None] * np.power(10000.0, -2.0 * (column // 2) / width)
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)


# ---- weights


@dataclass(frozen=True)
class Cell:
    """Weights of one direction of an LSTM, for the gates in the order input, forget, output, candidate."""

    inputs: Floats  # (D, 4W)
    recurrent: Floats  # (W, 4W)
    bias: Floats  # (4W,)

    @property
    def width(self) -> int:
        """W."""
        return int(self.recurrent.shape[0])


def shaped(weights: Weights, name: str, shape: tuple[int, ...]) -> Floats:
    """Return an array of the checkpoint; raises ModelError if it is missing or not as the configuration says."""
    if name not in weights:
        raise ModelError(f"the weights lack {name!r}")
    if weights[name].shape != shape:
        raise ModelError(f"{name}: shape {weights[name].shape}, the configuration says {shape}")
    return weights[name]


def _dense(weights: Weights, prefix: str, inputs: int, outputs: int) -> tuple[Floats, Floats]:
    return shaped(weights, f"{prefix}.weight", (outputs, inputs)).T, shaped(weights, f"{prefix}.bias", (outputs,))


def _norm(weights: Weights, prefix: str, width: int) -> tuple[Floats, Floats]:
    return shaped(weights, f"{prefix}.weight", (width,)), shaped(weights, f"{prefix}.bias", (width,))


def _cell(weights: Weights, prefix: str) -> Cell:
    """Take one direction's weights; torch keeps the gates as input, forget, candidate, output."""
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        if f"{prefix}.{name}" not in weights:
            raise ModelError(f"the weights lack {f'{prefix}.{name}'!r}")
    inputs = weights[f"{prefix}.weight_ih_l0"]
    recurrent = weights[f"{prefix}.weight_hh_l0"]
    bias = weights[f"{prefix}.bias_ih_l0"] + weights[f"{prefix}.bias_hh_l0"]
    if inputs.shape[0] != 4 * recurrent.shape[1] or recurrent.shape[0] != 4 * recurrent.shape[1]:
        raise ModelError(f"{prefix}: shapes {inputs.shape} and {recurrent.shape} are not those of an LSTM")
    return Cell(_gates(inputs).T.copy(), _gates(recurrent).T.copy(), _gates(bias))


def _gates(rows: Floats) -> Floats:
    """Reorder (4W, …) rows, and halve those of the sigmoid gates for the tanh form above."""
    into, forget, candidate, out = np.split(rows, 4)
    return np.concatenate([into * 0.5, forget * 0.5, out * 0.5, candidate]).astype(np.float32)


# ---- arithmetic


def _apply(dense: tuple[Floats, Floats], notes: Floats) -> Floats:
    return np.asarray(notes @ dense[0] + dense[1])


def _normed(values: Floats, norm: tuple[Floats, Floats], epsilon: float) -> Floats:
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + np.float32(epsilon)) * norm[0] + norm[1])


def _rest(batch: int, width: int) -> tuple[Floats, Floats]:
    return np.zeros((batch, width), np.float32), np.zeros((batch, width), np.float32)


def _recur(cell: Cell, notes: Floats, state: tuple[Floats, Floats]) -> tuple[Floats, tuple[Floats, Floats]]:
    """Run one direction of an LSTM. notes: (B, N, D). Returns (B, N, W) and the last (hidden, cell) state."""
    width = cell.width
    projected = np.ascontiguousarray((notes @ cell.inputs + cell.bias).swapaxes(0, 1))  # (N, B, 4W)
    hidden, memory = state
    output = np.empty((len(projected), *hidden.shape), np.float32)
    for index, gates in enumerate(projected):  # a loop over notes: each needs the one before
        gates += hidden @ cell.recurrent
        np.tanh(gates, out=gates)
        sigmoids = gates[:, : 3 * width]
        sigmoids += 1.0
        sigmoids *= 0.5
        memory = sigmoids[:, width : 2 * width] * memory + sigmoids[:, :width] * gates[:, 3 * width :]
        hidden = sigmoids[:, 2 * width :] * np.tanh(memory)
        output[index] = hidden
    return output.swapaxes(0, 1), (hidden, memory)
