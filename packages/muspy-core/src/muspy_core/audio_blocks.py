"""Long sound in blocks: reading and writing files, and resampling, with memory that does not grow with the length.

`read_blocks` gives a file as a row of `Audio`s, `resample_blocks` and `regroup` change such a row, `AudioWriter` writes
one. What comes out of a chain of them equals what `Audio` makes of the whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.audio import Audio, _import, _kind, _reason, _soundfile
from muspy_core.errors import AudioError
from muspy_core.io.files import write_atomically

BLOCK_FRAMES = 65536


def read_blocks(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    block_frames: int = BLOCK_FRAMES,
) -> Iterator[Audio]:
    """Give a sound file, or a part of it, in blocks of `block_frames` samples (the last is shorter).

    Raises AudioError naming the file if it holds no sound that can be decoded, OSError if it cannot be opened.
    """
    if block_frames < 1:
        raise AudioError(f"a block has at least 1 sample, got {block_frames}")
    soundfile = _soundfile()
    name = Path(path).name
    with open(path, "rb") as stream:
        try:
            with soundfile.SoundFile(stream) as file:
                first = min(round(max(start_s, 0.0) * file.samplerate), file.frames)
                last = file.frames if end_s is None else min(round(end_s * file.samplerate), file.frames)
                if first:
                    file.seek(first)
                while first < last:
                    samples = file.read(min(block_frames, last - first), dtype="float32", always_2d=True)
                    if not len(samples):
                        raise AudioError(f"the sound ends at {first / file.samplerate:.2f} s, before its stated length")
                    yield Audio(samples.T, file.samplerate)
                    first += len(samples)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{name}: no readable sound: {error.error_string.rstrip('.')}") from None
        except AudioError as error:
            raise AudioError(f"{name}: {error}") from None


def resample_blocks(blocks: Iterable[Audio], sample_rate: int) -> Iterator[Audio]:
    """Give the blocks at another sample rate: together what `Audio.resample` makes of the whole."""
    if sample_rate < 1:
        raise AudioError(f"the sample rate must be at least 1 Hz, got {sample_rate}")
    stream: Any = None
    channels = 1
    for block in blocks:
        if block.sample_rate == sample_rate:
            yield block
            continue
        if stream is None:
            channels = block.channels
            resampler = _import("soxr", "resampling").ResampleStream
            stream = resampler(block.sample_rate, sample_rate, channels, dtype="float32", quality="HQ")
        made = stream.resample_chunk(np.ascontiguousarray(block.samples.T))
        if len(made):
            yield Audio(_frames_first(made), sample_rate)
    if stream is not None:
        made = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        if len(made):
            yield Audio(_frames_first(made), sample_rate)


def regroup(blocks: Iterable[Audio], block_frames: int = BLOCK_FRAMES) -> Iterator[Audio]:
    """Give the same sound in blocks of `block_frames` samples (the last is shorter)."""
    held: list[NDArray[np.float32]] = []
    length, rate = 0, 0
    for block in blocks:
        held.append(block.samples)
        length, rate = length + block.frames, block.sample_rate
        if length < block_frames:
            continue
        samples = np.concatenate(held, axis=1)
        whole = length // block_frames * block_frames
        for first in range(0, whole, block_frames):
            yield Audio(samples[:, first : first + block_frames], rate)
        held, length = [samples[:, whole:].copy()], length - whole
    if length:
        yield Audio(np.concatenate(held, axis=1), rate)


def join(blocks: Iterable[Audio], channels: int = 1, sample_rate: int = 44100) -> Audio:
    """Return the blocks as one sound; without any block, silence of no length with these channels and rate."""
    blocks = list(blocks)
    if not blocks:
        return Audio(np.zeros((channels, 0), np.float32), sample_rate)
    return Audio(np.concatenate([block.samples for block in blocks], axis=1), blocks[0].sample_rate)


class AudioWriter:
    """A sound file that is written block by block, and is there only when the `with` block ends without an error.

        with AudioWriter("long.wav", 44100, channels=2) as writer:
            for block in read_blocks("input.flac"):
                writer.write(block)

    Args:
        path: The file; its extension, or `format`, decides how it is encoded.
        sample_rate: Hz.
        channels: Number of channels.
        format: "wav", "flac", …
        overwrite: Whether an existing file may be replaced.

    Raises AudioError for an unknown format, for blocks of another rate or number of channels, and on a full disk;
    FileExistsError if the file exists and may not be replaced.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int,
        channels: int = 1,
        *,
        format: str | None = None,
        overwrite: bool = True,
    ) -> None:
        self.path, self.sample_rate, self.channels = Path(path), sample_rate, channels
        self.frames = 0
        self._kind = _kind(self.path.name, format)
        self._overwrite = overwrite
        self._open = contextlib.ExitStack()
        self._file: Any = None

    def __enter__(self) -> AudioWriter:
        soundfile = _soundfile()
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(write_atomically(self.path, self._overwrite))
            kind, subtype = self._kind
            try:
                opened = soundfile.SoundFile(
                    temporary, "w", self.sample_rate, self.channels, format=kind, subtype=subtype
                )
            except soundfile.LibsndfileError as error:
                what = f"{kind} at {self.sample_rate} Hz with {self.channels} channels"
                raise AudioError(f"cannot write {what}: {_reason(error)}") from None
            self._file = stack.enter_context(opened)
            self._open = stack.pop_all()
        return self

    def write(self, block: Audio) -> None:
        """Append a block; integer formats clip it at full scale."""
        if self._file is None:
            raise AudioError(f"{self.path.name}: the writer is not open; use it in a `with` statement")
        if (block.sample_rate, block.channels) != (self.sample_rate, self.channels):
            found = f"{block.channels} × {block.sample_rate} Hz"
            raise AudioError(f"{self.path.name}: holds {self.channels} × {self.sample_rate} Hz, not {found}")
        # In blocks of a second: encoders of compressed formats overflow their stack on one long array.
        with self._naming():
            for first in range(0, block.frames, self.sample_rate):
                self._file.write(block.samples[:, first : first + self.sample_rate].T)
        self.frames += block.frames

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file = None
        with self._naming():
            self._open.__exit__(kind, error, trace)

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Turn what libsndfile cannot write, also of what it had held back, into an error that names the file."""
        try:
            yield
        except _soundfile().LibsndfileError as error:
            raise AudioError(f"{self.path}: cannot be written: {_reason(error)}") from None


def _frames_first(made: Any) -> NDArray[np.float32]:
    array = np.asarray(made, np.float32)
    first: NDArray[np.float32] = array.reshape(len(array), -1).T
    return first
