"""Exported models give what the models give, for other numbers of notes, frames and clips than were traced."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import Checkpoint, Training, load_checkpoint
from deepperformer.config import AlignmentConfig, HiFiGANConfig, ISTFTConfig, PhaseConfig, SynthesisConfig
from deepperformer.exporting import export, plan_of
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import AlignmentModel, SynthesisModel
from deepperformer.vocoder.hifigan import HiFiGAN
from deepperformer.vocoder.istft import ISTFTInverter
from deepperformer.vocoder.phase import PhaseInverter

SMALL = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "dropout": 0.0, "performers": 2}
NOTES, FRAMES, CLIPS = 11, 40, 3


def models() -> dict[str, tuple[str, torch.nn.Module]]:
    torch.random.manual_seed(0)
    return {
        "alignment": ("alignment", AlignmentModel(AlignmentConfig(**SMALL))),
        "alignment of ratios": (
            "alignment",
            AlignmentModel(AlignmentConfig(**SMALL, target="ratio", time_encoding="delta")),
        ),
        "synthesis": ("synthesis", SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1))),
        "synthesis of rolls": (
            "synthesis",
            SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1, encoder="rolls")),
        ),
        "alignment with marks": ("alignment", AlignmentModel(AlignmentConfig(**SMALL, marks=5))),
        "synthesis with marks": ("synthesis", SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1, marks=5))),
        "synthesis with marks and conditions": (
            "synthesis",
            SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1, marks=5, conditions=2)),
        ),
        "hifigan": ("hifigan", HiFiGAN(HiFiGANConfig(channels=16)).fold()),
        "istft": ("istft", ISTFTInverter(ISTFTConfig(dim=16, hidden=16, layers=1))),
        "phase": ("phase", PhaseInverter(PhaseConfig(dim=16, hidden=16, layers=1))),
    }


def inputs_of(kind: str, config: object = None) -> tuple[torch.Tensor, ...]:
    torch.random.manual_seed(1)
    if kind in ("hifigan", "istft", "phase"):
        return (torch.randn(CLIPS, FRAMES, 80),)
    notes = torch.stack([torch.arange(NOTES) * 6, *(torch.randint(1, 90, (NOTES,)) for _ in range(3))], dim=1)
    mask = torch.arange(NOTES)[None] < torch.tensor([NOTES, 5, 8])[:, None]
    common = (notes.repeat(CLIPS, 1, 1), mask, torch.tensor([0, 1, 1]), torch.tensor([3, 20, 40]))
    marks, conditions = getattr(config, "marks", 0), getattr(config, "conditions", 0)
    more = [torch.randint(2, (CLIPS, NOTES, marks)).float()] if marks else []
    more += [torch.tensor([1, 0, 1])] if conditions else []
    if kind == "alignment":
        return (*common, torch.tensor([1.0, 2.0, 2.5]), *more)
    return (*common, torch.rand(CLIPS, NOTES) * 200, torch.rand(CLIPS, NOTES) * 40, *more)


@pytest.mark.filterwarnings("ignore:.torch.jit")
@pytest.mark.parametrize("name", list(models()))
@pytest.mark.parametrize("form", ["torchscript", "onnx"])
def test_an_exported_model_says_what_the_model_says(name: str, form: str, tmp_path: Path) -> None:
    kind, model = models()[name]
    checkpoint = Checkpoint(name, kind, model.eval(), MelDefinition(), ("ann", "bob"), Training())
    if form == "onnx":
        pytest.importorskip("onnx")
        runtime = pytest.importorskip("onnxruntime")
    given = inputs_of(kind, model.config)
    plan = plan_of(checkpoint)
    with torch.inference_mode():
        expected = plan.module(*given)
    expected = expected if isinstance(expected, tuple) else (expected,)
    path = export(checkpoint, tmp_path, [form])[0]  # type: ignore[list-item]
    if form == "torchscript":
        with torch.inference_mode():
            found = torch.jit.load(str(path))(*given)
        found = [tensor.numpy() for tensor in (found if isinstance(found, tuple) else (found,))]
    else:
        session = runtime.InferenceSession(str(path))
        feeds = {entry.name: tensor.numpy() for entry, tensor in zip(session.get_inputs(), given, strict=True)}
        found = session.run(list(plan.outputs), feeds)
    for ours, theirs in zip(expected, found, strict=True):
        assert np.allclose(ours.numpy(), theirs, atol=2e-4), np.abs(ours.numpy() - theirs).max()
    described = json.loads((tmp_path / f"{kind}.json").read_text())
    assert list(described["inputs"]) == list(plan.inputs)
    assert described["mel_fingerprint"] == MelDefinition().fingerprint


@pytest.mark.parametrize("stage", ["alignment", "synthesis", "inverter"])
def test_the_shipped_models_say_the_same_in_onnx(stage: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    checkpoint = load_checkpoint("violin", stage)
    given, plan = inputs_of(checkpoint.kind), plan_of(checkpoint)
    with torch.inference_mode():
        expected = plan.module(*given)
    session = runtime.InferenceSession(str(export(checkpoint, tmp_path, ["onnx"])[0]))
    feeds = {name: tensor.numpy() for name, tensor in zip(plan.inputs, given, strict=True)}
    found = session.run(list(plan.outputs), feeds)
    for ours, theirs in zip(expected if isinstance(expected, tuple) else (expected,), found, strict=True):
        assert np.abs(ours.numpy() - theirs).max() <= 1e-4


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    kind, model = models()["phase"]
    checkpoint = Checkpoint("phase", kind, model.eval(), MelDefinition(), (), Training())
    export(checkpoint, tmp_path, ["torchscript"])
    with pytest.raises(FileExistsError):
        export(checkpoint, tmp_path, ["torchscript"])
    export(checkpoint, tmp_path, ["torchscript"], overwrite=True)
