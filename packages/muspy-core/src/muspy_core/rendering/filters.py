"""A resonant low-pass whose cutoff may move, by Fourier transforms (waveform → filtered waveform)."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from muspy_core.rendering.envelopes import Samples, hertz_of

OPEN_FILTER_HERTZ = 18000  # a cutoff above changes nothing that is heard
_FRAME = 512
_SETTLED_OCTAVES = 0.01


def low_pass(wave: Samples, cutoff: Samples | float, resonance: float, sample_rate: int) -> Samples:
    """Filter by a two-pole low-pass whose cutoff may move.

    cutoff: absolute cents (8.176 Hz · 2^(cents / 1200)), constant or at least (n,). resonance: centibels above the
    passband.
    """
    quality = 10 ** ((resonance / 10 - 3.01) / 20)
    limit = 0.45 * sample_rate
    hertz: Samples = np.minimum(hertz_of(np.asarray(cutoff)), np.float32(limit))
    if not len(wave) or (resonance <= 0 and hertz.min() >= min(limit, OPEN_FILTER_HERTZ)):
        return np.asarray(wave * np.float32(quality**-0.5), np.float32)
    if hertz.ndim == 0:
        return _filter_steadily(wave, float(hertz) / sample_rate, quality)
    hertz = hertz[: len(wave)]
    unsettled = np.flatnonzero(np.abs(np.log2(hertz / hertz[-1])) > _SETTLED_OCTAVES)
    moving = int(unsettled[-1]) + 1 if len(unsettled) else 0
    if moving + _FRAME > len(wave) // 2:
        return _filter_in_frames(wave, hertz / np.float32(sample_rate), quality)
    # Most envelopes come to rest: from there on one transform does.
    result = _filter_steadily(wave, float(hertz[-1]) / sample_rate, quality)
    head = _filter_in_frames(wave[: moving + _FRAME], hertz[: moving + _FRAME] / np.float32(sample_rate), quality)
    fade: Samples = np.clip((moving + _FRAME // 2 - np.arange(len(head), dtype=np.float32)) / (_FRAME // 2), 0, 1)
    result[: len(head)] += fade * (head - result[: len(head)])
    return result


def _filter_steadily(wave: Samples, cutoff: float, quality: float) -> Samples:
    size = _fast_length(len(wave) + 1024)
    response = _response(_delays(size), np.asarray(cutoff), quality)
    return np.asarray(np.fft.irfft(np.fft.rfft(wave, size) * response, size)[: len(wave)], np.float32)


def _filter_in_frames(wave: Samples, cutoff: Samples, quality: float) -> Samples:
    """Filter overlapping frames, each with the cutoff at its centre (cycles per sample, (n,))."""
    hop, size = _FRAME // 2, 2 * _FRAME
    count = len(wave) // hop + 2
    padded = np.zeros((count + 1) * hop, np.float32)
    padded[hop : hop + len(wave)] = wave
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::hop] * window
    centres = np.minimum(np.arange(len(frames)) * hop, len(wave) - 1)
    response = _response(_delays(size), cutoff[centres][:, None], quality)
    filtered = np.fft.irfft(np.fft.rfft(frames, size) * response, size).astype(np.float32)
    result = np.zeros((len(frames) + 3) * hop, np.float32)
    for quarter in range(4):
        result[quarter * hop :][: len(frames) * hop] += filtered[:, quarter * hop : (quarter + 1) * hop].reshape(-1)
    return result[hop : hop + len(wave)]


def _response(delay: NDArray[np.complex64], cutoff: NDArray[np.floating], quality: float) -> NDArray[np.complex64]:
    """Frequency response of the low-pass; delay = e^(-iω) of the frequencies, cutoff in cycles per sample."""
    omega = np.float32(2 * np.pi) * cutoff.astype(np.float32)
    cosine, alpha = np.cos(omega), np.sin(omega) / np.float32(2 * quality)
    numerator = (1 - cosine) * ((1 + delay) ** 2 * np.float32(0.5 * quality**-0.5))
    response: NDArray[np.complex64] = numerator / ((1 + alpha) + delay * ((1 - alpha) * delay - 2 * cosine))
    return response


@functools.lru_cache(maxsize=8)
def _delays(size: int) -> NDArray[np.complex64]:
    """A delay of one sample at the frequencies of a transform of this size."""
    return np.asarray(np.exp(-2j * np.pi * np.fft.rfftfreq(size)), np.complex64)


def _fast_length(count: int) -> int:
    """The smallest a · 2^k ≥ count with a in 4-7 or 9 or 15: a length whose Fourier transform is fast."""
    power = max(int(np.log2(count)) - 2, 0)
    return min(a << p for a in (4, 5, 6, 9, 15) for p in (power - 1, power, power + 1) if p >= 0 and a << p >= count)
