"""The bundled models: their size, what they heard, and what half precision costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import MODELS, STAGES, bundled, load_checkpoint, save_checkpoint
from deepperformer.config import SynthesisConfig
from deepperformer.features.notes import music_of
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import SynthesisModel
from deepperformer.perform import Performance, Performer
from tunes import timings_of, tune


@pytest.fixture(scope="module")
def violin() -> Performer:
    return Performer.from_pretrained()


def test_the_bundle_is_small_and_whole() -> None:
    assert bundled() == ["violin"]
    folder = MODELS.home / "violin"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 12_000_000
    assert all((folder / stage / "model.safetensors").is_file() for stage in STAGES)
    assert (folder / "README.md").is_file()


def test_the_movement_it_is_judged_by_was_in_no_training() -> None:
    for stage in ("alignment", "synthesis"):
        works = load_checkpoint("violin", stage).training.works
        assert len(works) > 20
        assert "bwv1003_mov4" not in works


def test_a_score_is_performed_by_default_and_blocks_join_without_a_click(violin: Performer) -> None:
    rows = tune(notes=24)
    audio = violin.perform(music_of(rows, qpm=90))
    assert audio.rms > 0.005
    jerks = np.abs(np.diff(audio.samples[0], 3))
    seam = 256 * 256
    everywhere = [jerks[at : at + 8].max() for at in range(8000, len(jerks) - 8000, 8)]
    assert jerks[seam - 4 : seam + 4].max() < np.percentile(everywhere, 99.5)


def test_half_precision_on_disk_changes_a_mel_of_the_shipped_size_by_a_thousandth(tmp_path: Path) -> None:
    torch.random.manual_seed(0)
    original = SynthesisModel(SynthesisConfig(ffn=256)).eval()
    save_checkpoint(tmp_path, original, MelDefinition())
    written = load_checkpoint(tmp_path)
    played = Performance(tune(notes=40), timings_of(tune(notes=40)))
    exact, rounded = (
        Performer(dataclasses.replace(written, model=model)).mel(played) for model in (original, written.model)
    )
    difference = np.abs(rounded - exact).mean() / exact.std()
    assert 0 < difference < 1e-3
