"""Region and pitch → the waveform of a key: the sample read at its speed, looped and filtered (before the envelope)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from muspy_core.rendering import sf2
from muspy_core.rendering.envelopes import Samples, clock, low_frequency, modulation_envelope
from muspy_core.rendering.filters import low_pass
from muspy_core.rendering.sf2 import Region

WHEEL_VIBRATO = 50.0  # cents of vibrato at full modulation wheel
MAX_OCTAVES = 8  # of transposition; more is a broken font


def waveform(
    region: Region, key: int, cents: float | NDArray[np.float64], wheel: float, count: int, sample_rate: int
) -> Samples:
    """Return the pitched and filtered sample before its volume envelope, at most (count,).

    cents: offset of the pitch, constant or (count,). wheel: modulation wheel, 0-127. Shorter than `count` if a sample
    without a loop ends.
    """
    generators = region.generators
    fixed = int(generators[sf2.FIXED_KEY])
    key = fixed if 0 <= fixed <= 127 else key
    pitch = generators[sf2.SCALE_TUNING] * (key - region.root) + region.cents + cents
    seconds = clock(count, sample_rate)
    contour: Samples | float = 0.0
    if any(generators[[sf2.MOD_ENV_PITCH, sf2.MOD_ENV_CUTOFF]]):
        contour = modulation_envelope(region, key, seconds)
    vibrato = float(generators[sf2.VIB_LFO_PITCH]) + wheel / 127 * WHEEL_VIBRATO
    if vibrato:
        pitch = pitch + vibrato * low_frequency(generators[sf2.VIB_LFO_DELAY], generators[sf2.VIB_LFO_RATE], seconds)
    tremor: Samples | float = 0.0
    if any(generators[[sf2.MOD_LFO_PITCH, sf2.MOD_LFO_CUTOFF, sf2.MOD_LFO_VOLUME]]):
        tremor = low_frequency(generators[sf2.MOD_LFO_DELAY], generators[sf2.MOD_LFO_RATE], seconds)
    for source, number in ((contour, sf2.MOD_ENV_PITCH), (tremor, sf2.MOD_LFO_PITCH)):
        if generators[number]:
            pitch = pitch + generators[number] * source
    octaves = np.clip(np.asarray(pitch, np.float64) / 1200, -MAX_OCTAVES, MAX_OCTAVES)
    wave = _oscillate(region, region.rate / sample_rate * np.exp2(octaves), count)
    cutoff: Samples | float = float(generators[sf2.CUTOFF])
    for source, number in ((contour, sf2.MOD_ENV_CUTOFF), (tremor, sf2.MOD_LFO_CUTOFF)):
        if generators[number]:
            cutoff = cutoff + generators[number] * source
    wave = low_pass(wave, cutoff, float(generators[sf2.RESONANCE]), sample_rate)
    if generators[sf2.MOD_LFO_VOLUME]:
        wave = wave * 10 ** (np.asarray(tremor)[: len(wave)] * (generators[sf2.MOD_LFO_VOLUME] / 200.0))
    return wave.astype(np.float32, copy=False)


def _oscillate(region: Region, steps: NDArray[np.float64], count: int) -> Samples:
    """Read a sample at `steps` points per output sample, () or (count,), by cubic (Catmull-Rom) interpolation."""
    points = region.samples
    if steps.ndim:
        places = np.cumsum(steps) - steps[0]
    else:
        places = np.arange(count) * float(steps)
    if region.loop is None:
        places = places[: int(np.searchsorted(places, len(points) - 2))]
    else:
        start, end = region.loop
        beyond = int(np.searchsorted(places, end))
        places[beyond:] = start + np.mod(places[beyond:] - start, end - start)
    index = places.astype(np.int32)
    fraction = (places - index).astype(np.float32)
    points = points[: int(index.max(initial=0)) + 3].astype(np.float32)
    padded = np.concatenate([points[:1], points, points[-1:], points[-1:]])
    before, at, after, later = (padded[shift:].take(index) for shift in range(4))
    slope, other = (after - before) * np.float32(0.5), (later - at) * np.float32(0.5)
    rise = at - after
    curve: Samples = (
        (((2 * rise + slope + other) * fraction - 3 * rise - 2 * slope - other) * fraction) + slope
    ) * fraction + at
    return curve
