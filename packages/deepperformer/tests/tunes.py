"""Tunes and their performances, for the tests."""

from __future__ import annotations

import numpy as np
from deepperformer.features.notes import NoteRows, Timings, sort_rows


def tune(seed: int = 0, notes: int = 40) -> NoteRows:
    """A tune in quavers and crotchets with a double stop every eighth note."""
    rng = np.random.default_rng(seed)
    durations = rng.choice([12, 24], notes)
    onsets = np.cumsum(durations) - durations
    pitches = 62 + rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14], notes)
    rows = np.stack([onsets, durations, pitches, np.full(notes, 64)], axis=1)
    stops = rows[::8] - [0, 0, 7, 0]
    return sort_rows(np.concatenate([rows, stops]).astype(np.int64))


def timings_of(rows: NoteRows, qpm: float = 100.0, seed: int = 0) -> Timings:
    """Performed times of rows, (n, 2) in seconds: a tempo that wanders by 15 %."""
    end = int((rows[:, 0] + rows[:, 1]).max())
    tempo = 1 + 0.15 * np.sin(np.arange(end + 1) / 100 + seed)
    clock = np.concatenate([[0.0], np.cumsum(tempo)]) * 60 / qpm / 24
    return np.stack([clock[rows[:, 0]], clock[rows[:, 0] + rows[:, 1]]], axis=1)
