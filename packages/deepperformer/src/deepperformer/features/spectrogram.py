"""Sound → log-mel spectrogram: the one definition that all models share (§5.3; HiFi-GAN's), in NumPy and in torch.

Symbols: T frames, M mel bands. T = samples // hop_length: the ends are padded by reflection, (n_fft − hop_length) / 2
on each side. A definition has a fingerprint, which checkpoints and prepared data carry, so that a model never reads
mels of another kind.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray

from deepperformer.errors import MelError

if TYPE_CHECKING:
    from torch import Tensor

Mel = NDArray[np.float32]
BLOCK = 4096  # frames transformed at once, so that memory does not grow with the length


@dataclasses.dataclass(frozen=True)
class MelDefinition:
    """How a spectrogram is made; the defaults are the paper's, with HiFi-GAN's floor and padding.

    sample_rate: Hz. n_fft: samples of a frame, Hann window. hop_length: samples from frame to frame. fmin, fmax: of the
    mel bands, Hz (Slaney's scale and norm). floor: smallest magnitude, before the natural logarithm.
    """

    sample_rate: int = 16000
    n_fft: int = 1024
    hop_length: int = 256
    n_mels: int = 80
    fmin: float = 0.0
    fmax: float = 8000.0
    floor: float = 1e-5

    def __post_init__(self) -> None:
        if min(self.sample_rate, self.n_fft, self.hop_length, self.n_mels) < 1 or self.floor <= 0:
            raise MelError(f"{self}: sizes and the floor must be positive")
        if (self.n_fft - self.hop_length) % 2 or self.n_fft < self.hop_length:
            raise MelError(f"n_fft={self.n_fft} − hop_length={self.hop_length} must be even and not negative")
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise MelError(f"fmin={self.fmin:g}, fmax={self.fmax:g}: need 0 ≤ fmin < fmax ≤ {self.sample_rate / 2:g}")

    @property
    def padding(self) -> int:
        """Samples that are reflected on each side."""
        return (self.n_fft - self.hop_length) // 2

    @property
    def frame_s(self) -> float:
        """Seconds from frame to frame."""
        return self.hop_length / self.sample_rate

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that two definitions share only if they are equal."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)

    def check(self, other: MelDefinition, name: str) -> None:
        """Raise MelError, saying what differs, unless `other` is the same definition; name: what it belongs to."""
        mine, theirs = self.to_dict(), other.to_dict()
        wrong = [f"{key} {theirs[key]:g} (not {mine[key]:g})" for key in mine if mine[key] != theirs[key]]
        if wrong:
            raise MelError(f"{name}: its mel spectrograms differ: {', '.join(wrong)}")


PAPER_44K = MelDefinition(44100, 2048, 512, 80, 0.0, 8000.0)


def mel_of(audio: Audio, definition: MelDefinition | None = None) -> Mel:
    """Return the log-mel spectrogram of a sound, (T, M); several channels are averaged, other rates resampled."""
    definition = definition or MelDefinition()
    return log_mel(audio.to_mono().resample(definition.sample_rate).samples[0], definition)


def log_mel(samples: NDArray[np.floating[Any]], definition: MelDefinition) -> Mel:
    """Return the log-mel spectrogram, (T, M). samples: (frames,) at the definition's rate.

    Raises MelError if there are too few samples to reflect.
    """
    check_length(len(samples), definition)
    padded = np.pad(np.asarray(samples, np.float32), definition.padding, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, definition.n_fft)[:: definition.hop_length]
    window, weights = hann(definition.n_fft), mel_weights(definition)
    mel = np.empty((len(samples) // definition.hop_length, definition.n_mels), np.float32)
    for start in range(0, len(mel), BLOCK):
        spectrum = np.fft.rfft(frames[start : min(start + BLOCK, len(mel))] * window, axis=1)
        magnitude = np.sqrt(np.square(spectrum.real) + np.square(spectrum.imag) + 1e-9).astype(np.float32)
        mel[start : start + BLOCK] = np.log(np.maximum(magnitude @ weights.T, definition.floor))
    return mel


def torch_log_mel(samples: Tensor, definition: MelDefinition) -> Tensor:
    """Return the log-mel spectrogram by torch, so that a loss can look at it, (…, M, T). samples: (…, frames)."""
    import torch

    check_length(samples.shape[-1], definition)
    window, weights = _torch_tables(definition, samples.device, samples.dtype)
    flat = samples.reshape(-1, samples.shape[-1])
    padded = torch.nn.functional.pad(flat[:, None], (definition.padding,) * 2, mode="reflect")[:, 0]
    spectrum = torch.stft(
        padded, definition.n_fft, definition.hop_length, window=window, center=False, return_complex=True
    )
    magnitude = torch.sqrt(spectrum.real.square() + spectrum.imag.square() + 1e-9)
    mel = torch.log(torch.clamp(weights @ magnitude, min=definition.floor))
    return mel.reshape(*samples.shape[:-1], definition.n_mels, -1)


def check_length(samples: int, definition: MelDefinition) -> None:
    """Raise MelError if a sound is too short for one frame."""
    if samples <= definition.padding:
        raise MelError(f"a sound of {samples} samples is too short; a spectrogram needs {definition.padding + 1}")


@functools.lru_cache(maxsize=8)
def mel_weights(definition: MelDefinition) -> NDArray[np.float32]:
    """Return the weight of each frequency in each mel band, (M, n_fft / 2 + 1), Slaney's scale and norm."""
    frequencies = np.fft.rfftfreq(definition.n_fft, 1 / definition.sample_rate)
    limits = _mel_scale(np.array([definition.fmin, definition.fmax]))
    edges = _mel_to_hz(np.linspace(limits[0], limits[1], definition.n_mels + 2))
    widths = np.diff(edges)[:, None]
    rising, falling = (frequencies - edges[:-2, None]) / widths[:-1], (edges[2:, None] - frequencies) / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def hann(length: int) -> NDArray[np.float32]:
    """Return the periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


# Slaney's scale: linear below 1 kHz, 27 bands a factor of 6.4 above.
_LINEAR_HZ, _KNEE_HZ, _KNEE_MEL, _LOG_STEP = 200 / 3, 1000.0, 15.0, np.log(6.4) / 27


def _mel_scale(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(hz < _KNEE_HZ, hz / _LINEAR_HZ, _KNEE_MEL + np.log(np.maximum(hz, _KNEE_HZ) / _KNEE_HZ) / _LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ, _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))


@functools.lru_cache(maxsize=8)
def _torch_tables(definition: MelDefinition, device: Any, dtype: Any) -> tuple[Any, Any]:
    import torch

    window, weights = torch.from_numpy(hann(definition.n_fft)), torch.from_numpy(mel_weights(definition))
    return window.to(device, dtype), weights.to(device, dtype)
