"""Whole music → codes and back: the encoding of `encoding` with velocity, tempo, time signature and drums.

Beyond the paper, and off in its configurations. A note stays one event, so that nothing is longer than before; three
fields stand behind the instrument. Extended rows are an integer array (n, 8): the five columns of note rows, where
drums have program 128, then velocity, tempo (quarter notes a minute) and the index of the time signature in `METERS`.
Tempo and time signature are those at the onset of the note. Codes are (L, 9); code 0 is "undefined" as before.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from muspy_core import Music, Note, Tempo, TimeSignature, Track
from muspy_core.columns import EventList, new_array
from numpy.typing import NDArray

from mmt import encoding, instruments
from mmt.encoding import DURATIONS, END_OF_SONG, INSTRUMENT, NOTE, START_OF_NOTES, TYPE, Codes, duration_codes
from mmt.instruments import NAMES, PROGRAM_OF_CODE
from mmt.notes import BEAT, DEFAULT_QPM, DURATION, PITCH, POSITION, PROGRAM, RESOLUTION, EncodingError, unique_rows

ExtendedRows = NDArray[np.int64]

COLUMNS = 8
VELOCITY, TEMPO, METER = 5, 6, 7  # columns of rows; those of codes are one behind
INSTRUMENT_FIELD = 5  # of codes
FIELDS = (*encoding.FIELDS, "velocity", "tempo", "meter")
DRUMS = "drums"
DRUM_PROGRAM = 128
DRUM_CODE = len(NAMES) + 1

VELOCITY_STEP = 4  # velocities of one code
VELOCITIES = 128 // VELOCITY_STEP
LOWEST_QPM, TEMPI = 24.0, 41  # tempi are a twelfth of an octave apart: 24, 25.4, … 241.9
# Indices count from here; a time signature that is not in the list is told as the one whose bar is nearest in length.
METERS = (
    (4, 4), (3, 4), (2, 4), (6, 8), (2, 2), (3, 8), (9, 8), (12, 8), (5, 4), (6, 4), (3, 2), (4, 2), (1, 4), (4, 8),
    (5, 8), (7, 8), (7, 4), (2, 8), (8, 8),
)  # fmt: skip
CODE_OF_PROGRAM = np.append(instruments.CODE_OF_PROGRAM, DRUM_CODE)  # (129,)
_CODE_PROGRAMS = np.append(PROGRAM_OF_CODE, DRUM_PROGRAM)


def field_sizes(max_beat: int = encoding.MAX_BEAT) -> tuple[int, ...]:
    """Return the number of codes of each field, "undefined" included, for beats below `max_beat`."""
    *first, instruments = encoding.field_sizes(max_beat)
    return (*first, instruments + 1, VELOCITIES + 1, TEMPI + 1, len(METERS) + 1)


def velocity_codes(velocities: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return codes 1 to 32 of velocities, four of them each."""
    codes: NDArray[np.int64] = np.clip(velocities, 0, 127).astype(np.int64) // VELOCITY_STEP + 1
    return codes


def tempo_codes(qpm: NDArray[np.number]) -> NDArray[np.int64]:
    """Return codes 1 to 41 of tempi in quarter notes a minute: that of the nearest by ratio."""
    steps = np.rint(12 * np.log2(np.maximum(qpm, LOWEST_QPM) / LOWEST_QPM)).astype(np.int64)
    codes: NDArray[np.int64] = np.minimum(steps, TEMPI - 1) + 1
    return codes


