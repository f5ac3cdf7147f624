"""Features → logits without torch: the NumPy twin of `model.PartTagger`, batched and step by step.

The sigmoids of an LSTM are computed as tanh, sigmoid(x) = (1 + tanh(x / 2)) / 2, so that one call covers all gates.
Symbols: B pieces, N notes (padded), m notes of one step, W width of one direction, H width of a layer, K parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arranger.checkpoint import Checkpoint, ModelError, Weights
from arranger.config import ModelConfig
from arranger.features import FEATURES, extract
from arranger.mixture import Integers, Mixture

Floats = NDArray[np.float32]
State = list[tuple[Floats, Floats]]  # (hidden, cell), (B, W), of every layer

LAYER_NORM_EPSILON = 1e-3  # as in model.py
BATCH = 16
# A piece longer than a window is read in windows that overlap by twice the margin, all at once; what a bidirectional
# model remembers over a margin of 128 notes no longer matters (see the test of this).
WINDOW, MARGIN = 1024, 128


@dataclass(frozen=True)
class _Cell:
    """Weights of one direction, for the gates in the order input, forget, output, candidate; see `_gates`."""

    inputs: Floats  # (D, 4W)
    recurrent: Floats  # (W, 4W)
    bias: Floats  # (4W,)

    @property
    def width(self) -> int:
        return int(self.recurrent.shape[0])


class Tagger:
    """A trained model that labels notes.

    Args:
        checkpoint: What `load_checkpoint` returns.

    Raises ModelError if weights are missing or have the wrong shape.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.config: ModelConfig = checkpoint.config
        self.checkpoint = checkpoint
        weights = checkpoint.weights
        try:
            self._tables = {
                name: _shaped(weights, f"embedding.tables.{name}.weight", (FEATURES[name].size, FEATURES[name].width))
                for name in self.config.features
                if FEATURES[name].kind == "embedding"
            }
            self._forwards = [_cell(weights, f"layers.{i}.forwards") for i in range(self.config.layers)]
            self._backwards = (
                [_cell(weights, f"layers.{i}.backwards") for i in range(self.config.layers)]
                if self.config.bidirectional
                else []
            )
            hidden = (self.config.hidden,)
            self._norms = [
                (_shaped(weights, f"layers.{i}.norm.weight", hidden), _shaped(weights, f"layers.{i}.norm.bias", hidden))
                for i in range(self.config.layers)
            ]
            parts = len(self.config.part_set)
            self._head = _shaped(weights, "head.weight", (parts, self.config.hidden)).T
            self._head_bias = _shaped(weights, "head.bias", (parts,))
        except KeyError as error:
            raise ModelError(f"{checkpoint.name}: the weights lack {error.args[0]!r}") from None

    def logits(self, mixture: Mixture) -> Floats:
        """Return the logits of every note of a piece, (n, K)."""
        if not len(mixture):
            return np.zeros((0, len(self.config.part_set)), np.float32)
        embedded = self.embed(extract(mixture, self.config.features))
        if self.config.bidirectional and len(mixture) > WINDOW:
            return self._in_windows(embedded)
        return np.asarray(self.run(embedded[None], np.array([len(mixture)]))[0])

    def logits_of_all(self, mixtures: Sequence[Mixture]) -> list[Floats]:
        """Return the logits of several pieces, computed in batches of pieces of similar length."""
        results: list[Floats] = [np.zeros((0, len(self.config.part_set)), np.float32)] * len(mixtures)
        order = sorted((i for i, mixture in enumerate(mixtures) if len(mixture)), key=lambda i: len(mixtures[i]))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            lengths = np.array([len(mixtures[i]) for i in chosen])
            padded = np.zeros((len(chosen), lengths.max(), self.config.input_width), np.float32)
            for row, i in enumerate(chosen):
                padded[row, : lengths[row]] = self.embed(extract(mixtures[i], self.config.features))
            logits = self.run(padded, lengths)
            for row, i in enumerate(chosen):
                results[i] = logits[row, : lengths[row]]
        return results

    def embed(self, columns: Mapping[str, NDArray[np.int64] | Floats]) -> Floats:
        """Return the features of n notes side by side, (n, input width)."""
        return np.concatenate([self._embed(name, columns[name]) for name in self.config.features], axis=-1)

    def _embed(self, name: str, column: NDArray[np.int64] | Floats) -> Floats:
        kind = FEATURES[name].kind
        if kind == "embedding":
            return self._tables[name][column]
        if kind == "one-hot":
            return np.eye(FEATURES[name].size, dtype=np.float32)[column]
        return column.astype(np.float32)

    def run(self, embedded: Floats, lengths: Integers) -> Floats:
        """embedded: (B, N, input width), padded at the end. lengths: (B,). Returns the logits, (B, N, K)."""
        notes = embedded
        rows = np.arange(notes.shape[1])[None, :]
        reversal = np.where(rows < lengths[:, None], lengths[:, None] - 1 - rows, rows)[:, :, None]
        for index, cell in enumerate(self._forwards):
            output, _ = _recur(cell, notes, _rest(len(notes), cell.width))
            if self._backwards:
                backward = np.take_along_axis(notes, reversal, axis=1)
                backward, _ = _recur(self._backwards[index], backward, _rest(len(notes), cell.width))
                output = np.concatenate([output, np.take_along_axis(backward, reversal, axis=1)], axis=-1)
            notes = self._after(index, output, notes)
        return np.asarray(notes @ self._head + self._head_bias)

    def start(self) -> State:
        """Return the state before the first note, for `step`."""
        return [_rest(1, cell.width) for cell in self._forwards]

    def step(self, columns: Mapping[str, NDArray[np.int64] | Floats], state: State) -> tuple[Floats, State]:
        """Read the next m notes and return their logits, (m, K), and the state after them.

        Raises ModelError for a bidirectional model, which must see the end first.
        """
        if self._backwards:
            raise ModelError(f"{self.checkpoint.name} reads a piece from both ends; it cannot label notes as they come")
        notes = self.embed(columns)[None]
        after: State = []
        for index, cell in enumerate(self._forwards):
            output, layer_state = _recur(cell, notes, state[index])
            after.append(layer_state)
            notes = self._after(index, output, notes)
        return (notes @ self._head + self._head_bias)[0], after

    def _after(self, index: int, output: Floats, notes: Floats) -> Floats:
        """Layer norm, and the residual connection where the model has one."""
        scale, shift = self._norms[index]
        centred = output - output.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        normed = centred / np.sqrt(variance + np.float32(LAYER_NORM_EPSILON)) * scale + shift
        return np.asarray(normed + notes if self.config.residual and index else normed)

    def _in_windows(self, embedded: Floats) -> Floats:
        """Run one long piece, (n, D), as a batch of overlapping windows; returns the logits, (n, K)."""
        count, hop = len(embedded), WINDOW - 2 * MARGIN
        starts = list(range(0, max(count - WINDOW, 0) + hop, hop))
        result = np.zeros((count, len(self.config.part_set)), np.float32)
        for first in range(0, len(starts), BATCH):
            chosen = starts[first : first + BATCH]
            lengths = np.array([min(WINDOW, count - start) for start in chosen])
            padded = np.zeros((len(chosen), WINDOW, embedded.shape[1]), np.float32)
            for row, start in enumerate(chosen):
                padded[row, : lengths[row]] = embedded[start : start + WINDOW]
            logits = self.run(padded, lengths)
            for row, start in enumerate(chosen):
                begin = MARGIN if start else 0
                result[start + begin : start + lengths[row]] = logits[row, begin : lengths[row]]
        return result


