"""Reference and recording → timings: the published procedure, and ours (§5.3).

Published: a full DTW of CQTs at a hop of 32 ms, and the nearest path cell. It is up to a frame late, and its grid is
the frame. Ours: the same CQTs first at 128 ms in full, then at 32 ms and 16 ms within bands, both with the rise of
each bin beside its level; the path is interpolated and the timbre's constant shift taken out. Memory is in proportion
to the length.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Literal, get_args

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray

from deepperformer.alignment.dtw import Band, Features, Path, warp
from deepperformer.alignment.quality import Quality, quality_of
from deepperformer.alignment.reference import bias_of, reference_of, tempo_of
from deepperformer.errors import AlignmentError
from deepperformer.features.notes import DURATION, ONSET, RESOLUTION, VIOLIN, NoteRows, Timings

SAMPLE_RATE = 16000
HOP = 256
LOWEST_HZ, OCTAVES, BINS_PER_OCTAVE = 130.8128, 5, 36  # from C3
PADDING_S = 0.5  # of silence around both, so that what is before the first note finds its place
COARSE = 8  # frames of 16 ms averaged for the first pass
COARSE_HALF_S, FINE_HALF_S = 1.92, 0.256
LEVEL_WEIGHT, RISE_WEIGHT = 0.3, 3.0
MIN_NOTE_S = 0.01
SILENT = 1e-4

Method = Literal["interpolated", "published"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclasses.dataclass(frozen=True)
class Alignment:
    """When the notes of a score were played. rows: (n, 4). timings: (n, 2) seconds. qpm: mean tempo."""

    rows: NoteRows
    timings: Timings
    qpm: float
    method: str
    quality: Quality

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        notes = [
            {"onset": onset, "duration": duration, "pitch": pitch, "start": round(start, 4), "end": round(end, 4)}
            for (onset, duration, pitch, _), (start, end) in zip(self.rows.tolist(), self.timings.tolist(), strict=True)
        ]
        return {"method": self.method, "qpm": self.qpm, "quality": self.quality.to_dict(), "notes": notes}


def align(
    rows: NoteRows,
    audio: Audio,
    *,
    method: Method = "interpolated",
    program: int = VIOLIN,
    soundfont: str | os.PathLike[str] | None = None,
) -> Alignment:
    """Find when the notes of a score were played in a recording of the whole of it.

    Args:
        rows: (n, 4), see `features.notes`.
        audio: The recording.
        method: `interpolated`, or `published`: the data set's procedure.
        program: General MIDI programme that plays the reference.
        soundfont: Of the reference; TimGM6mb by default.

    Raises AlignmentError for silence, or a recording whose length cannot be that of the score; ImportError without
    librosa.
    """
    if method not in METHODS:
        raise AlignmentError(f"method={method!r}: choose one of {', '.join(METHODS)}")
    recording = audio.to_mono().resample(SAMPLE_RATE)
    if recording.peak < SILENT:
        raise AlignmentError(f"the recording is silent ({recording.duration:.1f} s)")
    qpm = tempo_of(rows, recording.duration)
    reference = reference_of(rows, qpm, program, soundfont, SAMPLE_RATE)
    if method == "published":
        path, timings = _published(rows, reference, recording)
    else:
        path, timings = _interpolated(rows, qpm, reference, recording, bias_of(soundfont, program))
    timings = np.clip(timings, 0.0, recording.duration)
    timings[:, 1] = np.maximum(timings[:, 1], timings[:, 0] + MIN_NOTE_S)
    return Alignment(rows, timings, qpm, method, quality_of(rows, timings, path.cost))


def onset_shift(rows: NoteRows, audio: Audio, program: int, soundfont: str | os.PathLike[str] | None) -> float:
    """Return by how many seconds onsets are found late in a sound that plays the rows at a constant tempo."""
    recording = audio.to_mono().resample(SAMPLE_RATE)
    qpm = 84.0
    reference = reference_of(rows, qpm, program, soundfont, SAMPLE_RATE)
    _, timings = _interpolated(rows, qpm, reference, recording, 0.0)
    return float(np.median(timings[:, 0] - rows[:, ONSET] * 60 / qpm / RESOLUTION))


# --- ours ------------------------------------------------------------------------------------------------------------


def _interpolated(
    rows: NoteRows, qpm: float, reference: Audio, recording: Audio, bias_s: float
) -> tuple[Path, Timings]:
    ours, theirs = (constant_q(_padded(sound), HOP) for sound in (reference, recording))
    middle = _coarse_to_middle(ours, theirs)
    half = round(FINE_HALF_S * SAMPLE_RATE / HOP)
    centers = middle.at(np.arange(len(ours)) / 2) * 2
    path = warp(_with_rise(ours), _with_rise(theirs), Band.around(centers, half, len(theirs)))
    seconds = np.stack([rows[:, ONSET], rows[:, ONSET] + rows[:, DURATION]], axis=1) * 60 / qpm / RESOLUTION
    frames = path.at((seconds.ravel() + PADDING_S) * SAMPLE_RATE / HOP)
    timings: Timings = frames.reshape(-1, 2) * HOP / SAMPLE_RATE - PADDING_S - bias_s
    return dataclasses.replace(path, cost=_relative_cost(middle, ours[::2], theirs[::2])), timings


def _coarse_to_middle(ours: Features, theirs: Features) -> Path:
    """Return the path at 32 ms: a full one at 128 ms (or coarser, for hours of music), and then one in its band."""
    pooling = COARSE * max(1, -(-max(len(ours), len(theirs)) // (COARSE * 12_000)))
    coarse = warp(_pooled(ours, pooling), _pooled(theirs, pooling))
    middle_ours, middle_theirs = ours[::2], theirs[::2]
    offset = (pooling - 1) / 2  # the middle of the frames that were averaged
    centers = (coarse.at((np.arange(len(middle_ours)) * 2 - offset) / pooling) * pooling + offset) / 2
    half = round(COARSE_HALF_S * SAMPLE_RATE / HOP / 2 * pooling / COARSE)
    # Rises show the onsets of double stops whose other note goes on: nearly half as many gross errors as by levels.
    return warp(_with_rise(middle_ours), _with_rise(middle_theirs), Band.around(centers, half, len(middle_theirs)))


def _pooled(features: Features, frames: int) -> Features:
    whole = max(len(features) // frames, 1)
    pooled: Features = features[: whole * frames].reshape(whole, -1, features.shape[1]).mean(1)
    return pooled


def _with_rise(features: Features) -> Features:
    """Put beside each bin's level how much it rises from the frame before to the frame after."""
    rise = np.zeros_like(features)
    rise[1:-1] = np.maximum(features[2:] - features[:-2], 0)
    return np.hstack([LEVEL_WEIGHT * features, RISE_WEIGHT * rise])


