"""Exported models give what the models give, for other numbers of items and frames than were traced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from onnx_parity import assert_same

pytest.importorskip("onnx", reason="onnx (extra: onnx) is not installed")

from clipsonic.checkpoint import build_vocoder, load_network, load_vocoder, model_folder
from clipsonic.cli import main
from clipsonic.config import MelConfig
from clipsonic.exporting import network_plan, vocoder_plan


def test_the_shipped_models_say_the_same_in_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "instruments", "-o", str(tmp_path), "--format", "onnx", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["output"]
    names = ("network.onnx", "network.json", "vocoder.onnx", "vocoder.json")
    assert files == [str(tmp_path / name) for name in names]
    torch.random.manual_seed(0)
    vocoder = load_vocoder(model_folder("instruments") / "vocoder")
    assert_same(tmp_path / "vocoder.onnx", vocoder_plan(vocoder), (2 * torch.rand(2, 64, 50) - 1,))
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
