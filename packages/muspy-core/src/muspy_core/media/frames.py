"""Pictures out of videos: at given times, evenly spaced, or as a stream at a rate (video → RGB arrays).

A time means the picture that is nearest to it, so that variable frame rates need no special care. Pictures are upright:
the rotation that phones store beside them is applied.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import MediaError
from muspy_core.io.files import write_atomically
from muspy_core.media.files import (
    EARLY_S,
    _import,
    clockwise,
    decoded,
    duration_of,
    frame_end,
    kind_of,
    open_image,
    open_media,
    origin,
    picture_stream,
    stream_duration,
)

Size = int | tuple[int, int]
# To a time further ahead than this we jump; what is nearer is reached by decoding.
_JUMP_S = 5.0
_JPEG_QUALITY = 92
_LEAST_SHARE = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a video. time_s: seconds from its beginning. pixels: (height, width, 3) uint8, RGB."""

    time_s: float
    pixels: NDArray[np.uint8]

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"Frame(time_s={self.time_s:.3f}, width={width}, height={height})"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write an image file; the extension (.jpg, .png, .webp) decides the format."""
        image = _import("PIL.Image", "writing images").fromarray(self.pixels)
        if kind_of(path) != "image":
            raise MediaError(f"{Path(path).name}: the extension is none of .jpg, .png, .webp")
        with write_atomically(path, overwrite) as temporary:
            image.save(temporary, **({"quality": _JPEG_QUALITY} if Path(path).suffix.lower() != ".png" else {}))


def read_frames(
    path: str | os.PathLike[str], times_s: Sequence[float], *, short_side: int | None = None, crop: Size | None = None
) -> list[Frame]:
    """Return the picture nearest to each time, in the order of the times.

    Args:
        path: A video; of an image file every time gives the image.
        times_s: Seconds from the beginning, in any order.
        short_side: Pixels to which the shorter side is resized (bicubic, antialiased); None: as stored.
        crop: Cut this square, or (height, width), out of the middle, after resizing.

    Raises MediaError, naming the file and the reason, if it has no pictures, is damaged, or has no picture at a time;
    OSError if it cannot be opened.
    """
    path = Path(path)
    check_size(short_side, crop)
    for time_s in times_s:
        if not 0 <= time_s < math.inf:
            raise MediaError(f"{path.name}: times are 0 s or later, got {time_s}")
    order = np.argsort(np.asarray(times_s, np.float64), kind="stable").tolist()
    found: dict[int, Frame] = {}
    for run in _runs([float(times_s[index]) for index in order]):
        wanted = [float(times_s[order[place]]) for place in run]
        frames = _nearest(path, iter(wanted), wanted[0])
        for place, frame in zip(run, frames, strict=True):
            found[order[place]] = _resized(frame, short_side, crop)
    return [found[index] for index in range(len(times_s))]


def evenly_spaced_frames(
    path: str | os.PathLike[str],
    count: int,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    short_side: int | None = None,
    crop: Size | None = None,
) -> list[Frame]:
    """Return `count` pictures from the middles of `count` equal parts of the video, or of a part of it.

    One picture is the middle one. The other arguments and the errors are those of `read_frames`.
    """
    if count < 1:
        raise MediaError(f"{Path(path).name}: at least 1 picture is taken, got {count}")
    end = end_s if end_s is not None else video_duration(path)
    if not 0 <= start_s < end:
        raise MediaError(f"{Path(path).name}: there are no pictures from {start_s:g} s to {end:g} s")
    times = start_s + (np.arange(count) + 0.5) * (end - start_s) / count
    return read_frames(path, times.tolist(), short_side=short_side, crop=crop)


def stream_frames(
    path: str | os.PathLike[str],
    *,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    short_side: int | None = None,
    crop: Size | None = None,
) -> Iterator[Frame]:
    """Give the pictures of a video one by one, with flat memory.

    fps: pictures a second, those nearest to `start_s`, `start_s` + 1/fps, …; None: every stored picture. The other
    arguments and the errors are those of `read_frames`; damage is found when it is reached.
    """
    path = Path(path)
    check_size(short_side, crop)
    if fps is not None and not 0 < fps < math.inf:
        raise MediaError(f"{path.name}: the rate of pictures must be above 0, got {fps}")
    if not start_s >= 0 or (end_s is not None and not end_s > start_s):
        raise MediaError(f"{path.name}: a part begins at 0 s or later and ends after it, got {start_s} s to {end_s} s")
    if fps is None:
        frames: Iterable[Any] = (frame for frame in _between(path, start_s, end_s) if frame[0] >= start_s)
    else:
        end = end_s if end_s is not None else video_duration(path)
        # The last picture needs a little of its time: lengths are rounded.
        count = max(math.ceil((end - start_s) * fps - _LEAST_SHARE), 0)
        frames = _nearest(path, (start_s + index / fps for index in range(count)), start_s)
    for frame in frames:
        yield _resized(frame, short_side, crop)


def read_picture(path: str | os.PathLike[str], *, short_side: int | None = None, crop: Size | None = None) -> Frame:
    """Return an image file as a picture: upright, RGB, transparent parts white."""
    check_size(short_side, crop)
    with open_image(path) as image:
        return Frame(0.0, _fit(image, short_side, crop))


def video_duration(path: str | os.PathLike[str]) -> float:
    """Return the length in seconds of the pictures of a video: the stated one, or where the last picture ends if later.

    0 of an image. Raises MediaError if there are no pictures.
    """
    if kind_of(path) == "image":
        return 0.0
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            raise MediaError("has no pictures")
        stated, begin = stream_duration(stream) or 0.0, origin(container)
        whole = duration_of(container)
        if whole is not None:
            # To the last picture that can be decoded by itself.
            container.seek(int((whole + begin) / stream.time_base), stream=stream)
        end = max((frame_end(frame, begin) for frame in decoded(container, stream)), default=0.0)
    return max(stated, end)


def check_size(short_side: int | None, crop: Size | None) -> None:
    """Raise MediaError unless the sizes are ones that a picture can have."""
    sides = [short_side] if short_side is not None else []
    sides += list(_pair(crop)) if crop is not None else []
    if any(not 1 <= side <= 16384 for side in sides):
        raise MediaError(f"a side of a picture has 1 to 16384 pixels, got {short_side} and {crop}")
    if short_side is not None and crop is not None and min(_pair(crop)) > short_side:
        raise MediaError(f"a crop of {crop} pixels is larger than a picture whose shorter side is {short_side}")


# --- which pictures --------------------------------------------------------------------------------------------------


def _runs(times: Sequence[float]) -> Iterator[range]:
    """Cut sorted times where it is faster to jump than to decode what lies between."""
    first = 0
    for place in range(1, len(times) + 1):
        if place == len(times) or times[place] - times[place - 1] > _JUMP_S:
            yield range(first, place)
            first = place


def _nearest(path: Path, times: Iterator[float], start_s: float) -> Iterator[Any]:
    """Give the decoded picture nearest to each of the times, which ascend from `start_s`."""
    if kind_of(path) == "image":
        picture = read_picture(path)
        yield from (picture for _ in times)
        return
    frames = _between(path, max(start_s - 1.0, 0.0), None)
    before, after = None, next(frames, None)
    ended = None
    for time_s in times:
        while after is not None and after[0] < time_s:
            before, after = after, next(frames, None)
        if after is None and before is not None:
            ended = ended if ended is not None else before[0] + float((before[1].duration or 0) * before[1].time_base)
            if time_s > ended + EARLY_S:
                raise MediaError(f"{path.name}: there is no picture at {time_s:g} s; they end at {ended:.2f} s")
        if before is None or (after is not None and after[0] - time_s < time_s - before[0]):
            chosen = after
        else:
            chosen = before
        if chosen is None:
            raise MediaError(f"{path.name}: there is no picture at {time_s:g} s")
        yield chosen


def _between(path: Path, start_s: float, end_s: float | None) -> Iterator[tuple[float, Any]]:
    """Decode (time, picture) of the pictures shown from `start_s` on: the first may have come before."""
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            raise MediaError("has no pictures")
        begin, stated = origin(container), stream_duration(stream)
        if start_s > 0:
            container.seek(int((start_s + begin) / stream.time_base), stream=stream)
        last, end = None, 0.0
        for frame in decoded(container, stream):
            if frame.time is None:
                continue
            time_s, end = float(frame.time - begin), frame_end(frame, begin)
            if end_s is not None and time_s >= end_s:
                return
            if time_s >= start_s:
                if last is not None and last[0] < start_s:
                    yield last
                yield time_s, frame
            last = time_s, frame
        if last is None:
            raise MediaError(f"no picture at {start_s:g} s can be decoded")
        if last[0] < start_s:
            yield last
        if stated is not None and end < min(stated, end_s or stated) - EARLY_S:
            raise MediaError(f"truncated: its pictures end at {end:.2f} s of {stated:.2f} s")


# --- how pictures come out -------------------------------------------------------------------------------------------


def _resized(found: Any, short_side: int | None, crop: Size | None) -> Frame:
    if isinstance(found, Frame):
        if short_side is None and crop is None:
            return found
        image = _import("PIL.Image", "resizing pictures").fromarray(found.pixels)
        return Frame(found.time_s, _fit(image, short_side, crop))
    time_s, frame = found
    pixels = frame.to_ndarray(format="rgb24")
    pixels = np.ascontiguousarray(np.rot90(pixels, -(clockwise(frame) // 90)))
    if short_side is None and crop is None:
        return Frame(time_s, pixels)
    return Frame(time_s, _fit(_import("PIL.Image", "resizing pictures").fromarray(pixels), short_side, crop))


def _fit(image: Any, short_side: int | None, crop: Size | None) -> NDArray[np.uint8]:
    images = _import("PIL.Image", "resizing pictures")
    if short_side is not None:
        factor = short_side / min(image.size)
        size = tuple(max(round(side * factor), short_side) for side in image.size)
        if max(size) > 16384:
            raise MediaError(f"a picture of {image.width} × {image.height} would become {size[0]} × {size[1]}")
        image = image.resize(size, images.Resampling.BICUBIC)
    if crop is not None:
        height, width = _pair(crop)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        if left < 0 or top < 0:
            raise MediaError(f"a crop of {width} × {height} is larger than the picture, {image.width} × {image.height}")
        image = image.crop((left, top, left + width, top + height))
    return np.asarray(image, np.uint8)


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
