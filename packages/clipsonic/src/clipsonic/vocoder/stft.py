"""Spectra → sound by overlapping windows, in the frames of `features.spectrogram` (B, F, T) → (B, N).

F = n_fft/2 + 1 frequencies. Frames are those of the spectrogram: (n_fft - hop)/2 samples at both ends are cut off, so
that T frames become T · hop samples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from clipsonic.config import MelConfig


def to_spectrum(waves: Tensor, config: MelConfig) -> Tensor:
    """Return complex spectra, (B, F, T). waves: (B, N), N a multiple of the hop and at least two hops."""
    padding = (config.n_fft - config.hop_length) // 2
    mirrored = F.pad(waves[:, None], (padding, padding), mode="reflect")[:, 0]
    window = torch.hann_window(config.n_fft, device=waves.device, dtype=waves.dtype)
    spectrum: Tensor = torch.stft(
        mirrored, config.n_fft, config.hop_length, window=window, center=False, return_complex=True
    )
    return spectrum


def from_spectrum(spectrum: Tensor, config: MelConfig) -> Tensor:
    """Return the sound whose spectra are nearest, (B, T · hop). spectrum: complex, (B, F, T)."""
    window = torch.hann_window(config.n_fft, device=spectrum.device, dtype=spectrum.real.dtype)
    frames = torch.fft.irfft(spectrum, config.n_fft, dim=1) * window[:, None]
    envelope = window.square()[None, :, None].expand(1, -1, frames.shape[-1])
    padding = (config.n_fft - config.hop_length) // 2
    summed = _overlap_add(frames, config)[:, padding:-padding]
    norm = _overlap_add(envelope, config)[:, padding:-padding]
    sound: Tensor = summed / norm
    return sound


def _overlap_add(frames: Tensor, config: MelConfig) -> Tensor:
    length = (frames.shape[-1] - 1) * config.hop_length + config.n_fft
    folded = F.fold(frames, (1, length), (1, config.n_fft), stride=(1, config.hop_length))
    return folded[:, 0, 0]
