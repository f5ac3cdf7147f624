"""A small hall for dry sound: convolution with decaying noise (after the synthesizer)."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

DECAY_SECONDS = 1.4  # to -60 dB
PRE_DELAY_SECONDS = 0.012
LOW_CUT_HERTZ, HIGH_CUT_HERTZ = 180.0, 5000.0
LEVEL = 0.45  # of the sound that is sent in whole
_SEED = 2718


def reverberate(sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return the reverberation alone of a (2, n) sound, (2, n); it is cut off at the end of the sound."""
    response = impulse_response(sample_rate)
    taps = response.shape[1]
    size = 1 << (3 * taps).bit_length()
    block = size - taps + 1
    spectrum = np.fft.rfft(response, size)
    result = np.zeros_like(sound)
    for start in range(0, sound.shape[1], block):
        wet = np.fft.irfft(np.fft.rfft(sound[:, start : start + block], size) * spectrum, size)
        room = result[:, start : start + size]
        room += wet[:, : room.shape[1]].astype(np.float32)
    return result


@functools.lru_cache(maxsize=4)
def impulse_response(sample_rate: int) -> NDArray[np.float32]:
    """Return the answer of the hall to a click, (2, taps): independent noise on both sides, of fixed energy."""
    taps = int(DECAY_SECONDS * sample_rate)
    noise = np.random.default_rng(_SEED).standard_normal((2, taps))
    seconds = np.arange(taps) / sample_rate
    noise *= 10 ** (-3 * seconds / DECAY_SECONDS)
    noise[:, : int(PRE_DELAY_SECONDS * sample_rate)] = 0
    hertz = np.fft.rfftfreq(2 * taps, 1 / sample_rate)
    passband = hertz**2 / (hertz**2 + LOW_CUT_HERTZ**2) / (1 + (hertz / HIGH_CUT_HERTZ) ** 2)
    shaped = np.fft.irfft(np.fft.rfft(noise, 2 * taps) * passband, 2 * taps)[:, :taps]
    shaped *= LEVEL / np.sqrt(np.square(shaped).sum(axis=1, keepdims=True))
    return shaped.astype(np.float32)
