"""Music → `Audio` with a SoundFont: `render`, `render_stems`, and MusPy's `synthesize` and `write_audio`.

The default renderer, "numpy", is our own (`sf2.py`, `performance.py`, `synthesizer.py`, `reverb.py`): it sounds the
same wherever NumPy runs, and knows no limit of sixteen channels. "fluidsynth" runs the program of that name. The
default SoundFont is TimGM6mb, which lies in the wheel of pretty_midi.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from muspy_core.audio import Audio
from muspy_core.errors import RenderError
from muspy_core.music import Music, Track
from muspy_core.rendering.performance import REVERB_SEND, parts_of
from muspy_core.rendering.reverb import DECAY_SECONDS, reverberate
from muspy_core.rendering.sf2 import SoundFont, load_soundfont
from muspy_core.rendering.synthesizer import length_of, synthesize_part

logger = logging.getLogger(__name__)

Renderer = Literal["numpy", "fluidsynth"]
RENDERERS: tuple[Renderer, ...] = ("numpy", "fluidsynth")
MAX_SECONDS = 4 * 3600
_FLUIDSYNTH_TIMEOUT = 1800
_FLUIDSYNTH_RESOLUTION = 960
_FULL_SCALE = 0.98
_FLUIDSYNTH_GAIN = 0.363  # FluidSynth's own gain at which it is as loud as our renderer


def default_soundfont() -> Path:
    """Return the path of the default SoundFont, TimGM6mb.sf2 in the installed pretty_midi package."""
    found = importlib.util.find_spec("pretty_midi")
    path = Path(found.origin).parent / "TimGM6mb.sf2" if found is not None and found.origin else None
    if path is None or not path.is_file():
        raise RenderError(
            "there is no SoundFont: pip install 'muspy-core[render]' brings one, or name a file by `soundfont`"
        )
    return path


def render(
    music: Music | Track,
    *,
    soundfont: str | os.PathLike[str] | None = None,
    renderer: Renderer = "numpy",
    sample_rate: int = 44100,
    gain: float = 1.0,
    reverb: float = 1.0,
) -> Audio:
    """Play music and return the sound.

    Args:
        music: The music; a track alone is played at 120 qpm and 24 steps a quarter note.
        soundfont: A .sf2 or .sf3 file; TimGM6mb by default.
        renderer: "numpy" (default) or "fluidsynth" (the program must be installed).
        sample_rate: Hz.
        gain: Factor of loudness. If the sum would pass full scale, the whole is made softer, and the log says so.
        reverb: Factor of reverberation, 0 for none; each track's share is its controller 91. ("numpy" only.)

    Returns stereo Audio; it ends when the last note has died away. Raises RenderError for a SoundFont or renderer
    that cannot be used.
    """
    _check(renderer, sample_rate)
    music = _as_music(music)
    path = default_soundfont() if soundfont is None else Path(soundfont)
    logger.info("rendering by %s with %s", renderer, path.name)
    if renderer == "fluidsynth":
        return _within_full_scale(_fluidsynth(music, path, sample_rate, gain * _FLUIDSYNTH_GAIN, []))
    return _within_full_scale(_mixed(music, load_soundfont(os.fspath(path)), sample_rate, gain, reverb))


def render_stems(
    music: Music,
    *,
    soundfont: str | os.PathLike[str] | None = None,
    sample_rate: int = 44100,
    gain: float = 1.0,
    reverb: float = 1.0,
) -> dict[str, Audio]:
    """Play each track alone; return the sounds by track name, all equally long and at the loudness of the mix.

    Their sum is what `render` returns. Tracks without a name are called "track 1", …; a name that occurs again gets a
    number.
    """
    _check("numpy", sample_rate)
    font = load_soundfont(os.fspath(default_soundfont() if soundfont is None else soundfont))
    frames = _frames(music, font, sample_rate, reverb)
    sounds: dict[str, Audio] = {}
    for index, track in enumerate(music.tracks):
        name = track.name or f"track {index + 1}"
        name = name if name not in sounds else f"{name} ({index + 1})"
        sounds[name] = _mixed(music, font, sample_rate, gain, reverb, frames=frames, only=index)
    if not sounds:
        return {}
    peak = Audio.mix(sounds.values()).peak
    return {name: sound.scale(_FULL_SCALE / peak) for name, sound in sounds.items()} if peak > 1 else sounds


def synthesize(
    music: Music | Track,
    soundfont_path: str | os.PathLike[str] | None = None,
    rate: int = 44100,
    gain: float | None = 1,
    options: str | None = None,
) -> NDArray[np.int16]:
    """Play music and return 16-bit samples, (frames, 2); MusPy's function.

    soundfont_path: a .sf2 or .sf3 file; TimGM6mb by default. rate: Hz. gain: factor of loudness, None for 1. options:
    further arguments of FluidSynth, which is then the renderer.
    """
    return _synthesize(music, soundfont_path, rate, gain, options).to_int16()


def write_audio(
    path: str | os.PathLike[str],
    music: Music | Track,
    audio_format: str = "auto",
    soundfont_path: str | os.PathLike[str] | None = None,
    rate: int = 44100,
    gain: float | None = 1,
    options: str | None = None,
) -> None:
    """Play music into a file; MusPy's function.

    audio_format: "auto" (by the extension), "wav", "flac", "mp3", "ogg", "aiff" or "raw". The other arguments are those
    of `synthesize`.
    """
    audio = _synthesize(music, soundfont_path, rate, gain, options)
    audio.write(path, format=None if audio_format == "auto" else audio_format)


def _synthesize(
    music: Music | Track,
    soundfont: str | os.PathLike[str] | None,
    sample_rate: int,
    gain: float | None,
    options: str | None,
) -> Audio:
    gain = 1.0 if gain is None else gain
    if options is None:
        return render(music, soundfont=soundfont, sample_rate=sample_rate, gain=gain)
    path = default_soundfont() if soundfont is None else Path(soundfont)
    return _fluidsynth(_as_music(music), path, sample_rate, gain, options.split())


# --- our renderer --------------------------------------------------------------------------------------------------


def _frames(music: Music, font: SoundFont, sample_rate: int, reverb: float) -> int:
    seconds = max((length_of(part, font) for part in parts_of(music)), default=0.0)
    seconds += DECAY_SECONDS / 2 if reverb and seconds else 0.0
    if seconds > MAX_SECONDS:
        raise RenderError(f"the music lasts {seconds / 3600:.1f} hours; the limit is {MAX_SECONDS // 3600} hours")
    return int(np.ceil(seconds * sample_rate))


def _mixed(
    music: Music,
    font: SoundFont,
    sample_rate: int,
    gain: float,
    reverb: float,
    *,
    frames: int | None = None,
    only: int | None = None,
) -> Audio:
    """Add the parts (or one of them) and their reverberation."""
    frames = _frames(music, font, sample_rate, reverb) if frames is None else frames
    mix, sent = np.zeros((2, frames), np.float32), np.zeros((2, frames), np.float32)
    for index, part in enumerate(parts_of(music)):
        if len(part.onsets) and only in (None, index):
            sound = synthesize_part(part, font, sample_rate, frames)
            mix += sound
            send = part.controls[REVERB_SEND]
            share = float(send.at(part.onsets[0])) / 127 * reverb
            if share:
                sent += sound * np.float32(share)
    if sent.any():
        mix += reverberate(sent, sample_rate)
    return Audio(mix * np.float32(gain), sample_rate)


def _within_full_scale(audio: Audio) -> Audio:
    if audio.peak <= 1:
        return audio
    logger.info("peak %.2f: made softer by %.1f dB to stay within full scale", audio.peak, 20 * np.log10(audio.peak))
    return audio.scale(_FULL_SCALE / audio.peak)


# --- the FluidSynth program ----------------------------------------------------------------------------------------


def _fluidsynth(music: Music, soundfont: Path, sample_rate: int, gain: float, options: list[str]) -> Audio:
    from muspy_core.io.midi import midi_bytes

    program = shutil.which("fluidsynth")
    if program is None:
        raise RenderError('renderer="fluidsynth" needs the FluidSynth program, which is not on the PATH')
    if not soundfont.is_file():
        raise FileNotFoundError(2, "no such SoundFont", str(soundfont))
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "music.mid"), Path(folder, "music.wav")
        score.write_bytes(midi_bytes(_finely_timed(music)))
        command = [program, "-ni", "-q", "-g", str(gain), "-r", str(sample_rate), "-F", str(sound), "-O", "float"]
        command += ["-T", "wav", *options, str(soundfont), str(score)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FLUIDSYNTH_TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            raise RenderError(f"FluidSynth did not finish within {_FLUIDSYNTH_TIMEOUT} s") from None
        if done.returncode or not sound.is_file():
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise RenderError(f"FluidSynth failed: {reason[0]}")
        return Audio.read(sound)


def _finely_timed(music: Music) -> Music:
    """Raise a coarse resolution: FluidSynth plays up to half a step early."""
    factor = -(-_FLUIDSYNTH_RESOLUTION // music.resolution)
    return music.deepcopy().adjust_resolution(music.resolution * factor) if factor > 1 else music


def _check(renderer: str, sample_rate: int) -> None:
    if renderer not in RENDERERS:
        raise RenderError(f"renderer must be one of {', '.join(RENDERERS)}, got {renderer!r}")
    if not 4000 <= sample_rate <= 192000:
        raise RenderError(f"the sample rate must be 4000-192000 Hz, got {sample_rate}")


def _as_music(music: Music | Track) -> Music:
    return Music(tracks=[music]) if isinstance(music, Track) else music
