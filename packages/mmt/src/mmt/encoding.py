"""Note rows → codes of the Multitrack Music Transformer and back (§3.3.1).

A song of n notes with k instruments is an integer array (L, 6), L = n + k + 3, one event a row: start of song, the
instruments in ascending order, start of notes, the notes, end of song. Columns: type, beat, position, pitch, duration,
instrument; code 0 is "undefined" in all but the first.

Beyond the paper, a song can be told as a task: what is given stands as context notes (a sixth type) before the start of
notes, and only what is to be found stands behind it. So one model continues, fills in bars, and accompanies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from muspy_core import Music
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

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
    columns_of,
    music_of,
    notes_of,
)

Codes = NDArray[np.int64]
Order = Literal["grammar", "reference"]

FIELDS = ("type", "beat", "position", "pitch", "duration", "instrument")
TYPE = 0  # the other columns are those of the fields: 1 to 5
START_OF_SONG, INSTRUMENT, START_OF_NOTES, NOTE, END_OF_SONG, CONTEXT = range(6)
TYPES = 5  # without CONTEXT, which the paper does not have
MAX_BEAT = 1024  # the last beat that has a code
MAX_DURATION = 384
# fmt: off
DURATIONS = np.array([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 18, 20, 21, 24, 30, 36, 40, 42, 48, 60, 72, 84, 96, 120, 144, 168,
    192, 384,
])
# fmt: on
# (MAX_DURATION + 1,): duration in steps → code of the nearest known duration, the shorter of two equally near.
_NEAREST = 1 + np.abs(np.arange(MAX_DURATION + 1)[:, None] - DURATIONS).argmin(axis=1)


def field_sizes(max_beat: int = MAX_BEAT) -> tuple[int, ...]:
    """Return the number of codes of each field, "undefined" included, for beats below `max_beat`.

    `field_sizes(MAX_BEAT + 1)` are the sizes of all codes that the encoding has: beat 1,024 is still encoded.
    """
    return (TYPES, max_beat + 1, RESOLUTION + 1, 129, len(DURATIONS) + 1, len(NAMES) + 1)


def duration_codes(durations: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the codes of durations in steps (any shape): that of the nearest of the 32 known ones."""
    codes: NDArray[np.int64] = _NEAREST[np.clip(durations, 0, MAX_DURATION)]
    return codes


def encode(notes: NoteRows, order: Order = "grammar", max_beat: int = MAX_BEAT) -> Codes:
    """Encode note rows, (n, 5), as codes, (L, 6).

    Notes after `max_beat` and those of programs without an instrument are left out. order="grammar": notes are sorted
    by their codes and each stands once, and the list of instruments names those that play. order="reference": the
    codes of the published implementation, which keeps the order of the rows and what became equal by the mapping, and
    lists the instruments of notes that it leaves out. Raises EncodingError for rows that are no notes.
    """
    if order not in get_args(Order):
        raise ValueError(f"unknown order {order!r}; choose one of {', '.join(get_args(Order))}")
    notes = checked_rows(notes)
    onset, program = notes[:, BEAT] * RESOLUTION + notes[:, POSITION], notes[:, PROGRAM]
    if order == "grammar":
        return _in_order(onset, notes[:, PITCH], notes[:, DURATION], program, max_beat)
    instrument = CODE_OF_PROGRAM[program]
    kept = (notes[:, BEAT] <= max_beat) & (instrument > 0)
    played = notes[kept]
    rows = np.column_stack(
        [
            np.full(len(played), NOTE),
            played[:, BEAT] + 1,
            played[:, POSITION] + 1,
            played[:, PITCH] + 1,
            duration_codes(played[:, DURATION]),
            instrument[kept],
        ]
    )
    listed = np.unique(instrument[instrument > 0])
    return np.concatenate([header_codes(listed), rows, [[END_OF_SONG, 0, 0, 0, 0, 0]]])


def _in_order(
    onset: NDArray[np.int64],
    pitch: NDArray[np.int64],
    duration: NDArray[np.int64],
    program: NDArray[np.int64],
    max_beat: int,
) -> Codes:
    """Encode notes in the order of their codes, each once; all (n,), times in steps."""
    # Sorted as one number a note, which a processor does many times faster than rows: 19 bits are pitch, duration and
    # instrument.
    instrument = CODE_OF_PROGRAM[program]
    keys = (onset << 19) | (pitch << 12) | (duration_codes(duration) << 6) | (instrument - 1)
    keys = np.sort(keys[(onset < (max_beat + 1) * RESOLUTION) & (instrument > 0)])
    keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
    beat, position = np.divmod(keys >> 19, RESOLUTION)
    players = (keys & 63) + 1
    listed = np.flatnonzero(np.bincount(players))
    codes = np.zeros((len(listed) + 3 + len(keys), len(FIELDS)), np.int64)
    codes[: len(listed) + 2] = header_codes(listed)
    notes = codes[len(listed) + 2 : -1]
    notes[:, TYPE], notes[:, 1], notes[:, 2] = NOTE, beat + 1, position + 1
    notes[:, 3], notes[:, 4], notes[:, 5] = ((keys >> 12) & 127) + 1, (keys >> 6) & 63, players
    codes[-1, TYPE] = END_OF_SONG
    return codes


