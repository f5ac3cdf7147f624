"""A file through the live engine as fast as it can: music → the labels that a player would have got → parts (§4.5).

The output is that of `separate`: every note as it was, with drums, tempo, key and lyrics; only the labels are live.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from muspy_core import Music
from numpy.typing import NDArray

from arranger.checkpoint import Checkpoint
from arranger.clocks import ScoreClock
from arranger.control import Control
from arranger.live import CHORD_S, WINDOW_S, LiveArranger, Missing
from arranger.mixture import Integers
from arranger.separate import Separation, as_separation, merged


@dataclass(frozen=True)
class Streamed:
    """A separation that was made live.

    latency_s: (n,) from note-on to decision: the wait for the rest of the chord, and the computation. compute_s: of
    the whole piece.
    """

    separation: Separation
    latency_s: NDArray[np.float64]
    compute_s: float


def stream(
    music: Music,
    model: str | os.PathLike[str] | Checkpoint = "bach-chorales",
    mode: str = "online",
    *,
    window_s: float = WINDOW_S,
    chord_s: float = CHORD_S,
    control: Control | None = None,
    missing: Missing = "expected",
) -> Streamed:
    """Play music to a `LiveArranger` at its own tempo, but without waiting.

    Raises SeparationError if there is no pitched note, ModelError as `LiveArranger` does.
    """
    source = merged(music)
    arranger = LiveArranger(
        model, mode, window_s=window_s, chord_s=chord_s, clock=ScoreClock(music), control=control, missing=missing
    )
    onset, end = source.seconds(music)
    label, confidence, latency, compute_s = play(arranger, onset, end, source.mixture.pitch, source.mixture.velocity)
    return Streamed(as_separation(music, source, arranger.control, label, confidence), latency, compute_s)


def play(
    arranger: LiveArranger,
    onset: NDArray[np.float64],
    end: NDArray[np.float64],
    pitch: Integers,
    velocity: Integers,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Integers, NDArray[np.float64], NDArray[np.float64], float]:
    """Play notes to an arranger, moment by moment.

    onset, end: (n,) seconds. clock: measures the computation, in seconds. Returns the part, the confidence and the
    latency in seconds of every note, (n,) each, and the seconds of computation in all. At one moment keys are released
    before others are pressed, in order of the notes.
    """
    count = len(onset)
    label, confidence, latency = np.zeros(count, np.int64), np.zeros(count), np.zeros(count)
    moments = sorted(
        [(at, 0, row) for row, at in enumerate(end.tolist())] + [(at, 1, row) for row, at in enumerate(onset.tolist())]
    )
    number_of: dict[int, int] = {}
    row_of: list[int] = []
    compute_s = 0.0
    for at, is_on, row in [*moments, (moments[-1][0] + 1.0, 2, -1)] if moments else []:
        start = clock()
        events = arranger.advance(at)  # what is due before this moment
        if is_on == 1:
            number_of[row] = len(row_of)
            row_of.append(row)
            events += arranger.note_on(int(pitch[row]), max(int(velocity[row]), 1), at)
        elif is_on == 0 and row in number_of:
            events += arranger.note_off(int(pitch[row]), at, number_of[row])
        else:
            events += arranger.finish(at)
        spent = clock() - start
        compute_s += spent
        for event in events:
            if event.kind == "on":
                found = row_of[event.note]
                label[found], confidence[found] = event.part, event.confidence
                latency[found] = event.time - onset[found] + spent
    return label, confidence, latency, compute_s
