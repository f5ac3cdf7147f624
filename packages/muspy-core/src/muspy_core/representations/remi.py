"""Music → bars, positions, tempos and notes, and back: REMI (Huang and Yang, "Pop Music Transformer", 2020).

The vocabulary and its order are MusPy's:

    0–127      note on
    128–191    note duration, 1–64 steps (a sixteenth of a quarter note each)
    192–223    note velocity, in bins of four
    224–239    position, 0–15 sixteenths of the bar
    240        bar
    241–420    tempo, 30–209 quarter notes per minute

Every bar is one `bar`; a tempo is `position, tempo`; a note is `position, note on, velocity, duration`. Chord events
are not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.events import DEFAULT_VELOCITY, Barline, Tempo, TimeSignature
from muspy_core.music import Music
from muspy_core.representations.note import Integers, NoteColumns, as_dtype, as_integers
from muspy_core.representations.sequence import EventSequence, Indexer
from muspy_core.timing import Rescale, barline_times

RESOLUTION = 16
POSITIONS = 16
NOTE_DURATION, NOTE_VELOCITY, POSITION, BAR, TEMPO, SIZE = 128, 192, 224, 240, 241, 421
LONGEST_DURATION = 64
SLOWEST, FASTEST = 30, 209


def get_remi_indexer() -> Indexer:
    """Return the vocabulary of 421 events."""
    return Indexer.of_names(
        [
            *(f"note_on_{pitch}" for pitch in range(128)),
            *(f"note_duration_{steps}" for steps in range(1, LONGEST_DURATION + 1)),
            *(f"note_velocity_{velocity_bin}" for velocity_bin in range(32)),
            *(f"position_{position}" for position in range(POSITIONS)),
            "bar",
            *(f"tempo_{qpm}" for qpm in range(SLOWEST, FASTEST + 1)),
        ]
    )


class REMIEventSequence(EventSequence):
    """A sequence of REMI events."""

    def __init__(self, codes: list[int] | None = None, indexer: Mapping[str, int] | None = None) -> None:
        super().__init__(codes, get_remi_indexer() if indexer is None else indexer)

    @classmethod
    def to_note_on_event(cls, pitch: int) -> str:
        """Return the name of the note-on event of a pitch."""
        return f"note_on_{pitch}"

    @classmethod
    def to_note_duration_event(cls, duration: int) -> str:
        """Return the name of the event of a duration in steps."""
        return f"note_duration_{duration}"

    @classmethod
    def to_note_velocity_event(cls, velocity: int) -> str:
        """Return the name of the event of a velocity 0–127."""
        return f"note_velocity_{velocity // 4}"

    @classmethod
    def to_position_event(cls, position: int) -> str:
        """Return the name of the event of a position in the bar."""
        return f"position_{position}"

    @classmethod
    def to_bar_event(cls) -> str:
        """Return the name of the bar event."""
        return "bar"

    @classmethod
    def to_tempo_event(cls, tempo: float) -> str:
        """Return the name of the event of a tempo in quarter notes per minute."""
        return f"tempo_{int(tempo)}"


def to_remi_event_sequence(music: Music, max_duration: int = 32) -> REMIEventSequence:
    """Return music as a REMI event sequence.

    The notes of all tracks are merged, drums included, track after track. Times are counted in sixteenths of a quarter
    note; the music itself is not changed. A position is rounded up to the next sixteenth of its bar, which may be the
    beginning of the next bar. Bars are those between the bar lines; without bar lines they follow from the time
    signatures, without these they are in 4/4. After the last bar line, bars of the last length go on to the last onset.

    Args:
        music: The music.
        max_duration: Longest duration in sixteenths of a quarter note, at most 64. MusPy's is 32. Longer notes are cut;
            notes without a duration get 1.

    Tempi outside 30–209 are moved to the nearest of these. Raises `NoNotesError` (a RuntimeError) without a note,
    `RepresentationError` for a pitch or velocity that is not 0–127, ValueError for another `max_duration`.
    """
    return REMIEventSequence(_codes(music, max_duration).tolist())


def to_remi_event_representation(music: Music, dtype: DTypeLike = int, max_duration: int = 32) -> NDArray[Any]:
    """Encode music as the codes of its REMI event sequence, (M,); see `to_remi_event_sequence`."""
    return as_dtype(_codes(music, max_duration), dtype)


def from_remi_event_representation(
    array: ArrayLike | EventSequence,
    resolution: int = RESOLUTION,
    program: int = 0,
    is_drum: bool = False,
    measure_length: int | Sequence[int] | None = None,
    default_velocity: int = DEFAULT_VELOCITY,
) -> Music:
    """Decode a REMI event sequence, or the array of its codes, into music with one track, bar lines and tempi.

    A note is a note-on directly followed by a duration, or by a velocity and a duration; a note-on followed by anything
    else is skipped, and so are codes outside the vocabulary. The time is the last position in the last bar. Velocities
    come back as the lowest of their bin of four.

    Args:
        array: The sequence, or integers of any shape, read in order.
        resolution: Time steps per quarter note of the music; durations are exact in multiples of 16.
        program: General MIDI program of the track.
        is_drum: Whether it is a percussion track.
        measure_length: Length of a bar in time steps, or one for each bar (the last serves all that follow); a bar of
            4/4 by default, since the sequence does not say.
        default_velocity: Velocity of the notes without one.

    Raises TypeError unless the array is of integers, ValueError for a measure length below 1.
    """
    codes = as_integers(array).reshape(-1)
    codes = codes[(codes >= 0) & (codes < SIZE)]
    is_bar = codes == BAR
    bars, lengths = _decoded_bars(int(is_bar.sum()), 4 * resolution if measure_length is None else measure_length)
    bar = np.maximum(np.cumsum(is_bar) - 1, 0)
    times = bars[bar] + _positions(codes) * lengths[bar] // POSITIONS

    # Two codes after the end, so that a note-on at the end has followers to look at.
    follows = np.append(codes, [BAR, BAR])
    first, second = follows[1:-1], follows[2:]
    velocity_first = (first >= NOTE_VELOCITY) & (first < POSITION)
    durations = np.where(velocity_first, second, first) - NOTE_DURATION + 1
    is_note = (codes < NOTE_DURATION) & (durations >= 1) & (durations <= LONGEST_DURATION)
    velocities = np.where(velocity_first, (first - NOTE_VELOCITY) * 4, int(default_velocity))
    scaled = np.maximum(_rescaled(durations, resolution, RESOLUTION), 1)
    notes = NoteColumns(times[is_note], codes[is_note], scaled[is_note], velocities[is_note])

    music = notes.to_music(resolution, program, is_drum)
    music.barlines = EventList.from_columns(Barline, _table(Barline, bars[: int(is_bar.sum())]))
    is_tempo = codes >= TEMPO
    tempos = _table(Tempo, times[is_tempo])
    tempos["qpm"] = codes[is_tempo] - TEMPO + SLOWEST
    music.tempos = EventList.from_columns(Tempo, tempos)
    return music


def _codes(music: Music, max_duration: int) -> Integers:
    """(events,), the codes: at each bar and position bars first, then tempi, then notes in order."""
    if not 1 <= max_duration <= LONGEST_DURATION:
        raise ValueError(f"max_duration must be 1–{LONGEST_DURATION}, got {max_duration}")
    notes = NoteColumns.of(music).require().require_midi(velocities=True)
    notes = notes.at_resolution(RESOLUTION, music.resolution)
    tempo_times = _rescaled(music.tempos.array["time"], RESOLUTION, music.resolution)
    qpm = np.clip(music.tempos.array["qpm"], SLOWEST, FASTEST).astype(np.int64)
    bars, given = _encoded_bars(music, int(np.append(notes.time, tempo_times).max()))
    tempo_cells, note_cells = _cells(tempo_times, bars), _cells(notes.time, bars)
    last_bar = int(np.append(note_cells, tempo_cells).max()) // POSITIONS

    bar_cells = np.arange(max(given, last_bar + 1)) * POSITIONS
    bar_events = np.full((len(bar_cells), 1), BAR)
    tempo_events = np.stack([POSITION + tempo_cells % POSITIONS, TEMPO + qpm - SLOWEST], axis=1)
    note_events = np.stack(
        [
            POSITION + note_cells % POSITIONS,
            notes.pitch,
            NOTE_VELOCITY + notes.velocity // 4,
            NOTE_DURATION + np.clip(notes.duration, 1, max_duration) - 1,
        ],
        axis=1,
    )
    groups = ((bar_cells, bar_events), (tempo_cells, tempo_events), (note_cells, note_events))
    cells = np.concatenate([np.repeat(cell, events.shape[1]) for cell, events in groups])
    codes = np.concatenate([events.reshape(-1) for _, events in groups])
    return codes[np.argsort(cells, kind="stable")]


def _encoded_bars(music: Music, last: int) -> tuple[Integers, int]:
    """Return the starts of bars in steps of REMI, from 0 to two bars after `last`, and how many are given."""
    signatures = music.time_signatures
    starts = music.barlines.array["time"]
    if not len(starts) and len(signatures):
        starts = barline_times(signatures, music.get_end_time(), music.resolution)
    bars = _rescaled(starts, RESOLUTION, music.resolution)
    bars = np.unique(np.append(bars[bars > 0], 0))
    length = int(bars[-1] - bars[-2]) if len(bars) > 1 else _first_measure(signatures)
    more = np.arange(bars[-1] + length, max(last, int(bars[-1])) + 2 * length + 1, length)
    return np.concatenate([bars, more]), len(bars)


def _first_measure(signatures: EventList[TimeSignature]) -> int:
    """Return the length of a bar by the first time signature, in 4/4 without one, at the resolution of REMI."""
    if not len(signatures):
        return 4 * RESOLUTION
    first = signatures.array[0]
    return max(4 * RESOLUTION * int(first["numerator"]) // int(first["denominator"]), 1)


def _cells(times: Integers, bars: Integers) -> Integers:
    """Return the bar and position of times as bar × 16 + position, rounded up to the next position."""
    times = np.maximum(times, 0)
    bar = np.searchsorted(bars, times, side="right") - 1
    return bar * POSITIONS - (-POSITIONS * (times - bars[bar]) // np.diff(bars)[bar])


def _positions(codes: Integers) -> Integers:
    """Return the position in its bar that holds at each code; a bar begins at position 0."""
    is_position = (codes >= POSITION) & (codes < BAR)
    sets = is_position | (codes == BAR)
    last = np.maximum.accumulate(np.where(sets, np.arange(len(codes)), -1))
    at_last = np.where(is_position, codes - POSITION, 0)[last] if len(codes) else codes
    return np.where(last < 0, 0, at_last)


def _decoded_bars(count: int, measure_length: int | Sequence[int]) -> tuple[Integers, Integers]:
    """Return starts and lengths of `count` bars, at least one."""
    given = np.atleast_1d(np.asarray(measure_length, np.int64))
    if not len(given) or given.min() < 1:
        raise ValueError(f"a measure length must be at least 1 step, got {measure_length}")
    lengths = given[np.minimum(np.arange(max(count, 1)), len(given) - 1)]
    return np.cumsum(lengths) - lengths, lengths


def _rescaled(steps: Integers, target: int, resolution: int) -> Integers:
    return Rescale(target, resolution)(steps)


def _table(event_type: type[Barline] | type[Tempo], times: Integers) -> NDArray[np.void]:
    table = new_array(event_type, len(times))
    table["time"] = times
    return table
