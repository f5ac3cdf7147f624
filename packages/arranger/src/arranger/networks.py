"""Embedded notes → hidden notes without torch: the NumPy twins of the layers in `model` and `transformer`.

The sigmoids of an LSTM are computed as tanh, sigmoid(x) = (1 + tanh(x / 2)) / 2, so that one call covers all gates.
Symbols: B pieces, N notes (padded), D width of the input, S directions of W each, H width of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arranger.checkpoint import ModelError, Weights
from arranger.config import ModelConfig
from arranger.mixture import Integers

Floats = NDArray[np.float32]
State = list[tuple[Floats, Floats]]  # (hidden, cell), (S, B, W), of every layer

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
        for index, cells in enumerate(self.cells):
            heard = [notes, *[np.take_along_axis(notes, reversal, axis=1)] * (len(cells) - 1)]
            output, _ = _recur(cells, heard, _rest(len(cells), len(notes), cells[0].width))
            backward = [np.take_along_axis(other, reversal, axis=1) for other in output[1:]]
            notes = self._after(index, np.concatenate([output[0], *backward], axis=-1), notes)
        return notes

    def start(self) -> State:
        """Return the state before the first note, for `step`."""
        return [_rest(1, 1, cells[0].width) for cells in self.cells]

    def step(self, notes: Floats, state: State) -> tuple[Floats, State]:
        """Read the next notes of one piece, (m, D); return (m, H), and the state after them."""
        hidden, after = notes[None], []
        for index, cells in enumerate(self.cells):
            output, layer_state = _recur(cells, [hidden], state[index])
            after.append(layer_state)
            hidden = self._after(index, output[0], hidden)
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


def _rest(directions: int, batch: int, width: int) -> tuple[Floats, Floats]:
    return np.zeros((directions, batch, width), np.float32), np.zeros((directions, batch, width), np.float32)


def _recur(
    cells: Sequence[Cell], notes: Sequence[Floats], state: tuple[Floats, Floats]
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Run S directions of an LSTM side by side.

    notes: for each direction (B, N, D). state: hidden and cell, (S, B, W). Returns (S, B, N, W) and the last state.
    Inside, pieces are the last axis: then a gate is one block of memory, and every line works in place.
    """
    width = cells[0].width
    recurrent = np.stack([cell.recurrent.T for cell in cells])  # (S, 4W, W)
    projected = np.stack([heard @ cell.inputs + cell.bias for cell, heard in zip(cells, notes, strict=True)])
    projected = np.ascontiguousarray(projected.transpose(2, 0, 3, 1))  # (N, S, 4W, B)
    hidden, memory = (np.array(values.swapaxes(1, 2), order="C") for values in state)  # copies: they are written to
    output = np.empty((len(projected), *hidden.shape), np.float32)
    recalled, new = np.empty(projected.shape[1:], np.float32), np.empty_like(memory)
    for gates, heard in zip(projected, output, strict=True):  # a loop over notes: each needs the one before
        np.matmul(recurrent, hidden, out=recalled)
        gates += recalled
        np.tanh(gates, out=gates)
        sigmoids = gates[:, : 3 * width]
        sigmoids += 1.0
        sigmoids *= 0.5
        memory *= sigmoids[:, width : 2 * width]
        np.multiply(sigmoids[:, :width], gates[:, 3 * width :], out=new)
        memory += new
        np.tanh(memory, out=new)
        hidden = np.multiply(sigmoids[:, 2 * width :], new, out=heard)
    return output.transpose(1, 3, 0, 2), (hidden.swapaxes(1, 2).copy(), memory.swapaxes(1, 2))
