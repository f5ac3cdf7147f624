"""Exported models give what the models give, for other numbers of songs and events than were traced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from onnx_parity import assert_same

pytest.importorskip("onnx", reason="onnx (extra: onnx) is not installed")

from mmt.checkpoint import load_checkpoint
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.exporting import plan_of
from mmt.model import MMT


@pytest.mark.parametrize("name", ["default", "extended"])
def test_a_shipped_model_says_the_same_in_onnx(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", name, "-o", str(tmp_path), "--format", "onnx", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["output"]
    assert files == [str(tmp_path / "mmt.onnx"), str(tmp_path / "mmt.json")]
    model = load_checkpoint(name).model
    generator = torch.Generator().manual_seed(0)
    fields = [torch.randint(0, size, (3, 40), generator=generator) for size in model.config.sizes]
    codes = torch.stack(fields, dim=-1)
    assert_same(tmp_path / "mmt.onnx", plan_of(model), (codes, codes.roll(-1, 1)))
    described = json.loads((tmp_path / "mmt.json").read_text(encoding="utf-8"))
    assert list(described["inputs"]) == ["codes", "targets"]
    assert described["outputs"]["beat_logits"] == ["songs", "events", "65"]
    assert main(["export", name, "-o", str(tmp_path), "--format", "onnx"]) == 2  # nothing is overwritten unasked


@pytest.mark.parametrize("positions", ["absolute", "rotary", "relative", "none"])
def test_every_kind_of_model_can_be_exported(positions: str, tmp_path: Path) -> None:
    from muspy_core.exporting import write_exports

    model = MMT(MMTConfig("remi", dim=64, depth=1, max_length=64, positions=positions)).eval()  # type: ignore[arg-type]  # one of those allowed
    plan = plan_of(model)
    path, _ = write_exports("mmt", "small", plan, {}, tmp_path, ["onnx"])
    assert_same(path, plan, (torch.randint(0, model.config.sizes[0], (3, 30, 1)),))
