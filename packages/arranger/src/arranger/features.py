"""Mixture → what a model reads of every note: columns of codes and numbers, in NumPy (§4.4.1, Table 4.3).

A feature is either a *code* (an integer that the model looks up in an embedding or turns into a one-hot vector) or a
*value* (numbers that enter as they are). `FEATURES` says for each name which of these it is, how large, and what a
model needs to have heard to know it:

* causal: the notes before this one in the mixture, and whether they still sound;
* onset: besides, the other notes that start at the same time;
* offline: the whole piece.

Some features are known only if they are given: hints, which the user tells beforehand, and the parts of the notes
before. Symbols: n notes, K parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arranger.context import INTERVALS, MAX_COUNT, NO_NEIGHBOUR, sounding_context
from arranger.hints import Hints
from arranger.history import CHORD_WIDTH, HISTORY_WIDTH, chord_features, history_features
from arranger.mixture import RESOLUTION, Integers, Mixture

Knowledge = Literal["causal", "onset", "offline"]
KNOWLEDGE: tuple[Knowledge, ...] = ("causal", "onset", "offline")
Columns = dict[str, NDArray[np.int64] | NDArray[np.float32]]


@dataclass(frozen=True)
class Feature:
    """How a feature enters a model.

    size: number of codes, 0 for a value. width: numbers a note has in the model's input; for a code, equal to `size`
    means one-hot, anything else an embedding of that width. knowledge: what must have been heard. per_part: whether
    there is one such column for every part. given: what must be told beside the mixture. table: the feature whose
    embedding is used, if it has none of its own.
    """

    size: int
    width: int
    knowledge: Knowledge = "causal"
    per_part: bool = False
    given: Literal["nothing", "hints", "labels"] = "nothing"
    table: str = ""

    @property
    def kind(self) -> Literal["value", "one-hot", "embedding", "shared"]:
        """How the model turns it into numbers."""
        if self.table:
            return "shared"
        if not self.size:
            return "value"
        return "one-hot" if self.size == self.width else "embedding"


PITCH_CODES = 129
MAX_DURATION = 192
MAX_GAP = 96
BEAT_WIDTH = 16


def _table() -> dict[str, Feature]:
    table = {
        # The paper's features (Tables 4.3 and 4.4); embedding widths as published.
        "pitch": Feature(PITCH_CODES, 16),
        "position": Feature(RESOLUTION, 16),
        "beat": Feature(0, BEAT_WIDTH),
        "time": Feature(0, BEAT_WIDTH),
        "frequency": Feature(0, 1),
        "duration": Feature(MAX_DURATION + 1, 16, "offline"),
        "raw_pitch": Feature(0, 1),
        "raw_time": Feature(0, 1),
        "raw_beat": Feature(0, 1),
        "raw_position": Feature(0, 1),
        "entry_hint": Feature(0, 1, per_part=True, given="hints"),
        "pitch_hint": Feature(PITCH_CODES, 16, per_part=True, given="hints", table="pitch"),
        "chord": Feature(0, CHORD_WIDTH, "offline"),
        "history": Feature(0, HISTORY_WIDTH, per_part=True, given="labels"),
        # Beyond the paper: what sounds at the same time.
        "gap": Feature(MAX_GAP + 1, 8),
        "chord_size": Feature(MAX_COUNT + 1, MAX_COUNT + 1, "onset"),
        "rank": Feature(MAX_COUNT + 1, MAX_COUNT + 1, "onset"),
        "index": Feature(MAX_COUNT + 1, MAX_COUNT + 1),
        "held_above": Feature(MAX_COUNT + 1, MAX_COUNT + 1),
        "held_below": Feature(MAX_COUNT + 1, MAX_COUNT + 1),
    }
    for name in INTERVALS:
        table[name] = Feature(NO_NEIGHBOUR + 1, 8, "onset" if name.startswith("above") else "causal")
    return table


FEATURES = _table()
_TIMED = frozenset(
    ("position", "beat", "time", "duration", "raw_time", "raw_beat", "raw_position", "chord", "history", "gap")
)


def input_width(names: Sequence[str], parts: int) -> int:
    """Numbers that a model of K parts reads of every note."""
    return sum(FEATURES[name].width * (parts if FEATURES[name].per_part else 1) for name in names)


def read_time(names: Sequence[str]) -> bool:
    """Whether a model with these features must be told time in beats, beyond the order of the notes."""
    return any(name in _TIMED for name in names)


def required_knowledge(names: Sequence[str]) -> Knowledge:
    """What a model with these features must have heard before it can label a note."""
    return max((FEATURES[name].knowledge for name in names), key=KNOWLEDGE.index)


def require(names: Sequence[str], given: Literal["hints", "labels"]) -> bool:
    """Whether one of the features must be told hints, or the parts of the notes before."""
    return any(FEATURES[name].given == given for name in names)


def extract(
    mixture: Mixture, names: Sequence[str], hints: Hints | None = None, history: NDArray[np.float32] | None = None
) -> Columns:
    """Return the features of every note: codes as (n,) int64, values as (n, width) float32.

    hints: needed by the features that say so. history: (n, 4 · K), `history_features` of the notes' parts, likewise.
    Raises KeyError for an unknown name, ValueError where hints or history are needed and missing.
    """
    context: dict[str, Integers] = {}
    if any(name in _CONTEXT for name in names):
        context = sounding_context(mixture)
    columns: Columns = {}
    for name in names:
        if FEATURES[name].given == "hints":
            if hints is None:
                raise ValueError(f"the feature {name!r} needs hints: when each part enters, and its mean pitch")
            columns[name] = _HINTS[name](hints, len(mixture))
        elif name == "history":
            if history is None:
                raise ValueError("the feature 'history' needs the parts of the notes before")
            columns[name] = history
        else:
            columns[name] = context[name] if name in _CONTEXT else _SIMPLE[name](mixture)
    return columns


def history_of(mixture: Mixture, labels: Integers, names: Sequence[str], parts: int) -> NDArray[np.float32] | None:
    """Return the true history of every note, (n, 4 · K), where one of the features reads it."""
    return history_features(mixture, labels, parts) if require(names, "labels") else None


# ---- features of the note itself


def _pitch(mixture: Mixture) -> Integers:
    return mixture.pitch + 1  # 0 is kept for "no note", as in the paper


def _position(mixture: Mixture) -> Integers:
    return mixture.onset % RESOLUTION


def _beat(mixture: Mixture) -> NDArray[np.float32]:
    return _sinusoid(mixture.onset // RESOLUTION)


def _time(mixture: Mixture) -> NDArray[np.float32]:
    return _sinusoid(mixture.onset)


def _sinusoid(counts: Integers) -> NDArray[np.float32]:
    """The sinusoidal encoding of a beat or a step, (n, 16). It has no upper limit; the paper's ends at 4,096."""
    width = np.arange(BEAT_WIDTH)
    rates = 1.0 / np.power(10000.0, 2 * (width // 2) / BEAT_WIDTH)
    angles = counts[:, None] * rates
    return np.where(width % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)


def _frequency(mixture: Mixture) -> NDArray[np.float32]:
    """Fundamental frequency in equal temperament, as a fraction of that of the highest MIDI note."""
    return np.exp2((mixture.pitch[:, None] - 127) / 12.0).astype(np.float32)


def _duration(mixture: Mixture) -> Integers:
    return np.minimum(mixture.duration, MAX_DURATION)


def _number(counts: Integers) -> NDArray[np.float32]:
    return counts[:, None].astype(np.float32)


def _gap(mixture: Mixture) -> Integers:
    """Steps since the onset before, for every note of an onset the same; 0 at the first."""
    onsets, group = np.unique(mixture.onset, return_inverse=True)
    gaps = np.diff(onsets, prepend=onsets[:1])
    return np.minimum(gaps, MAX_GAP)[group]


_SIMPLE: dict[str, Callable[[Mixture], NDArray[np.int64] | NDArray[np.float32]]] = {
    "pitch": _pitch,
    "position": _position,
    "beat": _beat,
    "time": _time,
    "frequency": _frequency,
    "duration": _duration,
    "raw_pitch": lambda mixture: _number(mixture.pitch + 1),
    "raw_time": lambda mixture: _number(mixture.onset),
    "raw_beat": lambda mixture: _number(mixture.onset // RESOLUTION),
    "raw_position": lambda mixture: _number(mixture.onset % RESOLUTION),
    "chord": chord_features,
    "gap": _gap,
}
_HINTS: dict[str, Callable[[Hints, int], NDArray[np.int64] | NDArray[np.float32]]] = {
    "entry_hint": Hints.entry_columns,
    "pitch_hint": Hints.pitch_columns,
}
_CONTEXT = frozenset(FEATURES) - frozenset(_SIMPLE) - frozenset(_HINTS) - {"history"}
