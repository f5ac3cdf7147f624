"""Messages → bytes of a MIDI file: put in order, with delta times, as chunks (the last step of midi_writer.py).

Messages read from a file carry their `order` in their MIDI track and return to it; all others (order −1) are placed
among the messages of the same tick by `Rank`.
"""

from __future__ import annotations

import enum
import itertools
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import MIDIError

Ints = NDArray[np.int64]

MAX_DELTA = 0x0FFFFFFF  # four bytes of seven bits
END_OF_TRACK = b"\xff\x2f\x00"


class Rank(enum.IntEnum):
    """Order of messages at one tick: settings first, then ends of notes, then onsets."""

    META = 0
    BANK = 1  # takes effect with the next program change
    PROGRAM = 2
    CONTROL = 3
    BEND = 4
    AFTERTOUCH = 5
    NOTE_OFF = 6
    FROM_FILE = 7
    INSTANT_NOTE = 8  # of no duration: its onset, then its end
    NOTE_ON = 9
    END = 10


class MessageBuffer:
    """Messages of all MIDI tracks, collected in any order.

    keep_order: whether places in a file count; without, every message is treated as new.
    n_midi_tracks: the number of MIDI tracks that the messages reach.
    """

    def __init__(self, keep_order: bool) -> None:
        self.keep_order = keep_order
        self.n_midi_tracks = 0 if keep_order else 1
        # Columns of all messages: midi_track, time, rank, order, status, first, second, length. Messages given as
        # bytes have status 0 and their number in place of the first data byte.
        self._blocks: list[Ints] = []
        self._singles: list[tuple[int, ...]] = []
        self._blobs: list[bytes] = []

    def add(
        self,
        midi_track: Ints | int,
        time: Any,
        rank: Rank | Ints,
        order: Any,
        status: Any,
        first: Any,
        second: Any = None,
    ) -> None:
        """Add messages of channels, each argument (messages,) or one for all.

        status: including the channel. second: None for messages with one data byte. order: −1 for new messages.
        """
        n = max(np.size(midi_track), np.size(time), np.size(first))
        if not n or not np.size(time):
            return
        block = np.empty((8, n), np.int64)
        values = (midi_track, time, rank, order if self.keep_order else -1, status, first)
        for row, value in zip(block, (*values, *((0, 2) if second is None else (second, 3))), strict=True):
            row[:] = value
        block[2, block[3] >= 0] = Rank.FROM_FILE
        self._blocks.append(block)
        self.n_midi_tracks = max(self.n_midi_tracks, int(block[0].max()) + 1)

    def add_bytes(self, midi_track: int, time: int, data: bytes, order: int = -1, rank: Rank = Rank.META) -> None:
        """Add a message that is given as the bytes that follow its delta time."""
        if order < 0 or not self.keep_order:
            order = -1
        else:
            rank = Rank.FROM_FILE
        self.n_midi_tracks = max(self.n_midi_tracks, midi_track + 1)
        self._singles.append((midi_track, time, rank, order, 0, len(self._blobs), 0, len(data)))
        self._blobs.append(data)

    def end_tracks(self, n_midi_tracks: int, ends: Sequence[tuple[int, int, int]]) -> None:
        """Close each MIDI track with an end-of-track message.

        ends: those read from the file where they did not simply stand after the last message: MIDI track, time, order.
        They are kept, in place of the usual one, where everything after them followed them in the file, too.
        """
        table = self._table()
        by_track = np.argsort(table[0], kind="stable")
        midi_track, time = table[0, by_track], table[1, by_track]
        starts = np.flatnonzero(np.diff(midi_track, prepend=-1))
        last = np.zeros(n_midi_tracks, np.int64)
        rows: dict[int, Ints] = {}
        if len(starts):
            last[midi_track[starts]] = np.maximum.reduceat(time, starts)
            rows = dict(zip(midi_track[starts].tolist(), np.split(by_track, starts[1:]), strict=True))
        kept = [
            end
            for end in ends
            if end[0] not in rows or end[1] > last[end[0]] or not _precedes_new(table[:, rows[end[0]]], *end[1:])
        ]
        for midi_track, time, order in kept:
            self.add_bytes(midi_track, time, END_OF_TRACK, order, Rank.END)
        for midi_track in set(range(n_midi_tracks)).difference(end[0] for end in kept):
            self.add_bytes(midi_track, int(last[midi_track]), END_OF_TRACK, rank=Rank.END)

    def chunks(self, n_midi_tracks: int) -> list[bytes]:
        """Return the track chunks; every MIDI track has a message at least."""
        table = self._table()
        in_order = _in_order(table)
        midi_track, time, status, first, second, length = (table[row, in_order] for row in (0, 1, 4, 5, 6, 7))
        return _encode(midi_track, time, status, first, second, length, self._blobs, n_midi_tracks)

    def _table(self) -> Ints:
        if self._singles:
            self._blocks.append(np.array(self._singles, np.int64).T)
            self._singles = []
        return np.concatenate([np.zeros((8, 0), np.int64), *self._blocks], axis=1)


