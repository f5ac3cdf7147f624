"""A trained model → TorchScript and ONNX files that need no mmt: codes of a song → logits of what follows each event.

The files hold whole songs' logits, as for scoring, and for generating in another program: the logits at the last event
are those of the next one. Conditional heads look at the fields of that event that have been decided: run the model once
a field, with the decided codes in `targets`. B songs and L events may be any number, L up to the model's length.
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

from mmt import extended
from mmt.checkpoint import Checkpoint, load_checkpoint
from mmt.encoding import FIELDS
from mmt.model import MMT

NAMES = {"mmt": FIELDS, "extended": extended.FIELDS}  # of the fields; a baseline has one
SONGS, EVENTS = 2, 9  # of the example that is traced


def export(
    name: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a model, by its bundled name, folder or Hub id, as `mmt.pt`, `mmt.onnx` and `mmt.json`; return the files.

    Raises ModelError, FileExistsError unless told to overwrite, and ImportError where ONNX is wanted and missing.
    """
    checkpoint = load_checkpoint(name)
    return write_exports("mmt", "mmt", plan_of(checkpoint.model), describe(checkpoint), folder, formats, overwrite)


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a caller must know beside inputs and outputs."""
    return {"kind": "mmt", "model": checkpoint.model.config.to_dict(), "order": checkpoint.training.order}


def plan_of(model: MMT) -> Plan:
    """Return what is exported of a model."""
    config = model.config
    names = NAMES.get(config.encoding, ("event",))
    axes = ("songs", "events", str(len(names)))
    codes = torch.zeros(SONGS, EVENTS, len(names), dtype=torch.long)
    outputs = {f"{name}_logits": (*axes[:2], str(size)) for name, size in zip(names, config.sizes, strict=True)}
    inputs = {"codes": axes, "targets": axes} if config.heads == "conditional" else {"codes": axes}
    return Plan(_Logits(model), inputs, outputs, (codes,) * len(inputs))


class _Logits(nn.Module):
    """The model with an embedding that ONNX knows; parallel heads look at no targets."""

    def __init__(self, model: MMT) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).eval()
        self.model.embedding = _SummedEmbedding(model.embedding.weight)  # type: ignore[assignment]  # computes the same

    def forward(self, codes: Tensor, targets: Tensor | None = None) -> tuple[Tensor, ...]:
        return tuple(self.model(codes, codes if targets is None else targets))


class _SummedEmbedding(nn.Module):
    """What `EmbeddingBag` computes."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, rows: Tensor) -> Tensor:
        """rows: (N, F). Returns (N, D)."""
        return F.embedding(rows, self.weight).sum(1)
