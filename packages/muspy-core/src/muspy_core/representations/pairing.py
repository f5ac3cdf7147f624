"""Note-on and note-off events → notes: which event ends which note, without a loop over events.

Every event has a key (a pitch, or a pitch of a track); a note-off ends notes of its own key only.
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
DuplicateNoteMode = Literal["fifo", "lifo", "all"]


def duplicate_note_mode(mode: str) -> DuplicateNoteMode:
    """Return a mode in lower case; raises ValueError unless it is "fifo", "lifo" or "all"."""
    if mode.lower() not in ("fifo", "lifo", "all"):
        raise ValueError(f"`duplicate_note_mode` must be one of 'fifo', 'lifo' and 'all', got {mode!r}")
    return cast("DuplicateNoteMode", mode.lower())


def pair_events(keys: Integers, is_on: NDArray[np.bool_], mode: DuplicateNoteMode) -> tuple[Integers, Integers]:
    """Pair note-ons with the note-offs that end them.

    keys: (events,). is_on: (events,), a note-on, else a note-off. mode: what a note-off ends where several notes of its
    key sound: the first of them ("fifo"), the last ("lifo") or all.

    Returns the indices of the note-ons and of their note-offs, each (pairs,). Note-ons that nothing ends and note-offs
    that end nothing are in no pair.
    """
    if not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = np.argsort(keys, kind="stable")
    group, on = _group_numbers(keys[order]), is_on[order]
    if mode == "all":
        ons, offs = _each_with_next_off(group, on)
    else:
        useful = _ends_something(group, on)
        order, on = order[useful], on[useful]
        group = _group_numbers(group[useful])
        ons, offs = _in_order(group, on) if mode == "fifo" else _nested(group, on)
    return order[ons], order[offs]


def _group_numbers(sorted_keys: Integers) -> Integers:
    """Number the groups of equal keys 0, 1, …; (events,)."""
    return np.cumsum(np.diff(sorted_keys, prepend=sorted_keys[:1]) != 0)


def _levels(group: Integers, on: NDArray[np.bool_]) -> Integers:
    """Return how many note-ons minus note-offs of its group there are up to each event; (events,)."""
    steps = np.where(on, 1, -1)
    total = np.cumsum(steps)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    levels: Integers = total - (total[first] - steps[first])[group]
    return levels


def _ends_something(group: Integers, on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask without the note-offs that come when no note of their key sounds."""
    # Such a note-off takes the level below everything so far. Groups are moved apart so that one running minimum
    # serves them all.
    apart = group * (len(group) + 1)
    lowest = np.minimum.accumulate(np.minimum(_levels(group, on), 0) - apart) + apart
    before = np.where(np.diff(group, prepend=-1) != 0, 0, np.roll(lowest, 1))
    useful: NDArray[np.bool_] = on | (lowest == before)
    return useful


def _in_order(group: Integers, on: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """The k-th note-off of a group ends its k-th note-on."""
    ons, offs = np.flatnonzero(on), np.flatnonzero(~on)
    groups = np.arange(len(group))
    rank = np.arange(len(offs)) - np.searchsorted(group[offs], groups)[group[offs]]
    return ons[np.searchsorted(group[ons], groups)[group[offs]] + rank], offs


def _nested(group: Integers, on: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """A note-off ends the last open note-on of its group, as brackets do."""
    depth = _levels(group, on) + ~on
    order = np.lexsort((depth, group))
    # Within a group and depth, note-ons and note-offs take turns, a note-on first.
    is_pair = (
        on[order[:-1]]
        & ~on[order[1:]]
        & (group[order[:-1]] == group[order[1:]])
        & (depth[order[:-1]] == depth[order[1:]])
    )
    return order[:-1][is_pair], order[1:][is_pair]


def _each_with_next_off(group: Integers, on: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Every note-on ends at the next note-off of its group."""
    ons, offs = np.flatnonzero(on), np.flatnonzero(~on)
    following = np.searchsorted(offs, ons)
    ons, following = ons[following < len(offs)], following[following < len(offs)]
    same = group[ons] == group[offs[following]]
    return ons[same], offs[following[same]]
