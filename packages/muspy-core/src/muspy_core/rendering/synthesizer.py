"""Parts → sound by a SoundFont, in NumPy: the second half of the renderer (SoundFont specification 2.04, §9).

A sample is read at the speed of the pitch, looped, filtered by a resonant low-pass, shaped by an envelope, placed
between the speakers and added. All notes of a part on the same key share one filtered waveform, and differ in loudness
and release only: that is what makes NumPy fast enough. Amplitude follows the specification: velocity, volume and expression
are squared (40 dB a decade).

Symbols: n, samples of a voice; length, samples of the piece.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from muspy_core.rendering import sf2
from muspy_core.rendering.performance import EXPRESSION, MODULATION_WHEEL, PAN, VOLUME, Curve, Part
from muspy_core.rendering.sf2 import Region, SoundFont

Samples = NDArray[np.float32]

ENVELOPE_DB = 96.0  # what the envelopes call silence
ATTENUATION_SCALE = 0.4  # a centibel of `initialAttenuation` is 0.4 in every font made for the EMU chips, and so here
HEADROOM = 0.35  # of full scale for one voice at full velocity
MIN_RELEASE = -7200  # timecents: 15.6 ms, against clicks
MAX_RELEASE_SECONDS = 12.0
MIN_NOTE_SECONDS = 0.01
WHEEL_VIBRATO = 50.0  # cents of vibrato at full modulation wheel
CHOKE_SECONDS = 0.02
SMOOTHING_SECONDS = 0.005
QUICK_SECONDS = 0.006
MAX_OCTAVES = 8  # of transposition; more is a broken font
SILENCE = 10 ** (-ENVELOPE_DB / 20)
OPEN_FILTER_HERTZ = 18000
_FRAME = 512


def synthesize_part(part: Part, font: SoundFont, sample_rate: int, length: int) -> Samples:
    """Return the sound of one part, (2, length)."""
    out = np.zeros((2, length), np.float32)
    regions = font.preset(part.bank, part.program)
    releases = np.maximum(part.releases, part.onsets + MIN_NOTE_SECONDS)
    stops = _choke(part, regions)
    pan, wheel = part.controls[PAN].at(part.onsets), part.controls[MODULATION_WHEEL].at(part.onsets)
    for key in np.unique(part.keys).tolist():
        on_key = np.flatnonzero(part.keys == key)
        velocities = part.velocities[on_key]
        for region in regions_for(part, regions, key):
            chosen = on_key[(velocities >= region.velocities[0]) & (velocities <= region.velocities[1])]
            if len(chosen):
                voices = Voices(
                    region,
                    key,
                    part.onsets[chosen],
                    releases[chosen],
                    stops[chosen],
                    part.velocities[chosen],
                    pan[chosen],
                    wheel[chosen],
                )
                voices.add_to(out, part.bend, sample_rate)
    return _apply_volume(out, part, sample_rate)


def regions_for(part: Part, regions: list[Region], key: int) -> list[Region]:
    """Return the regions that play a key.

    Some fonts leave keys at the ends of an instrument's range out; those play the nearest regions, so that no note is
    lost. A drum kit's keys are instruments of their own, and what is not in the kit stays silent.
    """
    distances = [max(region.keys[0] - key, key - region.keys[1], 0) for region in regions]
    nearest = 0 if part.bank == sf2.DRUM_BANK else min(distances, default=0)
    return [region for region, distance in zip(regions, distances, strict=True) if distance == nearest]


def length_of(part: Part, font: SoundFont) -> float:
    """Return the seconds after which the part is silent for certain."""
    regions = font.preset(part.bank, part.program)
    end = 0.0
    for key in np.unique(part.keys).tolist():
        release = max(map(_release_seconds, regions_for(part, regions, key)), default=0.0)
        end = max(end, float(part.releases[part.keys == key].max()) + release)
    return end + 0.05 if end else 0.0


@dataclasses.dataclass(frozen=True)
class Voices:
    """All notes that one region plays on one key; arrays are (notes,), times in seconds.

    stops: when another note of the exclusive class cuts it off, or infinity.
    """

    region: Region
    key: int
    onsets: NDArray[np.float64]
    releases: NDArray[np.float64]
    stops: NDArray[np.float64]
    velocities: NDArray[np.int64]
    pan: NDArray[np.float64]
    wheel: NDArray[np.float64]

    def add_to(self, out: Samples, bend: Curve, sample_rate: int) -> None:
        """Add the sound of all notes to `out`, (2, length)."""
        fade = _fade(_release_seconds(self.region), sample_rate)
        ends = self.releases + len(fade) / sample_rate
        moving = bend.changes_within(self.onsets, ends)
        cents = bend.at(self.onsets)
        # Notes with the same steady bend and wheel share their waveform; a moving bend is a note's own.
        steady = np.column_stack([cents, self.wheel])[~moving]
        groups = [np.flatnonzero(~moving)[(steady == row).all(axis=1)] for row in np.unique(steady, axis=0)]
        for group in [*groups, *([index] for index in np.flatnonzero(moving))]:
            first = group[0]
            count = int((ends[group] - self.onsets[group]).max() * sample_rate) + 1
            offsets: float | NDArray[np.float64] = float(cents[first])
            if moving[first]:
                offsets = _sampled(bend, float(self.onsets[first]), count, sample_rate)
            wave = waveform(self.region, self.key, offsets, float(self.wheel[first]), count, sample_rate)
            envelope = volume_envelope(self.region, self.key, len(wave), sample_rate)
            held = wave * envelope
            for index in group:
                self._add_note(out, index, wave, held, envelope, fade, sample_rate)

    def _add_note(
        self,
        out: Samples,
        index: int,
        wave: Samples,
        held: Samples,
        envelope: Samples,
        fade: Samples,
        sample_rate: int,
    ) -> None:
        """Add one note: the waveform under the envelope until its release, and then under the fade."""
        start = round(float(self.onsets[index]) * sample_rate)
        hold = max(round(float(self.releases[index]) * sample_rate) - start, 1)
        sustained, tail = held[:hold], wave[:0]
        if hold < len(wave) and envelope[hold] > SILENCE:
            level = float(envelope[hold])
            audible = len(fade) - int(len(fade) * 20 * np.log10(level) / -ENVELOPE_DB)
            tail = wave[hold : hold + audible]
            tail = tail * (fade[: len(tail)] * np.float32(level))
        if np.isfinite(self.stops[index]):
            stop = round(float(self.stops[index]) * sample_rate) - start
            sustained, tail = _cut_off(np.concatenate([sustained, tail]), stop, sample_rate), wave[:0]
        gains = self._gains(index)
        _mix(out, start, sustained, gains)
        _mix(out, start + len(sustained), tail, gains)

    def _gains(self, index: int) -> tuple[float, float]:
        generators = self.region.generators
        velocity = int(generators[sf2.FIXED_VELOCITY])
        velocity = velocity if 0 < velocity <= 127 else int(self.velocities[index])
        attenuation = ATTENUATION_SCALE * max(int(generators[sf2.ATTENUATION]), 0) / 10
        amplitude = HEADROOM * (velocity / 127) ** 2 * 10 ** (-attenuation / 20) / 32768
        place = float(generators[sf2.PAN]) + (float(self.pan[index]) - 64) / 64 * 500
        angle = (min(max(place, -500.0), 500.0) + 500) / 1000 * np.pi / 2
        return amplitude * float(np.cos(angle)), amplitude * float(np.sin(angle))


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
    seconds = np.arange(count, dtype=np.float32) / sample_rate
    contour: Samples | float = 0.0
    if any(generators[[sf2.MOD_ENV_PITCH, sf2.MOD_ENV_CUTOFF]]):
        contour = modulation_envelope(region, key, seconds)
    vibrato = float(generators[sf2.VIB_LFO_PITCH]) + wheel / 127 * WHEEL_VIBRATO
    if vibrato:
        pitch = pitch + vibrato * _lfo(generators[sf2.VIB_LFO_DELAY], generators[sf2.VIB_LFO_RATE], seconds)
    tremor: Samples | float = 0.0
    if any(generators[[sf2.MOD_LFO_PITCH, sf2.MOD_LFO_CUTOFF, sf2.MOD_LFO_VOLUME]]):
        tremor = _lfo(generators[sf2.MOD_LFO_DELAY], generators[sf2.MOD_LFO_RATE], seconds)
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


def low_pass(wave: Samples, cutoff: Samples | float, resonance: float, sample_rate: int) -> Samples:
    """Filter by a two-pole low-pass whose cutoff may move.

    cutoff: absolute cents (8.176 Hz · 2^(cents / 1200)), constant or at least (n,). resonance: centibels above the
    passband.
    """
    quality = 10 ** ((resonance / 10 - 3.01) / 20)
    limit = 0.45 * sample_rate
    hertz = np.minimum(_hertz(np.asarray(cutoff)), limit)
    if not len(wave) or (resonance <= 0 and hertz.min() >= min(limit, OPEN_FILTER_HERTZ)):
        return wave * np.float32(quality**-0.5)
    if hertz.ndim == 0:
        return _filter_steadily(wave, float(hertz) / sample_rate, quality)
    hertz = hertz[: len(wave)]
    unsettled = np.flatnonzero(np.abs(np.log2(hertz / hertz[-1])) > 0.01)
    moving = int(unsettled[-1]) + 1 if len(unsettled) else 0
    if moving + _FRAME > len(wave) // 2:
        return _filter_in_frames(wave, hertz / sample_rate, quality)
    # Most envelopes come to rest: from there on one transform does.
    result = _filter_steadily(wave, float(hertz[-1]) / sample_rate, quality)
    head = _filter_in_frames(wave[: moving + _FRAME], hertz[: moving + _FRAME] / sample_rate, quality)
    fade = np.clip((moving + _FRAME // 2 - np.arange(len(head), dtype=np.float32)) / (_FRAME // 2), 0, 1)
    result[: len(head)] += fade * (head - result[: len(head)])
    return result


def _filter_steadily(wave: Samples, cutoff: float, quality: float) -> Samples:
    size = _fast_length(len(wave) + 1024)
    response = _response(_delays(size), np.asarray(cutoff), quality)
    return np.fft.irfft(np.fft.rfft(wave, size) * response, size)[: len(wave)].astype(np.float32)


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
    return np.exp(-2j * np.pi * np.fft.rfftfreq(size)).astype(np.complex64)


def volume_envelope(region: Region, key: int, count: int, sample_rate: int) -> Samples:
    """Return the amplitude of a held note, (count,): delay, linear attack, hold, decay in decibels, sustain."""
    g = region.generators
    delay, attack = _seconds(g[sf2.VOL_DELAY]), _seconds(g[sf2.VOL_ATTACK])
    hold = _seconds(g[sf2.VOL_HOLD] + g[sf2.VOL_KEY_HOLD] * (60 - key))
    decay = _seconds(g[sf2.VOL_DECAY] + g[sf2.VOL_KEY_DECAY] * (60 - key))
    floor = min(max(int(g[sf2.VOL_SUSTAIN]), 0), 1440) / 10
    seconds = np.arange(count, dtype=np.float32) / sample_rate
    fallen = np.clip((seconds - (delay + attack + hold)) * (ENVELOPE_DB / decay), 0, floor)
    amplitude = np.exp(fallen * np.float32(-np.log(10) / 20), dtype=np.float32)
    return amplitude * np.clip((seconds - delay) / attack, 0, 1).astype(np.float32)


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


def _release_seconds(region: Region) -> float:
    return min(_seconds(max(int(region.generators[sf2.VOL_RELEASE]), MIN_RELEASE)), MAX_RELEASE_SECONDS)


def _fade(release: float, sample_rate: int) -> Samples:
    """Fall by 96 dB in `release` seconds."""
    count = int(release * sample_rate) + 1
    return np.exp(np.linspace(0, -np.log(10) / 20 * ENVELOPE_DB, count, dtype=np.float32))


def _cut_off(sound: Samples, stop: int, sample_rate: int) -> Samples:
    """End a sound at a sample with a short fade."""
    ramp = np.linspace(1, 0, int(CHOKE_SECONDS * sample_rate), dtype=np.float32)
    cut = sound[: max(stop, 0) + len(ramp)].copy()
    fading = cut[max(stop, 0) :]
    fading *= ramp[: len(fading)]
    return cut


def _lfo(delay: int, rate: int, seconds: Samples) -> Samples:
    """A triangle between -1 and 1 that starts at 0 after the delay."""
    phase = np.maximum(seconds - _seconds(delay), 0) * float(_hertz(np.float32(rate)))
    return (1 - 4 * np.abs(np.mod(phase + 0.25, 1.0) - 0.5)).astype(np.float32)


def _choke(part: Part, regions: list[Region]) -> NDArray[np.float64]:
    """Return when each note is cut off by another of its exclusive class (an open hi-hat by a closed one); or inf."""
    stops = np.full(len(part.onsets), np.inf)
    classes = np.zeros(128, np.int64)
    for region in regions:
        if region.generators[sf2.EXCLUSIVE_CLASS]:
            classes[region.keys[0] : region.keys[1] + 1] = region.generators[sf2.EXCLUSIVE_CLASS]
    of_note = classes[part.keys]
    for number in np.unique(of_note[of_note > 0]):
        members = np.flatnonzero(of_note == number)
        later = np.searchsorted(part.onsets[members], part.onsets[members], side="right")
        stops[members] = np.append(part.onsets[members], np.inf)[later]
    return stops


def _apply_volume(out: Samples, part: Part, sample_rate: int) -> Samples:
    """Scale a part by its volume and expression controllers; steps are smoothed over 5 ms."""
    for number in (VOLUME, EXPRESSION):
        curve = part.controls[number]
        levels = (np.append(curve.initial, curve.values) / 127) ** 2
        bounds = np.clip(np.round(np.append(curve.times, np.inf) * sample_rate), 0, out.shape[1]).astype(int)
        out[:, : bounds[0]] *= np.float32(levels[0])
        for level, before, start, stop in zip(levels[1:], levels, bounds, bounds[1:], strict=False):
            ramp = np.linspace(before, level, min(stop - start, int(SMOOTHING_SECONDS * sample_rate)), dtype=np.float32)
            out[:, start : start + len(ramp)] *= ramp
            out[:, start + len(ramp) : stop] *= np.float32(level)
    return out


def _sampled(curve: Curve, start: float, count: int, sample_rate: int) -> NDArray[np.float64]:
    """The values of a curve at `count` samples from `start` seconds on."""
    return curve.at(start + np.arange(count) / sample_rate)


def _mix(out: Samples, start: int, wave: Samples, gains: tuple[float, float]) -> None:
    wave = wave[: max(out.shape[1] - start, 0)]
    for channel, gain in enumerate(gains):
        if gain:
            out[channel, start : start + len(wave)] += wave * np.float32(gain)


def _seconds(timecents: int | np.integer) -> float:
    return float(2.0 ** (min(max(int(timecents), -12000), 8000) / 1200))


def _hertz(cents: NDArray[np.floating] | np.floating) -> NDArray[np.float32]:
    return (8.1757989 * np.exp2(np.asarray(cents, np.float32) / 1200)).astype(np.float32)


def _fast_length(count: int) -> int:
    """The smallest a · 2^k ≥ count with a in 4-7 or 9 or 15: a length whose Fourier transform is fast."""
    power = max(int(np.log2(count)) - 2, 0)
    return min(a << p for a in (4, 5, 6, 9, 15) for p in (power - 1, power, power + 1) if p >= 0 and a << p >= count)
