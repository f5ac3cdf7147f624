"""Exported models give what the models give, for other numbers of mixtures, queries and frames than were traced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from onnx_parity import assert_same

pytest.importorskip("onnx", reason="onnx (extra: onnx) is not installed")

from clipsep.checkpoint import load_checkpoint
from clipsep.cli import main
from clipsep.config import CLIPSepConfig
from clipsep.exporting import plan_of
from clipsep.model import build_model


def test_the_shipped_model_says_the_same_in_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "instruments", "-o", str(tmp_path), "--format", "onnx", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["output"]
    assert files == [str(tmp_path / "clipsep.onnx"), str(tmp_path / "clipsep.json")]
    torch.random.manual_seed(0)
    given = (torch.rand(2, 256, 256), torch.randn(2, 3, 384))
    model = load_checkpoint("instruments").model
    assert_same(tmp_path / "clipsep.onnx", plan_of(model), given)
    with torch.inference_mode():  # what is exported adds up what overlaps in its own way
        assert torch.allclose(plan_of(model).module(*given), model(*given).queries, atol=1e-5)
    described = json.loads((tmp_path / "clipsep.json").read_text(encoding="utf-8"))
    assert described["inputs"]["mixture"] == ["mixtures", "256", "frames"]
    assert described["frame_multiple"] == 128
    assert main(["export", "instruments", "-o", str(tmp_path), "--format", "onnx"]) == 2  # nothing is overwritten


@pytest.mark.parametrize("kind", ["clipsep-nit", "pit", "labelsep", "early", "middle"])
def test_every_kind_of_model_can_be_exported(kind: str, tmp_path: Path) -> None:
    from muspy_core.exporting import write_exports

    torch.random.manual_seed(0)
    config = CLIPSepConfig(kind, width=2, depth=5, maps=4, query_dim=8, labels=("a", "b"))  # type: ignore[arg-type]  # one of those allowed
    plan = plan_of(build_model(config).eval())
    path, _ = write_exports("clipsep", "small", plan, {}, tmp_path, ["onnx"])
    queries = torch.tensor([[1, 0, 1]]).repeat(2, 1) if kind == "labelsep" else torch.randn(2, 3, 8)
    assert_same(path, plan, (torch.rand(2, 256, 96), queries)[: len(plan.inputs)])
