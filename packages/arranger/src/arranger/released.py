"""Weights that the paper's authors released → our checkpoints: LSTMs and Transformers in Keras's HDF5 layout (§4.7.1).

    python -m arranger.released best_model.hdf5 -o FOLDER --parts satb
    python -m arranger.released best_model.hdf5 -o FOLDER --attention both

The released models predict one class more, "no note", which is left out here, as it is where they are used. Keras
keeps the gates of an LSTM in the order of torch (input, forget, candidate, output), its matrices transposed, and one
bias where torch adds two. What a model reads is told by its embeddings and by the width of its first layer.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from muspy_core.console import Parser, add_overwrite_option, run_command
from numpy.typing import NDArray

from arranger.checkpoint import ModelError, save_checkpoint
from arranger.config import ModelConfig
from arranger.features import FEATURES, input_width
from arranger.parts import PART_SETS, part_set

Arrays = Mapping[str, NDArray[np.float32]]
Attention = Literal["both", "back"]

# Rows of an embedding → the feature that it is of. Tables of 4,097 rows are fixed sinusoids, and computed here.
_EMBEDDINGS = {FEATURES[name].size: name for name in ("pitch", "position", "duration")}
_SINUSOID = 4097
# The layers of a Transformer's block, in the order of the file.
_DENSE = ("query", "key", "value", "out", "expand", "contract")
_NORMS = ("attention_norm", "norm")
_HINTS: tuple[tuple[str, ...], ...] = ((), ("entry_hint",), ("pitch_hint",), ("entry_hint", "pitch_hint"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m arranger.released", description="Convert weights released by the paper's authors.")
    parser.add_argument("weights", type=Path, help="Keras weights, .hdf5")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="model folder to write")
    parser.add_argument("--parts", choices=sorted(PART_SETS), default="satb", help="(default: satb)")
    parser.add_argument(
        "--attention", choices=["both", "back"], help="of a Transformer: both ways (Enc), or back only (Dec)"
    )
    add_overwrite_option(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    config, weights = convert(read_hdf5(options.weights), options.parts, options.attention)
    mode = {"causal": "causal", "onset": "online", "offline": "offline"}[config.knowledge]
    existing = [path for path in options.output.glob(f"{mode}.*") if not options.overwrite]
    if existing:
        raise FileExistsError(f"{existing[0]} exists already; add --overwrite to replace it")
    save_checkpoint(options.output, mode, weights, config, training={"released": options.weights.name})
    sys.stdout.write(f"wrote {options.output}/{mode}.safetensors: {', '.join(config.features)}\n")
    return 0


def read_hdf5(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return all arrays of a Keras weight file by their names, in the order in which its layers stand.

    Raises ModelError if it is no such file, ImportError if h5py is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ImportError("HDF5 files need h5py; install it: pip install h5py") from None
    arrays: dict[str, NDArray[np.float32]] = {}
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            for layer in root.attrs.get("layer_names", list(root)):
                name = layer.decode() if isinstance(layer, bytes) else layer
                group = root[name]
                for weight in group.attrs.get("weight_names", []):
                    full = weight.decode() if isinstance(weight, bytes) else weight
                    arrays[f"{name}/{full}"] = np.asarray(group[full], np.float32)
    except (OSError, KeyError) as error:
        raise ModelError(f"{path}: not a file of Keras weights ({error})") from error
    return arrays


def convert(
    arrays: Arrays, parts: str, attention: Attention | None = None
) -> tuple[ModelConfig, dict[str, NDArray[np.float32]]]:
    """Return the configuration and the weights of a model, from the arrays of a Keras file in the order of its layers.

    attention: whether a Transformer looks both ways (Enc) or back only (Dec). Raises ModelError for arrays that are not
    those of a released LSTM, BiLSTM or Transformer.
    """
    if any(_is_lstm(name) for name in arrays):
        return _convert_lstm(arrays, parts)
    if any("attention" in name for name in arrays):
        return _convert_transformer(arrays, parts, attention)
    raise ModelError("the file has no LSTM layers and no attention; only released models of these can be converted")


def _convert_lstm(arrays: Arrays, parts: str) -> tuple[ModelConfig, dict[str, NDArray[np.float32]]]:
    count = len(part_set(parts))
    cells = [array for name, array in arrays.items() if _ends(name, "kernel") and _is_lstm(name)]
    recurrent, biases = _named(arrays, "recurrent_kernel"), _lstm_biases(arrays)
    scales, shifts = _named(arrays, "gamma"), _named(arrays, "beta")
    if not cells or not len(cells) == len(recurrent) == len(biases) or len(scales) != len(shifts):
        raise ModelError("the LSTM layers lack kernels, biases or layer norms")
    if len(cells) not in (len(scales), 2 * len(scales)):
        raise ModelError(f"{len(cells)} LSTM kernels with {len(scales)} layer norms are no released model")
    bidirectional = len(cells) == 2 * len(scales)
    tables = _tables(arrays)
    width = recurrent[0].shape[0]
    config = ModelConfig(
        parts=parts,
        features=_features(set(tables), cells[0].shape[0], count),
        hidden=width * (1 + bidirectional),
        layers=len(scales),
        bidirectional=bidirectional,
    )
    weights = _embeddings(tables)
    sides = ("forwards", "backwards") if bidirectional else ("forwards",)
    for index, (kernel, inner, bias) in enumerate(zip(cells, recurrent, biases, strict=True)):
        prefix = f"layers.{index // len(sides)}.{sides[index % len(sides)]}"
        weights[f"{prefix}.weight_ih_l0"], weights[f"{prefix}.weight_hh_l0"] = kernel.T, inner.T
        weights[f"{prefix}.bias_ih_l0"], weights[f"{prefix}.bias_hh_l0"] = bias, np.zeros_like(bias)
    for index, (scale, shift) in enumerate(zip(scales, shifts, strict=True)):
        weights[f"layers.{index}.norm.weight"], weights[f"layers.{index}.norm.bias"] = scale, shift
    return config, {**weights, **_head(arrays, config.hidden, count)}


def _convert_transformer(
    arrays: Arrays, parts: str, attention: Attention | None
) -> tuple[ModelConfig, dict[str, NDArray[np.float32]]]:
    """The dense layers stand in the order: input; in each block query, key, value, output, wide, narrow; parts."""
    if attention is None:
        raise ModelError("the weights of a Transformer do not tell Enc from Dec; say --attention both, or back")
    count = len(part_set(parts))
    kernels = {name: array for name, array in arrays.items() if _ends(name, "kernel")}
    scales, shifts = _named(arrays, "gamma"), _named(arrays, "beta")
    blocks = len(scales) // len(_NORMS)
    if len(scales) != len(shifts) or len(scales) % len(_NORMS) or len(kernels) != len(_DENSE) * blocks + 2:
        raise ModelError(f"{len(kernels)} dense layers with {len(scales)} layer norms are no released Transformer")
    tables, (project, *inner, _) = _tables(arrays), list(kernels)
    config = ModelConfig(
        parts=parts,
        features=_features(set(tables), kernels[project].shape[0], count),
        architecture="transformer",
        hidden=kernels[project].shape[1],
        layers=blocks,
        bidirectional=attention == "both",
        feedforward=kernels[inner[_DENSE.index("expand")]].shape[1],
    )
    weights = {**_embeddings(tables), **_dense(arrays, project, "project")}
    for index, name in enumerate(inner):
        weights |= _dense(arrays, name, f"layers.{index // len(_DENSE)}.{_DENSE[index % len(_DENSE)]}")
    for index, (scale, shift) in enumerate(zip(scales, shifts, strict=True)):
        prefix = f"layers.{index // len(_NORMS)}.{_NORMS[index % len(_NORMS)]}"
        weights[f"{prefix}.weight"], weights[f"{prefix}.bias"] = scale, shift
    return config, {**weights, **_head(arrays, config.hidden, count)}


def _tables(arrays: Arrays) -> dict[int, NDArray[np.float32]]:
    """Return the embeddings by their number of rows; the fixed table of frequencies, one column wide, is none."""
    return {len(table): table for table in _named(arrays, "embeddings") if table.shape[1] > 1}


def _embeddings(tables: Mapping[int, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    return {f"embedding.tables.{_EMBEDDINGS[n]}.weight": table for n, table in tables.items() if n in _EMBEDDINGS}


def _dense(arrays: Arrays, kernel: str, prefix: str) -> dict[str, NDArray[np.float32]]:
    return {f"{prefix}.weight": arrays[kernel].T, f"{prefix}.bias": arrays[_bias_of(kernel)]}


def _features(tables: set[int], width: int, parts: int) -> tuple[str, ...]:
    """Return what a model reads, by the sizes of its embeddings and the width of its input, in the released order."""
    embedded = {_EMBEDDINGS[size] for size in tables if size in _EMBEDDINGS}
    candidates: list[tuple[str, ...]]
    if "pitch" not in embedded:
        candidates = [("raw_pitch", "raw_time")]
    elif "position" in embedded:
        candidates = [("pitch", "position", "beat", *(["duration"] if "duration" in embedded else []))]
    elif _SINUSOID in tables:
        candidates = [("pitch", "time", *(["duration"] if "duration" in embedded else []))]
    else:
        candidates = [("pitch", "raw_time"), ("pitch", "raw_position", "raw_beat")]
    for base in candidates:
        for frequency in ((), ("frequency",)):
            for hints in _HINTS:
                names = (*base, *frequency, *hints)
                if input_width(names, parts) == width:
                    return names
    raise ModelError(f"an input of {width} numbers is not that of a released model for {parts} parts")


def _ends(name: str, kind: str) -> bool:
    return re.search(rf"(^|/){kind}(:0)?$", name) is not None


def _named(arrays: Arrays, kind: str) -> list[NDArray[np.float32]]:
    return [array for name, array in arrays.items() if _ends(name, kind)]


def _is_lstm(name: str) -> bool:
    return re.search(r"lstm", name, re.IGNORECASE) is not None


def _lstm_biases(arrays: Arrays) -> list[NDArray[np.float32]]:
    return [array for name, array in arrays.items() if _ends(name, "bias") and _is_lstm(name)]


def _bias_of(kernel: str) -> str:
    return re.sub(r"kernel(:0)?$", r"bias\1", kernel)


def _head(arrays: Arrays, hidden: int, parts: int) -> dict[str, NDArray[np.float32]]:
    """Return the last dense layer without its first class, "no note"."""
    dense = [name for name in arrays if _ends(name, "kernel") and not _is_lstm(name)]
    if not dense or arrays[dense[-1]].shape != (hidden, parts + 1):
        found = arrays[dense[-1]].shape if dense else "none"
        raise ModelError(f"the last layer is {found}, not ({hidden}, {parts + 1}); do the parts fit the model?")
    return {"head.weight": arrays[dense[-1]][:, 1:].T, "head.bias": arrays[_bias_of(dense[-1])][1:]}
