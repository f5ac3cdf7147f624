"""A waveform without training: the fast Griffin-Lim algorithm (Perraudin et al. 2013) on an approximate spectrum.

Symbols: B clips, T frames, M mel bands, K bins of the transform, S samples. Spectra are complex.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from deepperformer.features.spectrogram import MelDefinition, hann, mel_weights
from deepperformer.vocoder.istft import overlap_add

ITERATIONS = 60
MOMENTUM = 0.99


class GriffinLim:
    """An inverter that needs no weights.

    Args:
        definition: Of the mels.
        iterations: More are better and slower.
        seed: Of the phases it starts from.
    """

    def __init__(self, definition: MelDefinition | None = None, iterations: int = ITERATIONS, seed: int = 0) -> None:
        self.definition = definition or MelDefinition()
        self.iterations, self.seed = iterations, seed

    @property
    def reach(self) -> int:
        """Frames on either side that a frame of the output should see; in theory it depends on all."""
        return 32

    def __call__(self, mel: Tensor) -> Tensor:
        """Return samples, (B, S). mel: (B, T, M)."""
        window = torch.from_numpy(hann(self.definition.n_fft)).to(mel)
        return overlap_add(self.spectra(mel), window, self.definition.hop_length)

    def spectra(self, mel: Tensor, known: Tensor | None = None) -> Tensor:
        """Return spectra, (B, T, K). mel: (B, T, M). known: (B, T', K), of the first T' frames, which are kept."""
        inverse = torch.from_numpy(_inverse_weights(self.definition)).to(mel)
        magnitude = (torch.exp(mel) @ inverse.T).clamp(min=0)
        generator = torch.Generator().manual_seed(self.seed)
        phase = torch.rand(magnitude.shape, generator=generator).to(mel) * (2 * torch.pi)
        return refined(magnitude, torch.polar(magnitude, phase), self.iterations, self.definition.hop_length, known)


def refined(
    magnitude: Tensor, spectrum: Tensor, iterations: int, hop_length: int, known: Tensor | None = None
) -> Tensor:
    """Return spectra whose phases agree better among frames, (B, T, K), with the magnitudes given.

    magnitude: (B, T, K). spectrum: (B, T, K), where to begin. known: (B, T', K), the first frames, which are kept.
    """
    n_fft = 2 * (magnitude.shape[2] - 1)
    window = torch.from_numpy(hann(n_fft)).to(magnitude)
    before = torch.view_as_real(torch.zeros_like(spectrum))
    spectrum = _keeping(spectrum, known)
    for _ in range(iterations):
        consistent = torch.view_as_real(_transform(overlap_add(spectrum, window, hop_length), window, hop_length))
        faster = torch.lerp(before, consistent, 1 + MOMENTUM)
        before = consistent
        # Complex numbers as pairs: `abs` and products of complex and real numbers are slow on a CPU.
        real, imaginary = faster.unbind(3)
        scale = magnitude * torch.rsqrt((real * real).addcmul_(imaginary, imaginary).clamp_(min=1e-18))
        phased = torch.stack([real * scale, imaginary * scale], dim=3)
        spectrum = _keeping(torch.view_as_complex(phased), known)
    return spectrum


def _keeping(spectrum: Tensor, known: Tensor | None) -> Tensor:
    return spectrum if known is None else torch.cat([known, spectrum[:, known.shape[1] :]], dim=1)


def _transform(sound: Tensor, window: Tensor, hop_length: int) -> Tensor:
    """The transform of `features.spectrogram`, as complex numbers, (B, T, K); ends are zero."""
    padding = (len(window) - hop_length) // 2
    padded = torch.nn.functional.pad(sound, (padding, padding))
    return torch.fft.rfft(padded.unfold(1, len(window), hop_length) * window, dim=2)


@functools.lru_cache(maxsize=4)
def _inverse_weights(definition: MelDefinition) -> np.ndarray:
    """Return the pseudo-inverse of the mel bands, (n_fft / 2 + 1, M)."""
    return np.linalg.pinv(mel_weights(definition)).astype(np.float32)
