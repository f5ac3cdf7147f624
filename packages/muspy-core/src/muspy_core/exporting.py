"""Trained models → TorchScript and ONNX files that need none of our packages (what all `export` commands share).

A package says for each of its models what goes in and comes out (`Plan`); here the files are written, with a JSON file
beside them that says what a caller must know. Axes with a name may have any length; numbers are fixed.
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
from torch import Tensor, nn

from muspy_core.console import check_writable
from muspy_core.errors import needed
from muspy_core.io.files import write_atomically

Format = Literal["torchscript", "onnx"]
FORMATS: tuple[Format, ...] = ("torchscript", "onnx")
ENDINGS = {"torchscript": ".pt", "onnx": ".onnx"}
OPSET = 17


@dataclass(frozen=True)
class Plan:
    """What is exported of a model. inputs, outputs: name → axes. example: of the inputs, which is traced."""

    module: nn.Module
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]
    example: tuple[Tensor, ...]


def write_exports(
    package: str,
    name: str,
    plan: Plan,
    facts: Mapping[str, Any],
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a model into a folder as `NAME.pt`, `NAME.onnx` and `NAME.json`, and return the files.

    package: import name of the model's. facts: what a caller must know beside inputs and outputs. Raises
    FileExistsError unless told to overwrite, and ImportError where ONNX is wanted and missing.
    """
    folder = Path(folder)
    targets = {form: folder / f"{name}{ENDINGS[form]}" for form in formats}
    described = folder / f"{name}.json"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*targets.values(), described):
        check_writable(path, overwrite=overwrite)
    description = {
        "inputs": {key: list(axes) for key, axes in plan.inputs.items()},
        "outputs": {key: list(axes) for key, axes in plan.outputs.items()},
        **facts,
    }
    for form, path in targets.items():
        with write_atomically(path, overwrite) as temporary:
            if form == "torchscript":
                _write_torchscript(plan, temporary)
            else:
                _write_onnx(plan, temporary, package)
    with write_atomically(described, overwrite) as temporary:
        temporary.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*targets.values(), described]


def _write_torchscript(plan: Plan, path: Path) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        # Of the tracer, about shapes that do not change; and that TorchScript is no longer developed.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(plan.module.eval(), plan.example, check_trace=False)
        torch.jit.save(traced, str(path))


def _write_onnx(plan: Plan, path: Path, package: str) -> None:
    with needed(package, "onnx", "writing ONNX"):
        import onnx  # noqa: F401  # PyTorch's exporter would fail without it, but later and less clearly
    axes = {
        name: {index: axis for index, axis in enumerate(shape) if not axis.isdigit()}
        for name, shape in {**plan.inputs, **plan.outputs}.items()
    }
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        # The tracing exporter: the newer one needs another package, and fixes lengths that models compute with.
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
