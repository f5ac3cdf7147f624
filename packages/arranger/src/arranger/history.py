"""What the multilayer perceptron reads: a note's chord, and the last note of every part (§4.5.3, de Valk and Weyde).

The history of the parts is the true one in training ("teacher-forced") and for the oracle; when the model runs freely,
it is what the model itself has decided so far.

Symbols: n notes, K parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arranger.mixture import RESOLUTION, Integers, Mixture

CHORD_WIDTH = 9
HISTORY_WIDTH = 4  # for each part
ORNAMENT = 6  # notes of a sixteenth or less
NONE = -1.0  # of a neighbour or a part that is not there


def chord_features(mixture: Mixture) -> NDArray[np.float32]:
    """Return nine numbers for every note, unscaled, (n, 9).

    Pitch, duration, whether it is an ornament (a sixteenth or shorter), index in its chord from below, distance to the
    note below and above in the chord (-1: none), size of the chord, position in the beat, size of the next chord. The
    last one, and the durations, are not known when a note begins: strictly, this model is not an online one.
    """
    count = len(mixture)
    if not count:
        return np.zeros((0, CHORD_WIDTH), np.float32)
    _, first, group, sizes = np.unique(mixture.onset, return_index=True, return_inverse=True, return_counts=True)
    index = np.arange(count) - first[group]
    distance = np.diff(mixture.pitch, prepend=0, append=0)
    size = sizes[group]
    columns = (
        mixture.pitch,
        mixture.duration,
        mixture.duration <= ORNAMENT,
        index,
        np.where(index > 0, distance[:-1], NONE),
        np.where(index < size - 1, distance[1:], NONE),
        size,
        mixture.onset % RESOLUTION,
        np.append(sizes[1:], 0)[group],
    )
    return np.stack(columns, axis=1).astype(np.float32)


def history_features(mixture: Mixture, labels: Integers, parts: int) -> NDArray[np.float32]:
    """Return four numbers for every note and part, from the notes before it and their parts, (n, 4 · K).

    Distance to the part's last pitch, last onset and last offset, and whether that note still sounds; all -1 while the
    part has had no note.
    """
    count = len(mixture)
    rows = np.arange(count)
    own = np.where(labels[:, None] == np.arange(parts), rows[:, None], -1)
    last = np.concatenate([np.full((1, parts), -1), np.maximum.accumulate(own, axis=0)])[:count]
    return history_rows(mixture.onset[:, None], mixture.pitch[:, None], *_last_notes(mixture, last))


def history_rows(
    onset: Integers,
    pitch: Integers,
    last_pitch: Integers,
    last_onset: Integers,
    last_offset: Integers,
    heard: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return the history as the model reads it, (…, 4 · K), from the last note of every part, each (…, K).

    onset, pitch: (…, 1) of the note to be labelled. heard: whether the part has had a note.
    """
    values = np.stack(
        [abs(last_pitch - pitch), abs(last_onset - onset), abs(last_offset - onset), onset < last_offset], axis=-1
    )
    values = np.where(heard[..., None], values, NONE)
    return values.reshape(*values.shape[:-2], -1).astype(np.float32)


def _last_notes(mixture: Mixture, last: Integers) -> tuple[Integers, Integers, Integers, NDArray[np.bool_]]:
    return mixture.pitch[last], mixture.onset[last], mixture.offset[last], last >= 0