def _rest(batch: int, width: int) -> tuple[Floats, Floats]:
    return np.zeros((batch, width), np.float32), np.zeros((batch, width), np.float32)


def _recur(cell: _Cell, notes: Floats, state: tuple[Floats, Floats]) -> tuple[Floats, tuple[Floats, Floats]]:
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


def _cell(weights: Weights, prefix: str) -> _Cell:
    """Take one direction's weights; torch keeps the gates as input, forget, candidate, output."""
    inputs = weights[f"{prefix}.weight_ih_l0"]
    recurrent = weights[f"{prefix}.weight_hh_l0"]
    bias = weights[f"{prefix}.bias_ih_l0"] + weights[f"{prefix}.bias_hh_l0"]
    if inputs.shape[0] != 4 * recurrent.shape[1] or recurrent.shape[0] != 4 * recurrent.shape[1]:
        raise ModelError(f"{prefix}: shapes {inputs.shape} and {recurrent.shape} are not those of an LSTM")
    return _Cell(_gates(inputs).T.copy(), _gates(recurrent).T.copy(), _gates(bias))


def _gates(rows: Floats) -> Floats:
    """Reorder (4W, …) rows, and halve those of the sigmoid gates for the tanh form above."""
    into, forget, candidate, out = np.split(rows, 4)
    return np.concatenate([into * 0.5, forget * 0.5, out * 0.5, candidate]).astype(np.float32)


def _shaped(weights: Weights, name: str, shape: tuple[int, ...]) -> Floats:
    """Return an array of the checkpoint; raises ModelError if its shape is not what the configuration says."""
    if weights[name].shape != shape:
        raise ModelError(f"{name}: shape {weights[name].shape}, the configuration says {shape}")
    return weights[name]
