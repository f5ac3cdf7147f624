"""Score → when each note is played: windows of the alignment model, chained over a whole piece (§5.3.1).

The model sees 5 s of a score at its tempo. Windows overlap; each is moved so that it agrees with the one before on the
notes they share, and the notes in common are cross-faded. Without a model, or at humanise 0, the tempo is the score's.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from muspy_core import Music, TempoMap
from numpy.typing import NDArray

from deepperformer.clips import CLIP_FRAMES, Clip, clip_of
from deepperformer.errors import PerformError
from deepperformer.features.marks import Marks, no_marks
from deepperformer.features.notes import DURATION, ONSET, RESOLUTION, NoteRows, Timings

WINDOW_S, HOP_S = 4.992, 3.2
MAX_STRETCH = 0.15  # of the whole piece; a model that drifts further is held back
MIN_QPM, MAX_QPM = 5.0, 400.0
WINDOWS_AT_ONCE = 32


@dataclasses.dataclass(frozen=True)
class ScoreTempo:
    """The tempo of a score. steps are those of note rows, 24 a quarter note; resolution: of the tempo map."""

    map: TempoMap
    resolution: int

    @classmethod
    def of(cls, music: Music, qpm: float | None = None) -> ScoreTempo:
        """Return the tempo of a score, or a constant one. Raises PerformError for a tempo that no one plays."""
        if qpm is None:
            return cls(music.tempo_map, music.resolution)
        if not MIN_QPM <= qpm <= MAX_QPM:
            raise PerformError(f"a tempo of {qpm:g} qpm: allowed are {MIN_QPM:g} to {MAX_QPM:g}")
        zero = np.zeros(1)
        return cls(TempoMap(zero.astype(np.int64), zero, np.array([60 / qpm / RESOLUTION])), RESOLUTION)

    def seconds(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        """Return the seconds at which steps are reached."""
        return self.map.seconds(steps * (self.resolution / RESOLUTION))

    def qpm_at(self, start_s: float, end_s: float) -> float:
        """Return the mean tempo between two times."""
        first, last = self.map.steps(np.array([start_s, end_s]))
        return float((last - first) / self.resolution / (end_s - start_s) * 60)


def constant_timings(rows: NoteRows, tempo: ScoreTempo) -> Timings:
    """Return the times of notes as the score has them, (n, 2) in seconds."""
    return np.stack([tempo.seconds(rows[:, ONSET]), tempo.seconds(rows[:, ONSET] + rows[:, DURATION])], axis=1)


def expressive_timings(
    rows: NoteRows,
    tempo: ScoreTempo,
    model: Any,
    performer: int,
    frame_s: float,
    humanise: float = 1.0,
    marks: Marks | None = None,
) -> Timings:
    """Return the times at which an alignment model plays notes, (n, 2) in seconds.

    humanise: 0 (exactly the score's tempo) to 1 (the model). marks: (n, K), which a model with `config.marks` reads;
    None: no note has one. The first note is where the score has it, notes that begin together in the score do so, none
    overtakes another, and the whole is at most 15 % longer or shorter than the score.
    """
    if not 0 <= humanise <= 1:
        raise PerformError(f"humanise={humanise:g}: from 0 to 1")
    nominal = constant_timings(rows, tempo)
    if humanise == 0:
        return nominal
    known = no_marks(len(rows)) if marks is None else marks
    deviations, lengths = _chained(rows, nominal, known, tempo, model, performer, frame_s)
    starts = _in_order(rows[:, ONSET], nominal[:, 0] + deviations)
    starts = nominal[:, 0].min() + _held_back(starts - starts.min(), nominal[:, 0] - nominal[:, 0].min())
    starts = humanise * starts + (1 - humanise) * nominal[:, 0]
    lengths = humanise * np.maximum(lengths, frame_s) + (1 - humanise) * (nominal[:, 1] - nominal[:, 0])
    return np.stack([starts, starts + lengths], axis=1)


def _chained(
    rows: NoteRows,
    nominal: Timings,
    marks: Marks,
    tempo: ScoreTempo,
    model: Any,
    performer: int,
    frame_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each note how much later than in the score it begins, and how long it lasts, in seconds."""
    deviations, lengths = np.zeros(len(rows)), nominal[:, 1] - nominal[:, 0]
    placed = np.zeros(len(rows), bool)
    drift = 0.0
    starts = np.arange(0.0, float(nominal[:, 0].max()) + HOP_S, HOP_S)
    clips = [(start, clip_of(rows, nominal, start, CLIP_FRAMES, frame_s)) for start in starts.tolist()]
    clips = [(start, clip) for start, clip in clips if len(clip)]
    for (start, clip), times in zip(clips, _predicted(clips, marks, tempo, model, performer, frame_s), strict=True):
        late = (times[:, 0] - (clip.onsets - clip.anchor)) * frame_s
        known = placed[clip.indices]
        # Where windows share no note, the delay so far goes on.
        late += float(np.mean(deviations[clip.indices[known]] - late[known])) if known.any() else drift
        fade = np.clip((nominal[clip.indices, 0] - start) / (WINDOW_S - HOP_S), 0, 1)
        fade[~known] = 1.0
        deviations[clip.indices] += fade * (late - deviations[clip.indices])
        lengths[clip.indices] += fade * (times[:, 1] * frame_s - lengths[clip.indices])
        placed[clip.indices] = True
        drift = float(deviations[clip.indices[-1]])
    return deviations, lengths


def _predicted(
    clips: list[tuple[float, Clip]], marks: Marks, tempo: ScoreTempo, model: Any, performer: int, frame_s: float
) -> list[NDArray[np.float64]]:
    """Return onsets from the anchor and durations in frames, (n, 2), of each window."""
    import torch

    from deepperformer.model import frames_per_step

    found = []
    for first in range(0, len(clips), WINDOWS_AT_ONCE):
        some = clips[first : first + WINDOWS_AT_ONCE]
        counts = [len(clip) for _, clip in some]
        notes = torch.zeros(len(some), max(counts), 4, dtype=torch.long)
        marked = torch.zeros(len(some), max(counts), marks.shape[1])
        for index, (_, clip) in enumerate(some):
            notes[index, : len(clip)] = torch.from_numpy(clip.notes)
            marked[index, : len(clip)] = torch.from_numpy(marks[clip.indices])
        mask = torch.arange(max(counts))[None] < torch.tensor(counts)[:, None]
        qpm = [tempo.qpm_at(start, start + WINDOW_S) for start, _ in some]
        classes = torch.tensor([model.config.tempo_class(value) for value in qpm])
        with torch.inference_mode():
            output = model(notes, mask, torch.full((len(some),), performer), classes, marked)
            times = model.decode(output, notes, frames_per_step(torch.tensor(qpm, dtype=torch.float32), frame_s))
        found += [values[:count].double().numpy() for values, count in zip(times, counts, strict=True)]
    return found


def _in_order(onsets: NDArray[np.int64], starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give notes with one onset their mean start, and then the nearest starts that do not fall."""
    _, group, counts = np.unique(onsets, return_inverse=True, return_counts=True)
    return isotonic(np.bincount(group, starts) / counts, counts.astype(float))[group]


def isotonic(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rising sequence with the least weighted squared distance: adjacent violators are pooled.

    A loop over values: each is pooled once at most, and a piece has some thousand onsets.
    """
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, size = value, weight, 1
        while means and means[-1] > mean:
            before, heavier = means.pop(), masses.pop()
            mean = (before * heavier + mean * mass) / (heavier + mass)
            mass, size = mass + heavier, size + sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    return np.repeat(np.array(means), sizes)


def _held_back(starts: NDArray[np.float64], nominal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale starts, from 0 on, so that the last is within `MAX_STRETCH` of the score's."""
    ratio = float(starts.max() / max(float(nominal.max()), 1e-9))
    if ratio <= 0:
        return nominal
    return starts * (float(np.clip(ratio, 1 - MAX_STRETCH, 1 + MAX_STRETCH)) / ratio)
