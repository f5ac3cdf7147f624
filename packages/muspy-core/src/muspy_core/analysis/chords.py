"""Notes → a major or minor chord for each beat, and how far that agrees with annotated chords.

Each beat's pitch classes are compared with the 24 triads; the sequence of chords with the best sum wins, where every
change has a price (the Viterbi algorithm; A. Sheh and D. Ellis, "Chord segmentation and recognition using EM-trained
hidden Markov models", 2003, with templates in place of trained models). Chords are numbered like keys: the root, plus
12 for minor; −1 is no chord.

Symbols: S segments (beats), 24 chords.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from muspy_core.analysis.keys import MINOR, N_KEYS, parse_key
from muspy_core.datasets.sources import Source
from muspy_core.metrics.columns import note_columns
from muspy_core.music import Music

NO_CHORD = -1
UNCOMPARED = -2
TRIADS = ((0, 4, 7), (0, 3, 7))
# Price of a change, in units of the cosine between a beat and a chord: the best of 0.05, 0.1, 0.2 and 0.4 on the first
# 50 songs of POP909, on which nothing is reported.
CHANGE = 0.1


@dataclasses.dataclass(frozen=True)
class Chords:
    """Chords of a piece. times: (S + 1,), where segments begin, and the end, in steps. numbers: (S,), −1 to 23."""

    times: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def at(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the chord that sounds at each time, −1 outside."""
        places = np.searchsorted(self.times, times, side="right") - 1
        inside = (places >= 0) & (places < len(self.numbers))
        return np.append(self.numbers, NO_CHORD)[np.where(inside, places, -1)]


def estimate_chords(music: Music, change: float = CHANGE) -> Chords:
    """Return a chord for each beat of a piece; beats are those of the music, or quarter notes.

    change: price of a change of chord. Drum tracks do not count; beats without a note have no chord.
    """
    times = beat_edges(music)
    durations = segment_pitch_classes(music, times)
    norms = np.linalg.norm(durations, axis=1)
    sounding = norms > 0
    similarity = np.zeros((len(durations), N_KEYS))
    similarity[sounding] = durations[sounding] @ _templates().T / norms[sounding, None]
    return Chords(times, np.where(sounding, _best_path(similarity, change), NO_CHORD))


def beat_edges(music: Music) -> NDArray[np.int64]:
    """Return the times of beats and of the end of a piece, increasing; quarter notes where it has no beats."""
    end = max(music.get_end_time(), 1)
    beats = np.array([beat.time for beat in music.beats], dtype=np.int64)
    if not len(beats):
        beats = np.arange(0, end, music.resolution, dtype=np.int64)
    return np.unique(np.concatenate([beats[beats < end], [0, end]]))


