"""Weights of the published code → a `MMT` (its layers are those of x-transformers 0.25.9, under other names).

    model = load_published("best_model.pt")

Published files are state dictionaries of `MusicXTransformer`, or of the baselines' wrapper, which has one embedding and
one head instead of lists of them. Keys, with their shapes, D the width, h the heads:

    token_emb.{field}.emb.weight (codes, D) · pos_emb.emb.weight (events, D)
    attn_layers.layers.{2k}.0.0.* norm, .1.to_q, .1.to_k, .1.to_v.weight (64 h, D), .1.to_out.* of block k
    attn_layers.layers.{2k+1}.0.0.* norm, .1.ff.0.0.*, .1.ff.3.* of its feed-forward layer
    norm.* · to_logits.{field}.*
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmt.baselines import mmm, remi
from mmt.checkpoint import ModelError
from mmt.config import HEAD_DIM, Encoding, MMTConfig, Positions
from mmt.model import MMT

PREFIX = re.compile(r"^(?:decoder\.)?(?:net\.)?")  # of the wrappers around the network


def load_published(path: str | os.PathLike[str]) -> MMT:
    """Load a file of published weights, ready to generate. Nothing in it is executed. Raises ModelError, OSError."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ModelError(f"{os.fspath(path)}: holds no weights: {' '.join(str(error).split())[:200]}") from error
    except Exception as error:
        # torch raises pickle's UnpicklingError, which is no subclass of any of those, for files that hold code.
        if type(error).__name__ != "UnpicklingError":
            raise
        raise ModelError(f"{os.fspath(path)}: holds more than weights, and is not read") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{os.fspath(path)}: holds no weights by name")
    return from_published(state)


def from_published(state: Mapping[str, Tensor]) -> MMT:
    """Return a model with the weights of the published code, in single precision; raises ModelError for other keys."""
    named = {PREFIX.sub("", name): tensor.float() for name, tensor in state.items()}
    try:
        config = _config(named)
        weights = _weights(named, config)
        model = MMT(config)
        model.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelError(f"these are not the published model's weights: {' '.join(str(error).split())}") from error
    model.eval()
    return model


def _config(named: Mapping[str, Tensor]) -> MMTConfig:
    """Read the sizes off the weights."""
    sizes = tuple(len(tensor) for tensor in _listed(named, "token_emb", "emb.weight"))
    encodings: dict[tuple[int, ...], Encoding] = {(mmm.vocabulary_size(),): "mmm", (remi.vocabulary_size(),): "remi"}
    places = named.get("pos_emb.emb.weight")
    kind: Positions = "none"
    if places is not None:
        kind = "absolute"
    elif any("rotary_pos_emb" in name for name in named):
        kind = "rotary"
    layers = {int(match[1]) for name in named if (match := re.match(r"attn_layers\.layers\.(\d+)\.", name))}
    dim = len(named["norm.weight"])
    width = len(named["attn_layers.layers.0.1.to_q.weight"])
    if width != dim:
        raise ValueError(f"attention is {width} wide and the model {dim}; heads of {HEAD_DIM} must fill it")
    return MMTConfig(
        encoding=encodings.get(sizes, "mmt"),
        sizes=sizes,
        dim=dim,
        depth=len(layers) // 2,
        max_length=1024 if places is None else len(places),
        positions=kind,
    )


def _weights(named: Mapping[str, Tensor], config: MMTConfig) -> dict[str, Tensor]:
    weights = {
        "embedding.weight": torch.cat(_listed(named, "token_emb", "emb.weight")),
        "heads.logits.weight": torch.cat(_listed(named, "to_logits", "weight")),
        "heads.logits.bias": torch.cat(_listed(named, "to_logits", "bias")),
    }
    if config.positions == "absolute":
        weights["positions"] = named["pos_emb.emb.weight"]
    for part in ("weight", "bias"):
        weights[f"norm.{part}"] = named[f"norm.{part}"]
    for block in range(config.depth):
        attention, forward = (f"attn_layers.layers.{2 * block + i}" for i in (0, 1))
        parts = [named[f"{attention}.1.to_{name}.weight"] for name in "qkv"]
        weights[f"blocks.{block}.attention.qkv.weight"] = torch.cat(parts)
        for ours, theirs in (
            ("attention_norm", f"{attention}.0.0"),
            ("attention.out", f"{attention}.1.to_out"),
            ("feed_forward.0", f"{forward}.0.0"),
            ("feed_forward.1", f"{forward}.1.ff.0.0"),
            ("feed_forward.4", f"{forward}.1.ff.3"),
        ):
            for part in ("weight", "bias"):
                weights[f"blocks.{block}.{ours}.{part}"] = named[f"{theirs}.{part}"]
    return weights


def _listed(named: Mapping[str, Tensor], start: str, end: str) -> list[Tensor]:
    """The tensors `start.0.end`, `start.1.end` and so on; or the one `start.end` of a network with one field."""
    if f"{start}.{end}" in named:
        return [named[f"{start}.{end}"]]
    found = [named[name] for index in range(len(named)) if (name := f"{start}.{index}.{end}") in named]
    if not found:
        raise KeyError(f"{start}.0.{end}")
    return found