def _padded(audio: Audio) -> Audio:
    pad = round(PADDING_S * SAMPLE_RATE)
    return Audio(np.pad(audio.samples, ((0, 0), (pad, pad))), audio.sample_rate)


def _relative_cost(path: Path, ours: Features, theirs: Features) -> float:
    """Return the mean distance along a path in units of that of frames taken at random."""
    rng = np.random.default_rng(0)
    random = ours[rng.integers(len(ours), size=2000)] - theirs[rng.integers(len(theirs), size=2000)]
    along = ours[path.reference] - theirs[path.recording]
    distance, of_random = (float(np.linalg.norm(pairs, axis=1).mean()) for pairs in (along, random))
    return distance / max(of_random, 1e-9)


# --- the published procedure -----------------------------------------------------------------------------------------


def _published(rows: NoteRows, reference: Audio, recording: Audio) -> tuple[Path, Timings]:
    """Full DTW at a hop of 512, and the cell of the path at each onset (right) and offset (left, minus one)."""
    hop = 2 * HOP
    ours, theirs = constant_q(reference, hop), constant_q(recording, hop)
    path = warp(ours, theirs)
    offsets = rows[:, ONSET] + rows[:, DURATION]
    scale = recording.frames / hop / offsets.max()
    starts = np.searchsorted(path.reference, rows[:, ONSET] * scale, "right")
    ends = np.searchsorted(path.reference, offsets * scale, "left") - 1
    cells = np.clip(np.stack([starts, ends], axis=1), 0, len(path.recording) - 1)
    timings = path.recording[cells] * hop / SAMPLE_RATE
    return dataclasses.replace(path, cost=_relative_cost(path, ours, theirs)), timings


def constant_q(audio: Audio, hop: int) -> Features:
    """Return the constant-Q spectrogram in dB below its maximum, (frames, bins); mono at 16 kHz."""
    try:
        import librosa
    except ModuleNotFoundError as error:
        raise ImportError("alignment needs librosa; install the extra: pip install 'deepperformer[align]'") from error
    transformed = librosa.cqt(
        audio.samples[0],
        sr=audio.sample_rate,
        hop_length=hop,
        fmin=LOWEST_HZ,
        n_bins=OCTAVES * BINS_PER_OCTAVE,
        bins_per_octave=BINS_PER_OCTAVE,
    )
    levels: NDArray[np.floating] = librosa.amplitude_to_db(np.abs(transformed), ref=np.max)
    features: NDArray[np.float32] = levels.T.astype(np.float32)
    return features
