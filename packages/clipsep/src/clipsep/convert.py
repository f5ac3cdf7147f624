"""Checkpoints in the layout of the published code → ours (the authors' NIT model is one such file).

There the names are nested: `module.sound_net.unet_block.model.3.…` is a block inside a block. `sound_net` is the U-Net,
`frame_net` the projection, `synth_net` the mixing of maps, `pit_nets` are the noise heads, `label_net` the labels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipsep.checkpoint import ModelError
from clipsep.config import CLIPSepConfig, Kind

if TYPE_CHECKING:
    from torch import Tensor

    from clipsep.model import Network

_WHAT = ("weight", "bias", "running_mean", "running_var")


def convert_file(path: str | os.PathLike[str], labels: Sequence[str] = ()) -> Network:
    """Read a published checkpoint (.pth, loaded as weights only); return the network it belongs to.

    labels: of a LabelSep, in the order of its file of labels. Raises ModelError, naming the file and what is missing,
    for another layout.
    """
    found = read_weights(path)
    try:
        return convert(found, labels)
    except ModelError as error:
        raise ModelError(f"{Path(path).name}: {error}") from None


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read tensors by name from a file of torch (.pth, loaded as weights only). Raises ModelError for other files."""
    import pickle
    import struct

    import torch

    name = Path(path).name
    with open(path, "rb") as file:
        try:
            found = torch.load(file, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, struct.error) as error:
            raise ModelError(f"{name}: holds no weights: {' '.join(str(error).split())[:200]}") from None
    # Some checkpoints hold the optimiser as well.
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise ModelError(f"{name}: holds no table of weights")
    return found


def convert(published: Mapping[str, Tensor], labels: Sequence[str] = ()) -> Network:
    """Return the network of published weights. Raises ModelError if some are missing or left over."""
    from clipsep.model import build_model

    weights = {name.removeprefix("module."): value for name, value in published.items()}
    config = configuration_of(weights, labels)
    network = build_model(config)
    ours, used = {}, set()
    for new, old in names_of(config):
        if old not in weights:
            raise ModelError(f"{old} is missing: not the layout of the published {config.kind}")
        ours[new] = weights[old].reshape(network.state_dict()[new].shape)
        used.add(old)
    left = [name for name in weights if name not in used and not name.endswith("num_batches_tracked")]
    if left:
        raise ModelError(f"weights that are not of a published {config.kind}: {', '.join(left[:5])}")
    network.load_state_dict(ours, strict=False)
    network.eval()
    return network


def configuration_of(weights: Mapping[str, Tensor], labels: Sequence[str] = ()) -> CLIPSepConfig:
    """Return the configuration that published weights, without `module.`, are of. Raises ModelError for others."""
    try:
        first = weights["sound_net.unet_block.model.0.weight"]
        depth = max(name.count("model.") for name in weights if name.startswith("sound_net."))
        if "frame_net.weight" not in weights:
            mixing = weights["synth_net.weight"]
            return CLIPSepConfig("pit", int(first.shape[0]), depth, int(mixing.shape[1]), sources=int(mixing.shape[0]))
        maps, dim = (int(size) for size in weights["frame_net.weight"].shape)
    except KeyError as error:
        raise ModelError(f"{error.args[0]} is missing: not the layout of the published code") from None
    heads = len({name.split(".")[1] for name in weights if name.startswith("pit_nets.")})
    kind: Kind = "clipsep-nit" if heads else "clipsep"
    if "label_net.weight" in weights:
        kind = "labelsep"
        count = len(weights["label_net.weight"])
        if len(labels) != count:
            raise ModelError(f"this LabelSep has {count} labels, {len(labels)} are named")
    elif dim == 256:
        kind = "bertsep"
    # The published code gives its noise heads the mean of the projections.
    return CLIPSepConfig(kind, int(first.shape[0]), depth, maps, dim, max(heads, 2), tuple(labels), noise_input="mean")


def names_of(config: CLIPSepConfig) -> Iterator[tuple[str, str]]:
    """Yield (our name, published name) of all weights."""
    for what in _WHAT:
        yield f"unet.norm.{what}", f"sound_net.bn0.{what}"
    yield from _block_names(config.depth)
    if config.kind == "pit":
        yield from ((f"heads.{what}", f"synth_net.{what}") for what in _WHAT[:2])
        return
    yield from ((f"projection.{what}", f"frame_net.{what}") for what in _WHAT[:2])
    yield from ((what, f"synth_net.{what}") for what in ("scale", "bias"))
    if config.kind == "labelsep":
        yield "labels.weight", "label_net.weight"
    if config.kind == "clipsep-nit":
        for head in range(config.sources):
            yield from ((f"noise_heads.{head}.{what}", f"pit_nets.{head}.{what}") for what in _WHAT[:2])


def _block_names(depth: int) -> Iterator[tuple[str, str]]:
    prefix = "sound_net.unet_block.model"
    yield "unet.down.0.weight", f"{prefix}.0.weight"
    yield "unet.up.0.weight", f"{prefix}.4.weight"
    yield "unet.up.0.bias", f"{prefix}.4.bias"
    prefix += ".1"
    for block in range(1, depth):
        # In a block: rectifier, convolution, normalisation, the block inside, rectifier, doubling, convolution,
        # normalisation; the innermost has neither the first normalisation nor a block inside.
        prefix += ".model"
        yield f"unet.down.{block}.weight", f"{prefix}.1.weight"
        innermost = block == depth - 1
        up, norm = (4, 5) if innermost else (6, 7)
        yield f"unet.up.{block}.weight", f"{prefix}.{up}.weight"
        for what in _WHAT:
            yield f"unet.up_norms.{block - 1}.{what}", f"{prefix}.{norm}.{what}"
            if not innermost:
                yield f"unet.down_norms.{block - 1}.{what}", f"{prefix}.2.{what}"
        prefix += ".3"
