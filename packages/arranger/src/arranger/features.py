"""Mixture → what a model reads of every note: columns of codes and numbers, in NumPy (§4.4.1, Table 4.3).

A feature is either a *code* (an integer that the model looks up in an embedding or turns into a one-hot vector) or a
*value* (numbers that enter as they are). `FEATURES` says for each name which of these it is, how large, and what a
model needs to have heard to know it:

* causal: the notes before this one in the mixture, and whether they still sound;
* onset: besides, the other notes that start at the same time;
* offline: the whole piece.

Symbols: n notes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arranger.mixture import RESOLUTION, Integers, Mixture

Knowledge = Literal["causal", "onset", "offline"]
KNOWLEDGE: tuple[Knowledge, ...] = ("causal", "onset", "offline")


@dataclass(frozen=True)
class Feature:
    """How a feature enters a model.

    size: number of codes, 0 for a value. width: numbers a note has in the model's input; for a code, equal to `size`
    means one-hot, anything else an embedding of that width. knowledge: what must have been heard.
    """

    size: int
    width: int
    knowledge: Knowledge = "causal"

    @property
    def kind(self) -> Literal["value", "one-hot", "embedding"]:
        """How the model turns it into numbers."""
        if not self.size:
            return "value"
        return "one-hot" if self.size == self.width else "embedding"


MAX_COUNT = 7  # context counts of 7 and more are one class
MAX_INTERVAL = 24  # intervals to a neighbour of two octaves and more are one class
NO_NEIGHBOUR = MAX_INTERVAL + 1
NEIGHBOURS = 3
MAX_DURATION = 192
MAX_GAP = 96
BEAT_WIDTH = 16


def _table() -> dict[str, Feature]:
    table = {
        # The paper's features (Table 4.3); embedding widths as published.
        "pitch": Feature(129, 16),
        "position": Feature(RESOLUTION, 16),
        "beat": Feature(0, BEAT_WIDTH),
        "frequency": Feature(0, 1),
        "duration": Feature(MAX_DURATION + 1, 16, "offline"),
        # Beyond the paper: what sounds at the same time.
        "gap": Feature(MAX_GAP + 1, 8),
        "chord_size": Feature(MAX_COUNT + 1, MAX_COUNT + 1, "onset"),
        "rank": Feature(MAX_COUNT + 1, MAX_COUNT + 1, "onset"),
        "index": Feature(MAX_COUNT + 1, MAX_COUNT + 1),
        "held_above": Feature(MAX_COUNT + 1, MAX_COUNT + 1),
        "held_below": Feature(MAX_COUNT + 1, MAX_COUNT + 1),
    }
    for k in range(1, NEIGHBOURS + 1):
        table[f"below_{k}"] = Feature(NO_NEIGHBOUR + 1, 8)
        table[f"above_{k}"] = Feature(NO_NEIGHBOUR + 1, 8, "onset")
        table[f"held_above_{k}"] = Feature(NO_NEIGHBOUR + 1, 8)
    return table


FEATURES = _table()


def input_width(names: Sequence[str]) -> int:
    """Numbers that a model reads of every note."""
    return sum(FEATURES[name].width for name in names)


def required_knowledge(names: Sequence[str]) -> Knowledge:
    """What a model with these features must have heard before it can label a note."""
    return max((FEATURES[name].knowledge for name in names), key=KNOWLEDGE.index)


def extract(mixture: Mixture, names: Sequence[str]) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
    """Return the features of every note: codes as (n,) int64, values as (n, width) float32.

    Raises KeyError for an unknown name.
    """
    context: dict[str, Integers] = {}
    if any(name not in _SIMPLE for name in names):
        context = sounding_context(mixture)
    columns: dict[str, NDArray[np.int64] | NDArray[np.float32]] = {}
    for name in names:
        columns[name] = _SIMPLE[name](mixture) if name in _SIMPLE else context[name]
    return columns


# ---- features of the note itself


def _pitch(mixture: Mixture) -> Integers:
    return mixture.pitch + 1  # 0 is kept for "no note", as in the paper


def _position(mixture: Mixture) -> Integers:
    return mixture.onset % RESOLUTION


def _beat(mixture: Mixture) -> NDArray[np.float32]:
    """The sinusoidal encoding of the quarter note that the onset falls into; it has no upper limit."""
    width = np.arange(BEAT_WIDTH)
    rates = 1.0 / np.power(10000.0, 2 * (width // 2) / BEAT_WIDTH)
    angles = (mixture.onset // RESOLUTION)[:, None] * rates
    return np.where(width % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)


def _frequency(mixture: Mixture) -> NDArray[np.float32]:
    """Fundamental frequency in equal temperament, as a fraction of that of the highest MIDI note."""
    return np.exp2((mixture.pitch[:, None] - 127) / 12.0).astype(np.float32)


def _duration(mixture: Mixture) -> Integers:
    return np.minimum(mixture.duration, MAX_DURATION)


def _gap(mixture: Mixture) -> Integers:
    """Steps since the onset before, for every note of an onset the same; 0 at the first."""
    onsets, group = np.unique(mixture.onset, return_inverse=True)
    gaps = np.diff(onsets, prepend=onsets[:1])
    return np.minimum(gaps, MAX_GAP)[group]


_SIMPLE: dict[str, Callable[[Mixture], NDArray[np.int64] | NDArray[np.float32]]] = {
    "pitch": _pitch,
    "position": _position,
    "beat": _beat,
    "frequency": _frequency,
    "duration": _duration,
    "gap": _gap,
}


# ---- features of what sounds around it

_PAIRS_AT_ONCE = 4_000_000  # bounds the memory for pieces in which notes are held very long


def sounding_context(mixture: Mixture) -> dict[str, Integers]:
    """Return for every note what sounds at its onset, each (n,).

    chord_size: notes that start with it, itself included. rank, index: how many of these lie above and below it.
    held_above, held_below: earlier notes that still sound, above it, and at its pitch or below. below_k: interval to
    the k-th sounding note below it (held, or starting with it but before it in the mixture). above_k: likewise above.
    held_above_k: the same among held notes only. Intervals are in semitones, at most 24; 25 stands for no such note.
    """
    count = len(mixture)
    names = [name for name in FEATURES if name not in _SIMPLE]
    context = {name: np.zeros(count, np.int64) for name in names}
    if not count:
        return context
    onsets, group = np.unique(mixture.onset, return_inverse=True)
    last = np.maximum(np.searchsorted(onsets, mixture.offset, side="left") - 1, group)
    starts = np.searchsorted(group, np.arange(len(onsets) + 1))  # the notes of onset g: starts[g] … starts[g + 1]
    load = np.cumsum(np.bincount(group, minlength=len(onsets)) + _held_counts(group, last, len(onsets)))
    first = 0
    while first < len(onsets):
        base = load[first - 1] if first else 0
        stop = max(int(np.searchsorted(load, base + _PAIRS_AT_ONCE, side="right")), first + 1)
        _fill_context(context, mixture, group, last, first, stop, slice(int(starts[first]), int(starts[stop])))
        first = stop
    return context


def _held_counts(group: Integers, last: Integers, groups: int) -> Integers:
    """How many earlier notes sound at each onset, (groups,)."""
    change = np.zeros(groups + 1, np.int64)
    held = last > group
    np.add.at(change, group[held] + 1, 1)
    np.add.at(change, last[held] + 1, -1)
    return np.cumsum(change)[:groups]


def _fill_context(
    context: dict[str, Integers],
    mixture: Mixture,
    group: Integers,
    last: Integers,
    first: int,
    stop: int,
    rows: slice,
) -> None:
    """Write the context of the notes that start at the onsets `first` … `stop` - 1, which are `rows`."""
    pair_note, pair_group = _sounding_pairs(group, last, first, stop)
    pitch = mixture.pitch[pair_note]
    is_new = group[pair_note] == pair_group
    order = np.lexsort((pair_note, pitch, pair_group))
    pair_note, pair_group, pitch, is_new = (x[order] for x in (pair_note, pair_group, pitch, is_new))
    place = np.flatnonzero(is_new)  # sorted as the mixture is, if equal pitches keep their order
    note = pair_note[place]
    here = pair_group[place]
    begin, end = (np.searchsorted(pair_group, here, side=side) for side in ("left", "right"))
    new_before = np.concatenate([[0], np.cumsum(is_new)])
    below_new = new_before[place] - new_before[begin]
    size = new_before[end] - new_before[begin]
    held_below = (place - begin) - below_new
    held_above = (end - begin - size) - held_below
    counts = {
        "chord_size": size,
        "rank": size - 1 - below_new,
        "index": below_new,
        "held_above": held_above,
        "held_below": held_below,
    }
    for name, values in counts.items():
        context[name][note] = np.minimum(values, MAX_COUNT)
    held_pitch = pitch[~is_new]
    next_held = place - new_before[place]  # position among held pairs of the first one after this note
    held_end = next_held + held_above
    for k in range(1, NEIGHBOURS + 1):
        context[f"below_{k}"][note] = _interval(pitch, place, place - k, place - k >= begin)
        context[f"above_{k}"][note] = _interval(pitch, place, place + k, place + k < end)
        to_held = next_held + k - 1
        context[f"held_above_{k}"][note] = _interval_to(held_pitch, pitch[place], to_held, to_held < held_end)


def _sounding_pairs(group: Integers, last: Integers, first: int, stop: int) -> tuple[Integers, Integers]:
    """Return all (note, onset) with the note sounding at the onset, for onsets `first` … `stop` - 1."""
    notes = np.flatnonzero((group < stop) & (last >= first))
    begin = np.maximum(group[notes], first)
    length = np.minimum(last[notes], stop - 1) - begin + 1
    pair_note = np.repeat(notes, length)
    within = np.arange(len(pair_note)) - np.repeat(np.cumsum(length) - length, length)
    return pair_note, np.repeat(begin, length) + within


def _interval(pitch: Integers, place: Integers, other: Integers, exists: NDArray[np.bool_]) -> Integers:
    return _interval_to(pitch, pitch[place], other, exists)


def _interval_to(pitch: Integers, own: Integers, other: Integers, exists: NDArray[np.bool_]) -> Integers:
    """The distance from `own` to pitch[other], capped; 25 where there is no other."""
    if not len(pitch):
        return np.full(len(own), NO_NEIGHBOUR, np.int64)
    distance = np.abs(pitch[np.clip(other, 0, len(pitch) - 1)] - own)
    return np.where(exists, np.minimum(distance, MAX_INTERVAL), NO_NEIGHBOUR)
