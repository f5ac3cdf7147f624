"""Sound → log-mel spectrogram, in NumPy and in torch: the one definition that network and vocoder share (§7.4.1).

Frame k sees the n_fft samples around sample (k + 1/2) · hop_length: the sound is mirrored by (n_fft - hop_length)/2
samples at both ends, so that N samples have exactly N / hop_length frames. Magnitudes √(re² + im² + 1e-9) are summed by
triangular filters of equal area on Slaney's mel scale (those of librosa), and their natural logarithm is mapped so that
`floor` is -1 and `ceiling` is +1 (`MelConfig`).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray

from clipsonic.config import MelConfig

if TYPE_CHECKING:
    from torch import Tensor

Mels = NDArray[np.float32]
MAGNITUDE_EPS = 1e-9

# Slaney's scale: linear with 3 bands for each 200 Hz up to 1 kHz, then 27 bands for each factor of 6.4.
_LINEAR_HZ, _BREAK_HZ = 200 / 3, 1000.0
_BREAK_MEL, _LOG_STEP = _BREAK_HZ / _LINEAR_HZ, math.log(6.4) / 27


def hz_to_mel(hz: float) -> float:
    """Return a frequency on Slaney's mel scale."""
    if hz < _BREAK_HZ:
        return hz / _LINEAR_HZ
    return _BREAK_MEL + math.log(hz / _BREAK_HZ) / _LOG_STEP


def mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frequencies in Hz of values on Slaney's mel scale."""
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mels, _BREAK_MEL) - _BREAK_MEL))
    return np.asarray(np.where(mels < _BREAK_MEL, mels * _LINEAR_HZ, above))


@functools.lru_cache(maxsize=8)
def filterbank(config: MelConfig) -> NDArray[np.float32]:
    """Return the weights of the mel bands, (M, n_fft/2 + 1); each triangle has the area 1 over Hz."""
    edges = mel_to_hz(np.linspace(hz_to_mel(config.low_hz), hz_to_mel(config.high_hz), config.n_mels + 2))
    frequencies = np.linspace(0, config.sample_rate / 2, config.n_fft // 2 + 1)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (frequencies - lower) / (centre - lower)
    falling = (upper - frequencies) / (upper - centre)
    weights = np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)
    return np.asarray(weights, np.float32)


def mel_spectrogram(audio: Audio, config: MelConfig | None = None) -> Mels:
    """Return the log-mel spectrogram of a sound, (M, T) float32 within ±1.

    The sound is mixed to one channel, resampled, and followed by silence up to a whole number of frames (at least two).
    """
    config = config or MelConfig()
    samples = audio.to_mono().resample(config.sample_rate).samples[0]
    frames = max(-(-len(samples) // config.hop_length), 2)
    samples = np.pad(samples, (0, frames * config.hop_length - len(samples)))
    padding = (config.n_fft - config.hop_length) // 2
    mirrored = np.pad(samples, padding, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, config.n_fft)[:: config.hop_length]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.n_fft) / config.n_fft)
    spectrum = np.fft.rfft(windows * hann)
    magnitudes = np.sqrt(spectrum.real**2 + spectrum.imag**2 + MAGNITUDE_EPS)
    return np.asarray(normalize(filterbank(config) @ magnitudes.T, config), np.float32)


def normalize(mels: Any, config: MelConfig) -> Any:
    """Map magnitudes of mel bands (NumPy) to their logarithms within ±1."""
    logarithms = np.log(np.maximum(mels, config.floor))
    bottom = math.log(config.floor)
    return np.clip(2 * (logarithms - bottom) / (config.ceiling - bottom) - 1, -1, 1)


def torch_mel_spectrogram(waves: Tensor, config: MelConfig) -> Tensor:
    """Return log-mel spectrograms within ±1, (B, M, T), of sounds at the config's rate, differentiably.

    waves: (B, N) with N a multiple of the hop, and at least two hops.
    """
    magnitudes = torch_magnitudes(waves, config)
    bands = filterbank_tensor(config, magnitudes) @ magnitudes
    bottom = math.log(config.floor)
    logarithms = bands.clamp(min=config.floor).log()
    mels: Tensor = (2 * (logarithms - bottom) / (config.ceiling - bottom) - 1).clamp(-1, 1)
    return mels


def torch_magnitudes(waves: Tensor, config: MelConfig) -> Tensor:
    """Return magnitudes, (B, n_fft/2 + 1, T), of sounds (B, N); see `torch_mel_spectrogram`."""
    import torch
    from torch.nn import functional as F

    padding = (config.n_fft - config.hop_length) // 2
    mirrored = F.pad(waves[:, None], (padding, padding), mode="reflect")[:, 0]
    window = torch.hann_window(config.n_fft, device=waves.device, dtype=waves.dtype)
    spectrum = torch.stft(mirrored, config.n_fft, config.hop_length, window=window, center=False, return_complex=True)
    magnitudes: Tensor = (spectrum.real.square() + spectrum.imag.square() + MAGNITUDE_EPS).sqrt()
    return magnitudes


def magnitudes_of(mels: Tensor, config: MelConfig) -> Tensor:
    """Return the magnitudes of mel bands of which `mels` (within ±1) are the logarithms."""
    bottom = math.log(config.floor)
    return ((mels + 1) / 2 * (config.ceiling - bottom) + bottom).exp()


def filterbank_tensor(config: MelConfig, like: Tensor) -> Tensor:
    """Return the filterbank with the type and device of another tensor."""
    import torch

    return torch.from_numpy(filterbank(config)).to(like)
