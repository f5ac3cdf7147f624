"""Trained models → TorchScript and ONNX files that need no deepperformer (checkpoint → files).

Notes and frames are of any number in what is exported, clips too; frames of the synthesis model are those of a window,
312. An inverter that ends in an inverse Fourier transform is exported without it, as ONNX knows no complex numbers:
`KIND.json` beside the files says what comes out. Symbols as in `layers` and `vocoder.griffin_lim`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from muspy_core.exporting import FORMATS, Format, Plan, write_exports
from torch import Tensor, nn

from deepperformer.checkpoint import Checkpoint
from deepperformer.clips import CLIP_FRAMES
from deepperformer.config import SynthesisConfig

NOTES, FRAMES = 7, 24  # of the example that is traced


def export(
    checkpoint: Checkpoint,
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a model into a folder as `KIND.pt`, `KIND.onnx` and `KIND.json`, and return the files.

    Raises FileExistsError unless told to overwrite, and ImportError where ONNX is wanted and missing.
    """
    return write_exports(
        "deepperformer", checkpoint.kind, plan_of(checkpoint), describe(checkpoint), folder, formats, overwrite
    )


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a caller must know beside inputs and outputs: performers, the configuration and the mels."""
    return {
        "kind": checkpoint.kind,
        "performers": list(checkpoint.performers),
        "conditions": list(checkpoint.conditions),
        "model": checkpoint.model.config.to_dict(),
        "mel": checkpoint.mel.to_dict(),
        "mel_fingerprint": checkpoint.mel.fingerprint,
    }


def plan_of(checkpoint: Checkpoint) -> Plan:
    """Return what is exported of a model."""
    model, bands = checkpoint.model, checkpoint.mel.n_mels
    notes = torch.zeros(2, NOTES, 4, dtype=torch.long)
    notes[..., 0] = 12 * torch.arange(NOTES)
    notes[..., 1:] = torch.tensor([12, 69, 64])
    mask, numbers = torch.ones(2, NOTES, dtype=torch.bool), torch.zeros(2, dtype=torch.long)
    read = {"notes": ("clips", "notes", "4"), "mask": ("clips", "notes"), "performer": ("clips",), "tempo": ("clips",)}
    more: dict[str, tuple[str, ...]] = {}
    examples: tuple[torch.Tensor, ...] = ()
    if getattr(model.config, "marks", 0):
        more["marks"], examples = (
            ("clips", "notes", str(model.config.marks)),
            (torch.zeros(2, NOTES, model.config.marks),),
        )
    if getattr(model.config, "conditions", 0):
        more["condition"], examples = ("clips",), (*examples, numbers)
    if checkpoint.kind == "alignment":
        inputs = {**read, "frames_per_step": ("clips",), **more}
        given = (notes, mask, numbers, numbers, torch.ones(2), *examples)
        return Plan(_Timing(model), inputs, {"times": ("clips", "notes", "2")}, given)
    if checkpoint.kind == "synthesis":
        inputs = {**read, "onsets": ("clips", "notes"), "durations": ("clips", "notes"), **more}
        times = notes[..., 0].float(), notes[..., 1].float()
        return Plan(
            _Window(model),
            inputs,
            {"mel": ("clips", str(CLIP_FRAMES), str(bands))},
            (notes, mask, numbers, numbers, *times, *examples),
        )
    mel = {"mel": ("clips", "frames", str(bands))}
    example = (torch.zeros(2, FRAMES, bands),)
    if checkpoint.kind == "hifigan":
        return Plan(model, mel, {"samples": ("clips", "samples")}, example)
    bins = ("clips", "frames", str(checkpoint.mel.n_fft // 2 + 1))
    names = ("levels", "advances", "slopes") if checkpoint.kind == "phase" else ("levels", "phases")
    module = _Changes(model) if checkpoint.kind == "phase" else _LevelsAndPhases(model)
    return Plan(module, mel, dict.fromkeys(names, bins), example)


# --- what is exported, where it is not the model itself --------------------------------------------------------------


class _Timing(nn.Module):
    """Onsets from the anchor and durations in frames, whatever the target of the model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        notes: Tensor,
        mask: Tensor,
        performer: Tensor,
        tempo: Tensor,
        frames_per_step: Tensor,
        marks: Tensor | None = None,
    ) -> Tensor:
        output = self.model(notes, mask, performer, tempo, marks)
        times: Tensor = self.model.decode(output, notes, frames_per_step)  # type: ignore[operator]
        # Absolute times need no tempo; an input that nothing depends on would be dropped from the file.
        return times + 0 * frames_per_step[:, None, None]


class _Window(nn.Module):
    """The mel of a window of 5 s."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        notes: Tensor,
        mask: Tensor,
        performer: Tensor,
        tempo: Tensor,
        onsets: Tensor,
        durations: Tensor,
        *more: Tensor,
    ) -> Tensor:
        config: SynthesisConfig = self.model.config  # type: ignore[assignment]  # torch types attributes as tensors
        marks = more[0] if config.marks else None
        condition = more[-1] if config.conditions else None
        mel: Tensor = self.model(notes, mask, performer, tempo, onsets, durations, CLIP_FRAMES, marks, condition)
        return mel


class _Changes(nn.Module):
    """Log magnitudes, and how phases change, of a `PhaseInverter`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        changes: tuple[Tensor, Tensor, Tensor] = self.model.changes(mel)  # type: ignore[operator]
        return changes


class _LevelsAndPhases(nn.Module):
    """Log magnitudes and phases of an `ISTFTInverter`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.network = model.network

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        levels, phases = self.network(mel).chunk(2, dim=2)  # type: ignore[operator]
        return levels, phases