def tempi_of_codes(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the tempi of codes, rounded to whole quarter notes a minute."""
    tempi: NDArray[np.int64] = np.rint(LOWEST_QPM * 2.0 ** ((codes - 1) / 12)).astype(np.int64)
    return tempi


def meter_index(numerator: int, denominator: int) -> int:
    """Return the index in `METERS` of a time signature, or of the one whose bar is nearest in length."""
    if (numerator, denominator) in METERS:
        return METERS.index((numerator, denominator))
    return int(np.argmin([abs(n / d - numerator / denominator) for n, d in METERS]))


# --- music and rows --------------------------------------------------------------------------------------------------


def rows_of(music: Music, *, from_first: bool = False) -> ExtendedRows:
    """Return the notes of drums and of all instruments that the model knows, (n, 8), sorted and each once.

    Times are rounded as in `notes.notes_of`. from_first: whether beats are counted from the first note's on.
    """
    tables = []
    for track in music.tracks:
        program = DRUM_PROGRAM if track.is_drum else track.program
        if len(track.notes) and 0 <= program <= DRUM_PROGRAM and CODE_OF_PROGRAM[program]:
            tables.append((program, track.notes.array))
    if not tables:
        return np.zeros((0, COLUMNS), np.int64)
    time, pitch, duration, velocity = (
        np.concatenate([table[name] for _, table in tables]).astype(np.int64)
        for name in ("time", "pitch", "duration", "velocity")
    )
    programs = np.repeat([number for number, _ in tables], [len(table) for _, table in tables])
    double = 2 * music.resolution
    onset = (2 * RESOLUTION * time + music.resolution) // double
    end = (2 * RESOLUTION * (time + duration) + music.resolution) // double
    tempi = [(tempo.time, round(tempo.qpm)) for tempo in music.tempos] or [(0, round(DEFAULT_QPM))]
    meters = [(each.time, meter_index(each.numerator, each.denominator)) for each in music.time_signatures] or [(0, 0)]
    columns = (onset // RESOLUTION, onset % RESOLUTION, pitch, np.maximum(end - onset, 1), programs, velocity)
    rows = unique_rows(np.column_stack([*columns, _at(time, tempi), _at(time, meters)]))
    if from_first:
        rows[:, BEAT] -= rows[0, BEAT]
    return rows


def _at(times: NDArray[np.int64], changes: list[tuple[int, int]]) -> NDArray[np.int64]:
    """The values at times, (n,), of what changes; before the first change its value holds."""
    changes = sorted(changes, key=lambda change: change[0])
    starts, values = np.array(changes).T
    result: NDArray[np.int64] = values[np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)]
    return result


def music_of(rows: ExtendedRows) -> Music:
    """Return music with a track for each program, ascending, drums last.

    A new tempo begins with the first note that has it, a new time signature with the first bar line at or after that.
    """
    onset = rows[:, BEAT] * RESOLUTION + rows[:, POSITION]
    order = np.argsort(onset, kind="stable")
    tempi = [Tempo(time, float(qpm)) for time, qpm in _changes(onset[order], rows[order, TEMPO])]
    tracks = []
    for program in np.unique(rows[:, PROGRAM]).tolist():
        own = rows[:, PROGRAM] == program
        table = new_array(Note, int(own.sum()))
        table["time"], table["pitch"] = onset[own], rows[own, PITCH]
        table["duration"], table["velocity"] = rows[own, DURATION], rows[own, VELOCITY]
        is_drum = program == DRUM_PROGRAM
        name = DRUMS if is_drum else NAMES[int(CODE_OF_PROGRAM[program]) - 1]
        track = Track(program=0 if is_drum else program, is_drum=is_drum, name=name)
        track.notes = EventList.from_columns(Note, table)
        tracks.append(track)
    meters = _on_bar_lines(_changes(onset[order], rows[order, METER]))
    return Music(resolution=RESOLUTION, tempos=tempi or [Tempo(0, DEFAULT_QPM)], time_signatures=meters, tracks=tracks)


def _changes(onset: NDArray[np.int64], values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(time, value) where values change, the first from 0 on."""
    if not len(values):
        return []
    places = np.append(0, np.flatnonzero(np.diff(values)) + 1)
    times = np.append(0, onset[places[1:]])
    return list(zip(times.tolist(), values[places].tolist(), strict=True))


def _on_bar_lines(changes: list[tuple[int, int]]) -> list[TimeSignature]:
    """Time signatures of changes that each wait for the next bar line."""
    signatures: list[TimeSignature] = []
    for time, index in changes:
        numerator, denominator = METERS[index]
        if signatures:
            last = signatures[-1]
            bar = 4 * RESOLUTION * last.numerator // last.denominator
            time = last.time - (last.time - time) // bar * bar
            if time == last.time:
                signatures.pop()
        signatures.append(TimeSignature(time, numerator, denominator))
    return signatures


# --- rows and codes --------------------------------------------------------------------------------------------------


def checked_rows(rows: ExtendedRows) -> ExtendedRows:
    """Return the rows as an integer array; raises EncodingError for another shape or values out of range."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != COLUMNS or not np.issubdtype(rows.dtype, np.integer):
        raise EncodingError(f"extended rows are integers (n, {COLUMNS}), got {rows.dtype} {rows.shape}")
    rows = rows.astype(np.int64, copy=False)
    limits = (None, RESOLUTION - 1, 127, None, DRUM_PROGRAM, 127, None, len(METERS) - 1)
    for column, last in enumerate(limits):
        wrong = (rows[:, column] < 0) | (False if last is None else rows[:, column] > last)
        if wrong.any():
            raise EncodingError(
                f"extended row {int(np.argmax(wrong))}: {rows[np.argmax(wrong), column]} is out of range"
            )
    return rows


def encode(rows: ExtendedRows, max_beat: int = encoding.MAX_BEAT) -> Codes:
    """Encode extended rows, (n, 8), as codes, (L, 9): in order, each note once, with the instruments that play before.

    Of notes that differ in nothing but velocity, tempo or time signature the first is kept. Raises EncodingError for
    rows of another shape or with values that no note has.
    """
    rows = checked_rows(rows)
    instrument = CODE_OF_PROGRAM[rows[:, PROGRAM]]
    kept = (rows[:, BEAT] <= max_beat) & (instrument > 0)
    rows, instrument = rows[kept], instrument[kept]
    notes = np.column_stack(
        [
            np.full(len(rows), NOTE),
            rows[:, BEAT] + 1,
            rows[:, POSITION] + 1,
            rows[:, PITCH] + 1,
            duration_codes(rows[:, DURATION]),
            instrument,
            velocity_codes(rows[:, VELOCITY]),
            tempo_codes(rows[:, TEMPO]),
            rows[:, METER] + 1,
        ]
    )
    notes = unique_rows(notes)
    same = (np.diff(notes[:, : INSTRUMENT_FIELD + 1], axis=0) == 0).all(1)
    notes = notes[np.append(True, ~same)[: len(notes)]]
    end = np.zeros((1, len(FIELDS)), np.int64)
    end[0, TYPE] = END_OF_SONG
    return np.concatenate([header_codes(np.unique(instrument)), notes, end])


def header_codes(instruments: NDArray[np.integer] | list[int]) -> Codes:
    """Return the codes before the first note of a song with these instrument codes, (k + 2, 9)."""
    header = np.zeros((len(instruments) + 2, len(FIELDS)), np.int64)
    header[1:-1, TYPE], header[1:-1, INSTRUMENT_FIELD] = INSTRUMENT, instruments
    header[-1, TYPE] = START_OF_NOTES
    return header


def decode(codes: Codes) -> ExtendedRows:
    """Decode codes, (L, 9), to extended rows, (n, 8), in their order; what follows an end of song is not read.

    Velocities are the middle of their code. Raises EncodingError if a note event has an undefined or unknown field.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] != len(FIELDS):
        raise EncodingError(f"codes are integers (L, {len(FIELDS)}), got {codes.dtype} {codes.shape}")
    ends = np.flatnonzero(codes[:, TYPE] == END_OF_SONG)
    notes = codes[: ends[0]] if len(ends) else codes
    notes = notes[notes[:, TYPE] == NOTE].astype(np.int64)
    for column, size in enumerate(field_sizes(encoding.MAX_BEAT + 1)[1:], 1):
        wrong = (notes[:, column] < 1) | (notes[:, column] >= size)
        if wrong.any():
            raise EncodingError(f"a note event has {FIELDS[column]} code {notes[np.argmax(wrong), column]}")
    return np.column_stack(
        [
            notes[:, 1] - 1,
            notes[:, 2] - 1,
            notes[:, 3] - 1,
            DURATIONS[notes[:, 4] - 1],
            _CODE_PROGRAMS[notes[:, 5]],
            (notes[:, 6] - 1) * VELOCITY_STEP + VELOCITY_STEP // 2,
            tempi_of_codes(notes[:, 7]),
            notes[:, 8] - 1,
        ]
    )


def codes_of_names(names: Iterable[str]) -> list[int]:
    """Return the codes of instrument names as `instruments.codes_of_names`, and of "drums"."""
    asked = list(names)
    pitched = [name for name in asked if name.strip().lower() != DRUMS]
    return [*instruments.codes_of_names(pitched), *([DRUM_CODE] if len(pitched) < len(asked) else [])]
