"""A clip → the same as another recording might have it: other pitch and formants, other timbre (used by data).

A model that learns from one SoundFont or one microphone must not know an instrument by the colour of that recording.
Symbols: N samples of 16 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray

from clipsep.config import SAMPLE_RATE

_BANDS = 9  # nodes of the drawn curve, one an octave
_LOWEST_HZ = 31.25


@dataclass(frozen=True)
class Augmentation:
    """How far clips are changed in training; the defaults change nothing.

    semitones: largest change of speed, up or down, by which pitch and formants move together. equalizer_db: standard
    deviation of the level of each octave.
    """

    semitones: float = 0.0
    equalizer_db: float = 0.0

    def draw_speed(self, rng: np.random.Generator) -> float:
        """Return how many times as fast a clip is played."""
        return float(2 ** (rng.uniform(-self.semitones, self.semitones) / 12)) if self.semitones else 1.0

    def equalized(self, sound: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a clip with a random level of each octave, (N,)."""
        if not self.equalizer_db:
            return sound
        return with_levels(sound, rng.normal(0.0, self.equalizer_db, _BANDS))


def played(sound: NDArray[np.float32], speed: float, samples: int) -> NDArray[np.float32]:
    """Return the beginning of a clip played at another speed, (samples,), silence where it ends too early."""
    faster = Audio(sound[None], round(SAMPLE_RATE * speed)).resample(SAMPLE_RATE)
    return np.asarray(faster.window(0, samples).samples[0], np.float32)


def with_levels(sound: NDArray[np.float32], decibels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a clip through a filter that is smooth over frequency and has no phase, (N,).

    decibels: (9,), at 31 Hz, 62 Hz, … 8 kHz; straight lines over the logarithm of frequency in between.
    """
    size = 1 << (len(sound) - 1).bit_length()
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), _LOWEST_HZ) / _LOWEST_HZ)
    gains = 10 ** (np.interp(octaves, np.arange(_BANDS), decibels) / 20)
    filtered = np.fft.irfft(np.fft.rfft(sound, size) * gains, size)[: len(sound)]
    return np.asarray(filtered, np.float32)
