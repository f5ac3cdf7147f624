"""Note rows → simplified REMI+ codes and back: beat, position, instrument, pitch, duration for each note (§3.4.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmt.encoding import DURATIONS, duration_codes
from mmt.instruments import CODE_OF_PROGRAM, NAMES, PROGRAM_OF_CODE
from mmt.notes import (
    BEAT,
    DURATION,
    PITCH,
    POSITION,
    PROGRAM,
    RESOLUTION,
    EncodingError,
    NoteRows,
    checked_rows,
)

BEATS = 1024
START_OF_SONG, END_OF_SONG = 0, 1  # 2 and 3 are start and end of track, which have a code and never stand
BEAT_CODE = 4  # + beat (0 to 1023)
POSITION_CODE = BEAT_CODE + BEATS
INSTRUMENT_CODE = POSITION_CODE + RESOLUTION - 1  # + instrument code (1 to 64)
PITCH_CODE = INSTRUMENT_CODE + len(NAMES) + 1
DURATION_CODE = PITCH_CODE + 128 - 1  # + duration code (1 to 32)
VOCABULARY_SIZE = DURATION_CODE + len(DURATIONS) + 1


def vocabulary_size() -> int:
    """Return the number of codes."""
    return VOCABULARY_SIZE


def encode(notes: NoteRows) -> NDArray[np.int64]:
    """Encode note rows, (n, 5), in their order, as codes, (L,).

    A beat stands only where it is larger than the last one, which starts as 0: beat 0 is never written. Notes from
    beat 1,024 on (the published code fails at them) and those of programs without an instrument are left out. Raises
    EncodingError for rows that are no notes.
    """
    notes = checked_rows(notes)
    instruments = CODE_OF_PROGRAM[notes[:, PROGRAM]]
    kept = (notes[:, BEAT] < BEATS) & (instruments > 0)
    notes, instruments = notes[kept], instruments[kept]
    largest = np.maximum.accumulate(np.append(0, notes[:, BEAT]))
    table = np.column_stack(
        [
            np.where(notes[:, BEAT] > largest[:-1], BEAT_CODE + notes[:, BEAT], -1),
            POSITION_CODE + notes[:, POSITION],
            INSTRUMENT_CODE + instruments,
            PITCH_CODE + notes[:, PITCH],
            DURATION_CODE + duration_codes(notes[:, DURATION]),
        ]
    ).ravel()
    return np.concatenate([[START_OF_SONG], table[table >= 0], [END_OF_SONG]])


def decode(codes: NDArray[np.integer]) -> NoteRows:
    """Decode codes, (L,), to note rows, (n, 5), in their order.

    A beat forgets position, instrument, pitch and duration, a position what comes after it; a duration makes a note if
    position, instrument and pitch are known, also a second time. Raises EncodingError for a code outside the vocabulary
    or a start or end of track.
    """
    codes = np.asarray(codes)
    if codes.ndim != 1 or (len(codes) and not 0 <= codes.min() <= codes.max() < VOCABULARY_SIZE):
        raise EncodingError(f"REMI+ codes are (L,) integers from 0 to {VOCABULARY_SIZE - 1}")
    rows: list[tuple[int, ...]] = []
    beat, position, program, pitch = 0, -1, -1, -1
    for code in codes.tolist():
        if code == END_OF_SONG:
            break
        if code > DURATION_CODE:
            if min(position, program, pitch) >= 0:
                rows.append((beat, position, pitch, int(DURATIONS[code - DURATION_CODE - 1]), program))
        elif code >= PITCH_CODE:
            pitch = code - PITCH_CODE
        elif code > INSTRUMENT_CODE:
            program = int(PROGRAM_OF_CODE[code - INSTRUMENT_CODE])
        elif code >= POSITION_CODE:
            position, program, pitch = code - POSITION_CODE, -1, -1
        elif code >= BEAT_CODE:
            beat, position, program, pitch = code - BEAT_CODE, -1, -1, -1
        elif code != START_OF_SONG:
            raise EncodingError(f"REMI+ code {code}: tracks neither start nor end in REMI+")
    return np.array(rows, np.int64).reshape(-1, 5)
