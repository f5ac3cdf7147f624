"""Trained models → TorchScript and ONNX files that need no arranger: features of notes → a logit for each part.

What the features are, `arranger.features.extract` says; how parts are chosen from the logits of an onset, `decoding`.
B pieces and N notes may be any number; padding stands at the end.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from muspy_core.exporting import FORMATS, Format, Plan, write_exports
from torch import Tensor, nn

from arranger.checkpoint import MODES, Checkpoint, ModelError, has_mode, load_checkpoint
from arranger.config import ModelConfig
from arranger.features import extract
from arranger.mixture import Mixture
from arranger.model import PartTagger, build_model

NOTES = 12  # of the example that is traced


def export(
    name: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write each mode of a model, by its bundled name or folder, as `MODE.pt`, `MODE.onnx` and `MODE.json`.

    Returns the files. Raises ModelError, also for models that must be told more than the notes, FileExistsError unless
    told to overwrite, and ImportError where ONNX is wanted and missing.
    """
    modes = [mode for mode in MODES if has_mode(name, mode)]
    if not modes:
        raise ModelError(f"{os.fspath(name)}: has no model of a mode {', '.join(MODES)}")
    written: list[Path] = []
    for mode in modes:
        checkpoint = load_checkpoint(name, mode)
        plan = plan_of(checkpoint)
        written += write_exports("arranger", mode, plan, describe(checkpoint), folder, formats, overwrite)
    return written


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a caller must know beside inputs and outputs."""
    return {
        "kind": "arranger",
        "parts": list(checkpoint.config.part_set.names),
        "model": checkpoint.config.to_dict(),
    }


def plan_of(checkpoint: Checkpoint) -> Plan:
    """Return what is exported of a model. Raises ModelError for one that is told hints or the parts of notes before."""
    config = checkpoint.config
    if config.reads_hints or "history" in config.features:
        raise ModelError(f"{checkpoint.name}: reads hints or earlier parts beside the notes, which no export has")
    model = build_model(config)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in checkpoint.weights.items()})
    columns = columns_of(example(), config)
    inputs = {name: ("pieces", "notes", *map(str, column.shape[2:])) for name, column in columns.items()}
    parts = str(len(config.part_set))
    given = tuple(columns.values())
    if config.bidirectional:
        inputs["lengths"] = ("pieces",)
        given = (*given, torch.tensor([NOTES]))
    return Plan(_Tagger(model.eval(), tuple(columns)), inputs, {"logits": ("pieces", "notes", parts)}, given)


def columns_of(mixture: Mixture, config: ModelConfig) -> dict[str, Tensor]:
    """Return the features of one piece as a batch, by name in the order of the model's."""
    return {name: torch.from_numpy(column)[None] for name, column in extract(mixture, config.features).items()}


def example() -> Mixture:
    """Return a few chords."""
    index = np.arange(NOTES)
    return Mixture(24 * (index // 4), 48 + 5 * (index % 4), np.full(NOTES, 24), np.full(NOTES, 64))


class _Tagger(nn.Module):
    """The model with its features one by one; lengths of pieces matter where the future is read."""

    def __init__(self, model: PartTagger, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *given: Tensor) -> Tensor:
        columns = dict(zip(self.names, given, strict=False))
        lengths = given[-1] if len(given) > len(self.names) else given[0].new_ones(given[0].shape[0])
        logits: Tensor = self.model(columns, lengths)
        return logits
