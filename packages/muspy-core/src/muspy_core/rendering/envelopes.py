"""Curves over the time of one note: envelopes, oscillators of low frequency, releases (region → curves).

Units are those of SoundFont generators: timecents (2^(t / 1200) seconds), absolute cents (8.176 Hz · 2^(c / 1200)),
centibels. Curves are float32, (n,) samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from muspy_core.rendering import sf2
from muspy_core.rendering.sf2 import Region

Samples = NDArray[np.float32]

ENVELOPE_DB = 96.0  # what the envelopes call silence
SILENCE = 10 ** (-ENVELOPE_DB / 20)
MIN_RELEASE = -7200  # timecents: 15.6 ms, against clicks
MAX_RELEASE_SECONDS = 12.0
QUICK_SECONDS = 0.006  # what a filter frame cannot follow


def volume_envelope(region: Region, key: int, count: int, sample_rate: int) -> Samples:
    """Return the amplitude of a held note, (count,): delay, linear attack, hold, decay in decibels, sustain."""
    g = region.generators
    delay, attack = _seconds(g[sf2.VOL_DELAY]), _seconds(g[sf2.VOL_ATTACK])
    hold = _seconds(g[sf2.VOL_HOLD] + g[sf2.VOL_KEY_HOLD] * (60 - key))
    decay = _seconds(g[sf2.VOL_DECAY] + g[sf2.VOL_KEY_DECAY] * (60 - key))
    floor = min(max(int(g[sf2.VOL_SUSTAIN]), 0), 1440) / 10
    seconds = clock(count, sample_rate)
    fallen = np.clip((seconds - (delay + attack + hold)) * (ENVELOPE_DB / decay), 0, floor)
    amplitude = np.exp(fallen * np.float32(-np.log(10) / 20), dtype=np.float32)
    return np.asarray(amplitude * np.clip((seconds - delay) / attack, 0, 1), np.float32)


def modulation_envelope(region: Region, key: int, seconds: Samples) -> Samples:
    """Return the modulation envelope of a held note, 0-1 at the given seconds: convex attack, linear decay.

    Stages shorter than a filter frame can follow are skipped.
    """
    g = region.generators
    keys = 60 - key
    stages = [g[sf2.MOD_DELAY], g[sf2.MOD_ATTACK], g[sf2.MOD_HOLD] + g[sf2.MOD_KEY_HOLD] * keys]
    delay, attack, hold = (length if length > QUICK_SECONDS else 0.0 for length in map(_seconds, stages))
    decay = _seconds(g[sf2.MOD_DECAY] + g[sf2.MOD_KEY_DECAY] * keys)
    sustain = 1 - min(max(int(g[sf2.MOD_SUSTAIN]), 0), 1000) / 1000
    peak = delay + attack
    knots = [peak + hold, peak + hold + max(decay * (1 - sustain), 1e-6)]
    contour = np.interp(seconds, knots, [1.0, sustain]).astype(np.float32)
    rising = int(np.searchsorted(seconds, peak))
    ramp = np.clip((seconds[:rising] - delay) / max(attack, 1e-6), 1e-6, 1)
    contour[:rising] = np.maximum(1 + np.float32(40 / ENVELOPE_DB) * np.log10(ramp), 0)
    return contour


def release_seconds(region: Region) -> float:
    """Return the time in which a released note falls by 96 dB."""
    return min(_seconds(max(int(region.generators[sf2.VOL_RELEASE]), MIN_RELEASE)), MAX_RELEASE_SECONDS)


def release_curve(release: float, sample_rate: int) -> Samples:
    """Fall by 96 dB in `release` seconds."""
    count = int(release * sample_rate) + 1
    return np.exp(np.linspace(0, -np.log(10) / 20 * ENVELOPE_DB, count, dtype=np.float32))


def low_frequency(delay: int | np.integer, rate: int | np.integer, seconds: Samples) -> Samples:
    """A triangle between -1 and 1 that starts at 0 after the delay."""
    phase = np.maximum(seconds - _seconds(delay), 0) * float(hertz_of(np.float32(rate)))
    return np.asarray(1 - 4 * np.abs(np.mod(phase + 0.25, 1.0) - 0.5), np.float32)


def clock(count: int, sample_rate: int) -> Samples:
    """The seconds of `count` samples."""
    return np.asarray(np.arange(count, dtype=np.float32) / np.float32(sample_rate), np.float32)


def _seconds(timecents: int | np.integer) -> float:
    return float(2.0 ** (min(max(int(timecents), -12000), 8000) / 1200))


def hertz_of(cents: NDArray[np.floating] | np.floating) -> NDArray[np.float32]:
    """Return absolute cents as a frequency."""
    return np.asarray(8.1757989 * np.exp2(np.asarray(cents, np.float32) / 1200), np.float32)
