"""Trained models → TorchScript and ONNX files that need no deepperformer (checkpoint → files).

Notes and frames are of any number in what is exported, clips too; frames of the synthesis model are those of a window,
312. An inverter that ends in an inverse Fourier transform is exported without it, as ONNX knows no complex numbers:
`model.json` beside the files says what comes out. Symbols as in `layers` and `vocoder.griffin_lim`.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from muspy_core.console import check_writable
from muspy_core.io.files import write_atomically
from torch import Tensor, nn

from deepperformer.checkpoint import Checkpoint
from deepperformer.clips import CLIP_FRAMES

Format = Literal["torchscript", "onnx"]
FORMATS: tuple[Format, ...] = ("torchscript", "onnx")
ENDINGS = {"torchscript": ".pt", "onnx": ".onnx"}
OPSET = 17
NOTES, FRAMES = 7, 24  # of the example that is traced


@dataclass(frozen=True)
class Plan:
    """What is exported of a model. inputs, outputs: name → axes. example: of the inputs."""

    module: nn.Module
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]
    example: tuple[Tensor, ...]


def export(
    checkpoint: Checkpoint,
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a model into a folder as `KIND.pt`, `KIND.onnx` and `KIND.json`, and return the files.

    Raises FileExistsError unless told to overwrite, and ImportError where ONNX is wanted and missing.
    """
    folder = Path(folder)
    plan = plan_of(checkpoint)
    targets = {name: folder / f"{checkpoint.kind}{ENDINGS[name]}" for name in formats}
    described = folder / f"{checkpoint.kind}.json"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*targets.values(), described):
        check_writable(path, overwrite=overwrite)
    for name, path in targets.items():
        with write_atomically(path, overwrite) as temporary:
            (_write_torchscript if name == "torchscript" else _write_onnx)(plan, temporary)
    with write_atomically(described, overwrite) as temporary:
        temporary.write_text(json.dumps(describe(checkpoint, plan), indent=1) + "\n", encoding="utf-8")
    return [*targets.values(), described]


def describe(checkpoint: Checkpoint, plan: Plan) -> dict[str, Any]:
    """Return what a caller must know: inputs, outputs, performers, the configuration and the mels."""
    return {
        "kind": checkpoint.kind,
        "inputs": {name: list(axes) for name, axes in plan.inputs.items()},
        "outputs": {name: list(axes) for name, axes in plan.outputs.items()},
        "performers": list(checkpoint.performers),
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
    if checkpoint.kind == "alignment":
        inputs = {**read, "frames_per_step": ("clips",)}
        return Plan(
            _Timing(model), inputs, {"times": ("clips", "notes", "2")}, (notes, mask, numbers, numbers, torch.ones(2))
        )
    if checkpoint.kind == "synthesis":
        inputs = {**read, "onsets": ("clips", "notes"), "durations": ("clips", "notes")}
        times = notes[..., 0].float(), notes[..., 1].float()
        return Plan(
            _Window(model),
            inputs,
            {"mel": ("clips", str(CLIP_FRAMES), str(bands))},
            (notes, mask, numbers, numbers, *times),
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

    def forward(self, notes: Tensor, mask: Tensor, performer: Tensor, tempo: Tensor, frames_per_step: Tensor) -> Tensor:
        output = self.model(notes, mask, performer, tempo)
        times: Tensor = self.model.decode(output, notes, frames_per_step)  # type: ignore[operator]
        # Absolute times need no tempo; an input that nothing depends on would be dropped from the file.
        return times + 0 * frames_per_step[:, None, None]


class _Window(nn.Module):
    """The mel of a window of 5 s."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, notes: Tensor, mask: Tensor, performer: Tensor, tempo: Tensor, onsets: Tensor, durations: Tensor
    ) -> Tensor:
        mel: Tensor = self.model(notes, mask, performer, tempo, onsets, durations, CLIP_FRAMES)
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


# --- formats ---------------------------------------------------------------------------------------------------------


def _write_torchscript(plan: Plan, path: Path) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        # Of the tracer, about shapes that do not change; and that TorchScript is no longer developed.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", FutureWarning)
        traced = torch.jit.trace(plan.module.eval(), plan.example, check_trace=False)
        torch.jit.save(traced, str(path))


def _write_onnx(plan: Plan, path: Path) -> None:
    try:
        import onnx  # noqa: F401  # PyTorch's exporter would fail without it, but later and less clearly
    except ModuleNotFoundError as error:
        raise ImportError("ONNX needs onnx: pip install 'deepperformer[onnx]'") from error
    axes = {
        name: {index: axis for index, axis in enumerate(shape) if not axis.isdigit()}
        for name, shape in {**plan.inputs, **plan.outputs}.items()
    }
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            plan.module.eval(),
            plan.example,
            str(path),
            input_names=list(plan.inputs),
            output_names=list(plan.outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
