"""Exported models give what the models give, for other numbers of items and frames than were traced."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnx", reason="onnx (extra: onnx) is not installed")

from clipsonic.checkpoint import build_vocoder, load_network, model_folder
from clipsonic.cli import main
from clipsonic.config import MelConfig
from clipsonic.exporting import network_plan, vocoder_plan
from muspy_core.exporting import Plan


def assert_same(path: Path, plan: Plan, given: tuple[torch.Tensor, ...]) -> None:
    """onnxruntime gives what the model gives, at most 1e-4 away."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime (extra: onnx) is not installed")
    with torch.inference_mode():
        expected = plan.module(*given)
    session = runtime.InferenceSession(str(path))
    feeds = {name: tensor.numpy() for name, tensor in zip(plan.inputs, given, strict=True)}
    found = session.run(list(plan.outputs), feeds)
    for ours, theirs in zip(expected if isinstance(expected, tuple) else (expected,), found, strict=True):
        assert np.abs(ours.numpy() - theirs).max() <= 1e-4


def test_the_shipped_network_says_the_same_in_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "instruments", "-o", str(tmp_path), "--format", "onnx", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["output"]
    assert files == [str(tmp_path / "network.onnx"), str(tmp_path / "network.json")]  # its vocoder is Griffin-Lim
    torch.random.manual_seed(0)
    given = (torch.randn(3, 1, 64, 40), torch.tensor([5, 600, 3999]), torch.randn(3, 384))
    plan = network_plan(load_network(model_folder("instruments") / "network"))
    assert_same(tmp_path / "network.onnx", plan, (*given, torch.tensor([True, False, False])))
    described = json.loads((tmp_path / "network.json").read_text(encoding="utf-8"))
    assert described["multiple"] == 8
    assert "violin" in described["labels"]
    assert main(["export", "instruments", "-o", str(tmp_path), "--format", "onnx"]) == 2  # nothing is overwritten


SMALL = {
    "istft": {"dim": 16, "depth": 1},
    "bigvgan": {"channels": 16, "rates": [8, 8, 4, 2], "kernels": [16, 16, 8, 4]},
}


@pytest.mark.parametrize("kind", list(SMALL))
def test_vocoders_can_be_exported(kind: str, tmp_path: Path) -> None:
    from muspy_core.exporting import write_exports

    torch.random.manual_seed(0)
    plan = vocoder_plan(build_vocoder(kind, SMALL[kind], MelConfig()).eval())
    path, _ = write_exports("clipsonic", "vocoder", plan, {}, tmp_path, ["onnx"])
    assert_same(path, plan, (torch.rand(3, 64, 21) * 2 - 1,))