def encode_task(notes: NoteRows, given: NDArray[np.bool_]) -> Codes:
    """Encode a song of which a part is given, (L, 6): the instruments of all notes, context, the other notes.

    notes: (n, 5). given: (n,), which notes stand as context. Raises EncodingError for rows that are no notes.
    """
    context, wanted = encode(notes[given]), encode(notes[~given])
    players = np.unique(np.concatenate([codes[codes[:, TYPE] == INSTRUMENT, -1] for codes in (context, wanted)]))
    return np.concatenate([task_header(players, context), wanted[np.argmax(wanted[:, TYPE] == START_OF_NOTES) + 1 :]])


def task_header(instruments: NDArray[np.integer] | list[int], context: Codes) -> Codes:
    """Return what stands before the first note that is to be found, start of notes included.

    context: codes of the notes that are given, (any, 6); other events are left out.
    """
    header = header_codes(instruments)
    notes = context[context[:, TYPE] == NOTE].copy()
    notes[:, TYPE] = CONTEXT
    return np.concatenate([header[:-1], notes, header[-1:]])


def header_codes(instruments: NDArray[np.integer] | list[int]) -> Codes:
    """Return the codes before the first note of a song with these instrument codes, (k + 2, 6)."""
    header = np.zeros((len(instruments) + 2, len(FIELDS)), np.int64)
    header[1:-1, TYPE] = INSTRUMENT
    header[1:-1, -1] = instruments
    header[-1, TYPE] = START_OF_NOTES
    return header


def decode(codes: Codes, kind: int = NOTE) -> NoteRows:
    """Decode codes, (L, 6), to note rows, (n, 5), in their order; what follows an end of song is not read.

    kind: NOTE, or CONTEXT for the notes that were given. Raises EncodingError if a note event has an undefined or
    unknown field.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] != len(FIELDS):
        raise EncodingError(f"codes are integers (L, {len(FIELDS)}), got {codes.dtype} {codes.shape}")
    ends = np.flatnonzero(codes[:, TYPE] == END_OF_SONG)
    events = codes[: ends[0]] if len(ends) else codes
    notes = events[events[:, TYPE] == kind].astype(np.int64)
    limits = field_sizes(MAX_BEAT + 1)
    for column in range(1, len(FIELDS)):
        wrong = (notes[:, column] < 1) | (notes[:, column] >= limits[column])
        if wrong.any():
            raise EncodingError(f"a note event has {FIELDS[column]} code {notes[np.argmax(wrong), column]}")
    return np.column_stack(
        [notes[:, 1] - 1, notes[:, 2] - 1, notes[:, 3] - 1, DURATIONS[notes[:, 4] - 1], PROGRAM_OF_CODE[notes[:, 5]]]
    )


def encode_music(music: Music, order: Order = "grammar", max_beat: int = MAX_BEAT) -> Codes:
    """Encode music as codes, (L, 6). Raises EncodingError for a note with a pitch or time that no note has."""
    if order != "grammar":
        return encode(notes_of(music), order, max_beat)
    onset, pitch, duration, program = columns_of(music)
    if len(onset) and not (onset.min() >= 0 and pitch.min() >= 0 and pitch.max() <= 127):
        return encode(notes_of(music), order, max_beat)  # which says what is wrong
    return _in_order(onset, pitch, duration, program, max_beat)


def decode_music(codes: Codes, *, qpm: float | None = None) -> Music:
    """Decode codes, (L, 6), to music with one track for each instrument."""
    notes = decode(codes)
    return music_of(notes) if qpm is None else music_of(notes, qpm=qpm)


# --- for people ------------------------------------------------------------------------------------------------------


def describe(codes: Codes) -> Iterator[str]:
    """Give a line of text for each event."""
    for kind, beat, position, pitch, duration, instrument in codes.tolist():
        if kind == START_OF_SONG:
            yield "Start of song"
        elif kind == INSTRUMENT:
            yield f"Instrument: {NAMES[instrument - 1]}"
        elif kind == START_OF_NOTES:
            yield "Start of notes"
        elif kind in (NOTE, CONTEXT):
            yield (
                f"{'Note' if kind == NOTE else 'Context'}: beat={beat - 1}, position={position - 1}, "
                f"pitch={_pitch_name(pitch - 1)}, duration={DURATIONS[duration - 1]}, "
                f"instrument={NAMES[instrument - 1]}"
            )
        else:
            yield "End of song"


def _pitch_name(pitch: int) -> str:
    return f"{('C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B')[pitch % 12]}{pitch // 12 - 1}"


def save_text(path: str | os.PathLike[str], codes: Codes) -> None:
    """Write the events as text, one a line."""
    with write_atomically(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in describe(codes)), encoding="utf-8")
