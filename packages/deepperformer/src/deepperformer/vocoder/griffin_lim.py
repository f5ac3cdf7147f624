"""A waveform without training: the fast Griffin-Lim algorithm (Perraudin et al. 2013) on an approximate spectrum."""

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

    def __call__(self, mel: Tensor) -> Tensor:
        """Return samples, (B, S). mel: (B, T, M)."""
        inverse = torch.from_numpy(_inverse_weights(self.definition)).to(mel)
        magnitude = (torch.exp(mel) @ inverse.T).clamp(min=0)
        window = torch.from_numpy(hann(self.definition.n_fft)).to(mel)
        generator = torch.Generator().manual_seed(self.seed)
        phase = torch.rand(magnitude.shape, generator=generator).to(mel) * (2 * torch.pi)
        estimate = torch.polar(magnitude, phase)
        before = torch.zeros_like(estimate)
        for _ in range(self.iterations):
            sound = overlap_add(estimate, window, self.definition.hop_length)
            consistent = self._transform(sound, window)
            faster = consistent + MOMENTUM * (consistent - before)
            before = consistent
            estimate = magnitude * faster / faster.abs().clamp(min=1e-9)
        return overlap_add(estimate, window, self.definition.hop_length)

    def _transform(self, sound: Tensor, window: Tensor) -> Tensor:
        """The transform of `features.spectrogram`, as complex numbers, (B, T, n_fft / 2 + 1); ends are zero."""
        padded = torch.nn.functional.pad(sound, (self.definition.padding,) * 2)
        spectrum = torch.stft(
            padded,
            self.definition.n_fft,
            self.definition.hop_length,
            window=window,
            center=False,
            return_complex=True,
        )
        return spectrum.transpose(1, 2)


@functools.lru_cache(maxsize=4)
def _inverse_weights(definition: MelDefinition) -> np.ndarray:
    """Return the pseudo-inverse of the mel bands, (n_fft / 2 + 1, M)."""
    return np.linalg.pinv(mel_weights(definition)).astype(np.float32)
