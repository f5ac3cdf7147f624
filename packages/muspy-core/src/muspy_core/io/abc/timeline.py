"""Rows in written order → time steps in playing order (fifth stage of reading ABC)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import ABCError
from muspy_core.io.abc.fields import Meter
from muspy_core.io.abc.repeats import Span
from muspy_core.io.abc.tokens import MAX_QUARTERS, QUARTER, WHOLE

Row = TypeVar("Row", bound="tuple[Any, ...]")
Ticks = NDArray[np.int64]

MAX_NOTES = 2_000_000
MAX_BEATS = 1_000_000


class Timeline:
    """Where written places lie in the played tune.

    spans: (start, end) in ticks, in playing order. end: length of the written tune. resolution: time steps per quarter
    note. Raises ABCError if the played tune is absurdly long.
    """

    def __init__(self, spans: Sequence[Span], end: int, resolution: int) -> None:
        self.resolution = resolution
        self.length = sum(stop - start for start, stop in spans)
        self.is_written_order = len(spans) <= 1 and self.length == end
        if self.length > MAX_QUARTERS * QUARTER:
            raise ABCError(f"lasts more than {MAX_QUARTERS:,} quarter notes when its repeats are played")
        self._spans: list[
            tuple[int, int, int]
        ] = []  # start, end, shift; what stands at the very end belongs to the last
        played = 0
        for start, stop in spans or [(0, 0)]:
            self._spans.append((start, stop, played - start))
            played += stop - start
        start, stop, shift = self._spans[-1]
        if stop == end:
            self._spans[-1] = (start, stop + 1, shift)

    def to_steps(self, ticks: Ticks) -> Ticks:
        """Return the nearest time steps, halves up."""
        return (ticks * (2 * self.resolution) + QUARTER) // (2 * QUARTER)

    def spread(self, positions: Ticks) -> tuple[NDArray[np.intp], Ticks]:
        """Return which rows are played, in order, and when (ticks), given their written positions: (rows,).

        Raises ABCError if they are absurdly many.
        """
        if self.is_written_order:
            return np.arange(len(positions)), positions
        order = np.argsort(positions, kind="stable")
        starts, stops, shifts = np.array(self._spans, dtype=np.int64).T
        first = np.searchsorted(positions[order], starts)
        counts = np.searchsorted(positions[order], stops) - first
        total = int(counts.sum())
        if total > MAX_NOTES:
            raise ABCError(f"plays more than {MAX_NOTES:,} notes; expand_repeats=False reads it as written")
        rows = order[np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(total)]
        return rows, positions[rows] + np.repeat(shifts, counts)

    def place(self, rows: list[Row]) -> list[tuple[int, Row]]:
        """Return (time in steps, row) of all occurrences of rows that start with their position, by time."""
        if not rows:
            return []
        indices, ticks = self.spread(np.array([row[0] for row in rows], dtype=np.int64))
        placed = [
            (time, rows[index]) for index, time in zip(indices.tolist(), self.to_steps(ticks).tolist(), strict=True)
        ]
        placed.sort(key=_time_of)
        return placed

    def hold(self, rows: list[Row], value: Callable[[Row], Any]) -> list[tuple[int, Row]]:
        """Return (time in ticks, row) of rows that hold until the next one, in playing order, without idle ones.

        After a jump to where another value held, that value is stated again.
        """
        rows = sorted(rows, key=_time_of)
        positions = [row[0] for row in rows]
        placed: list[tuple[int, Row]] = []
        current: Any = None
        for start, stop, shift in self._spans:
            first = bisect_right(positions, start)
            inside = rows[max(first - 1, 0) : bisect_left(positions, stop)]
            for row in inside:
                if value(row) != current:
                    placed.append((max(row[0], start) + shift, row))
                    current = value(row)
        return [
            item for index, item in enumerate(placed) if index + 1 == len(placed) or placed[index + 1][0] != item[0]
        ]

    def bars(self, positions: list[int]) -> list[int]:
        """Return the starts of measures as played, in ticks, given the written positions of bar lines."""
        written = sorted({0, *positions})
        played: list[int] = []
        for start, stop, shift in self._spans:
            first = bisect_left(written, start)
            inside = written[first : bisect_left(written, stop)]
            if (not inside or inside[0] != start) and stop > start + 1:
                inside = [start, *inside]
            played += [position + shift for position in inside]
            if len(played) > MAX_BEATS:
                raise ABCError(f"plays more than {MAX_BEATS:,} measures")
        return [position for position in sorted(set(played)) if position < max(self.length, 1)]


def beat_ticks(bars: list[int], length: int, meters: list[tuple[int, Meter]]) -> list[int]:
    """Return the beats in ticks: the denominator of the meter, counted from each bar line.

    In a first measure that is shorter than its meter (a pickup) they are counted from its end.
    Raises ABCError if they are absurdly many.
    """
    beats: list[int] = []
    if not bars:
        return beats
    starts = [start for start, _ in meters]
    for index, (bar, stop) in enumerate(zip(bars, [*bars[1:], length], strict=True)):
        place = bisect_right(starts, bar) - 1
        meter = meters[place][1] if place >= 0 else Meter(4, 4)
        beat = WHOLE // meter.denominator
        if len(beats) + (stop - bar) // beat > MAX_BEATS:
            raise ABCError(f"has more than {MAX_BEATS:,} beats")
        if index == 0 and stop - bar < meter.ticks and len(bars) > 1:
            beats += sorted(range(stop - beat, bar - 1, -beat))
        else:
            beats += range(bar, stop, beat)
    return beats


def _time_of(row: tuple[Any, ...]) -> int:
    return int(row[0])
