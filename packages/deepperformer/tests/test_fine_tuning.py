"""A shipped model → one's own: `deepperformer fit --init-from`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import build, kind_of, load_checkpoint
from deepperformer.config import HiFiGANConfig, ISTFTConfig
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.fit import fit
from deepperformer.initial import architecture_of
from deepperformer.prepare import prepare
from deepperformer.recordings import Recording
from deepperformer.vocoder.training import InverterModule
from muspy_core import Audio
from muspy_core.configurations import ConfigurationError
from tunes import timings_of, tune


def noise(recording: Recording) -> Audio:
    assert recording.timings is not None
    length = round(16000 * recording.timings.max())
    return Audio(0.1 * np.random.default_rng(0).standard_normal(length).astype(np.float32), 16000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten short works of one performer."""
    recordings = [
        Recording(f"ann_{work}", "ann", f"work-{work}", tune(work, 12), timings_of(tune(work, 12), 100.0, 0), 100.0)
        for work in range(10)
    ]
    output = tmp_path_factory.mktemp("data")
    prepare(recordings, output, sound=noise, progress=False)
    return output


def arguments(name: str, folder: Path, runs: Path) -> list[str]:
    """One step of a training."""
    return [
        "-c", name, "--data.folder", str(folder), "--data.batch_size", "1", "--trainer.max_steps", "1",
        "--trainer.val_check_interval", "1", "--trainer.logger.init_args.save_dir", str(runs),
        "--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu", "--trainer.limit_val_batches", "1",
        "--trainer.enable_model_summary", "false", "--trainer.num_sanity_val_steps", "0",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["paper-alignment-deviation", "small-phase"])
def test_fine_tuning_begins_with_a_shipped_model_and_says_so(name: str, folder: Path, tmp_path: Path) -> None:
    """At a learning rate of 0 the model stays as it was."""
    given = [*arguments(name, folder, tmp_path), "--init-from", "violin", "--model.learning_rate", "0"]
    assert fit(given) == 0
    tuned = load_checkpoint(tmp_path / name / "export")
    shipped = load_checkpoint("violin", "alignment" if name == "paper-alignment-deviation" else "inverter")
    assert tuned.training.init_from == "violin"
    before = shipped.model.state_dict()
    assert all(torch.equal(before[key], value) for key, value in tuned.model.state_dict().items())


def test_a_model_of_another_size_is_refused_by_the_name_of_the_field(folder: Path, tmp_path: Path) -> None:
    given = [*arguments("small-phase", folder, tmp_path), "--init-from", "violin", "--model.config.dim", "16"]
    with pytest.raises(ConfigurationError, match=r"model\.config\.dim: the configuration says 16, the model has \d+"):
        fit(given)


@pytest.mark.parametrize("config", [HiFiGANConfig(channels=16), ISTFTConfig(dim=16, hidden=16, layers=1)])
def test_inverters_are_taken_up_as_they_sounded(config: HiFiGANConfig | ISTFTConfig) -> None:
    """Exported weights are folded, those in training are not."""
    trained = build(kind_of(InverterModule(config, discriminator_scale=0).model), config)
    module = InverterModule(config, discriminator_scale=0)
    mel = torch.randn(1, 12, 80)
    before = trained(mel)
    module.begin_with(trained.fold().state_dict())
    assert torch.allclose(module.model(mel), before, atol=1e-5)
    assert module.architecture() == architecture_of(config, MelDefinition())
