"""Bodies of MIDI tracks → tables of events without a compiler: the twin of `_midi.c` on `re` and NumPy.

Nearly all bytes of a MIDI file belong to runs of messages with two data bytes (notes, controls, bends). A regular
expression finds each run at the speed of C; in a run every message has exactly three bytes below 128 (the last of its
delta time, and its data), so that all runs of the file are decoded together (`_Scan`). The other messages pass through
a loop. `_midi_groups.py` divides the messages among groups and pairs the notes.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.io._midi_groups import END_OF_TRACK, Messages, tables_of

FINE, CUT_MESSAGE, LONG_NUMBER, HIGH_DATA_BYTE, NO_RUNNING_STATUS, UNDEFINED_STATUS = range(6)
ANY_TWO_BYTE_STATUS = 0x80
SYSTEM_DATA_LENGTHS = {0xF2: 2, 0xF1: 1, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
RUN_LIMIT = 4096  # messages; bounds the memory of Python 3.10, which remembers each repetition


def parse(data: bytes, spans: bytes, mode: int, tolerant: bool) -> tuple[NDArray[Any], ...]:
    """Return the tables of `_midi.parse`: six kinds of rows, groups, tempi, messages, faults."""
    scan = _Scan(data)
    bounds = np.frombuffer(spans, "u4").tolist()
    faults = []
    for midi_track, (begin, end) in enumerate(zip(bounds[::2], bounds[1::2], strict=True)):
        fault, offset = scan.track(midi_track, begin, end)
        if fault:
            faults.append((fault, midi_track, offset))
            if not tolerant:
                return tables_of(Messages.none(), data, mode, faults)
    return tables_of(scan.messages(), data, mode, faults)


@functools.lru_cache(maxsize=1)
def _patterns() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Match a run of two-byte messages: where their running status holds, and where the first must state its status."""
    delta, status, data = rb"[\x80-\xff]{0,3}[\x00-\x7f]", rb"[\x80-\xbf\xe0-\xef]", rb"[\x00-\x7f]{2}"
    repeat = b"(?:%b%b?%b){%%d,%d}" % (delta, status, data, RUN_LIMIT)
    repeat += b"+" if sys.version_info >= (3, 11) else b""
    return re.compile(repeat % 1).match, re.compile(delta + status + data + repeat % 0).match


