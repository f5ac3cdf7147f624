"""Audio: arrays and files, and what keeps its promise to packages that exchange sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import Audio, AudioClip, AudioError

pytest.importorskip("soundfile", reason="soundfile comes with the extra [render]")

RATE = 22050


def tone(seconds: float = 1.0, hertz: float = 440.0, channels: int = 2, rate: int = RATE) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return Audio(np.repeat(wave[None], channels, axis=0), rate)


def decibels(audio: Audio) -> float:
    return 20 * float(np.log10(audio.rms))


def test_samples_are_channels_by_frames_in_float32() -> None:
    audio = Audio(np.zeros(10), 8000)

    assert audio.samples.shape == (1, 10)
    assert audio.samples.dtype == np.float32
    assert (audio.channels, audio.frames, audio.duration) == (1, 10, 10 / 8000)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([-32768, 0, 16384], np.int16), [-1.0, 0.0, 0.5]),
        (np.array([0, 128, 192], np.uint8), [-1.0, 0.0, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1.0, 0.5]),
    ],
)
def test_integers_are_scaled_to_full_scale(values: np.ndarray, expected: list[float]) -> None:
    assert Audio(values, 8000).samples.tolist() == [expected]


@pytest.mark.parametrize(
    ("samples", "rate", "reason"),
    [
        (np.zeros((2, 3, 4)), 8000, "shape"),
        (np.zeros((1000, 2)), 8000, r"not \(frames, channels\)"),
        (np.array([0.0, np.nan]), 8000, "not finite"),
        (np.zeros(4), 0, "at least 1 Hz"),
    ],
)
def test_what_is_no_sound_is_refused(samples: np.ndarray, rate: int, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        Audio(samples, rate)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff"])
def test_lossless_files_come_back_within_16_bits(tmp_path: Path, name: str) -> None:
    audio = tone()

    audio.write(tmp_path / name)

    back = Audio.read(tmp_path / name)
    assert back.sample_rate == RATE
    np.testing.assert_allclose(back.samples, audio.samples, atol=1 / 32768)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg"])
def test_lossy_files_keep_length_and_level(tmp_path: Path, name: str) -> None:
    audio = tone(3.0)

    audio.write(tmp_path / name)

    back = Audio.read(tmp_path / name)
    assert back.duration == pytest.approx(3.0, abs=0.1)
    assert decibels(back) == pytest.approx(decibels(audio), abs=1.0)


def test_a_long_ogg_file_is_written(tmp_path: Path) -> None:
    audio = tone(120.0)

    audio.write(tmp_path / "long.ogg")

    assert Audio.read(tmp_path / "long.ogg").duration == pytest.approx(120.0, abs=0.1)


def test_a_part_of_a_file_is_read(tmp_path: Path) -> None:
    audio = tone(2.0)
    audio.write(tmp_path / "a.wav")

    part = Audio.read(tmp_path / "a.wav", start_s=0.5, end_s=1.25)

    assert part.duration == pytest.approx(0.75, abs=1 / RATE)
    np.testing.assert_allclose(part.samples, audio.excerpt(0.5, 1.25).samples, atol=1 / 32768)
    assert Audio.read(tmp_path / "a.wav", start_s=5).frames == 0


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound here" * 50, bytes(5000)])
@pytest.mark.parametrize("name", ["bad.wav", "bad.mp3", "bad.flac"])
def test_a_file_without_sound_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(AudioError, match=name):
        Audio.read(tmp_path / name)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Audio.read(tmp_path / "none.wav")


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg"])
def test_no_sound_is_not_written_as_an_empty_file(tmp_path: Path, name: str) -> None:
    silent = Audio(np.zeros((2, 0)), RATE)

    with pytest.raises(AudioError, match="no sound"):
        silent.write(tmp_path / name)

    assert list(tmp_path.iterdir()) == []
    silent.write(tmp_path / "a.wav")
    assert Audio.read(tmp_path / "a.wav").frames == 0


def test_an_unknown_extension_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"\.xyz"):
        tone().write(tmp_path / "a.xyz")

    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"precious")

    with pytest.raises(FileExistsError):
        tone().write(path, overwrite=False)

    assert path.read_bytes() == b"precious"


def test_a_rate_that_a_format_cannot_hold_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="MP3"):
        tone(rate=12345).write(tmp_path / "a.mp3")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_resampling_keeps_pitch_length_and_level(rate: int) -> None:
    pytest.importorskip("soxr", reason="soxr comes with the extra [render]")
    audio = tone(1.0, 1000.0)

    resampled = audio.resample(rate)

    assert resampled.sample_rate == rate
    assert resampled.duration == pytest.approx(1.0, abs=1e-3)
    middle = resampled.excerpt(0.1, 0.9)
    assert decibels(middle) == pytest.approx(decibels(audio), abs=0.05)
    assert np.abs(np.fft.rfft(middle.samples[0])).argmax() / 0.8 == pytest.approx(1000, abs=2)


def test_channels_are_mixed_and_doubled() -> None:
    stereo = Audio(np.array([[1.0, 0.0], [0.0, 0.5]]), 8000)

    assert stereo.to_mono().samples.tolist() == [[0.5, 0.25]]
    assert stereo.to_mono().to_stereo().samples.tolist() == [[0.5, 0.25], [0.5, 0.25]]


def test_mixing_adds_and_pads() -> None:
    long, short = Audio(np.ones((1, 4)), 8000), Audio(np.full((1, 2), 0.5), 8000)

    assert Audio.mix([long, short]).samples.tolist() == [[1.5, 1.5, 1.0, 1.0]]


def test_sounds_of_different_kinds_are_not_mixed() -> None:
    with pytest.raises(AudioError, match="sample rate"):
        Audio.mix([tone(rate=8000), tone(rate=16000)])
    with pytest.raises(AudioError, match="nothing"):
        Audio.mix([])


@given(st.floats(-60, 0), st.floats(0.001, 2))
def test_levels_are_set_exactly(target: float, scale: float) -> None:
    audio = tone(0.2).scale(scale)

    assert 20 * np.log10(audio.normalize_peak(target).peak) == pytest.approx(target, abs=1e-3)
    assert decibels(audio.normalize_rms(target)) == pytest.approx(target, abs=1e-3)


def test_silence_stays_silence() -> None:
    silent = Audio(np.zeros((2, 100)), 8000)

    assert silent.normalize_peak() == silent
    assert silent.normalize_rms() == silent


@given(st.floats(0, 2), st.floats(0, 2))
def test_an_excerpt_has_the_length_between_its_times(first: float, second: float) -> None:
    start, end = sorted((first, second))

    part = tone(2.0).excerpt(start, end)

    assert part.duration == pytest.approx(end - start, abs=1.5 / RATE)


def test_16_bit_samples_are_clipped_at_full_scale() -> None:
    assert Audio(np.array([[2.0, -2.0, 0.5]]), 8000).to_int16().tolist() == [[32767], [-32768], [16384]]


def test_a_clip_knows_where_it_is_from(tmp_path: Path) -> None:
    tone(3.0).write(tmp_path / "a.wav")

    clip = AudioClip.read(tmp_path / "a.wav", "tone", 1.0, 2.5)

    assert (clip.label, clip.start_s, clip.end_s) == ("tone", 1.0, 2.5)
    assert clip.source == str(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="before"):
        AudioClip(tone(), start_s=2.0, end_s=1.0)


def test_notebooks_get_a_player() -> None:
    assert tone(0.1)._repr_html_().startswith('<audio controls src="data:audio/mpeg;base64,')
    assert "&lt;b&gt;" in AudioClip(tone(0.1), "<b>")._repr_html_()
    assert "<audio" not in tone(601.0, rate=100)._repr_html_()
