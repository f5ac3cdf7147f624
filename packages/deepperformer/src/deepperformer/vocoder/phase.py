"""An inverter that predicts how phases change, and adds the changes up (after Masuyama et al. 2020).

Of a steady tone every mel frame is the same, so that a network which gives each frame its phase gives all frames the
same one, and what sounds is a multiple of the frame rate, not the tone. How far a phase advances from frame to frame,
and how it differs between neighbouring bins, does follow from mels; here the network says that, and a recursion over
frames adds it up. Symbols as in `griffin_lim`.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from deepperformer.config import PhaseConfig
from deepperformer.model import count_parameters
from deepperformer.vocoder.griffin_lim import refined
from deepperformer.vocoder.istft import LARGEST, FrameNetwork, network_reach, overlap_add

Spectra = NDArray[np.complex64]


class PhaseInverter(nn.Module):
    """A network over frames gives levels and changes of phase; spectra and their inverse transform follow.

    Args:
        config: Its size.
    """

    window: Tensor
    centres: Tensor

    def __init__(self, config: PhaseConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PhaseConfig()
        bins = config.n_fft // 2 + 1
        self.network = FrameNetwork(config, 3 * bins)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        advance = 2 * torch.pi * torch.arange(bins) * config.hop_length / config.n_fft
        self.register_buffer("centres", advance, persistent=False)

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return count_parameters(self)

    @property
    def reach(self) -> int:
        """Frames on either side that a frame of the output depends on, but for phases of frames before it."""
        return network_reach(self.config) + overlap(self.config) * (1 + self.config.refinements)

    def changes(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log magnitudes, advances and slopes, (B, T, K) each. mel: (B, T, M).

        advances: of the phase over the frame before, in rad. slopes: of the phase over the bin below; the lowest bin's
        means nothing.
        """
        levels, advances, slopes = self.network(mel).chunk(3, dim=2)
        # A steady tone in the middle of a bin advances so much, and its phase falls by π from bin to bin.
        return levels, advances + self.centres, slopes + torch.pi

    def forward(self, mel: Tensor) -> Tensor:
        """Return samples, (B, S). mel: (B, T, M)."""
        return overlap_add(self.spectra(mel), self.window, self.config.hop_length)

    def spectra(self, mel: Tensor, known: Tensor | None = None) -> Tensor:
        """Return spectra, (B, T, K). mel: (B, T, M). known: (B, T', K), of the first T' frames, which are kept."""
        count = 0 if known is None else known.shape[1]
        # Frames that are known matter as far as the network looks back, and as they overlap with what follows.
        seen = min(count, network_reach(self.config))
        levels, advances, slopes = (values[:, seen:] for values in self.changes(mel[:, count - seen :]))
        magnitudes = torch.exp(levels).clamp(max=LARGEST)
        sizes, steps, tilts = (values.detach().cpu().numpy() for values in (magnitudes, advances, slopes))
        before = None if known is None or not count else known[:, -1].cpu().numpy()
        spectra = magnitudes * torch.from_numpy(integrated(sizes, steps, tilts, before)).to(mel.device)
        refinements, hop = self.config.refinements, self.config.hop_length
        if known is None:
            return refined(magnitudes, spectra, refinements, hop)
        behind = known[:, max(count - overlap(self.config), 0) :]
        spectra = torch.cat([behind, spectra], dim=1)
        magnitudes = torch.cat([behind.abs(), magnitudes], dim=1)
        made = refined(magnitudes, spectra, refinements, hop, behind)
        return torch.cat([known, made[:, behind.shape[1] :]], dim=1)

    def fold(self) -> PhaseInverter:
        """Return the model; there is nothing to fold."""
        return self


def overlap(config: PhaseConfig) -> int:
    """Return how many frames a sample belongs to at most."""
    return -(-config.n_fft // config.hop_length)


def transform(samples: Tensor, window: Tensor, hop_length: int) -> Tensor:
    """Return the spectra whose magnitudes the mels are made of, (B, T, K). samples: (B, S)."""
    padding = (len(window) - hop_length) // 2
    padded = F.pad(samples[:, None], (padding, padding), mode="reflect")[:, 0]
    spectrum = torch.stft(padded, len(window), hop_length, window=window, center=False, return_complex=True)
    return spectrum.transpose(1, 2)


def integrated(
    magnitudes: NDArray[np.float32],
    advances: NDArray[np.float32],
    slopes: NDArray[np.float32],
    before: Spectra | None = None,
) -> Spectra:
    """Return phases as numbers of magnitude 1, (B, T, K), from how they change in time and from bin to bin.

    before: (B, K), the spectrum of the frame before the first. Both kinds of change are obeyed: each phase is the mean
    of those that its own and the neighbouring bins of the frame before lead to, weighted by magnitude, so that the bins
    of a partial stay together. A loop over frames, in NumPy: each is a dozen operations on a few hundred numbers.
    """
    batch, frames, bins = magnitudes.shape
    angles = np.cumsum(slopes, axis=2)
    along = _units(angles)
    # Bins of no magnitude at all would have no phase, and none from there on.
    steps = np.maximum(magnitudes, 1e-9) * _units(advances - angles)
    phase = np.where(np.arange(bins) % 2, -1, 1) * np.ones((batch, 1), np.complex64)
    if before is not None:
        size = np.abs(before)
        phase = np.where(size > 0, before / np.maximum(size, 1e-12), phase)
    phases = np.empty((batch, frames, bins), np.complex64)
    padded = np.zeros((batch, bins + 4), np.complex64)
    for frame in range(frames):
        np.multiply(phase, steps[:, frame], out=padded[:, 2:-2])
        # Twice the sum of three neighbours: weights 1, 2, 3, 2, 1, the width of a partial under a Hann window.
        threes = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
        mixed = threes[:, :-2] + threes[:, 1:-1] + threes[:, 2:]
        mixed /= np.maximum(np.abs(mixed), 1e-20)
        phase = mixed * along[:, frame]
        phases[:, frame] = phase
    return phases


def _units(angles: NDArray[np.float32]) -> Spectra:
    """Return numbers of magnitude 1 with these angles; several times as quick as the exponential of complex numbers."""
    units = np.empty(angles.shape, np.complex64)
    np.cos(angles, out=units.real)
    np.sin(angles, out=units.imag)
    return units
