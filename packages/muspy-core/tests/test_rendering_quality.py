"""The default sound: General MIDI is complete and distinct, and what FluidSynth makes of the same SoundFont."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest
from muspy_core import ControlChange, Music, Note, Track
from muspy_core.audio import Audio, from_frames
from muspy_core.rendering import render, synthesize
from muspy_core.rendering.performance import parts_of
from muspy_core.rendering.sf2 import load_soundfont
from muspy_core.rendering.soundfont import default_soundfont
from muspy_core.rendering.synthesizer import synthesize_part

pytest.importorskip("pretty_midi", reason="its wheel holds the default SoundFont")

RATE = 44100
PITCHES = (36, 48, 60, 72, 84)
DRUM_KEYS = range(35, 82)
SECOND = 48  # steps at 120 qpm
SPACING = 3  # seconds from one test tone to the next; releases have died away

needs_fluidsynth = [
    pytest.mark.fluidsynth,
    pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="the program FluidSynth is not installed"),
]


def bands(samples: np.ndarray) -> np.ndarray:
    """Energy in 60 logarithmic bands from 40 Hz to 16 kHz, in decibels below the strongest, floor -60."""
    frames = samples[: len(samples) // 4096 * 4096].reshape(-1, 4096) * np.hanning(4096)
    power = np.square(np.abs(np.fft.rfft(frames))).sum(axis=0)
    edges = np.searchsorted(np.fft.rfftfreq(4096, 1 / RATE), np.geomspace(40, 16000, 61))
    energy = 10 * np.log10(np.array([power[a : max(b, a + 1)].sum() for a, b in itertools.pairwise(edges)]))
    return np.maximum(energy - energy.max(), -60)


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def alike(spectra: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Pairs whose spectra, (sounds, tones, bands), differ by less than `limit` decibels (root mean square)."""
    pairs = []
    for first in range(len(spectra)):
        difference = np.sqrt(np.square(spectra[first] - spectra[first + 1 :]).mean(axis=2)).mean(axis=1)
        pairs += [(first, first + 1 + int(second)) for second in np.flatnonzero(difference < limit)]
    return pairs


