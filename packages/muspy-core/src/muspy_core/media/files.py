"""One media file: what kind it is, opening it safely, and what it holds (the first step of everything here).

Containers are opened by PyAV, which brings FFmpeg's libraries in its wheel. Only formats that hold their content
themselves are allowed: playlists and scripts, which name other files or addresses, are refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from muspy_core.errors import MediaError

Kind = Literal["video", "audio", "image"]

VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".flv", ".3gp", ".ogv", ".wmv")
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aiff", ".aif", ".wma", ".mka")
IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
# FFmpeg's names of the formats behind these extensions.
_FORMATS = (
    "3g2,3gp,aac,aiff,asf,avi,flac,flv,m4a,matroska,mj2,mov,mp3,mp4,mpeg,mpegts,mpegvideo,ogg,w64,wav,webm"  # one list
)
_MOST_PIXELS = 128 * 1024 * 1024
# Data may end this much before the stated length: encoders round, and streams of one file differ.
EARLY_S = 0.5


@dataclasses.dataclass(frozen=True)
class MediaInfo:
    """What a media file holds; what it has not is None.

    duration_s: seconds. fps: mean rate of pictures. width, height: pixels as shown, after turning by `rotation`.
    rotation: degrees clockwise (0, 90, 180, 270) by which the stored pictures are turned to be shown. sample_rate: Hz.
    """

    kind: Kind
    duration_s: float | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    rotation: int | None = None
    sample_rate: int | None = None
    channels: int | None = None

    @property
    def has_audio(self) -> bool:
        """Whether there is sound."""
        return self.sample_rate is not None

    @property
    def has_pictures(self) -> bool:
        """Whether there are pictures."""
        return self.width is not None


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """Return what a file is by its extension, None if it is no media file."""
    suffix = Path(path).suffix.lower()
    kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (("video", VIDEOS), ("audio", SOUNDS), ("image", IMAGES))
    return next((kind for kind, extensions in kinds if suffix in extensions), None)


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Describe a media file; its header is read, and of pictures the first is decoded.

    Raises MediaError, naming the file and the reason, if there is nothing in it that can be decoded; OSError if it
    cannot be opened.
    """
    if kind_of(path) == "image":
        with open_image(path) as image:
            return MediaInfo("image", width=image.width, height=image.height, rotation=0)
    with open_media(path) as container:
        pictures, sound = picture_stream(container), sound_stream(container)
        if pictures is None and sound is None:
            raise MediaError("holds neither pictures nor sound")
        found: dict[str, Any] = {"kind": "audio" if pictures is None else "video"}
        if sound is not None:
            found.update(sample_rate=sound.rate, channels=sound.codec_context.channels)
        found["duration_s"] = duration_of(container)
        if pictures is not None:
            first = next(container.decode(pictures), None)
            if first is None:
                raise MediaError("no picture in it can be decoded")
            turn = clockwise(first)
            width, height = (first.width, first.height) if turn % 180 == 0 else (first.height, first.width)
            found.update(width=width, height=height, rotation=turn, fps=_mean_rate(container, pictures))
    if not found["duration_s"]:
        found["duration_s"] = _end_of_packets(path)
    if not found["duration_s"]:
        raise MediaError(f"{Path(path).name}: has no length")
    return MediaInfo(**found)


def check_whole(path: str | os.PathLike[str]) -> None:
    """Decode a file from its beginning to its end; raise MediaError if it is damaged or ends early."""
    if kind_of(path) == "image":
        with open_image(path) as image:
            image.load()
        return
    with open_media(path) as container:
        stated = duration_of(container) or 0.0
        streams = [stream for stream in (picture_stream(container), sound_stream(container)) if stream is not None]
        end = 0.0
        for frame in decoded(container, streams):
            end = max(end, frame_end(frame, origin(container)))
        if end < stated - EARLY_S:
            raise MediaError(f"truncated: ends at {end:.2f} s of {stated:.2f} s")


