"""Released weights: a converted model computes what the Keras model computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from arranger.checkpoint import Checkpoint, ModelError, load_checkpoint
from arranger.config import DecodingConfig
from arranger.features import extract
from arranger.hints import hints_of
from arranger.inference import Tagger
from arranger.released import Arrays, Attention, convert, main
from mixtures import random_piece

WIDTH = 6  # of one direction; released models have 128, or 64 in each direction


def released(inputs: int, tables: tuple[int, ...], directions: int) -> Arrays:
    """Random weights under the names and with the shapes of a Keras file: three layers, five classes."""
    rng = np.random.default_rng(inputs)
    arrays = {f"embedding_{i}/embedding_{i}/embeddings:0": rng.normal(size=(t, 16)) for i, t in enumerate(tables)}
    for layer in range(3):
        wide = inputs if layer == 0 else WIDTH * directions
        for side in ("forward_", "backward_")[:directions] if directions == 2 else ("",):
            cell = f"rnn_{layer}/{side}lstm_{layer}/lstm_cell"
            arrays[f"{cell}/kernel:0"] = rng.normal(scale=0.4, size=(wide, 4 * WIDTH))
            arrays[f"{cell}/recurrent_kernel:0"] = rng.normal(scale=0.4, size=(WIDTH, 4 * WIDTH))
            arrays[f"{cell}/bias:0"] = rng.normal(size=4 * WIDTH)
        for name in ("gamma", "beta"):
            arrays[f"norm_{layer}/norm_{layer}/{name}:0"] = rng.normal(size=WIDTH * directions)
    arrays["frequency/embeddings:0"] = rng.normal(size=(129, 1))  # a fixed table, which must not pass for the pitch's
    arrays["dense/dense/kernel:0"] = rng.normal(size=(WIDTH * directions, 5))
    arrays["dense/dense/bias:0"] = rng.normal(size=5)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def keras_lstm(notes: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Keras's LSTM by its definition: gates i, f, c, o."""
    hidden, cell, rows = np.zeros(WIDTH), np.zeros(WIDTH), []
    for note in notes:
        i, f, c, o = np.split(note @ kernel + hidden @ recurrent + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
        rows.append(hidden)
    return np.array(rows)


def keras_model(arrays: Arrays, notes: np.ndarray, directions: int) -> np.ndarray:
    """The whole published stack, without the embeddings; five classes."""
    for layer in range(3):
        outputs = []
        for side in ("forward_", "backward_")[:directions] if directions == 2 else ("",):
            cell = f"rnn_{layer}/{side}lstm_{layer}/lstm_cell"
            weights = [arrays[f"{cell}/{name}:0"] for name in ("kernel", "recurrent_kernel", "bias")]
            turn = slice(None, None, -1 if side == "backward_" else 1)
            outputs.append(keras_lstm(notes[turn], *weights)[turn])
        output = np.concatenate(outputs, axis=1)
        centred = output - output.mean(axis=1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-3)
        notes = normed * arrays[f"norm_{layer}/norm_{layer}/gamma:0"] + arrays[f"norm_{layer}/norm_{layer}/beta:0"]
    return notes @ arrays["dense/dense/kernel:0"] + arrays["dense/dense/bias:0"]


CASES = {
    "raw": (2, (), 1, ("raw_pitch", "raw_time")),
    "emb": (49, (129, 24, 4097), 1, ("pitch", "position", "beat", "frequency")),
    "emb-eh": (53, (129, 24, 4097), 1, ("pitch", "position", "beat", "frequency", "entry_hint")),
    "emb-dur-eh": (69, (129, 24, 4097, 193), 2, ("pitch", "position", "beat", "duration", "frequency", "entry_hint")),
    "time": (33, (129, 4097), 1, ("pitch", "time", "frequency")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_converted_model_has_the_logits_of_the_keras_model(case: str) -> None:
    inputs, tables, directions, features = CASES[case]
    arrays = released(inputs, tables, directions)
    config, weights = convert(arrays, "satb")
    assert config.features == features
    assert config.bidirectional == (directions == 2)
    piece = random_piece(1, steps=8)
    hints = hints_of(piece, 4)
    tagger = Tagger(Checkpoint("converted", weights, config, DecodingConfig(), {}))
    notes = tagger.embed(extract(piece.mixture, config.features, hints)).astype(np.float64)
    expected = keras_model(arrays, notes, directions)
    np.testing.assert_allclose(tagger.logits(piece.mixture, hints), expected[:, 1:], atol=1e-4)


def test_a_keras_file_becomes_a_model_folder(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    arrays = released(49, (129, 24, 4097), 1)
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        layers = list(dict.fromkeys(name.split("/")[0] for name in arrays))
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer in layers:
            own = [name.split("/", 1)[1] for name in arrays if name.split("/")[0] == layer]
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in own]
            for name in own:
                group[name] = arrays[f"{layer}/{name}"]
    arguments = [str(tmp_path / "weights.hdf5"), "-o", str(tmp_path / "model")]
    assert main(arguments) == 0
    converted = load_checkpoint(tmp_path / "model", "causal")
    assert np.array_equal(converted.weights["head.bias"], arrays["dense/dense/bias:0"][1:])
    assert main(arguments) == 2
    (tmp_path / "broken.hdf5").write_bytes(b"no")
    assert main([str(tmp_path / "broken.hdf5"), "-o", str(tmp_path / "other")]) == 2


def test_weights_for_other_parts_are_refused() -> None:
    with pytest.raises(ModelError, match="do the parts fit"):
        convert(released(49, (129, 24, 4097), 1), "nes")
    with pytest.raises(ModelError, match="no LSTM layers and no attention"):
        convert({"dense/kernel:0": np.zeros((2, 5), np.float32)}, "satb")
    with pytest.raises(ModelError, match="input of 50 numbers"):
        convert(released(50, (129, 24, 4097), 1), "satb")


# ---- Transformers

HEADS, FEEDFORWARD = 8, 12


def released_transformer(inputs: int, tables: tuple[int, ...], hidden: int = 16) -> Arrays:
    """Random weights under the names and in the order of a Keras file: two blocks, five classes."""
    rng = np.random.default_rng(inputs)
    arrays = {f"input/embedding_{i}/embeddings:0": rng.normal(size=(t, 16)) for i, t in enumerate(tables)}
    dense = [("transformer/dense", inputs, hidden)]
    for block in range(2):
        attention = f"transformer/layer_{block}/multi_head_attention"
        dense += [(f"{attention}/dense_{i}", hidden, hidden) for i in range(4)]
        dense += [(f"transformer/layer_{block}/sequential/dense_0", hidden, FEEDFORWARD)]
        dense += [(f"transformer/layer_{block}/sequential/dense_1", FEEDFORWARD, hidden)]
    for name, wide, narrow in (*dense, ("dense", hidden, 5)):
        arrays[f"{name}/kernel:0"] = rng.normal(scale=0.4, size=(wide, narrow))
        arrays[f"{name}/bias:0"] = rng.normal(size=narrow)
        for norm in (0, 1) if name.endswith("sequential/dense_1") else ():
            for kind in ("gamma", "beta"):
                arrays[f"{name.rsplit('/', 2)[0]}/layer_normalization_{norm}/{kind}:0"] = rng.normal(size=hidden)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def keras_transformer(arrays: Arrays, notes: np.ndarray, hides_later: bool) -> np.ndarray:
    """The published stack by its definition, note by note and head by head, without the embeddings; five classes."""

    def dense(name: str, values: np.ndarray) -> np.ndarray:
        return values @ arrays[f"{name}/kernel:0"] + arrays[f"{name}/bias:0"]

    def norm(name: str, values: np.ndarray) -> np.ndarray:
        centred = values - values.mean(axis=1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6)
        return normed * arrays[f"{name}/gamma:0"] + arrays[f"{name}/beta:0"]

    hidden = dense("transformer/dense", notes)
    count, width = hidden.shape
    for column in range(width):
        angle = np.arange(count) / 10000 ** (2 * (column // 2) / width)
        hidden[:, column] += np.cos(angle) if column % 2 else np.sin(angle)
    for block in range(2):
        layer = f"transformer/layer_{block}"
        query, key, value = (dense(f"{layer}/multi_head_attention/dense_{i}", hidden) for i in range(3))
        attended = np.zeros_like(hidden)
        for head in np.split(np.arange(width), HEADS):
            for note in range(count):
                seen = slice(note + 1) if hides_later else slice(count)
                scores = np.exp(key[seen, head] @ query[note, head] / np.sqrt(len(head)))
                attended[note, head] = scores @ value[seen, head] / scores.sum()
        attended = dense(f"{layer}/multi_head_attention/dense_3", attended)
        hidden = norm(f"{layer}/layer_normalization_0", hidden + attended)
        inner = np.maximum(dense(f"{layer}/sequential/dense_0", hidden), 0)
        hidden = norm(f"{layer}/layer_normalization_1", hidden + dense(f"{layer}/sequential/dense_1", inner))
    return dense("dense", hidden)


@pytest.mark.parametrize("attention", ["both", "back"])
def test_a_converted_transformer_has_the_logits_of_the_keras_model(attention: Attention) -> None:
    arrays = released_transformer(65, (129, 24, 193, 4097))
    config, weights = convert(arrays, "satb", attention)
    assert config.features == ("pitch", "position", "beat", "duration", "frequency")
    assert (config.heads, config.feedforward, config.layers) == (HEADS, FEEDFORWARD, 2)
    mixture = random_piece(2, steps=6).mixture
    tagger = Tagger(Checkpoint("converted", weights, config, DecodingConfig(), {}))
    notes = tagger.embed(extract(mixture, config.features)).astype(np.float64)
    expected = keras_transformer(arrays, notes, hides_later=attention == "back")
    np.testing.assert_allclose(tagger.logits(mixture), expected[:, 1:], atol=1e-4)


def test_a_transformer_must_be_said_to_look_both_ways_or_back() -> None:
    with pytest.raises(ModelError, match="--attention both, or back"):
        convert(released_transformer(49, (129, 24, 4097)), "satb")
