"""What the metrics share: columns of the notes of a piece, its length, and the time in which notes sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from muspy_core.music import Music

Integers = NDArray[np.int64]


def note_columns(music: Music, *names: str, drums: bool | None = None) -> tuple[Integers, ...]:
    """Return columns of the notes of all tracks (drums None), of the drum tracks or of the others; each (N,)."""
    lists = [track.notes for track in music.tracks if drums is None or bool(track.is_drum) == drums]
    tables = [notes.array for notes in lists if len(notes)]
    if not tables:
        return tuple(np.empty(0, np.int64) for _ in names)
    return tuple(np.concatenate([table[name] for table in tables]).astype(np.int64, copy=False) for name in names)


def length_of(music: Music) -> int:
    """Return the end of the longest track in time steps; raises ValueError without a track."""
    require_tracks(music)
    times, durations = note_columns(music, "time", "duration")
    end = int((times + np.maximum(durations, 0)).max()) if len(times) else 0
    others = (events for track in music.tracks for events in (track.chords, track.lyrics, track.annotations))
    return max([end, *(events.end_time() for events in others if len(events))])


def require_tracks(music: Music) -> None:
    """Raise ValueError if the music has no track."""
    if not music.tracks:
        raise ValueError("this metric needs at least one track, and the music has none")


def spans_by_pitch(music: Music) -> tuple[Integers, Integers, Integers]:
    """Return when each pitch sounds on any track but drums; spans of one pitch do not overlap.

    Returns starts and ends (exclusive) in steps, and pitches, each (spans,).
    """
    starts, durations, pitches = note_columns(music, "time", "duration", "pitch", drums=False)
    starts, ends = np.maximum(starts, 0), starts + durations
    sounding = ends > starts
    if not sounding.all():
        starts, ends, pitches = starts[sounding], ends[sounding], pitches[sounding]
    if not len(starts):
        return starts, ends, pitches
    # All pitches on one line, each in a stretch of its own that has room for the last end, so that one sort serves all.
    bits = int(ends.max()).bit_length()
    line = pitches << bits
    starts, ends = merged_spans(line + starts, line + ends)
    mask = (1 << bits) - 1
    return starts & mask, ends & mask, starts >> bits


def merged_spans(starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
    """Return the union of spans: spans that do not overlap, in order.

    starts, ends (exclusive): (spans,), in any order. Returns starts and ends, each (union,).
    """
    # The k-th start opens a new span if all k spans that began earlier have ended, that is if the k-th end has passed;
    # which end belongs to which start does not matter.
    starts, ends = np.sort(starts), np.sort(ends)
    opens = np.ones(len(starts) + 1, bool)
    np.greater_equal(starts[1:], ends[:-1], out=opens[1:-1])
    return starts[opens[:-1]], ends[opens[1:]]


def sounding_time(starts: Integers, ends: Integers, at_least: int) -> int:
    """Return the number of steps that at least so many (≥ 1) of the spans cover.

    starts, ends (exclusive): (spans,).
    """
    if len(starts) < at_least:
        return 0
    starts, ends = np.sort(starts), np.sort(ends)
    # After j spans have ended, so many sound from the start number j + at_least on, until the next end.
    begins = starts[at_least - 1 :]
    until = ends[: len(begins)]
    np.maximum(begins[1:], until[:-1], out=begins[1:])
    return int(np.maximum(until - begins, 0).sum())
