"""Sound → spectrogram → logarithmic grid, and masks on that grid → sound (§6.3.1; the first and last step).

Symbols: B sounds, N samples, T frames, F = 513 linear bins, G = 256 bins of the logarithmic grid. The transform is
librosa's of 0.9: a periodic Hann window of 1024, hop 256, centred with zeros. The grid stretches low frequencies: row y
of [-1, 1] shows (21^((y+1)/2) - 11)/10 of the linear rows. Masks are made and learned on the grid.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clipsep.config import CLIP_SAMPLES, HOP_LENGTH, LINEAR_BINS, LOG_BINS, N_FFT, MaskType

FLOOR = 1e-10  # added to magnitudes before the logarithm
WEIGHT_RANGE = (1e-3, 10.0)
_BASE = 21.0


def frames_of(samples: int) -> int:
    """Return the number of centred frames of so many samples: 256 for a clip of 65,535."""
    return 1 + samples // HOP_LENGTH


def samples_of(frames: int) -> int:
    """Return the most samples that have so many frames: 65,535 for 256 (and not 65,536, which have 257)."""
    return frames * HOP_LENGTH - 1


assert frames_of(CLIP_SAMPLES) == 256


@functools.cache
def _window(device: torch.device) -> Tensor:
    return torch.hann_window(N_FFT, device=device)


def stft(sound: Tensor) -> Tensor:
    """Return the complex spectrogram, (B, F, T). sound: (B, N), 16 kHz."""
    spectrum: Tensor = torch.stft(
        sound, N_FFT, HOP_LENGTH, window=_window(sound.device), center=True, pad_mode="constant", return_complex=True
    )
    return spectrum


def istft(spectrum: Tensor, samples: int) -> Tensor:
    """Return the sound of a complex spectrogram, (B, samples). spectrum: (B, F, T)."""
    sound: Tensor = torch.istft(
        spectrum, N_FFT, HOP_LENGTH, window=_window(spectrum.device), center=True, length=samples
    )
    return sound


# --- the logarithmic grid --------------------------------------------------------------------------------------------


def warped_rows() -> NDArray[np.float64]:
    """Return for each of the G rows of the grid the linear row it shows, (G,), not whole numbers."""
    rows = np.linspace(-1.0, 1.0, LOG_BINS)
    return _as_index((_BASE ** ((rows + 1) / 2) - 11) / 10, LINEAR_BINS)


def unwarped_rows() -> NDArray[np.float64]:
    """Return for each of the F linear rows its row of the grid, (F,), not whole numbers; the inverse of the above."""
    rows = np.linspace(-1.0, 1.0, LINEAR_BINS)
    return _as_index(2 * np.log(10 * rows + 11) / np.log(_BASE) - 1, LOG_BINS)


def _as_index(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.clip((rows + 1) / 2 * (count - 1), 0, count - 1)


@functools.cache
def _neighbours(direction: str, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Rows below and above each wanted row, and the share of the one above, (rows, 1)."""
    wanted = warped_rows() if direction == "warp" else unwarped_rows()
    last = (LINEAR_BINS if direction == "warp" else LOG_BINS) - 1
    below = np.minimum(np.floor(wanted), last - 1)
    share = torch.tensor(wanted - below, dtype=torch.float32, device=device)[:, None]
    index = torch.tensor(below, dtype=torch.long, device=device)
    return index, index + 1, share


def _interpolated(values: Tensor, direction: str) -> Tensor:
    below, above, share = _neighbours(direction, values.device)
    return torch.lerp(values.index_select(-2, below), values.index_select(-2, above), share.to(values.dtype))


def warp(magnitude: Tensor) -> Tensor:
    """Show linear rows on the grid, (…, G, T), by linear interpolation. magnitude: (…, F, T)."""
    return _interpolated(magnitude, "warp")


def unwarp(mask: Tensor) -> Tensor:
    """Show a mask of the grid on linear rows, (…, F, T). mask: (…, G, T)."""
    return _interpolated(mask, "unwarp")


# --- what is learned -------------------------------------------------------------------------------------------------


def true_masks(sources: Tensor, mixture: Tensor, kind: MaskType) -> Tensor:
    """Return the masks that training aims at, the shape of `sources`.

    sources: (B, n, G, T), magnitudes on the grid. mixture: (B, G, T). binary: 1 where a source is louder than half of
    the mixture, so that several or none may be 1. ratio: its share, at most 1.
    """
    whole = mixture[:, None]
    if kind == "binary":
        return (sources > 0.5 * whole).to(sources.dtype)
    return (sources / (whole + FLOOR)).clamp(0.0, 1.0)


def loss_weights(mixture: Tensor) -> Tensor:
    """Return how much each place of the grid counts: ln(1 + |X|), between 0.001 and 10. mixture: (B, G, T)."""
    return torch.log1p(mixture).clamp(*WEIGHT_RANGE)


def reconstruct(mask: Tensor, spectrum: Tensor, samples: int) -> Tensor:
    """Return the sound that a mask lets through, with the phase of the mixture, (B, samples), within full scale.

    mask: (B, G, T). spectrum: (B, F, T), of the mixture.
    """
    return istft(unwarp(mask) * spectrum, samples).clamp(-1.0, 1.0)
