"""The bundled models: their size, what they heard, and what half precision costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import MODELS, STAGES, bundled, load_checkpoint
from deepperformer.features.notes import music_of
from deepperformer.perform import Performer
from tunes import tune


@pytest.fixture(scope="module")
def violin() -> Performer:
    return Performer.from_pretrained()


def test_the_bundle_is_small_and_whole() -> None:
    assert bundled() == ["violin"]
    folder = MODELS.home / "violin"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 12 * 2**20
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


def test_rounding_to_half_precision_changes_the_mel_by_a_hundredth(violin: Performer) -> None:
    """As much rounding again as the weights have had: errors of one part in 2,048 at most, at random."""
    played = violin.time_notes(music_of(tune(notes=8)))
    before = violin.mel(played)
    generator = torch.Generator().manual_seed(0)
    state = violin.synthesis.model.state_dict()
    kept = {name: tensor.clone() for name, tensor in state.items()}
    for tensor in state.values():
        tensor.mul_(1 + (2 * torch.rand(tensor.shape, generator=generator) - 1) / 2048)
    after = violin.mel(played)
    violin.synthesis.model.load_state_dict(kept)
    assert np.abs(after - before).mean() < 0.01
