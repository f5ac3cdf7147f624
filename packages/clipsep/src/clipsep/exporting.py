"""A trained model → TorchScript and ONNX files that need no clipsep: spectrogram and queries → masks.

In and out is what lies between `features.spectrogram.warp` and its inverse: magnitudes on the grid of log frequencies,
and a mask of the same shape for each query. B mixtures, n queries and T frames may be any number, T a multiple of
2^depth. Vectors of queries are made by the encoder that the JSON file names.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from muspy_core.exporting import FORMATS, Format, Plan, write_exports
from torch import Tensor, nn
from torch.nn import functional as F

from clipsep.checkpoint import Checkpoint, load_checkpoint
from clipsep.config import HOP_LENGTH, LOG_BINS, N_FFT, SAMPLE_RATE
from clipsep.model import Network


def export(
    name: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a model, by its bundled name, folder or Hub id, as `clipsep.pt`, `clipsep.onnx` and `clipsep.json`.

    Returns the files. Raises ModelError, FileExistsError unless told to overwrite, and ImportError where ONNX is wanted
    and missing.
    """
    checkpoint = load_checkpoint(name)
    plan = plan_of(checkpoint.model)
    return write_exports("clipsep", "clipsep", plan, describe(checkpoint), folder, formats, overwrite)


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a caller must know beside inputs and outputs."""
    return {
        "kind": "clipsep",
        "model": checkpoint.model.config.to_dict(),
        "frames": {"sample_rate": SAMPLE_RATE, "n_fft": N_FFT, "hop_length": HOP_LENGTH},
        "frame_multiple": checkpoint.model.config.frame_multiple,
        "encoder": dict(checkpoint.training.encoder),
    }


def plan_of(model: Network) -> Plan:
    """Return what is exported of a model; noise heads' masks stand beside those of queries."""
    config = model.config
    grid = ("mixtures", str(LOG_BINS), "frames")
    mixture = torch.rand(1, LOG_BINS, config.frame_multiple)
    if config.kind == "pit":
        outputs = {"masks": ("mixtures", str(config.sources), *grid[1:])}
        return Plan(_Masks(model), {"mixture": grid}, outputs, (mixture,))
    outputs = {"masks": ("mixtures", "queries", *grid[1:])}
    if config.kind == "clipsep-nit":
        outputs["noise"] = ("mixtures", str(config.sources), *grid[1:])
    axes: tuple[str, ...]
    if config.kind == "labelsep":
        queries, axes = torch.zeros(1, 2, dtype=torch.long), ("mixtures", "queries")
    else:
        queries, axes = torch.randn(1, 2, config.query_dim), ("mixtures", "queries", str(config.query_dim))
    return Plan(_Masks(model), {"mixture": grid, "queries": axes}, outputs, (mixture, queries))


class _Masks(nn.Module):
    """The masks as a tuple, which both formats know, by operations of any length that ONNX knows."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).eval()
        self.model.unet.overlap = _overlap

    def forward(self, mixture: Tensor, queries: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        masks = self.model(mixture, queries)
        queried: Tensor = masks.queries
        return queried if masks.noise is None else (queried, masks.noise)


def _overlap(places: Tensor) -> Tensor:
    """Return what `unet.folded` returns. places: (B, m, 3, 3, H, W)."""
    pictures = [
        F.pad(places[:, :, row, column], (column, 2 - column, row, 2 - row)) for row in range(3) for column in range(3)
    ]
    return torch.stack(pictures).sum(0)[:, :, 1:-1, 1:-1]