def segment_pitch_classes(music: Music, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how long each pitch class sounds in each segment, (S, 12), in time steps.

    times: (S + 1,), where segments begin, and the end. Drum tracks do not count.
    """
    starts, durations, pitches = note_columns(music, "time", "duration", "pitch", drums=False)
    ends = starts + np.maximum(durations, 0)
    sums = np.empty((len(times), 12))
    for pitch_class in range(12):
        chosen = pitches % 12 == pitch_class
        sums[:, pitch_class] = _elapsed(starts[chosen], times) - _elapsed(ends[chosen], times)
    return np.diff(sums, axis=0)


def annotated_chords(music: Music) -> Chords:
    """Return the chords that are annotated (group "chord", in Harte's notation, as POP909 has them).

    Sevenths and so on count as their triads. What is neither major nor minor has the number −2, no chord −1.
    """
    labels = sorted(
        ((a.time, str(a.annotation)) for a in music.annotations if a.group == "chord"), key=lambda label: label[0]
    )
    end = max([music.get_end_time(), *(time + 1 for time, _ in labels)])
    times = np.array([*(time for time, _ in labels), end], dtype=np.int64)
    return Chords(times, np.array([_number(label) for _, label in labels], dtype=np.int64))


def chord_agreement(music: Music, change: float = CHANGE) -> tuple[int, int]:
    """Return for how many time steps the estimate is the annotated major or minor chord, and of how many.

    Their quotient over a data set is the weighted chord symbol recall for major and minor (MIREX "majmin").
    """
    truth, estimate = annotated_chords(music), estimate_chords(music, change)
    times = np.unique(np.concatenate([truth.times, estimate.times]))
    lengths, places = np.diff(times), times[:-1]
    expected = truth.at(places)
    compared = expected >= 0
    agreeing = compared & (estimate.at(places) == expected)
    return int(lengths[agreeing].sum()), int(lengths[compared].sum())


@dataclasses.dataclass(frozen=True)
class ChordRecall:
    """How far estimated chords agree with annotated ones. recall: weighted by time; median, quartiles: over songs."""

    name: str
    songs: int
    recall: float
    median: float
    quartiles: tuple[float, float]


def measure_chords(name: str, source: Source, first: int, progress: bool | None = None) -> ChordRecall:
    """Compare chords in the songs from number `first` on; songs without an annotated major or minor chord do not count.

    Time is that of the songs' own steps, so songs in a finer resolution do not weigh more: each is taken in quarters.
    """
    rows = []
    for number in tqdm(range(first, len(source)), desc="chords", disable=None if progress is None else not progress):
        music = source.music(number)
        agreeing, compared = chord_agreement(music)
        if compared:
            rows.append((agreeing / music.resolution, compared / music.resolution))
    agreeing_quarters, compared_quarters = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    shares = agreeing_quarters / compared_quarters
    low, median, high = np.percentile(shares, [25, 50, 75]) if len(shares) else (np.nan,) * 3
    recall = float(agreeing_quarters.sum() / compared_quarters.sum()) if len(shares) else np.nan
    return ChordRecall(name, len(rows), recall, float(median), (float(low), float(high)))


def _templates() -> NDArray[np.float64]:
    """The 24 triads as pitch classes of length 1, (24, 12)."""
    rows = np.zeros((N_KEYS, 12))
    for number in range(N_KEYS):
        triad = TRIADS[1 if number >= MINOR else 0]
        rows[number, [(number + step) % 12 for step in triad]] = 1
    return np.asarray(rows / np.sqrt(len(TRIADS[0])))


def _best_path(scores: NDArray[np.float64], change: float) -> NDArray[np.int64]:
    """The numbers, (S,), with the largest sum of scores (S, 24) less the price of changes."""
    if not len(scores):
        return np.empty(0, np.int64)
    came_from = np.empty(scores.shape, np.int64)
    stay = np.arange(N_KEYS)
    total = scores[0]
    # Each beat needs the sums of the one before it.
    for place in range(1, len(scores)):
        best = int(total.argmax())
        moves = total[best] - change > total
        came_from[place] = np.where(moves, best, stay)
        total = np.maximum(total, total[best] - change) + scores[place]
    path = np.empty(len(scores), np.int64)
    path[-1] = total.argmax()
    for place in range(len(scores) - 1, 0, -1):
        path[place - 1] = came_from[place, path[place]]
    return path


def _elapsed(moments: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum over moments of how long ago each was, at each time; those to come count 0."""
    ordered = np.sort(moments)
    sums = np.concatenate([[0], np.cumsum(ordered)])
    passed = np.searchsorted(ordered, times)
    return np.asarray(passed * times - sums[passed], dtype=np.float64)


def _number(label: str) -> int:
    """The number of a chord label, −1 for "N", −2 for what is neither major nor minor."""
    root, _, quality = label.partition("/")[0].partition(":")
    if root == "N":
        return NO_CHORD
    if quality[:1].isdigit():  # "7", "9": a major triad with a minor seventh
        quality = "maj"
    key = parse_key(f"{root}:{quality or 'maj'}")
    return UNCOMPARED if key is None else key.number
