"""Sound out of videos and sound files: whole, a segment, or in blocks of any length file with flat memory.

Sound files that libsndfile reads (WAV, FLAC, Ogg, MP3, AIFF) need no PyAV, and are exact to the sample; in other files
positions are as exact as the time stamps of the container (a sample in MP4, a millisecond in Matroska and WebM).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from muspy_core.audio import FORMATS, Audio, AudioClip
from muspy_core.audio_blocks import BLOCK_FRAMES, AudioWriter, join, read_blocks, regroup, resample_blocks
from muspy_core.errors import AudioError, MediaError
from muspy_core.media.files import (
    EARLY_S,
    decoded,
    duration_of,
    frame_end,
    open_media,
    origin,
    sound_stream,
    stream_duration,
)

# A jump of the time stamps up to this many seconds is a hole, filled with silence; more is a new beginning.
_MOST_HOLE_S = 60.0
_LEAST_HOLE_S = 0.1
_MOST_PADDING = 4096  # samples: two packets of the longest
# Decoders need a little of what stands before a segment to find their way.
_RUN_UP_S = 0.5


def read_audio(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    sample_rate: int | None = None,
    channels: int | None = None,
) -> Audio:
    """Return the sound of a video or sound file, or of the part between two times in seconds.

    Args:
        path: The file.
        start_s, end_s: The part; None: to the end. A part that passes the end is as long as there is sound.
        sample_rate: Hz to resample to; None: that of the file.
        channels: 1 (the mean of the channels), 2, or None for those of the file.

    Raises MediaError, naming the file and the reason, if it has no sound, no sound at `start_s`, is damaged or ends
    before its stated length; OSError if it cannot be opened.
    """
    return join(stream_audio(path, start_s=start_s, end_s=end_s, sample_rate=sample_rate, channels=channels))


def read_clip(
    path: str | os.PathLike[str],
    label: str | None = None,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    sample_rate: int | None = None,
    channels: int | None = None,
) -> AudioClip:
    """Return the sound of a file, or a part of it, as a clip that knows its label and place; see `read_audio`."""
    audio = read_audio(path, start_s=start_s, end_s=end_s, sample_rate=sample_rate, channels=channels)
    return AudioClip(audio, label, os.fspath(path), start_s)


def stream_audio(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    sample_rate: int | None = None,
    channels: int | None = None,
    block_frames: int = BLOCK_FRAMES,
) -> Iterator[Audio]:
    """Give the sound of a file in blocks of `block_frames` samples (the last is shorter); arguments of `read_audio`.

    Memory does not grow with the length of the file. The errors are those of `read_audio`; damage is found when it is
    reached.
    """
    _check(path, start_s, end_s, channels)
    if sample_rate is not None and sample_rate < 1:
        raise MediaError(f"the sample rate must be at least 1 Hz, got {sample_rate}")
    blocks = _stored_blocks(Path(path), start_s, end_s)
    first = next(blocks, None)
    if first is None:
        raise MediaError(f"{Path(path).name}: there is no sound at {start_s:g} s")
    blocks = itertools.chain([first], blocks)
    if channels is not None:
        blocks = (block.to_mono() if channels == 1 else block.to_stereo() for block in blocks)
    if sample_rate is not None and sample_rate != first.sample_rate:
        blocks = resample_blocks(blocks, sample_rate)
    yield from regroup(blocks, block_frames)


def extract_audio(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    sample_rate: int | None = None,
    channels: int | None = None,
    overwrite: bool = False,
) -> float:
    """Write the sound of a file, or a part of it, to a sound file, block by block; return its length in seconds.

    output: the file; its extension decides the format. The other arguments and the errors are those of `read_audio`;
    FileExistsError if the output exists and `overwrite` is false. After an error there is no output.
    """
    blocks = stream_audio(path, start_s=start_s, end_s=end_s, sample_rate=sample_rate, channels=channels)
    first = next(blocks)
    with AudioWriter(output, first.sample_rate, first.channels, overwrite=overwrite) as writer:
        for block in itertools.chain([first], blocks):
            writer.write(block)
    return writer.frames / writer.sample_rate


def _check(path: str | os.PathLike[str], start_s: float, end_s: float | None, channels: int | None) -> None:
    name = Path(path).name
    if not start_s >= 0 or (end_s is not None and not end_s > start_s):
        raise MediaError(f"{name}: a part begins at 0 s or later and ends after it, got {start_s} s to {end_s} s")
    if channels not in (None, 1, 2):
        raise MediaError(f"sound is taken out with 1 or 2 channels, or None for those of the file; got {channels}")


def _stored_blocks(path: Path, start_s: float, end_s: float | None) -> Iterator[Audio]:
    """The sound as it is stored, exactly between the two times."""
    if path.suffix.lower() not in FORMATS or path.suffix.lower() == ".raw":
        return _decoded_blocks(path, start_s, end_s)
    return _sound_file_blocks(path, start_s, end_s)


def _sound_file_blocks(path: Path, start_s: float, end_s: float | None) -> Iterator[Audio]:
    try:
        yield from read_blocks(path, start_s=start_s, end_s=end_s)
    except AudioError as error:
        raise MediaError(str(error)) from None


def _decoded_blocks(path: Path, start_s: float, end_s: float | None) -> Iterator[Audio]:
    """Decode the sound of a container; holes are filled, overlaps and what lies outside are cut off."""
    with open_media(path) as container:
        stream = sound_stream(container)
        if stream is None:
            raise MediaError("has no sound")
        begin, stated = origin(container), stream_duration(stream)
        rate = int(stream.rate)
        if start_s > _RUN_UP_S:
            container.seek(int((start_s - _RUN_UP_S + begin) / stream.time_base), stream=stream)
        position = round(start_s * rate)  # of the next sample to give
        stop = round(end_s * rate) if end_s is not None else 2**62
        place: int | None = None  # of the next decoded sample
        reached = 0.0
        padding = _Padding(round(stated * rate) if stream.duration and stated else None)
        for frame in decoded(container, stream):
            samples = _samples(frame, rate)
            stamped = place if frame.time is None else round((frame.time - begin) * rate)
            place = _place(place, stamped or 0, rate)
            reached = max(reached, frame_end(frame, begin))
            if place > position:
                # Silence where the file has none: before the sound begins, and in holes.
                yield from _silence(len(samples), min(place, stop) - position, rate)
                position = min(place, stop)
            first, last = position - place, min(place + samples.shape[1], stop) - place
            if 0 <= first < last:
                yield from padding.held_back(Audio(samples[:, first:last], rate), position)
                position = place + last
            place += samples.shape[1]
            if position >= stop:
                return
        _check_end(container, stated, reached, end_s)


class _Padding:
    """Holds back what encoders append to fill their last packet, and gives it after all if more follows.

    stated: samples that the stream says it has; None: not known.
    """

    def __init__(self, stated: int | None) -> None:
        self.stated = stated
        self.held: list[Audio] = []

    def held_back(self, block: Audio, position: int) -> Iterator[Audio]:
        """Give what belongs to the sound of a block, whose first sample stands at `position`."""
        if self.stated is None:
            yield block
            return
        own = min(max(self.stated - position, 0), block.frames)
        if own:
            yield Audio(block.samples[:, :own], block.sample_rate)
        if own < block.frames:
            self.held.append(Audio(block.samples[:, own:], block.sample_rate))
        if sum(held.frames for held in self.held) > _MOST_PADDING:
            # So much is no padding: the stated length is wrong.
            yield from self.held
            self.stated = None


def _place(expected: int | None, stamped: int, rate: int) -> int:
    """Where a decoded frame stands: where the last one ended, unless its time stamp says that there is a hole.

    Time stamps are rounded (to a millisecond in Matroska), so small differences are none.
    """
    if expected is None:
        return stamped
    return stamped if _LEAST_HOLE_S * rate < stamped - expected < _MOST_HOLE_S * rate else expected


def _silence(channels: int, frames: int, rate: int) -> Iterator[Audio]:
    for first in range(0, frames, BLOCK_FRAMES):
        yield Audio(np.zeros((channels, min(BLOCK_FRAMES, frames - first)), np.float32), rate)


def _samples(frame: Any, rate: int) -> Any:
    """(channels, frames) float32 of a decoded frame."""
    if frame.sample_rate != rate:
        raise MediaError(f"the sample rate changes from {rate} to {frame.sample_rate} Hz")
    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        array = array.reshape(-1, channels).T
    return Audio(array, rate).samples


def _check_end(container: Any, stated: float | None, reached: float, end_s: float | None) -> None:
    """Raise MediaError if the sound ended before the length that the file states."""
    if stated is None:
        # Nothing is stated of the sound itself: the container's length counts if no stream reaches it.
        stated, container_end = duration_of(container) or 0.0, reached
        if reached < stated - EARLY_S:
            container.seek(0)
            for packet in container.demux():
                if packet.pts is not None:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    container_end = max(container_end, end - origin(container))
        reached = container_end
    expected = stated if end_s is None else min(end_s, stated)
    if reached < expected - EARLY_S:
        raise MediaError(f"truncated: its sound ends at {reached:.2f} s of {stated:.2f} s")
