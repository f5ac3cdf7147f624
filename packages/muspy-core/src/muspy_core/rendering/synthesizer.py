"""Parts → sound by a SoundFont, in NumPy: the second half of the renderer (SoundFont specification 2.04, §9).

A sample is read at the speed of the pitch, looped, filtered by a resonant low-pass (`waveform.py`, `filters.py`),
shaped by an envelope (`envelopes.py`), placed between the speakers and added. All notes of a part on the same key share
one filtered waveform, and differ in loudness and release only: that is what makes NumPy fast enough. Amplitude follows
the specification: velocity, volume and expression are squared (40 dB a decade).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from muspy_core.rendering import sf2
from muspy_core.rendering.envelopes import (
    ENVELOPE_DB,
    SILENCE,
    Samples,
    release_curve,
    release_seconds,
    volume_envelope,
)
from muspy_core.rendering.performance import EXPRESSION, MODULATION_WHEEL, PAN, VOLUME, Curve, Part
from muspy_core.rendering.sf2 import Region, SoundFont
from muspy_core.rendering.waveform import waveform

ATTENUATION_SCALE = 0.4  # a centibel of `initialAttenuation` is 0.4 in every font made for the EMU chips, and so here
HEADROOM = 0.35  # of full scale for one voice at full velocity
MIN_NOTE_SECONDS = 0.01
CHOKE_SECONDS = 0.02
SMOOTHING_SECONDS = 0.005


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
        release = max(map(release_seconds, regions_for(part, regions, key)), default=0.0)
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
        fade = release_curve(release_seconds(self.region), sample_rate)
        ends = np.minimum(self.releases + len(fade) / sample_rate, out.shape[1] / sample_rate)
        moving = bend.changes_within(self.onsets, ends)
        cents = bend.at(self.onsets)
        # Notes with the same steady bend and wheel share their waveform; a moving bend is a note's own.
        steady = np.column_stack([cents, self.wheel])[~moving]
        groups = [np.flatnonzero(~moving)[(steady == row).all(axis=1)] for row in np.unique(steady, axis=0)]
        for group in [*groups, *([index] for index in np.flatnonzero(moving))]:
            first = group[0]
            count = int(max(float((ends[group] - self.onsets[group]).max()), 0.0) * sample_rate) + 1
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


def _cut_off(sound: Samples, stop: int, sample_rate: int) -> Samples:
    """End a sound at a sample with a short fade."""
    ramp = np.linspace(1, 0, int(CHOKE_SECONDS * sample_rate), dtype=np.float32)
    cut: Samples = sound[: max(stop, 0) + len(ramp)].copy()
    fading = cut[max(stop, 0) :]
    fading *= ramp[: len(fading)]
    return cut


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
