"""Measures and positions → time steps, in written or in playing order (fifth stage of reading MusicXML).

A row is a tuple that starts with (measure, position); positions are in ticks (see `part`). A measure that is played
several times yields its rows several times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml.marks import Meter
from muspy_core.io.musicxml.rows import MAX_BEATS, MAX_QUARTERS

Row = TypeVar("Row", bound="tuple[Any, ...]")
Times = NDArray[np.int64]


class Timeline:
    """Where the measures of a score lie in time.

    lengths: ticks of each written measure. order: indices of the measures as they are played. resolution: time steps
    per quarter note of the result.
    """

    def __init__(self, lengths: Sequence[int], order: list[int], ticks_per_quarter: int, resolution: int) -> None:
        self.lengths = np.array(lengths, dtype=np.int64)
        self.order = np.array(order, dtype=np.intp)
        self.ticks_per_quarter = ticks_per_quarter
        self.resolution = resolution
        played = self.lengths[self.order]
        total = sum(played.tolist())
        if total > MAX_QUARTERS * ticks_per_quarter:
            raise MusicXMLError(f"lasts more than {MAX_QUARTERS:,} quarter notes")
        self.written = np.concatenate([[0], np.cumsum(self.lengths)])[:-1].astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(played)])[:-1].astype(np.int64)
        self.end = total
        self.is_sequential = bool(np.array_equal(self.order, np.arange(len(self.lengths))))
        self._occurrences: list[list[int]] = [[] for _ in lengths]
        for measure, start in zip(order, self.starts.tolist(), strict=True):
            self._occurrences[measure].append(start)

    def to_steps(self, ticks: Times) -> Times:
        """Convert ticks to time steps, to the nearest one, halves up."""
        if self.resolution == self.ticks_per_quarter:
            return ticks
        doubled = 2 * self.ticks_per_quarter
        if self.end * 2 * self.resolution < 2**62:
            return (ticks * (2 * self.resolution) + self.ticks_per_quarter) // doubled
        exact = [(tick * 2 * self.resolution + self.ticks_per_quarter) // doubled for tick in ticks.tolist()]
        return np.array(exact, dtype=np.int64)

    def place(self, rows: Iterable[Row]) -> tuple[list[int], list[Row]]:
        """Return (times in steps, rows) of all occurrences of rows, by time; simultaneous ones keep their order."""
        placed = [(start + row[1], row) for row in rows for start in self._occurrences[row[0]]]
        if not placed:
            return [], []
        placed.sort(key=_time_of)
        times = np.array([time for time, _ in placed], dtype=np.int64)
        return self.to_steps(times).tolist(), [row for _, row in placed]

    def spread(self, measures: NDArray[np.intp]) -> tuple[NDArray[np.intp], Times]:
        """Return which rows are played, in order, and the start of the measure of each, given the (sorted) measure
        index of every row; both are (played rows,), starts in ticks."""
        if self.is_sequential:
            return np.arange(len(measures)), self.written[measures]
        first = np.searchsorted(measures, self.order, side="left")
        counts = np.searchsorted(measures, self.order, side="right") - first
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(first, counts) + offsets, np.repeat(self.starts, counts)

    def with_restatements(self, rows: list[Row], value: Callable[[Row], Any]) -> list[tuple[int, Row]]:
        """Return (time in ticks, row) of rows that hold until the next one (tempi, signatures), in playing order.

        After a jump to a place where another value held, the value of that place is stated again.
        """
        rows = sorted(rows, key=_place_of)
        if self.is_sequential:
            return [(int(self.written[row[0]]) + row[1], row) for row in rows]
        in_measure: list[list[Row]] = [[] for _ in self.lengths]
        before: list[Row | None] = [None] * len(self.lengths)
        for row in rows:
            in_measure[row[0]].append(row)
        last: Row | None = None
        for measure, found in enumerate(in_measure):
            before[measure] = last
            last = found[-1] if found else last
        placed: list[tuple[int, Row]] = []
        current: Row | None = None
        previous = -1
        for measure, start in zip(self.order.tolist(), self.starts.tolist(), strict=True):
            held = before[measure]
            restate = measure != previous + 1 and held is not None and current is not None
            if restate and held is not None and current is not None and value(held) != value(current):
                if not any(row[1] == 0 for row in in_measure[measure]):
                    placed.append((start, held))
                current = held
            for row in in_measure[measure]:
                placed.append((start + row[1], row))
                current = row
            previous = measure
        return placed


def _time_of(placed: tuple[int, Any]) -> int:
    return placed[0]


def _place_of(row: tuple[Any, ...]) -> tuple[int, int]:
    return row[0], row[1]


def nominal_lengths(meters: list[tuple[int, int, Meter]], measures: int, ticks_per_quarter: int) -> list[int]:
    """Return the length in ticks that the time signature gives to each written measure (4/4 before the first one)."""
    stated = {row[0]: row[2] for row in meters}
    length = 4 * ticks_per_quarter
    lengths = []
    for measure in range(measures):
        meter = stated.get(measure)
        if meter is not None and meter.numerator:
            length = max(1, 4 * ticks_per_quarter * meter.numerator // meter.denominator)
        lengths.append(length)
    return lengths


def beat_ticks(timeline: Timeline, meters: list[tuple[int, int, Meter]], nominal: list[int]) -> Times:
    """Return the positions of all beats in ticks: the denominator of the signature, counted from each bar line.

    In a first measure that is shorter than its signature (a pickup) the beats are counted from its end.
    Raises MusicXMLError if there are absurdly many.
    """
    stated = {row[0]: row[2].denominator for row in meters}
    denominators = []
    denominator = 4
    for measure in range(len(timeline.lengths)):
        denominator = stated.get(measure, denominator)
        denominators.append(denominator)
    whole = 4 * timeline.ticks_per_quarter
    lengths = timeline.lengths.tolist()
    beats: list[int] = []
    for index, (measure, start) in enumerate(zip(timeline.order.tolist(), timeline.starts.tolist(), strict=True)):
        length, unit = lengths[measure], denominators[measure]
        number = -(-length * unit // whole)
        if len(beats) + number > MAX_BEATS:
            raise MusicXMLError(f"has more than {MAX_BEATS:,} beats")
        if index == 0 and measure == 0 and length < nominal[0] and len(timeline.order) > 1:
            from_end = [length - beat * whole // unit for beat in range(number, 0, -1)]
            beats += [start + ticks for ticks in from_end if ticks >= 0]
        else:
            beats += [start + beat * whole // unit for beat in range(number)]
    return np.array(beats, dtype=np.int64)


def make_events(event_type: type[Any], times: Any, **columns: Any) -> EventList[Any]:
    """Return a list of events in the columnar state; `columns` may be numeric or side columns."""
    array = new_array(event_type, len(times))
    array["time"] = times
    side = {}
    for name, values in columns.items():
        if name in (array.dtype.names or ()):
            array[name] = values
        elif values.count(None) < len(values):
            side[name] = values
    return EventList.of_columns(event_type, array, side)
