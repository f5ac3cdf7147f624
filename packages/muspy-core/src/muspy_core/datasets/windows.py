"""Windows of time steps, cut from pieces of music and encoded without the rest of them (beside networks.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.music import Music

if TYPE_CHECKING:
    from muspy_core.datasets.base import Pieces

# Makes what a network takes of a piece, the first step of the window, and its length in steps.
EncodeWindow = Callable[[Music, int, int], Any]


def pianoroll_window(music: Music, start: int, length: int) -> NDArray[np.uint8]:
    """Return the velocities at the steps `start` to `start + length` of a piece, (length, 128); zeros beyond its end.

    They are those rows of `to_pianoroll_representation`, in the time that their own notes take.
    """
    from muspy_core.representations.note import NoteColumns
    from muspy_core.representations.pianoroll import N_PITCHES

    notes = NoteColumns.of(music)
    sounding = (notes.time < start + length) & (notes.end > start)
    notes = notes.take(sounding).require_midi(velocities=True).sorted()
    roll = np.zeros((length, N_PITCHES), np.uint8)
    begins, ends = np.maximum(notes.time - start, 0), np.minimum(notes.end - start, length)
    rows = zip(begins.tolist(), ends.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), strict=True)
    for begin, end, pitch, velocity in rows:
        roll[begin:end, pitch] = velocity
    return roll


class MusicWindows:
    """Windows of pieces, one after the other, as a map-style data set for `torch.utils.data.DataLoader`.

    Args:
        pieces: The pieces, best of an Arrow file; each is read once now for its length, and again for each window.
        length: Steps of a window.
        hop: Steps between the starts of windows, by default `length`.
        encode: Function from (piece, first step, length) to what the network takes.
    """

    def __init__(
        self, pieces: Pieces, length: int, hop: int | None = None, encode: EncodeWindow = pianoroll_window
    ) -> None:
        if length < 1 or (hop is not None and hop < 1):
            raise ValueError(f"`length` and `hop` must be at least 1, got {length} and {hop}")
        self.pieces, self.length, self.hop, self.encode = pieces, length, hop or length, encode
        ends = np.array([last_step(pieces[index]) for index in range(len(pieces))], np.int64)
        counts = np.where(ends > 0, 1 + np.maximum(ends - length + self.hop - 1, 0) // self.hop, 0)
        self._firsts = np.concatenate([[0], np.cumsum(counts)])

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def __getitem__(self, index: int) -> Any:
        position = range(len(self))[index]
        piece = int(np.searchsorted(self._firsts, position, side="right")) - 1
        return self.encode(self.pieces[piece], (position - int(self._firsts[piece])) * self.hop, self.length)


class RandomWindows:
    """A window of each piece, from a random step on, as a map-style data set.

    Which step depends on the seed, the epoch and the piece alone, not on the worker that reads it.

    Args:
        pieces: The pieces.
        length: Steps of a window.
        seed: Seed of the starts; call `set_epoch` before each epoch for others.
        encode: Function from (piece, first step, length) to what the network takes.
    """

    def __init__(self, pieces: Pieces, length: int, seed: int, encode: EncodeWindow = pianoroll_window) -> None:
        if length < 1:
            raise ValueError(f"`length` must be at least 1, got {length}")
        self.pieces, self.length, self.seed, self.encode = pieces, length, seed, encode
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw other starts; workers that were started before do not see it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, index: int) -> Any:
        position = range(len(self))[index]
        music = self.pieces[position]
        rng = np.random.default_rng((self.seed, self.epoch, position))
        start = int(rng.integers(0, max(last_step(music) - self.length, 0) + 1))
        return self.encode(music, start, self.length)


def last_step(music: Music) -> int:
    """Return the end of the last note, in steps; 0 without notes."""
    return max((track.notes.end_time() for track in music.tracks), default=0)