def test_all_128_programs_sound_and_no_two_are_alike() -> None:
    font = load_soundfont(str(default_soundfont()))
    spectra, levels = [], []
    for program in range(128):
        notes = [Note(index * SECOND, pitch, SECOND // 2, 100) for index, pitch in enumerate(PITCHES)]
        (part,) = parts_of(Music(tracks=[Track(program, notes=notes)]))
        sound = synthesize_part(part, font, RATE, len(PITCHES) * RATE).mean(axis=0)
        tones = sound.reshape(len(PITCHES), RATE)
        levels.append([decibels(tone[: RATE // 2]) for tone in tones])
        spectra.append([bands(tone[: RATE // 2]) for tone in tones])

    assert np.min(levels) > -66
    # The font holds no program twice; violin, viola and fiddle share their samples and differ in tuning and attack.
    assert alike(np.array(spectra), 1.0) == []


def test_all_47_drums_sound_and_no_two_are_alike() -> None:
    font = load_soundfont(str(default_soundfont()))
    notes = [Note(index * 3 * SECOND, key, SECOND // 2, 100) for index, key in enumerate(DRUM_KEYS)]
    (part,) = parts_of(Music(tracks=[Track(is_drum=True, notes=notes)]))
    hits = synthesize_part(part, font, RATE, len(DRUM_KEYS) * 3 * RATE).mean(axis=0).reshape(-1, 3 * RATE)

    assert min(decibels(hit[:RATE]) for hit in hits) > -66
    assert alike(np.array([[bands(hit[:RATE])] for hit in hits]), 1.0) == []


def by_fluidsynth(music: Music) -> Audio:
    """What FluidSynth plays, dry and as loud as `render`."""
    return from_frames(synthesize(music, gain=0.363, options="-R 0 -C 0"), RATE)


def tones(audio: Audio, count: int) -> list[np.ndarray]:
    """The second around the beginning of each of `count` test tones, which begin at SPACING, 2 · SPACING, …"""
    starts = [(index + 1) * SPACING - 0.05 for index in range(count)]
    return [audio.excerpt(start, start + 1).samples for start in starts]


def onset(samples: np.ndarray) -> float:
    """Seconds until a hundredth of the energy has come, which does not depend on single waves."""
    energy = np.cumsum(np.square(samples, dtype=np.float64).sum(axis=0))
    return float(np.argmax(energy > 0.01 * energy[-1]) / RATE)


def compared(music: Music, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences to FluidSynth of each tone: level of the sum of both sides (decibels), onset (seconds)."""
    ours, theirs = tones(render(music, reverb=0), count), tones(by_fluidsynth(music), count)
    levels = [decibels(a) - decibels(b) for a, b in zip(ours, theirs, strict=True)]
    onsets = [onset(a) - onset(b) for a, b in zip(ours, theirs, strict=True)]
    return np.array(levels), np.array(onsets)


class TestAgainstFluidSynth:
    pytestmark = needs_fluidsynth

    @pytest.mark.parametrize("program", [0, 73, 80])
    def test_velocity_within_1_db_and_5_ms(self, program: int) -> None:
        velocities = [10, 20, 40, 64, 80, 100, 127]
        notes = [Note((i + 1) * SPACING * SECOND, 60, SECOND, velocity) for i, velocity in enumerate(velocities)]

        levels, onsets = compared(Music(tracks=[Track(program, notes=notes, channel=0)]), len(notes))

        assert np.abs(levels).max() < 1
        assert np.abs(onsets).max() < 0.005

    @pytest.mark.parametrize("number", [7, 10, 11])
    def test_controllers_within_1_db(self, number: int) -> None:
        values = [16, 32, 64, 100, 127]
        notes = [Note((i + 1) * SPACING * SECOND, 60, SECOND, 100) for i in range(len(values))]
        controls = [ControlChange((i + 1) * SPACING * SECOND - 12, number, v) for i, v in enumerate(values)]
        music = Music(tracks=[Track(73, notes=notes, control_changes=controls, channel=0)])

        levels, _ = compared(music, len(notes))

        assert np.abs(levels).max() < 1

    def test_the_pedal_within_1_db(self) -> None:
        controls = [ControlChange(0, 64, 127), ControlChange(2 * SECOND, 64, 0)]
        track = Track(0, notes=[Note(0, 60, 12, 100)], control_changes=controls, channel=0)

        ours, theirs = render(Music(tracks=[track]), reverb=0), by_fluidsynth(Music(tracks=[track]))

        for start in (0.0, 0.4, 1.0, 1.9):
            mine, other = (decibels(audio.excerpt(start, start + 0.1).samples) for audio in (ours, theirs))
            assert abs(mine - other) < 1
        assert decibels(ours.excerpt(2.5, 2.8).samples) < decibels(ours.excerpt(1.9, 2.0).samples) - 25

    def test_the_drum_kit_within_1_db_and_5_ms(self) -> None:
        notes = [Note((i + 1) * SPACING * SECOND, key, SECOND // 2, 100) for i, key in enumerate(DRUM_KEYS)]

        levels, onsets = compared(Music(tracks=[Track(is_drum=True, notes=notes, channel=9)]), len(notes))

        assert np.abs(levels).max() < 1
        assert np.abs(onsets).max() < 0.005

    @pytest.mark.slow
    def test_programs_within_half_a_decibel_nearly_everywhere(self) -> None:
        differences = []
        for first in range(0, 128, 8):
            tracks = []
            for index in range(8):
                start = index * len(PITCHES) * SPACING
                notes = [Note((start + (i + 1) * SPACING) * SECOND, p, SECOND, 100) for i, p in enumerate(PITCHES)]
                tracks.append(Track(first + index, notes=notes, channel=index))
            levels, _ = compared(Music(tracks=tracks), 8 * len(PITCHES))
            differences.append(levels)
        levels = np.abs(np.concatenate(differences))
        # FluidSynth is silent where the font has no sample: the baritone saxophone and the whistle on C6.
        levels = levels[levels < 60]

        assert np.median(levels) < 0.15
        assert np.mean(levels < 0.5) > 0.95
