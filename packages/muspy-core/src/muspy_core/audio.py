"""Sound: `Audio` (samples and their rate) and `AudioClip` (a labelled piece of it), with files, resampling and levels.

These two types are what packages hand each other when they exchange sound. Shapes: samples are (channels, frames),
float32, full scale ±1.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from muspy_core.errors import AudioError
from muspy_core.io.files import write_atomically

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".aiff": ("AIFF", "PCM_16"),
    ".aif": ("AIFF", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".raw": ("RAW", "PCM_16"),
}
_HOLD_NOTHING = ("WAV", "AIFF", "RAW")  # formats in which an empty file is a valid one
_UNCOMPRESSED = ("PCM_16",)
_MEDIA_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
_PLAYER_SECONDS = 600  # longer sound is not put into a notebook


@dataclasses.dataclass(frozen=True, eq=False)
class Audio:
    """Sound as an array.

    samples: (channels, frames) float32, full scale ±1; a one-dimensional array becomes one channel, integers are scaled
    to full scale. sample_rate: Hz.

    Raises AudioError for an array of another shape, for values that are not finite, and for a rate below 1.
    """

    samples: NDArray[np.float32]
    sample_rate: int

    def __post_init__(self) -> None:
        samples = np.atleast_2d(_as_float32(self.samples))
        if samples.ndim != 2 or not samples.shape[0]:
            raise AudioError(f"samples must be (channels, frames), got an array of shape {samples.shape}")
        if samples.shape[0] > 64:
            raise AudioError(f"{samples.shape[0]} channels; samples are (channels, frames), not (frames, channels)")
        if int(self.sample_rate) < 1:
            raise AudioError(f"the sample rate must be at least 1 Hz, got {self.sample_rate}")
        if not np.isfinite(samples).all():
            raise AudioError("the samples hold values that are not finite")
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sample_rate", int(self.sample_rate))

    def __repr__(self) -> str:
        return f"Audio(channels={self.channels}, duration={self.duration:.3f}, sample_rate={self.sample_rate})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Audio):
            return NotImplemented
        return self.sample_rate == other.sample_rate and np.array_equal(self.samples, other.samples)

    __hash__ = None  # type: ignore[assignment]  # arrays can change, so equal sound has no lasting hash

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Number of samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    @property
    def peak(self) -> float:
        """The largest absolute value; 0 when empty."""
        return float(np.abs(self.samples).max(initial=0.0))

    @property
    def rms(self) -> float:
        """Root mean square over all channels; 0 when empty."""
        return float(np.sqrt(np.mean(np.square(self.samples, dtype=np.float64)))) if self.frames else 0.0

    # --- files -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, start_s: float = 0.0, end_s: float | None = None) -> Audio:
        """Read a WAV, FLAC, AIFF, Ogg or MP3 file, or the part of it between two times in seconds.

        Raises AudioError naming the file if it holds no sound that can be decoded, OSError if it cannot be opened.
        """
        soundfile = _soundfile()
        with open(path, "rb") as stream:
            try:
                with soundfile.SoundFile(stream) as file:
                    first = round(max(start_s, 0.0) * file.samplerate)
                    last = file.frames if end_s is None else min(round(end_s * file.samplerate), file.frames)
                    if first:
                        file.seek(min(first, file.frames))
                    samples = file.read(max(last - first, 0), dtype="float32", always_2d=True)
                    return cls(samples.T, file.samplerate)
            except soundfile.LibsndfileError as error:
                raise AudioError(f"{Path(path).name}: no readable sound: {error.error_string.rstrip('.')}") from None
            except AudioError as error:
                raise AudioError(f"{Path(path).name}: {error}") from None

    def write(self, path: str | os.PathLike[str], *, format: str | None = None, overwrite: bool = True) -> None:
        """Write a file; the extension, or `format` ("wav", "mp3", …), decides how.

        Values beyond full scale are clipped by the integer formats. Raises AudioError for an unknown format,
        FileExistsError if the file exists and `overwrite` is false. A failed write leaves nothing behind.
        """
        kind = _kind(Path(path).name, format)
        with write_atomically(path, overwrite) as temporary:
            self._encode(temporary, kind)

    def encode(self, format: str = "mp3", *, compression: float | None = None) -> bytes:
        """Return the bytes of a file in a format ("mp3", "wav", "flac", "ogg").

        compression: 0 (best sound) to 1 (smallest) for compressed formats; None: what the encoder thinks best.
        """
        buffer = io.BytesIO()
        self._encode(buffer, _kind("", format), compression)
        return buffer.getvalue()

    def _encode(self, target: Any, kind: tuple[str, str], compression: float | None = None) -> None:
        soundfile = _soundfile()
        rate = self.sample_rate
        if not self.frames and kind[0] not in _HOLD_NOTHING:
            raise AudioError(f"there is no sound to write; a {kind[0]} file cannot be empty")
        settings: dict[str, Any] = {"format": kind[0], "subtype": kind[1]}
        if compression is not None and kind[1] not in _UNCOMPRESSED:
            settings["compression_level"] = compression
        try:
            with soundfile.SoundFile(target, "w", rate, self.channels, **settings) as file:
                # In blocks of a second: encoders of compressed formats overflow their stack on one long array.
                for first in range(0, self.frames, rate):
                    file.write(self.samples[:, first : first + rate].T)
        except soundfile.LibsndfileError as error:
            what = f"{kind[0]} at {rate} Hz with {self.channels} channels"
            raise AudioError(f"cannot write {what}: {_reason(error)}") from None

    def to_data_uri(self, format: str = "mp3", *, compression: float | None = 0.7) -> str:
        """Return the sound as a `data:` address that browsers play; compression as in `encode`."""
        media = _MEDIA_TYPES.get(f".{format}", "application/octet-stream")
        return f"data:{media};base64,{base64.b64encode(self.encode(format, compression=compression)).decode('ascii')}"

    # --- changes: each returns new Audio ---------------------------------------------------------------------------

    def resample(self, sample_rate: int) -> Audio:
        """Return the sound at another sample rate (soxr, high quality)."""
        if sample_rate == self.sample_rate:
            return self
        if sample_rate < 1:
            raise AudioError(f"the sample rate must be at least 1 Hz, got {sample_rate}")
        soxr = _import("soxr", "resampling")
        return Audio(soxr.resample(self.samples.T, self.sample_rate, sample_rate).T, sample_rate)

    def to_mono(self) -> Audio:
        """Return the mean of the channels."""
        return self if self.channels == 1 else Audio(self.samples.mean(axis=0), self.sample_rate)

    def to_stereo(self) -> Audio:
        """Return two channels: a single one is doubled; of more than two the mean is taken first."""
        if self.channels == 2:
            return self
        return Audio(np.repeat(self.to_mono().samples, 2, axis=0), self.sample_rate)

    def excerpt(self, start_s: float, end_s: float | None = None) -> Audio:
        """Return the part between two times in seconds; times outside are moved to the start or end."""
        if end_s is not None and end_s < start_s:
            raise AudioError(f"the excerpt ends ({end_s} s) before it starts ({start_s} s)")
        first = max(round(start_s * self.sample_rate), 0)
        last = self.frames if end_s is None else max(round(end_s * self.sample_rate), 0)
        return Audio(self.samples[:, first:last], self.sample_rate)

    def window(self, first: int, frames: int) -> Audio:
        """Return `frames` samples from sample `first` on; where the window passes the ends there is silence.

        first: may be negative. A window of a fixed length is what batches for training are made of.
        """
        if frames < 0:
            raise AudioError(f"a window has at least 0 samples, got {frames}")
        samples = np.zeros((self.channels, frames), np.float32)
        start, stop = max(first, 0), min(first + frames, self.frames)
        if start < stop:
            samples[:, start - first : stop - first] = self.samples[:, start:stop]
        return Audio(samples, self.sample_rate)

    def tile(self, frames: int) -> Audio:
        """Return the sound repeated, and cut, to `frames` samples. Raises AudioError if there is nothing to repeat."""
        if not self.frames:
            raise AudioError("there is no sound to repeat")
        return Audio(np.tile(self.samples, -(-max(frames, 0) // self.frames))[:, :frames], self.sample_rate)

    def scale(self, gain: float) -> Audio:
        """Return the sound multiplied by a factor."""
        return Audio(self.samples * np.float32(gain), self.sample_rate)

    def normalize_peak(self, decibels: float = -1.0) -> Audio:
        """Return the sound with its largest value at `decibels` relative to full scale; silence stays silence."""
        return self.scale(10 ** (decibels / 20) / self.peak) if self.peak else self

    def normalize_rms(self, decibels: float = -20.0) -> Audio:
        """Return the sound with its root mean square at `decibels` relative to full scale; it may pass full scale."""
        return self.scale(10 ** (decibels / 20) / self.rms) if self.rms else self

    def to_int16(self) -> NDArray[np.int16]:
        """Return (frames, channels) 16-bit integers, clipped at full scale."""
        scaled: NDArray[np.float32] = np.clip(np.round(self.samples.T * 32768), -32768, 32767)
        return scaled.astype(np.int16)

    @staticmethod
    def mix(sounds: Iterable[Audio]) -> Audio:
        """Return the sum of sounds; shorter ones are followed by silence.

        Raises AudioError without any sound, or if they differ in sample rate or number of channels.
        """
        sounds = list(sounds)
        kinds = {(sound.channels, sound.sample_rate) for sound in sounds}
        if len(kinds) != 1:
            found = ", ".join(f"{channels} × {rate} Hz" for channels, rate in sorted(kinds)) or "nothing"
            raise AudioError(f"only sounds with equal channels and sample rate can be mixed, got {found}")
        ((channels, rate),) = kinds
        total = np.zeros((channels, max(sound.frames for sound in sounds)), np.float32)
        for sound in sounds:
            total[:, : sound.frames] += sound.samples
        return Audio(total, rate)

    def _repr_html_(self) -> str:
        """A player for notebooks."""
        if self.duration > _PLAYER_SECONDS:
            return f"<code>{self!r}</code>"
        return f'<audio controls src="{self.scale(min(1.0, 1 / max(self.peak, 1e-9))).to_data_uri()}"></audio>'


@dataclasses.dataclass(frozen=True)
class AudioClip:
    """A piece of sound and what is known about it.

    audio: the sound. label: what is heard ("violin"), or None. source: file or address it comes from. start_s, end_s:
    its place in the source in seconds; end_s is filled in from the sound if it is None.
    """

    audio: Audio
    label: str | None = None
    source: str | None = None
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if self.end_s is None:
            object.__setattr__(self, "end_s", self.start_s + self.audio.duration)
        elif self.end_s < self.start_s:
            raise AudioError(f"the clip ends ({self.end_s} s) before it starts ({self.start_s} s)")

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], label: str | None = None, start_s: float = 0.0, end_s: float | None = None
    ) -> AudioClip:
        """Read the part of a file between two times in seconds."""
        audio = Audio.read(path, start_s=start_s, end_s=end_s)
        return cls(audio, label, os.fspath(path), start_s)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.audio.duration

    def excerpt(self, start_s: float, end_s: float | None = None) -> AudioClip:
        """Return a part of the clip; the times are those of the clip, the result knows those of the source."""
        audio = self.audio.excerpt(start_s, end_s)
        first = self.start_s + min(max(start_s, 0.0), self.duration)
        return AudioClip(audio, self.label, self.source, first, first + audio.duration)

    def with_audio(self, audio: Audio) -> AudioClip:
        """Return the clip with other sound for the same place: resampled, mixed down, scaled, …"""
        return dataclasses.replace(self, audio=audio)

    def resample(self, sample_rate: int) -> AudioClip:
        """Return the clip at another sample rate."""
        return self.with_audio(self.audio.resample(sample_rate))

    def to_mono(self) -> AudioClip:
        """Return the clip with the mean of its channels."""
        return self.with_audio(self.audio.to_mono())

    def _repr_html_(self) -> str:
        """A player with its label for notebooks."""
        import html

        return f"<figure><figcaption>{html.escape(self.label or '')}</figcaption>{self.audio._repr_html_()}</figure>"


def from_frames(frames: ArrayLike, sample_rate: int) -> Audio:
    """Return Audio from an array in the other order: (frames,) or (frames, channels)."""
    array = np.asarray(frames)
    return Audio(array.T if array.ndim == 2 else array, sample_rate)


def _as_float32(values: ArrayLike) -> NDArray[np.float32]:
    """Return samples as float32; integers of any width become ±1 at their full scale."""
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind not in "iu":
        return np.asarray(array, np.float32)
    bits = 8 * array.dtype.itemsize
    middle = 0 if array.dtype.kind == "i" else 2 ** (bits - 1)
    return np.asarray((array.astype(np.float64) - middle) / 2 ** (bits - 1), np.float32)


def _kind(name: str, format: str | None) -> tuple[str, str]:
    suffix = Path(name).suffix.lower() if format is None else f".{format.lower().lstrip('.')}"
    if suffix not in FORMATS:
        subject = f"{name}: the extension" if format is None else "the format"
        raise AudioError(f"{subject} {suffix!r} is none of {', '.join(FORMATS)}")
    return FORMATS[suffix]


def _reason(error: Any) -> str:
    """Why libsndfile could not write; of an error of the system it says no more than that there was one."""
    text: str = error.error_string.rstrip(".")
    return "the system refused it; is the disk full?" if text == "System error" else text


def _soundfile() -> Any:
    return _import("soundfile", "reading and writing sound")


def _import(module: str, purpose: str) -> Any:
    """Import an optional dependency, or say which extra brings it."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"{purpose} needs the package {module}: pip install 'muspy-core[render]' ({error})"
        raise ImportError(message, name=module) from None
