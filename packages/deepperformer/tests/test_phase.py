"""The inverter of phase changes, and blocks that join."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from deepperformer.config import PhaseConfig
from deepperformer.errors import ModelError
from deepperformer.features.spectrogram import MelDefinition, torch_log_mel
from deepperformer.losses import angular_loss
from deepperformer.vocoder import blocks
from deepperformer.vocoder.blocks import sound_blocks
from deepperformer.vocoder.griffin_lim import MOMENTUM, GriffinLim, refined
from deepperformer.vocoder.istft import overlap_add
from deepperformer.vocoder.phase import PhaseInverter, integrated, transform

SMALL = PhaseConfig(dim=16, hidden=32, layers=2, refinements=0)
DEFINITION = MelDefinition()
WINDOW = torch.hann_window(1024)


def tones(seconds: float, *hz: float) -> torch.Tensor:
    times = torch.arange(round(seconds * 16000), dtype=torch.float64) / 16000
    return (0.2 * torch.stack([torch.sin(2 * torch.pi * f * times) for f in hz]).sum(0))[None].float()


def silent_ends(sound: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(sound, (4096, 4096))


def changes(spectrum: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    before = torch.cat([torch.ones_like(spectrum[:, :1]), spectrum[:, :-1]], dim=1)
    below = torch.cat([torch.ones_like(spectrum[..., :1]), spectrum[..., :-1]], dim=2)
    advances, slopes = torch.angle(spectrum * before.conj()), torch.angle(spectrum * below.conj())
    return spectrum.abs().numpy(), advances.numpy(), slopes.numpy()


def test_changes_of_phase_add_up_to_tones_that_no_multiple_of_the_frame_rate_is() -> None:
    sound = silent_ends(tones(1.5, 441.7, 1234.5))
    magnitudes, advances, slopes = changes(transform(sound, WINDOW, 256))
    phases = integrated(magnitudes, advances, slopes)
    made = overlap_add(torch.from_numpy(magnitudes * phases), WINDOW, 256)[0]
    spectrum = np.abs(np.fft.rfft(made[8192:24192].numpy() * np.hanning(16000)))
    for hz in (441.7, 1234.5):
        assert abs(spectrum[round(hz) - 30 : round(hz) + 30].argmax() + round(hz) - 30 - hz) < 1
    # Bins of a partial stay together: its level is that of the original, where loose phases would cancel out.
    assert made[8192:24192].square().mean() == pytest.approx(float(sound[0, 8192:24192].square().mean()), rel=0.1)


def test_phases_go_on_from_the_frame_before() -> None:
    rng = np.random.default_rng(0)
    magnitudes, advances, slopes = (rng.normal(size=(1, 12, 33)).astype(np.float32) for _ in range(3))
    magnitudes = np.abs(magnitudes)
    whole = integrated(magnitudes, advances, slopes)
    rest = integrated(magnitudes[:, 5:], advances[:, 5:], slopes[:, 5:], 3.0 * whole[:, 4])
    assert np.allclose(rest, whole[:, 5:], atol=1e-4)


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (32, 12)])
def test_frames_are_added_as_fold_adds_them(n_fft: int, hop: int) -> None:
    torch.random.manual_seed(0)
    spectrum, window = torch.randn(2, 9, n_fft // 2 + 1, dtype=torch.complex64), torch.hann_window(n_fft)
    total = 8 * hop + n_fft
    frames = torch.fft.irfft(spectrum, dim=2) * window
    shape = {"output_size": (1, total), "kernel_size": (1, n_fft), "stride": (1, hop)}
    folded = torch.nn.functional.fold(frames.transpose(1, 2), **shape)[:, 0, 0]
    weights = torch.nn.functional.fold(window.square()[None, :, None].expand(1, -1, 9), **shape)[0, 0, 0]
    trim = (n_fft - hop) // 2
    expected = (folded / weights.clamp(min=1e-8))[:, trim : total - trim]
    assert torch.allclose(overlap_add(spectrum, window, hop), expected, rtol=1e-4, atol=1e-5)


def test_refinements_are_those_of_fast_griffin_lim() -> None:
    torch.random.manual_seed(0)
    magnitude = torch.rand(2, 30, 513)
    spectrum = torch.polar(magnitude, 2 * torch.pi * torch.rand(2, 30, 513))
    expected, before = spectrum, torch.zeros_like(spectrum)
    for _ in range(3):
        padded = torch.nn.functional.pad(overlap_add(expected, WINDOW, 256), (384, 384))
        consistent = torch.stft(padded, 1024, 256, window=WINDOW, center=False, return_complex=True).transpose(1, 2)
        faster = consistent + MOMENTUM * (consistent - before)
        expected, before = magnitude * faster / faster.abs(), consistent
    assert torch.allclose(refined(magnitude, spectrum, 3, 256), expected, atol=1e-3)


def test_spectra_of_the_block_before_matter_no_further_than_they_reach() -> None:
    """What is cut off is computed neither by the network nor in the refinements, and misses nowhere."""
    torch.random.manual_seed(0)
    inverter = PhaseInverter(PhaseConfig(dim=16, hidden=32, layers=2, refinements=3)).eval()
    mel, known = torch.randn(1, 60, 80), torch.randn(1, 40, 513, dtype=torch.complex64)
    with torch.inference_mode():
        whole = inverter.spectra(mel, known)
        cut = inverter.spectra(mel[:, 25:], known[:, 25:])
    assert torch.equal(whole[:, :40], known)
    # One frame after the other adds rounding errors up: the first ones tell.
    assert torch.allclose(whole[:, 40:43], cut[:, 15:18], atol=1e-3)
    assert torch.allclose(whole.abs(), torch.cat([known[:, :25].abs(), cut.abs()], dim=1), rtol=1e-3, atol=1e-4)


def test_true_changes_cost_nothing_and_opposite_ones_most() -> None:
    spectrum = transform(tones(0.5, 440.0), WINDOW, 256)
    true = torch.angle(spectrum[:, 1:] * spectrum[:, :-1].conj())
    assert angular_loss(true, spectrum[:, 1:], spectrum[:, :-1]) == pytest.approx(0, abs=1e-6)
    assert angular_loss(true + torch.pi, spectrum[:, 1:], spectrum[:, :-1]) == pytest.approx(2, abs=1e-5)


def test_the_size_leaves_room_in_a_bundle_of_12_mb() -> None:
    assert PhaseInverter().n_parameters == 1_212_547
    with pytest.raises(ModelError, match="cannot be negative"):
        PhaseConfig(refinements=-1)


def joined(inverter: object, mel: np.ndarray, pieces: int) -> np.ndarray:
    return np.concatenate(list(sound_blocks(inverter, np.array_split(mel, pieces), DEFINITION)))


def test_blocks_of_any_size_make_the_same_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.random.manual_seed(0)
    inverter = PhaseInverter(SMALL).eval()
    with torch.no_grad():  # All bins advance alike; where they contradict each other at random, rounding errors grow.
        inverter.network.head.weight[513:].zero_()
        inverter.network.head.bias[513:1026] = 1.0 - inverter.centres
        inverter.network.head.bias[1026:].zero_()
    mel = torch_log_mel(tones(3.0, 440.0, 700.0), DEFINITION)[0].T.numpy()
    monkeypatch.setattr(blocks, "BLOCK_FRAMES", 1000)
    whole = joined(inverter, mel, 1)
    assert len(whole) == 256 * len(mel)
    monkeypatch.setattr(blocks, "BLOCK_FRAMES", 40)
    assert np.allclose(joined(inverter, mel, 7), whole, atol=1e-4)


def test_blocks_of_griffin_lim_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    mel = torch_log_mel(tones(2.5, 440.0, 660.0), DEFINITION)[0].T.numpy()
    monkeypatch.setattr(blocks, "BLOCK_FRAMES", 32)
    made = joined(GriffinLim(iterations=15), mel, 3)
    jerks = np.abs(np.diff(made, 3))
    seams = [slice(at - 4, at + 4) for at in range(32 * 256, len(made) - 4096, 32 * 256)]
    assert max(jerks[seam].max() for seam in seams) < 1.1 * jerks[4096:-4096].max()
    typical = np.median([jerks[at : at + 8].max() for at in range(4096, len(made) - 4096, 100)])
    assert np.median([jerks[seam].max() for seam in seams]) < 1.5 * typical
