"""Whether a model's ONNX file says what the model says, for the tests of all packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from muspy_core.exporting import Plan

TOLERANCE = 1e-4


def assert_same(path: Path, plan: Plan, given: tuple[torch.Tensor, ...]) -> None:
    """onnxruntime gives what the model gives, at most 1e-4 away."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime (extra: onnx) is not installed")
    with torch.inference_mode():
        expected = plan.module(*given)
    session = runtime.InferenceSession(str(path))
    feeds = {name: tensor.numpy() for name, tensor in zip(plan.inputs, given, strict=True)}
    found = session.run(list(plan.outputs), feeds)
    for ours, theirs in zip(expected if isinstance(expected, tuple) else (expected,), found, strict=True):
        assert np.abs(ours.numpy() - theirs).max() <= TOLERANCE
