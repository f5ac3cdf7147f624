"""Note-ons and the messages that close them, and runs of equal keys in arrays (used by _midi_groups.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LIFO, ALL = 1, 2  # modes; 0 is first in, first out


def pair(pitch: Ints, channel_key: Ints, is_on: Bools, is_off: Bools, mode: int) -> tuple[Ints, Ints, Bools]:
    """Pair note-ons with the messages that close them.

    pitch … is_off: (messages,), in file order; channel_key as in `_midi_groups.py`. mode: 0 first in, first out, or one
    of `LIFO`, `ALL`.

    Returns the places of all note-ons and of their ends (−1: never closed), and which messages close nothing.
    """
    orphan = np.zeros(len(pitch), np.bool_)
    places = np.flatnonzero(is_on | is_off)
    if not len(places):
        return places, places, orphan
    key = channel_key[places] * 128 + pitch[places]
    by_key = sorted_places(key)
    places, segment = places[by_key], np.cumsum(begins(key[by_key])) - 1
    on = is_on[places]
    opened, closing, is_orphan = (_pair_all if mode == ALL else _pair_lifo if mode == LIFO else _pair_fifo)(on, segment)
    orphan[places[is_orphan]] = True
    return places[opened], np.where(closing < 0, -1, places[closing]), orphan


def _depths(on: Bools, segment: Ints) -> tuple[Ints, Bools]:
    """Count the open notes after each message of a pitch; and tell which note-offs find none to close.

    on: (messages,), sorted by pitch; the rest are note-offs. segment: number of the pitch.
    """
    steps = np.where(on, 1, -1)
    level = np.cumsum(steps)
    starts = first_of_each(segment)
    level -= (level[starts] - steps[starts])[segment]
    # A level lowered by more than any level can fall, segment by segment, keeps the running minimum within a segment.
    room = 2 * len(on) + 1
    lowest = np.minimum(np.minimum.accumulate(level - segment * room) + segment * room, 0)
    before = np.concatenate([[0], lowest[:-1]])
    before[starts] = 0
    return level - lowest, lowest < before


def _pair_fifo(on: Bools, segment: Ints) -> tuple[Ints, Ints, Bools]:
    """Close the earliest open note: the n-th end of a pitch closes its n-th note."""
    _, orphan = _depths(on, segment)
    opened, ends = np.flatnonzero(on), np.flatnonzero(~on & ~orphan)
    n_segments = int(segment[-1]) + 1
    n_opened, n_ends = (np.bincount(segment[which], minlength=n_segments) for which in (opened, ends))
    rank = np.arange(len(opened)) - np.repeat(np.cumsum(n_opened) - n_opened, n_opened)
    partner = rank + (np.cumsum(n_ends) - n_ends)[segment[opened]]
    closed = rank < n_ends[segment[opened]]
    closing = np.full(len(opened), -1)
    closing[closed] = ends[partner[closed]]
    return opened, closing, orphan


def _pair_lifo(on: Bools, segment: Ints) -> tuple[Ints, Ints, Bools]:
    """Close the latest open note: at one depth of a pitch, notes and ends alternate."""
    depth, orphan = _depths(on, segment)
    kept = np.flatnonzero(~orphan)
    level = np.where(on, depth, depth + 1)[kept]
    by_level = np.lexsort((level, segment[kept]))
    kept, level = kept[by_level], level[by_level]
    first = np.flatnonzero(on[kept])
    second = np.minimum(first + 1, len(kept) - 1)
    opened = kept[first]
    closed = ~on[kept[second]] & (segment[kept[second]] == segment[opened]) & (level[second] == level[first])
    return opened, np.where(closed, kept[second], -1), orphan


def _pair_all(on: Bools, segment: Ints) -> tuple[Ints, Ints, Bools]:
    """Close all open notes: each note ends with the next end of its pitch."""
    n = len(on)
    follows_on = np.concatenate([[False], on[:-1]]) & ~begins(segment)
    opened = np.flatnonzero(on)
    next_end = np.minimum.accumulate(np.where(on, n, np.arange(n))[::-1])[::-1][opened]
    closed = next_end < n
    closed[closed] = segment[next_end[closed]] == segment[opened[closed]]
    return opened, np.where(closed, next_end, -1), ~on & ~follows_on


def sorted_places(keys: Ints) -> Ints:
    """Sort stably; keys of 16 bits take NumPy's radix sort."""
    return np.argsort(keys.astype(np.uint16) if keys.max(initial=0) < 1 << 16 else keys, kind="stable")


def begins(keys: Ints) -> Bools:
    """Whether each key differs from the one before it; several times faster than `numpy.diff`."""
    differs = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=differs[1:])
    return differs


def first_of_each(keys: Ints) -> Ints:
    """Places at which a run of equal keys begins."""
    return np.flatnonzero(begins(keys))


def last_of_each(keys: Ints) -> Ints:
    """Places at which a run of equal keys ends."""
    return np.append(first_of_each(keys)[1:], len(keys))[: len(keys)] - 1
