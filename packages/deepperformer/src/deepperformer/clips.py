"""Prepared recordings → clips of 5 s: the notes that sound in a window, and when (§5.3).

85 % of the windows of the Bach Violin Dataset begin while a note sounds: such notes are in the clip, with an onset
before its start. Score times are counted from the first note that starts in the window, the anchor.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from deepperformer.features.notes import ONSET, NoteRows, Timings

CLIP_FRAMES = 312  # 4.992 s at 16 kHz and a hop of 256: the clips of HiFi-GAN's framing


@dataclasses.dataclass(frozen=True)
class Clip:
    """The notes of a window.

    notes: (n, 4) rows, onsets in steps from the anchor, negative for notes that began before. onsets, durations: (n,)
    in frames from the start of the window. anchor: frames, when the anchor is played. indices: (n,), which of all notes
    they are.
    """

    notes: NoteRows
    onsets: NDArray[np.float64]
    durations: NDArray[np.float64]
    anchor: float
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.notes)


def clip_of(rows: NoteRows, timings: Timings, start_s: float, frames: int, frame_s: float) -> Clip:
    """Return the notes that sound in the window of `frames` frames from `start_s` on.

    rows: (n, 4). timings: (n, 2) in seconds. A note of no length lasts one frame.
    """
    starts = (timings[:, 0] - start_s) / frame_s
    ends = np.maximum((timings[:, 1] - start_s) / frame_s, starts + 1)
    inside = np.flatnonzero((starts < frames) & (ends > 0))
    notes, onsets = rows[inside].copy(), starts[inside]
    if len(inside):
        begun = np.flatnonzero(onsets >= 0)
        first = begun[notes[begun, ONSET].argmin()] if len(begun) else int(onsets.argmax())
        notes[:, ONSET] -= notes[first, ONSET]
        anchor = float(onsets[first])
    else:
        anchor = 0.0
    return Clip(notes, onsets, ends[inside] - onsets, anchor, inside)


def window_starts(seconds: float, frames: int, frame_s: float) -> NDArray[np.float64]:
    """Return the starts of the consecutive whole windows of a recording, in seconds; one at least."""
    length = frames * frame_s
    return np.arange(max(int(seconds / length), 1), dtype=np.float64) * length
