"""Small real videos, encoded for the tests: pictures of known brightness, a sound of known pitch."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 48000
SIZE = (64, 48)  # width, height
CODECS = {
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".webm": ("libvpx-vp9", "libopus"),
    ".mkv": ("libx264", "flac"),
    ".avi": ("mpeg4", "libmp3lame"),
}


def sine(seconds: float, frequency: float = 440.0, rate: int = RATE) -> np.ndarray:
    """(1, frames) float32."""
    times = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * frequency * times)[None].astype(np.float32)


def brightness(index: int, count: int) -> int:
    """Grey of picture `index` of `count`."""
    return 20 + 200 * index // count


def picture(grey: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A grey picture with a white top left quarter, so that one sees how it is turned."""
    pixels = np.full((size[1], size[0], 3), grey, np.uint8)
    pixels[: size[1] // 2, : size[0] // 2] = 255
    return pixels


def write_video(
    path: Path,
    *,
    times_s: Sequence[float] | None = None,
    seconds: float = 3.0,
    fps: int = 10,
    sound: np.ndarray | None = None,
    size: tuple[int, int] = SIZE,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures at times (default: `fps` a second) and, unless it has no samples, a sound."""
    video_codec, audio_codec = CODECS[path.suffix]
    times = np.arange(round(seconds * fps)) / fps if times_s is None else np.asarray(times_s)
    sound = sine(seconds) if sound is None else sound
    with av.open(str(path), "w", options=options or {}) as container:
        pictures = container.add_stream(video_codec, rate=fps)
        pictures.width, pictures.height, pictures.pix_fmt = *size, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 1000)
        pictures.gop_size = fps
        track = container.add_stream(audio_codec, rate=RATE, layout="mono") if sound.size else None
        packets: list[Any] = []
        for index, time_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(brightness(index, len(times)), size), "rgb24")
            frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
            packets += pictures.encode(frame)
        packets += pictures.encode(None)
        if track is not None:
            packets += _sound_packets(track, sound)
        # As a camera writes them: interleaved, so that a file that is cut off lacks the end of both.
        for packet in sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)):
            container.mux(packet)
    return path


def _sound_packets(track: Any, sound: np.ndarray) -> list[Any]:
    packets: list[Any] = []
    resampler = av.AudioResampler(track.format.name, "mono", RATE, frame_size=track.codec_context.frame_size or 1024)
    for first in range(0, sound.shape[1], 4800):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, first : first + 4800]), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        for piece in resampler.resample(frame):
            packets += track.encode(piece)
    for piece in resampler.resample(None):
        packets += track.encode(piece)
    return packets + track.encode(None)


def rotate(path: Path, degrees: int) -> Path:
    """Write into an MP4 file that its pictures are to be turned clockwise, as phones do (the matrix of its track)."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd")
    # Behind the name: version and flags 4, times and ids 20, reserved 8, layer, group, volume, reserved 8, matrix 36.
    matrix = {
        90: (0, 1, 0, -1, 0, 0),
        180: (-1, 0, 0, 0, -1, 0),
        270: (0, -1, 0, 1, 0, 0),
    }[degrees]
    struct.pack_into(">9i", content, place + 4 + 40, *(value << 16 for value in matrix), 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def pitch_of(samples: np.ndarray, rate: int) -> float:
    """The strongest frequency of (frames,) samples in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum) * rate / (8 * len(samples)))
