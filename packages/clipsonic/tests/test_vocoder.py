"""Vocoders: sizes, what is exact, what silence becomes, and that an inverter learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from clipsonic.config import MelConfig, ModelError
from clipsonic.features.spectrogram import filterbank_tensor, mel_spectrogram, torch_magnitudes, torch_mel_spectrogram
from clipsonic.vocoder.antialiasing import AntialiasedSnake, SnakeBeta, kaiser_sinc
from clipsonic.vocoder.bigvgan import BigVGAN
from clipsonic.vocoder.config import BigVGANConfig, InverterConfig, vocoder_config
from clipsonic.vocoder.discriminators import Discriminators
from clipsonic.vocoder.griffin_lim import griffin_lim, linear_magnitudes
from clipsonic.vocoder.inverter import Inverter
from clipsonic.vocoder.losses import (
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    log_mel_error,
    mel_error,
    spectral_error,
)
from clipsonic.vocoder.matching import matched, to_sound
from clipsonic.vocoder.stft import from_spectrum, to_spectrum
from muspy_core import Audio

MEL = MelConfig()


def tones(seconds: float = 0.512) -> torch.Tensor:
    times = torch.arange(round(16_000 * seconds)) / 16_000
    return torch.stack([0.3 * torch.sin(2 * torch.pi * hz * times) for hz in (220.0, 880.0)])


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("sizes", "parameters"), [((192, 576, 6), 1_827_010), ((512, 1536, 8), 13_927_938)])
def test_inverters_have_known_sizes(sizes: tuple[int, int, int], parameters: int) -> None:
    assert count(Inverter(InverterConfig(*sizes))) == parameters


@pytest.mark.parametrize(("channels", "parameters"), [(512, 13_928_897), (128, 920_561)])
def test_bigvgan_has_known_sizes(channels: int, parameters: int) -> None:
    assert count(BigVGAN(BigVGANConfig(channels))) == parameters


def test_spectra_lead_back_to_the_sound() -> None:
    waves = tones()
    torch.testing.assert_close(from_spectrum(to_spectrum(waves, MEL), MEL), waves, rtol=1e-4, atol=1e-4)


def test_magnitudes_have_the_bands_that_were_asked_for() -> None:
    mels = torch_mel_spectrogram(tones(), MEL)
    bands = filterbank_tensor(MEL, mels) @ linear_magnitudes(mels, MEL)
    true = filterbank_tensor(MEL, mels) @ torch_magnitudes(tones(), MEL)
    loud = true > 1e-3
    assert ((bands - true).abs() / true)[loud].mean() < 0.15


def test_griffin_lim_keeps_pitch_and_loudness() -> None:
    waves = tones(1.024)
    made = griffin_lim(torch_mel_spectrogram(waves, MEL), MEL)
    assert made.shape == waves.shape
    for index, hz in enumerate((220.0, 880.0)):
        peak = torch.fft.rfft(made[index]).abs().argmax() * 16_000 / made.shape[1]
        assert abs(peak - hz) < 25
    ratio = made.square().mean().sqrt() / waves.square().mean().sqrt()
    assert 0.5 < ratio < 2


def test_matching_brings_a_sound_to_its_spectrogram_and_changes_nothing_that_has_it() -> None:
    waves = 0.3 * tones(1.024)  # louder ones are clipped in their spectrograms
    mels = torch_mel_spectrogram(waves, MEL)
    torch.testing.assert_close(matched(waves, mels, MEL), waves, rtol=1e-3, atol=1e-3)
    rough = griffin_lim(mels, MEL, iterations=5)
    errors = [float(mel_error(matched(rough, mels, MEL, iterations=number), mels, MEL)) for number in (0, 2, 16)]
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.6 * errors[0]
    assert torch.equal(to_sound(mels, MEL, None, iterations=0), griffin_lim(mels, MEL))


def test_matching_makes_nothing_of_silence() -> None:
    silent = torch.zeros(1, 8192)
    loud = torch_mel_spectrogram(tones(0.512)[:1], MEL)
    assert matched(silent, loud, MEL).abs().max() == 0
    quiet = torch_mel_spectrogram(silent, MEL)
    assert matched(1e-4 * tones(0.512)[:1], quiet, MEL).abs().max() < 1e-3


def test_griffin_lim_of_silence_is_silent_and_the_same_every_time() -> None:
    silence = torch.from_numpy(mel_spectrogram(Audio(np.zeros(16_384, np.float32), 16_000)))[None]
    made = griffin_lim(silence, MEL)
    assert made.abs().max() < 1e-3  # -60 dB
    noise = torch.rand(1, 64, 8) - 0.5
    assert torch.equal(griffin_lim(noise, MEL, iterations=3), griffin_lim(noise, MEL, iterations=3))


@pytest.mark.parametrize("vocoder", [Inverter(InverterConfig(16, 32, 2)), BigVGAN(BigVGANConfig(16))])
def test_networks_make_a_hop_of_each_frame_at_any_length(vocoder: torch.nn.Module) -> None:
    with torch.inference_mode():
        for frames in (2, 9):
            assert vocoder(torch.rand(2, 64, frames) * 2 - 1).shape == (2, 512 * frames)


def test_a_hop_that_the_rates_do_not_make_is_refused() -> None:
    with pytest.raises(ModelError, match="256"):
        BigVGAN(BigVGANConfig(16, (8, 8, 4), (16, 16, 8)))
    with pytest.raises(ModelError, match="kind"):
        vocoder_config("wavenet", {})  # type: ignore[arg-type]  # what a damaged file may hold


# --- activations without aliasing ------------------------------------------------------------------------------------


def test_the_filter_passes_low_and_stops_high_frequencies() -> None:
    response = torch.fft.rfft(kaiser_sinc(), 512).abs()
    assert response[0] == pytest.approx(1, abs=1e-5)
    assert response[: 512 // 10].min() > 0.9
    assert response[-20:].max() < 0.02


def test_up_and_down_keep_a_low_tone() -> None:
    layer = AntialiasedSnake(1)
    tone = torch.sin(torch.arange(200) * 0.1)[None, None]
    doubled = layer.up(tone)
    assert doubled.shape == (1, 1, 400)
    torch.testing.assert_close(layer.down(doubled)[..., 10:-10], tone[..., 10:-10], rtol=0, atol=0.01)


def test_the_activation_makes_less_aliasing_than_the_bare_one() -> None:
    high = 3 * torch.sin(torch.arange(512) * (2 * torch.pi * 0.35))[None, None]  # its double folds to 0.3
    aliased = {}
    for name, layer in (("with", AntialiasedSnake(1)), ("without", SnakeBeta(1))):
        spectrum = torch.fft.rfft(layer(high)[0, 0, 50:-50] * torch.hann_window(412)).abs()
        aliased[name] = spectrum[round(0.3 * 412) - 3 : round(0.3 * 412) + 4].max().item()
    assert aliased["with"] < 0.3 * aliased["without"]


# --- losses ----------------------------------------------------------------------------------------------------------


def test_equal_sounds_have_no_error() -> None:
    waves = tones()
    assert log_mel_error(waves, waves, MEL) == 0
    assert spectral_error(waves, waves) == 0
    assert log_mel_error(waves, 0.5 * waves, MEL) > 0.1
    assert spectral_error(waves, 0.5 * waves) > 0.1


def test_discriminators_are_taught_to_tell_and_vocoders_to_deceive() -> None:
    torch.random.manual_seed(0)
    judge = Discriminators(2, periods=(2, 3), resolutions=((256, 64, 256),))
    real, made = tones(), torch.randn(2, 8192) * 0.1
    optimizer = torch.optim.AdamW(judge.parameters(), 1e-2)
    before = discriminator_loss(judge(real), judge(made)).item()
    for _ in range(8):
        loss = discriminator_loss(judge(real), judge(made))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.9 * before
    assert adversarial_loss(judge(made)) > adversarial_loss(judge(real))
    assert feature_loss(judge(real), judge(real)) == 0
    assert feature_loss(judge(real), judge(made)) > 0


def test_an_inverter_learns_two_tones() -> None:
    torch.random.manual_seed(0)
    waves = tones()
    mels = torch_mel_spectrogram(waves, MEL)
    vocoder = Inverter(InverterConfig(32, 64, 2))
    optimizer = torch.optim.AdamW(vocoder.parameters(), 5e-3)
    errors = []
    for _ in range(25):
        made = vocoder(mels)
        loss = log_mel_error(made, waves, MEL) + spectral_error(made, waves)
        errors.append(log_mel_error(made, waves, MEL).item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert errors[-1] < 0.85 * errors[0]
