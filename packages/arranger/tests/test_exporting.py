"""Exported models give what the models give, for other numbers of pieces and notes than were traced."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx_parity import assert_same

pytest.importorskip("onnx", reason="onnx (extra: onnx) is not installed")

from arranger.checkpoint import load_checkpoint
from arranger.cli import main
from arranger.exporting import columns_of, plan_of
from arranger.mixture import Mixture

MODES = {
    "bach-chorales": ["causal", "online", "offline", "tempo-free"],
    "string-quartets": ["online", "offline"],
}


def piece(notes: int) -> Mixture:
    rng = np.random.default_rng(0)
    onset, pitch = 6 * np.sort(rng.integers(0, notes, notes)), rng.integers(40, 80, notes)
    order = np.lexsort((pitch, onset))
    return Mixture(onset[order], pitch[order], rng.integers(6, 48, notes), np.full(notes, 64))


@pytest.mark.parametrize("name", list(MODES))
def test_every_mode_of_a_shipped_model_says_the_same_in_onnx(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", name, "-o", str(tmp_path), "--format", "onnx", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["output"]
    assert files == [str(tmp_path / f"{mode}.{ending}") for mode in MODES[name] for ending in ("onnx", "json")]
    for mode in MODES[name]:
        checkpoint = load_checkpoint(name, mode)
        columns = [torch.cat([column, column.flip(1)]) for column in columns_of(piece(50), checkpoint.config).values()]
        lengths = [torch.tensor([50, 30])] if checkpoint.config.bidirectional else []
        assert_same(tmp_path / f"{mode}.onnx", plan_of(checkpoint), (*columns, *lengths))
    described = json.loads((tmp_path / "online.json").read_text(encoding="utf-8"))
    assert len(described["parts"]) == 4
    assert main(["export", name, "-o", str(tmp_path), "--format", "onnx"]) == 2  # nothing is overwritten unasked