class _Scan:
    """The messages of all MIDI tracks, as runs and single messages in file order.

    Runs and singles together are called segments; they are numbered through the file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.tracks: list[int] = []  # by segment
        self.runs: list[tuple[int, int, int]] = []  # segment, begin, end
        self.singles: list[tuple[int, ...]] = []  # segment, delta, status, first, second, offset, length, type

    def track(self, midi_track: int, begin: int, end: int) -> tuple[int, int]:
        """Go through one body; return the code and the offset of the fault that ended it, if any."""
        match_after_two_bytes, match_after_other = _patterns()
        at, running, first_segment = begin, 0, len(self.tracks)
        fault, fault_at = FINE, 0
        while at < end:
            after_two_bytes = running >= 0x80 and running & 0xE0 != 0xC0
            run = (match_after_two_bytes if after_two_bytes else match_after_other)(self.data, at, end)
            if run:
                self.runs.append((len(self.tracks), at, run.end()))
                at, running = run.end(), ANY_TWO_BYTE_STATUS
            else:
                fault, fault_at, message = self._single(at, end, running)
                if fault:
                    break
                at = fault_at
                running = message[1] if message[1] < 0xF0 else running
                self.singles.append((len(self.tracks), *message))
            self.tracks.append(midi_track)
        if len(self.tracks) == first_segment:  # nothing to read: kept as a bare end-of-track message
            self.singles.append((first_segment, 0, 0xFF, 0, 0, begin, 0, END_OF_TRACK))
            self.tracks.append(midi_track)
        return fault, fault_at

    def _single(self, at: int, end: int, running: int) -> tuple[int, int, tuple[int, ...]]:
        """Read one message as `read_event` of _midi.c does; return fault, offset and message."""
        fault, at, delta = self._number(at, end)
        if fault:
            return fault, at, ()
        if at >= end:
            return CUT_MESSAGE, at, ()
        status, kind = self.data[at], 0
        if status < 0x80:
            if not running:
                return NO_RUNNING_STATUS, at, ()
            status = running
        else:
            at += 1
        if status < 0xF0 or status not in (0xF0, 0xF7, 0xFF):
            return self._with_data_bytes(at, end, delta, status)
        if status == 0xFF:
            if at >= end:
                return CUT_MESSAGE, at, ()
            kind = self.data[at]
            at += 1
        fault, at, length = self._number(at, end)
        if fault or length > end - at:
            return fault or CUT_MESSAGE, at, ()
        return FINE, at + length, (delta, status, 0, 0, at, length, kind)

    def _with_data_bytes(self, at: int, end: int, delta: int, status: int) -> tuple[int, int, tuple[int, ...]]:
        if status < 0xF0:
            length = 1 if status & 0xE0 == 0xC0 else 2
        elif status in SYSTEM_DATA_LENGTHS:
            length = SYSTEM_DATA_LENGTHS[status]
        else:
            return UNDEFINED_STATUS, at - 1, ()
        values = [0, 0]
        for i in range(length):
            if at + i >= end:
                return CUT_MESSAGE, at + i, ()
            if self.data[at + i] > 0x7F:
                return HIGH_DATA_BYTE, at + i, ()
            values[i] = self.data[at + i]
        return FINE, at + length, (delta, status, *values, at, length, 0)

    def _number(self, at: int, end: int) -> tuple[int, int, int]:
        """Read a number of variable length; return fault, offset after it and value."""
        value = 0
        for i in range(at, at + 4):
            if i >= end:
                return CUT_MESSAGE, i, 0
            byte = self.data[i]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return FINE, i + 1, value
        return LONG_NUMBER, at + 4, 0

    def messages(self) -> Messages:
        """Return all messages of the file as columns."""
        counts = np.ones(len(self.tracks), np.int64)
        runs = np.array(self.runs, np.int64).reshape(-1, 3)
        run_columns, run_counts = self._decode(runs)
        counts[runs[:, 0]] = run_counts
        starts = np.cumsum(counts) - counts
        places = np.repeat(starts[runs[:, 0]] - (np.cumsum(run_counts) - run_counts), run_counts)
        places += np.arange(len(places))
        columns = np.zeros((7, int(counts.sum())), np.int64)
        columns[:6, places] = run_columns
        singles = np.array(self.singles, np.int64).reshape(-1, 8)
        columns[:, starts[singles[:, 0]]] = singles[:, 1:].T
        return Messages.from_scan(np.repeat(np.array(self.tracks, np.int64), counts), columns)

    def _decode(self, runs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Decode all runs at once.

        Returns delta, status (0 where it is running), first and second data byte, offset and length: (6, messages),
        and the number of messages in each run.
        """
        bounds = runs[:, 1:].tolist()
        joined = np.frombuffer(b"".join([self.data[begin:end] for begin, end in bounds]), np.uint8)
        delta_end, first, second = np.flatnonzero(joined < 0x80).reshape(-1, 3).T
        delta_length = delta_end - np.concatenate([[-1], second[:-1]])
        delta = joined[delta_end].astype(np.int64)
        for place in range(1, 4):
            longer = np.flatnonzero(delta_length > place)
            if not len(longer):
                break
            delta[longer] |= (joined[delta_end[longer] - place].astype(np.int64) & 0x7F) << 7 * place
        status = np.where(first - delta_end == 2, joined[first - 1], 0)
        run_ends = np.cumsum(runs[:, 2] - runs[:, 1])
        counts = np.diff(np.searchsorted(second, run_ends), prepend=0)
        offset = first + np.repeat(runs[:, 2] - run_ends, counts)
        columns = (delta, status, joined[first], joined[second], offset, np.full(len(first), 2))
        return np.array(columns, np.int64), counts
