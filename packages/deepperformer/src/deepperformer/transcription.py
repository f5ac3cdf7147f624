"""Sound → onsets and pitches by basic-pitch's network, and their F1: the judge of performances (the extra `judge`).

The network (Bittner et al. 2022) is the file `nmp.onnx` of the wheel of basic-pitch, which need not be installed; what
it says of each frame and pitch is made into notes here. Symbols: T frames.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray

from deepperformer.errors import ModelError

RATE, HOP = 22050, 256
WINDOW, OVERLAP = 2 * RATE - HOP, 30 * HOP  # samples
FRAMES, EDGE = 172, 15  # of a window, and what is cut off at its ends
LOWEST, PITCHES = 21, 88
ONSET_LEVEL, NOTE_LEVEL = 0.5, 0.3
SHORTEST, PATIENCE = 11, 11  # frames: a note lasts more; so many below the level end it
TOLERANCE_S = 0.05

Onsets = NDArray[np.float64]


class Transcriber:
    """Basic-pitch's network with our decoding of notes.

    Args:
        path: `nmp.onnx`.

    Raises ModelError if the file is no such network, and ImportError without onnxruntime.
    """

    OUTPUTS = ("StatefulPartitionedCall:1", "StatefulPartitionedCall:2")  # levels and onsets of 88 pitches

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            import onnxruntime
            from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf
        except ModuleNotFoundError as error:
            raise ImportError("transcription needs onnxruntime: pip install 'deepperformer[judge]'") from error
        if not Path(path).is_file():
            raise FileNotFoundError(2, "no such network (nmp.onnx, from the wheel of basic-pitch)", str(path))
        try:
            self.session: Any = onnxruntime.InferenceSession(os.fspath(path))
            shapes = {entry.name: entry.shape[1:] for entry in self.session.get_outputs()}
            if [shapes.get(name) for name in self.OUTPUTS] != [[FRAMES, PITCHES]] * 2:
                raise ModelError(f"{os.fspath(path)}: is not basic-pitch's network: its outputs are {shapes}")
        except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf) as error:
            raise ModelError(f"{os.fspath(path)}: cannot be run: {str(error).splitlines()[0]}") from error

    def onsets(self, audio: Audio) -> Onsets:
        """Return time in seconds and pitch of each note that is heard, (n, 2)."""
        notes, onsets = self.activations(audio)
        return decoded(notes, onsets)

    def activations(self, audio: Audio) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how surely each pitch sounds, and begins, in each frame, (T, 88) each."""
        found: list[list[NDArray[np.float32]]] = [[], []]
        feed = self.session.get_inputs()[0].name
        windows, frames = sound_windows(audio)
        for window in windows:
            for kept, values in zip(found, self.session.run(list(self.OUTPUTS), {feed: window}), strict=True):
                kept.append(values[0, EDGE:-EDGE])
        notes, onsets = (np.concatenate(kept)[:frames] for kept in found)
        return notes, onsets


def sound_windows(audio: Audio) -> tuple[list[NDArray[np.float32]], int]:
    """Return the windows of a sound that the network reads, (1, samples, 1) each, and the frames of the whole.

    Without the `EDGE` frames at the ends of each, what the network says of them joins.
    """
    samples = audio.to_mono().resample(RATE).samples[0]
    padded = np.concatenate([np.zeros(OVERLAP // 2, np.float32), samples])
    parts = [padded[start : start + WINDOW] for start in range(0, len(padded), WINDOW - OVERLAP)]
    windows = [np.pad(part, (0, WINDOW - len(part)))[None, :, None].astype(np.float32) for part in parts]
    return windows, int(len(samples) / HOP)


def decoded(notes: NDArray[np.float32], onsets: NDArray[np.float32]) -> Onsets:
    """Return time and pitch of each note, (n, 2), in order of time.

    A note begins where the onset of its pitch, or the rise of its level, peaks above ½, and lasts while its level stays
    above 0.3 (gaps of some frames allowed); what is too short is none. A note takes the frames that it sounds in, at
    its own and the neighbouring pitches, from those before it.
    """
    strength = np.maximum(onsets, _rises(notes, float(onsets.max(initial=0.0))))
    inner = strength[1:-1]
    peaks = (inner > strength[:-2]) & (inner > strength[2:]) & (inner >= ONSET_LEVEL)
    frames, pitches = np.nonzero(peaks)
    left = notes.copy()
    found = []
    # From the last to the first, each note's end depends on what later ones have taken: a loop over notes.
    for frame, pitch in zip((frames + 1).tolist()[::-1], pitches.tolist()[::-1], strict=True):
        end = _end_of(left[frame + 1 :, pitch]) + frame + 1
        if end - frame > SHORTEST:
            left[frame:end, max(pitch - 1, 0) : pitch + 2] = 0
            found.append((frame, pitch + LOWEST))
    table = np.array(found[::-1], np.float64).reshape(-1, 2)
    table[:, 0] = _seconds(table[:, 0])
    return table


def _rises(notes: NDArray[np.float32], largest: float) -> NDArray[np.float32]:
    """Return by how much levels rise over one and two frames, the smaller of both, scaled to the largest onset."""
    zeros = np.zeros((2, notes.shape[1]), np.float32)
    before = np.concatenate([zeros, notes])
    rise = np.maximum(np.minimum(notes - before[1:-1], notes - before[:-2]), 0)
    rise[:2] = 0
    peak = float(rise.max(initial=0.0))
    return np.asarray(rise * (largest / peak), np.float32) if peak > 0 else rise


def _end_of(levels: NDArray[np.float32]) -> int:
    """Return the number of frames until a level has been low for `PATIENCE` frames, without these."""
    low = levels < NOTE_LEVEL
    runs = np.cumsum(low)
    ended = np.flatnonzero(runs[PATIENCE - 1 :] - np.concatenate([[0], runs[:-PATIENCE]]) == PATIENCE)
    if len(ended):
        return int(ended[0])
    return len(levels) - int(np.argmin(low[::-1])) if not low.all() else 0


def _seconds(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the times of frames: windows are a little shorter than their frames, as published."""
    per_window = 2 * (RATE // HOP)
    offset = HOP / RATE * (per_window - WINDOW / HOP) + 0.0018
    return frames * HOP / RATE - offset * np.floor(frames / per_window)


def onset_f1(true: Onsets, heard: Onsets, tolerance_s: float = TOLERANCE_S) -> float:
    """Return F1 of notes that begin within a tolerance of each other at one pitch, each matched once (mir_eval).

    true, heard: (n, 2), time in seconds and pitch. Raises ImportError without mir_eval.
    """
    try:
        from mir_eval.transcription import precision_recall_f1_overlap
    except ModuleNotFoundError as error:
        raise ImportError("F1 needs mir_eval: pip install 'deepperformer[judge]'") from error
    if not len(true) or not len(heard):
        return 0.0
    intervals = [np.stack([notes[:, 0], notes[:, 0] + 0.1], axis=1) for notes in (true, heard)]
    hz = [440.0 * 2 ** ((notes[:, 1] - 69) / 12) for notes in (true, heard)]
    scores = precision_recall_f1_overlap(
        intervals[0], hz[0], intervals[1], hz[1], onset_tolerance=tolerance_s, offset_ratio=None
    )
    return float(scores[2])
