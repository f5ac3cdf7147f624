"""The renderer against the SoundFont specification: a known tone, and what must happen to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from muspy_core import Chord, ControlChange, Music, Note, PitchBend, RenderError, Tempo, Track
from muspy_core.audio import Audio
from muspy_core.rendering import render, render_stems
from muspy_core.rendering.performance import parts_of
from muspy_core.rendering.sf2 import SoundFont
from tiny_soundfont import RATE, ROOT, sine, tiny_soundfont

STEPS_A_SECOND = 48  # 120 qpm, 24 steps a quarter note


@pytest.fixture
def font(tmp_path: Path) -> Path:
    """A steady tone at 441 Hz on A4, without reverberation of its own, that ends 16 ms after its note."""
    return save(tmp_path, tiny_soundfont())


def save(folder: Path, data: bytes) -> Path:
    path = folder / "tone.sf2"
    path.write_bytes(data)
    return path


def play(font: Path, *notes: Note, **fields: object) -> Audio:
    return render(Music(tracks=[Track(notes=list(notes), **fields)]), soundfont=font, reverb=0)


def note(start_s: float, seconds: float, pitch: int = ROOT, velocity: int = 100) -> Note:
    return Note(round(start_s * STEPS_A_SECOND), pitch, round(seconds * STEPS_A_SECOND), velocity)


def level(audio: Audio, start_s: float, end_s: float) -> float:
    """Root mean square of both channels in decibels."""
    return 20 * np.log10(max(audio.excerpt(start_s, end_s).rms, 1e-9))


def frequency(audio: Audio, start_s: float, end_s: float) -> float:
    """The strongest frequency, by a parabola through the peak of the spectrum."""
    samples = audio.excerpt(start_s, end_s).to_mono().samples[0]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    peak = int(spectrum.argmax())
    below, at, above = np.log(spectrum[peak - 1 : peak + 2])
    return float((peak + 0.5 * (below - above) / (below - 2 * at + above)) * audio.sample_rate / (1 << 18))


def cents(first: float, second: float) -> float:
    return 1200 * float(np.log2(first / second))


@pytest.mark.parametrize("pitch", [45, 57, 69, 76, 81, 93])
def test_pitch_follows_the_key(font: Path, pitch: int) -> None:
    audio = play(font, note(0, 1, pitch))

    assert abs(cents(frequency(audio, 0.1, 0.9), 441 * 2 ** ((pitch - ROOT) / 12))) < 0.5


@pytest.mark.parametrize("sample_rate", [16000, 22050, 48000])
def test_pitch_does_not_depend_on_the_sample_rate(font: Path, sample_rate: int) -> None:
    music = Music(tracks=[Track(notes=[note(0, 1)])])

    audio = render(music, soundfont=font, sample_rate=sample_rate, reverb=0)

    assert audio.sample_rate == sample_rate
    assert abs(cents(frequency(audio, 0.1, 0.9), 441)) < 0.5


@pytest.mark.parametrize("velocity", [1, 20, 64, 90, 127])
def test_amplitude_is_the_square_of_velocity(font: Path, velocity: int) -> None:
    loud = level(play(font, note(0, 1, velocity=127)), 0.1, 0.9)

    soft = level(play(font, note(0, 1, velocity=velocity)), 0.1, 0.9)

    assert soft - loud == pytest.approx(40 * np.log10(velocity / 127), abs=0.05)


@pytest.mark.parametrize("number", [7, 11])
def test_volume_and_expression_are_squared_and_take_effect_at_once(font: Path, number: int) -> None:
    track = Track(notes=[note(0, 2)], control_changes=[ControlChange(0, number, 127), ControlChange(48, number, 32)])

    audio = render(Music(tracks=[track]), soundfont=font, reverb=0)

    assert level(audio, 1.1, 1.9) - level(audio, 0.1, 0.9) == pytest.approx(40 * np.log10(32 / 127), abs=0.05)
    assert level(audio, 0.9, 0.99) == pytest.approx(level(audio, 0.1, 0.9), abs=0.1)


@pytest.mark.parametrize(("value", "difference"), [(32, 7.66), (64, 0.0), (96, -7.66)])
def test_pan_keeps_the_power(font: Path, value: int, difference: float) -> None:
    centre = level(play(font, note(0, 1)), 0.1, 0.9)

    audio = play(font, note(0, 1), control_changes=[ControlChange(0, 10, value)])

    left, right = (level(Audio(channel, RATE), 0.1, 0.9) for channel in audio.samples)
    assert left - right == pytest.approx(difference, abs=0.05)
    assert level(audio, 0.1, 0.9) == pytest.approx(centre, abs=0.05)


@pytest.mark.parametrize(("wheel", "semitones"), [(8191, 2), (-8192, -2), (4096, 1), (0, 0)])
def test_the_wheel_bends_by_two_semitones(font: Path, wheel: int, semitones: int) -> None:
    audio = play(font, note(0.5, 1), pitch_bends=[PitchBend(6, wheel)])

    assert abs(cents(frequency(audio, 0.6, 1.4), 441) - 100 * semitones) < 0.5


def test_registered_parameter_0_sets_the_range_of_the_wheel(font: Path) -> None:
    controls = [ControlChange(0, 101, 0), ControlChange(0, 100, 0), ControlChange(0, 6, 12)]

    audio = play(font, note(0.5, 1), control_changes=controls, pitch_bends=[PitchBend(6, -8192)])

    assert abs(cents(frequency(audio, 0.6, 1.4), 441) + 1200) < 0.5


def test_another_registered_parameter_leaves_the_range_alone(font: Path) -> None:
    controls = [ControlChange(0, 101, 0), ControlChange(0, 100, 1), ControlChange(0, 6, 12)]

    audio = play(font, note(0.5, 1), control_changes=controls, pitch_bends=[PitchBend(6, 8191)])

    assert abs(cents(frequency(audio, 0.6, 1.4), 441) - 200) < 0.5


def test_a_bend_inside_a_note_moves_it(font: Path) -> None:
    audio = play(font, note(0, 2), pitch_bends=[PitchBend(48, 8191)])

    assert abs(cents(frequency(audio, 0.1, 0.9), 441)) < 0.5
    assert abs(cents(frequency(audio, 1.1, 1.9), 441) - 200) < 0.5


def test_the_pedal_holds_notes_until_it_is_lifted(font: Path) -> None:
    pedal = [ControlChange(0, 64, 127), ControlChange(96, 64, 0)]

    held, plain = play(font, note(0, 0.5), control_changes=pedal), play(font, note(0, 0.5))

    assert level(held, 1.5, 1.9) == pytest.approx(level(plain, 0.1, 0.4), abs=0.1)
    assert plain.duration < 0.7
    assert held.duration == pytest.approx(plain.duration + 1.5, abs=0.01)


def test_a_key_struck_again_ends_the_note_that_the_pedal_holds(font: Path) -> None:
    pedal = [ControlChange(0, 64, 127)]

    audio = play(font, note(0, 0.25, velocity=127), note(1, 1, velocity=20), control_changes=pedal)

    assert level(audio, 1.2, 1.9) - level(audio, 0.1, 0.9) == pytest.approx(40 * np.log10(20 / 127), abs=0.1)


def test_tempo_changes_place_onsets_to_the_sample(font: Path) -> None:
    music = Music(tempos=[Tempo(0, 120), Tempo(48, 60)], tracks=[Track(notes=[Note(72, ROOT, 24, 100)])])

    audio = render(music, soundfont=font, reverb=0)

    assert np.flatnonzero(np.abs(audio.samples[0]) > 1e-4)[0] / RATE == pytest.approx(2.0, abs=0.002)


def test_a_sample_without_a_loop_ends(tmp_path: Path) -> None:
    font = save(tmp_path, tiny_soundfont(samples=sine(100), loop=None))

    audio = play(font, note(0, 1))

    assert level(audio, 0.02, 0.2) > -40
    assert level(audio, 0.25, 0.9) < -90


def test_envelope_times_are_those_of_the_generators(tmp_path: Path) -> None:
    # Attack 0.5 s, decay to -24 dB at the rate of 96 dB in 2 s, release of 96 dB in 1 s.
    font = save(tmp_path, tiny_soundfont({34: -1200, 36: 1200, 37: 240, 38: 0}))

    audio = play(font, note(0, 2, velocity=127))

    top = level(audio, 0.495, 0.505)
    assert level(audio, 0.245, 0.255) - top == pytest.approx(-6.0, abs=0.3)
    assert level(audio, 0.745, 0.755) - top == pytest.approx(-12.0, abs=0.4)
    assert level(audio, 1.4, 1.9) - top == pytest.approx(-24.0, abs=0.3)
    assert level(audio, 2.245, 2.255) - top == pytest.approx(-48.0, abs=0.5)


def test_the_filter_dims_what_lies_above_its_cutoff(tmp_path: Path) -> None:
    low = save(tmp_path, tiny_soundfont({8: 6900}))  # 440 Hz

    at_cutoff, above = play(low, note(0, 1, 69)), play(low, note(0, 1, 93))

    assert level(above, 0.2, 0.8) - level(at_cutoff, 0.2, 0.8) == pytest.approx(-21, abs=1.5)


def test_an_exclusive_class_cuts_off_its_members(tmp_path: Path) -> None:
    font = save(tmp_path, tiny_soundfont({57: 1, 38: 1200}, presets=((128, 0),)))

    audio = play(font, note(0, 0.25, 69, 127), note(0.5, 0.25, 57, 1), is_drum=True)

    assert level(audio, 0.3, 0.45) > -40
    assert level(audio, 0.55, 0.7) < -60


def test_chords_and_notes_sound_alike(font: Path) -> None:
    notes = Track(notes=[Note(0, 60, 24, 80), Note(0, 67, 24, 80)])
    chord = Track(chords=[Chord(0, [60, 67], 24, 80)])

    first, second = (render(Music(tracks=[track]), soundfont=font) for track in (notes, chord))

    assert first == second


def test_cue_notes_are_silent_and_grace_notes_come_before_the_beat(font: Path) -> None:
    cue = Note(0, 60, 24, 100, cue=True)
    grace = Note(48, 72, 12, 100, grace="acciaccatura")

    (part,) = parts_of(Music(tracks=[Track(notes=[cue, grace, Note(48, 71, 24, 100)])]))

    assert part.keys.tolist() == [72, 71]
    assert part.onsets.tolist() == pytest.approx([0.93, 1.0])
    assert part.releases.tolist() == pytest.approx([1.0, 1.5])


def test_tracks_of_one_channel_share_its_controllers(font: Path) -> None:
    first = Track(notes=[note(0, 1)], channel=3, control_changes=[ControlChange(0, 7, 127)])
    second = Track(notes=[note(1, 1)], channel=3)

    audio = render(Music(tracks=[first, second]), soundfont=font, reverb=0)

    assert level(audio, 1.1, 1.9) == pytest.approx(level(audio, 0.1, 0.9), abs=0.05)


def test_more_than_sixteen_tracks_all_sound(font: Path) -> None:
    tracks = [Track(notes=[note(index * 0.25, 0.25, 50 + index)]) for index in range(24)]

    audio = render(Music(tracks=tracks), soundfont=font, reverb=0)

    for index in range(24):
        start = index * 0.25
        found = frequency(audio, start + 0.03, start + 0.24)
        assert abs(cents(found, 441 * 2 ** ((50 + index - ROOT) / 12))) < 10


def test_stems_add_up_to_the_mix(font: Path) -> None:
    music = Music(
        tracks=[Track(name="a", notes=[note(0, 1, 60)]), Track(name="a", notes=[note(0.5, 1, 67)]), Track(notes=[])]
    )

    stems = render_stems(music, soundfont=font)

    assert list(stems) == ["a", "a (2)", "track 3"]
    mixed = Audio.mix(stems.values()).samples
    np.testing.assert_allclose(mixed, render(music, soundfont=font).samples, atol=1e-5)


def test_the_same_music_gives_the_same_samples(font: Path) -> None:
    music = Music(tracks=[Track(notes=[note(0, 1), note(0.3, 0.5, 60)])])

    assert render(music, soundfont=font) == render(music, soundfont=font)


def test_too_loud_a_mix_is_scaled_and_not_clipped(font: Path) -> None:
    music = Music(tracks=[Track(notes=[note(0, 1, 69, 127)]) for _ in range(20)])

    audio = render(music, soundfont=font, reverb=0)

    assert audio.peak <= 1
    assert abs(cents(frequency(audio, 0.1, 0.9), 441)) < 0.5
    spectrum = np.abs(np.fft.rfft(audio.excerpt(0.1, 0.9).samples[0] * np.hanning(round(0.8 * RATE))))
    assert spectrum[round(3 * 441 * 0.8)] < spectrum.max() / 1000


def test_silence_is_no_error(font: Path) -> None:
    assert render(Music(), soundfont=font).frames == 0
    assert render(Music(tracks=[Track()]), soundfont=font).frames == 0


def test_a_bank_that_is_missing_falls_back_to_general_midi(tmp_path: Path) -> None:
    font = SoundFont(save(tmp_path, tiny_soundfont(presets=((0, 5), (128, 0)))))

    assert len(font.preset(8, 5)) == 1
    assert len(font.preset(128, 40)) == 1
    assert len(font.preset(0, 77)) == 1


@pytest.mark.parametrize("data", [b"", b"RIFF", b"not a font at all" * 9, tiny_soundfont()[:300]])
def test_what_is_no_soundfont_is_said(tmp_path: Path, data: bytes) -> None:
    path = save(tmp_path, data)

    with pytest.raises(RenderError, match=r"tone\.sf2"):
        render(Music(tracks=[Track(notes=[note(0, 1)])]), soundfont=path)


def test_a_damaged_soundfont_never_crashes(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    whole = tiny_soundfont({8: 6900, 11: 2400, 5: 30, 34: -2000})
    music = Music(tracks=[Track(notes=[note(0, 0.1), note(0.1, 0.1, 30), note(0.1, 0.1, 110)])])
    tried = 0
    for number in range(150):
        data = bytearray(whole[: len(whole) if number % 3 else int(rng.integers(20, len(whole)))])
        places = rng.integers(len(data) - 700 if len(data) > 800 else 12, len(data), 8)
        for place in places:
            data[place] = rng.integers(256)
        path = tmp_path / f"{number}.sf2"
        path.write_bytes(data)
        try:
            render(music, soundfont=path, sample_rate=8000)
        except RenderError:
            pass
        tried += 1
    assert tried == 150