def _in_order(table: Ints) -> Ints:
    """Sort messages by MIDI track, time, rank and order, stably."""
    bits = [max(int(row.max(initial=0)) + 2, 1).bit_length() for row in table[:4]]
    if sum(bits) > 62:
        return np.lexsort(table[3::-1])
    key = table[0]
    for row, width in zip(table[1:4], bits[1:], strict=True):
        key = key << width | row + 1  # an order may be −1
    return np.argsort(key, kind="stable")


def _precedes_new(messages: Ints, time: int, order: int) -> bool:
    """Whether anything after an end-of-track message did not follow it in the file; messages: of its MIDI track."""
    if order < 0:  # it stands last in its tick
        return bool((messages[1] > time).any())
    later = (messages[1] > time) | ((messages[1] == time) & (messages[2] > Rank.FROM_FILE))
    return bool((later & (messages[3] < order)).any())


def encode_number(value: int) -> bytes:
    """Return a number as a variable-length quantity of MIDI files."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _encode(
    midi_track: Ints,
    time: Ints,
    status: Ints,
    first: Ints,
    second: Ints,
    length: Ints,
    blobs: Sequence[bytes],
    n_midi_tracks: int,
) -> list[bytes]:
    delta = np.diff(time, prepend=0)
    starts = np.flatnonzero(np.diff(midi_track, prepend=-1))
    delta[starts] = time[starts]
    if len(delta) and delta.max() > MAX_DELTA:
        raise MIDIError(
            f"{int(delta.max()):,} steps between two messages are more than the {MAX_DELTA:,} that MIDI can hold"
        )
    delta_length = 1 + (delta >= 1 << 7) + (delta >= 1 << 14) + (delta >= 1 << 21)
    ends = np.cumsum(delta_length + length)
    body = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    at = ends - length
    body[at - 1] = delta & 0x7F
    for place in (1, 2, 3):
        longer = np.flatnonzero(delta_length > place)
        body[at[longer] - 1 - place] = delta[longer] >> 7 * place & 0x7F | 0x80
    is_blob = status == 0
    channel = np.flatnonzero(~is_blob)
    body[at[channel]] = status[channel]
    body[at[channel] + 1] = first[channel]
    channel = channel[length[channel] == 3]
    body[at[channel] + 2] = second[channel]
    for i in np.flatnonzero(is_blob).tolist():
        body[at[i] : ends[i]] = np.frombuffer(blobs[first[i]], np.uint8)
    last = np.searchsorted(midi_track, np.arange(n_midi_tracks), "right")
    cuts = np.concatenate([[0], ends])[np.concatenate([[0], last])].tolist()
    data = body.tobytes()
    return [b"MTrk" + struct.pack(">I", end - begin) + data[begin:end] for begin, end in itertools.pairwise(cuts)]


def has_repeats(values: Ints) -> bool:
    """Whether any value occurs twice; sorting is faster than the hashing of `np.unique`."""
    values = np.sort(values)
    return bool((values[1:] == values[:-1]).any())


def in_range(values: Any, low: int, high: int, what: str) -> None:
    """Raise MIDIError, naming the first of the values that lies outside `low` … `high`."""
    if isinstance(values, int) and low <= values <= high:
        return
    values = np.asarray(values)
    bad = np.flatnonzero((values < low) | (values > high))
    if len(bad):
        place, value = int(bad[0]), int(values.reshape(-1)[bad[0]])
        raise MIDIError(f"{what.format(place)} is {value}, which MIDI cannot hold ({low} to {high})")
