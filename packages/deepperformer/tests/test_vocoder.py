"""Inverters: sizes, lengths, folding, discriminators, losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from deepperformer.config import HIFIGAN_V1, HIFIGAN_V2, HIFIGAN_V3, HiFiGANConfig, ISTFTConfig
from deepperformer.errors import ModelError
from deepperformer.features.spectrogram import MelDefinition, torch_log_mel
from deepperformer.losses import discriminator_loss, feature_loss, generator_loss
from deepperformer.vocoder.discriminators import Discriminators
from deepperformer.vocoder.griffin_lim import GriffinLim
from deepperformer.vocoder.hifigan import HiFiGAN
from deepperformer.vocoder.istft import ISTFTInverter, overlap_add

TINY = HiFiGANConfig(channels=32)


def tone(seconds: float = 1.0) -> torch.Tensor:
    clock = torch.arange(round(16000 * seconds)) / 16000
    return 0.4 * torch.sin(2 * torch.pi * 440 * clock)[None] + 0.1 * torch.sin(2 * torch.pi * 1320 * clock)[None]


def test_generators_have_the_published_sizes() -> None:
    """Kong et al., Table 1: 13.92 M, 0.92 M and 1.46 M without the gains of weight normalisation."""
    assert HiFiGAN(HIFIGAN_V1).n_parameters == 13_936_130
    assert HiFiGAN(HIFIGAN_V2).n_parameters == 928_514
    assert HiFiGAN(HIFIGAN_V3).fold().n_parameters == pytest.approx(1_460_000, rel=0.005)


@pytest.mark.slow
def test_discriminators_have_the_published_sizes() -> None:
    with torch.device("meta"):
        whole = Discriminators()
    assert sum(p.numel() for p in whole.periods.parameters()) == 41_105_770
    assert sum(p.numel() for p in whole.scales.parameters()) == 29_618_821


@pytest.mark.parametrize("model", [HiFiGAN(TINY), ISTFTInverter(ISTFTConfig(dim=16, hidden=32, layers=2))])
def test_there_are_as_many_samples_as_the_frames_have(model: torch.nn.Module) -> None:
    assert model(torch.randn(2, 13, 80)).shape == (2, 13 * 256)


def test_folding_changes_no_sample_and_keeps_the_weights_trainable() -> None:
    torch.random.manual_seed(0)
    model, mel = HiFiGAN(TINY), torch.randn(1, 8, 80)
    before = model(mel)
    with torch.no_grad():
        folded = model.fold()
    assert torch.allclose(folded(mel), before, atol=1e-6)
    assert not any("parametrizations" in name for name, _ in folded.named_parameters())
    assert folded.n_parameters == sum(tensor.numel() for tensor in folded.state_dict().values())


def test_the_baseline_reads_rolls_and_a_performer() -> None:
    model = HiFiGAN(HiFiGANConfig(channels=32, inputs="rolls", performers=3))
    rolls = torch.rand(1, 6, 256)
    first, second = model(rolls, torch.tensor([0])), model(rolls, torch.tensor([2]))
    assert first.shape == (1, 6 * 256)
    assert not torch.equal(first, second)


def test_the_inverter_undoes_the_transform() -> None:
    sound = tone()[:, : 62 * 256]
    window = torch.hann_window(1024)
    padded = torch.nn.functional.pad(sound, (384, 384))
    spectrum = torch.stft(padded, 1024, 256, window=window, center=False, return_complex=True).transpose(1, 2)
    assert torch.allclose(overlap_add(spectrum, window, 256), sound, atol=1e-4)


def test_a_frame_depends_on_its_neighbours_within_reach_only() -> None:
    torch.random.manual_seed(0)
    model = ISTFTInverter(ISTFTConfig(dim=16, hidden=32, layers=2))
    mel = torch.randn(1, 80, 80)
    changed = mel.clone()
    changed[0, 40] += 1
    different = (model(mel) - model(changed)).abs()[0].reshape(80, 256).amax(1) > 1e-7
    assert different[40]
    assert not different[: 40 - model.reach].any()
    assert not different[41 + model.reach :].any()


def test_griffin_lim_gives_back_a_tone() -> None:
    sound = tone()
    mel = torch_log_mel(sound, MelDefinition()).transpose(1, 2)
    made = GriffinLim(iterations=30)(mel)
    assert made.shape == (1, mel.shape[1] * 256)
    spectrum = np.abs(np.fft.rfft(made[0, 4000:12_000].numpy() * np.hanning(8000)))
    assert spectrum.argmax() * 2 == pytest.approx(440, abs=19)  # bands are 37 Hz apart
    again = torch_log_mel(made, MelDefinition()).transpose(1, 2)
    loud = mel > mel.max() - 3
    assert (again - mel)[loud].abs().mean() < 0.3
    assert torch.equal(made, GriffinLim(iterations=30)(mel))


def test_scaled_discriminators_judge_and_their_losses_are_zero_when_they_are_right() -> None:
    torch.random.manual_seed(0)
    judges = Discriminators(1 / 8)
    assert judges.n_parameters < 2_000_000
    scores, features = judges(torch.randn(1, 4096))
    assert len(scores) == len(features) == 8
    assert [len(found) for found in features] == [6] * 5 + [8] * 3
    ones, zeros = [torch.ones_like(score) for score in scores], [torch.zeros_like(score) for score in scores]
    assert discriminator_loss(ones, zeros) == 0
    assert generator_loss(ones) == 0
    assert feature_loss(features, features) == 0
    assert generator_loss(scores) > 0
    with pytest.raises(ValueError, match="from 1/8"):
        Discriminators(1 / 100)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rates": (8, 8, 2), "kernels": (16, 16, 4, 4)}, "each rate has a kernel"),
        ({"kernels": (16, 16, 4, 3)}, "must be even"),
        ({"channels": 40}, "must divide by 2"),
        ({"block": 3}, "type 1 or 2"),
        ({"inputs": "midi"}, "choose one of mel, rolls"),
    ],
)
def test_generators_that_cannot_be_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        HiFiGANConfig(**values)  # type: ignore[arg-type]


def test_a_hop_that_the_mels_do_not_have_is_refused() -> None:
    with pytest.raises(ModelError, match="make 256 samples a frame, the mels have 512"):
        HIFIGAN_V2.check_hop(MelDefinition(44100, 2048, 512))
    with pytest.raises(ModelError, match="hop_length=256, but the mels have 512"):
        ISTFTConfig().check_hop(MelDefinition(44100, 2048, 512))