@contextlib.contextmanager
def open_media(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a video or sound file with PyAV; whatever FFmpeg or we find wrong becomes a MediaError naming the file.

    Raises OSError if it cannot be opened, ImportError without PyAV.
    """
    av = _import("av", "reading videos")
    path = Path(path)
    with open(path, "rb") as file:
        if not file.read(1):
            raise MediaError(f"{path.name}: the file is empty")
    # Errors come as exceptions; FFmpeg's own lines on stderr would only repeat them.
    av.logging.set_level(None)
    allowed = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        # The prefix keeps a name like "concat:a" from being read as an address.
        with av.open(f"file:{path.absolute()}", options=allowed) as container:
            yield container
    except av.error.FFmpegError as error:
        raise MediaError(f"{path.name}: {_reason(error)}") from None
    except MediaError as error:
        raise MediaError(str(error) if path.name in str(error) else f"{path.name}: {error}") from None


@contextlib.contextmanager
def open_image(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open an image with Pillow, upright and RGB on white; raise MediaError naming the file if that cannot be done."""
    images = _import("PIL.Image", "reading images")
    operations = _import("PIL.ImageOps", "reading images")
    name = Path(path).name
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("error", images.DecompressionBombWarning)
        try:
            with images.open(file) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise MediaError(f"{name}: {opened.width} × {opened.height} pixels are too many")
                yield _on_white(operations.exif_transpose(opened), images)
        except images.UnidentifiedImageError:
            raise MediaError(f"{name}: is no image that can be decoded") from None
        except (images.DecompressionBombError, images.DecompressionBombWarning):
            raise MediaError(f"{name}: has too many pixels") from None
        except (OSError, SyntaxError, ValueError) as error:
            # Pillow's own errors of damaged content; none of them names the file.
            raise error if isinstance(error, MediaError) else MediaError(f"{name}: damaged image: {error}") from None


def _on_white(image: Any, images: Any) -> Any:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        ground = images.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        return ground.convert("RGB")
    return image.convert("RGB")


# --- what containers say ---------------------------------------------------------------------------------------------


def picture_stream(container: Any) -> Any:
    """The moving pictures of a container, or None; the cover of a piece of music does not count."""
    av = importlib.import_module("av")
    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    for stream in container.streams.video:
        if stream.codec_context is not None and not stream.disposition & covers:
            stream.thread_type = "AUTO"
            return stream
    return None


def sound_stream(container: Any) -> Any:
    """The sound of a container, or None."""
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.rate and stream.codec_context.channels:
            return stream
    return None


def origin(container: Any) -> float:
    """The time in seconds at which the container begins; all our times count from there."""
    return float(container.start_time) / 1e6 if container.start_time else 0.0


def duration_of(container: Any) -> float | None:
    """The length in seconds that the container states, or None."""
    return float(container.duration) / 1e6 if container.duration and container.duration > 0 else None


def stream_duration(stream: Any) -> float | None:
    """The length in seconds that a stream states of itself (MP4, Matroska by FFmpeg), or None."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    stated = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", ""))
    return int(stated[1]) * 3600 + int(stated[2]) * 60 + float(stated[3]) if stated else None


def clockwise(frame: Any) -> int:
    """Degrees clockwise (0, 90, 180, 270) by which a stored picture is turned to be shown."""
    # PyAV gives the angle of the display matrix, counter-clockwise.
    quarters: int = round(-frame.rotation / 90)
    return quarters % 4 * 90


def decoded(container: Any, streams: Any) -> Iterator[Any]:
    """Give the decoded frames of a stream or several; damage behind the first becomes a MediaError that says where."""
    av = importlib.import_module("av")
    end = None
    try:
        for frame in container.decode(streams):
            end = frame_end(frame, origin(container))
            yield frame
    except av.error.FFmpegError:
        if end is None:
            raise
        raise MediaError(f"damaged or cut off behind {end:.2f} s") from None


def frame_end(frame: Any, start: float) -> float:
    """The end of a decoded frame of either kind in seconds, counted from `start`."""
    if frame.time is None:
        return 0.0
    if hasattr(frame, "samples"):
        return float(frame.time - start + frame.samples / frame.sample_rate)
    return float(frame.time - start + float((frame.duration or 0) * frame.time_base))


def _mean_rate(container: Any, stream: Any) -> float | None:
    """Pictures a second: of the number of pictures where it is known, else what the container states."""
    stated, whole = stream_duration(stream) or 0.0, duration_of(container) or 0.0
    # With a variable rate MP4 files state too short a length of their pictures.
    duration = whole if stated < whole / 2 else stated
    rate = stream.frames / duration if stream.frames and duration else stream.average_rate or stream.guessed_rate
    return round(float(rate), 3) if rate else None


def _end_of_packets(path: str | os.PathLike[str]) -> float:
    """The end of the last packet, for containers that state no length (recordings of browsers)."""
    end = 0.0
    with open_media(path) as container:
        start = origin(container)
        for packet in container.demux():
            if packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base) - start)
    return end


def _reason(error: Any) -> str:
    reason = (error.strerror or str(error)).strip()
    log = error.log[2].strip() if error.log else ""
    text = log or reason
    if "whitelist" in text or reason.startswith("Invalid"):
        return "is no video or sound that can be decoded, or is damaged"
    return f"cannot be decoded: {text[0].lower()}{text[1:]}"


def _import(module: str, purpose: str) -> Any:
    """Import an optional dependency, or say which extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"{purpose} needs the package {module.split('.')[0]}: pip install 'muspy-core[media]' ({error})"
        raise ImportError(message, name=module) from None
