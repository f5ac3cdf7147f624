"""What sounds around every note: chords, held notes and the intervals to them, as codes (mixture → features).

All of it is found at once, from the pairs of an onset and a note that sounds there. Symbols: n notes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arranger.mixture import Integers, Mixture

MAX_COUNT = 7  # context counts of 7 and more are one class
MAX_INTERVAL = 24  # intervals to a neighbour of two octaves and more are one class
NO_NEIGHBOUR = MAX_INTERVAL + 1
NEIGHBOURS = 3
COUNTS = ("chord_size", "rank", "index", "held_above", "held_below")
INTERVALS = tuple(f"{side}_{k}" for side in ("below", "above", "held_above") for k in range(1, NEIGHBOURS + 1))

_PAIRS_AT_ONCE = 4_000_000  # bounds the memory for pieces in which notes are held very long


def sounding_context(mixture: Mixture) -> dict[str, Integers]:
    """Return for every note what sounds at its onset, each (n,).

    chord_size: notes that start with it, itself included. rank, index: how many of these lie above and below it.
    held_above, held_below: earlier notes that still sound, above it, and at its pitch or below. below_k: interval to
    the k-th sounding note below it (held, or starting with it but before it in the mixture). above_k: likewise above.
    held_above_k: the same among held notes only. Intervals are in semitones, at most 24; 25 stands for no such note.
    """
    count = len(mixture)
    context = {name: np.zeros(count, np.int64) for name in (*COUNTS, *INTERVALS)}
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
    pair_note, pair_group = sounding_pairs(group, last, first, stop)
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


def sounding_pairs(group: Integers, last: Integers, first: int, stop: int) -> tuple[Integers, Integers]:
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
