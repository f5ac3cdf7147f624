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


def test_a_note_held_for_half_a_minute_sounds_at_its_pitch_to_its_end(violin: Performer) -> None:
    """Twice as long as any in training, and over eight windows of the model."""
    held = music_of(np.array([[0, 45 * 24, 69, 64]]), qpm=90)
    assert violin.time_notes(held, humanise=0).timings.tolist() == [[0, 30]]
    audio = violin.perform(held, humanise=0)
    assert audio.duration == pytest.approx(30.5, abs=0.017)
    parts = audio.samples[0, : 60 * 8000].reshape(60, 8000)  # of half a second
    levels = np.sqrt((parts**2).mean(1))
    assert levels.min() > 0.3 * np.median(levels)
    partials = np.abs(np.fft.rfft(parts * np.hanning(8000))).argmax(1) * 2 / 440
    assert np.abs(partials - partials.round()).max() < 0.02


def test_the_first_block_of_a_stream_is_what_the_whole_begins_with(violin: Performer) -> None:
    """It comes before the rest is made; `benchmarks/deepperformer_speed.py` says after how long."""
    music = music_of(tune(notes=40), qpm=90)
    stream = violin.stream(music)
    first = next(stream)
    assert first.duration == pytest.approx(4, abs=0.1)
    whole = violin.perform(music)
    assert whole.duration > 3 * first.duration
    assert np.abs(whole.samples[:, : first.frames] - first.samples).max() < 1e-4


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
