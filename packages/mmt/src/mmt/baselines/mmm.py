"""Note rows → MMM codes and back: one instrument after the other, with note-ons, note-offs and time shifts (§3.4.2).

The paper says that bar tokens were replaced by beat tokens; the published vocabulary has neither, and 372 codes.
`beat_tokens=True` is the paper's text: time shifts stay within a beat, and a beat token stands at every beat that
passes (373 codes).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmt.encoding import MAX_BEAT
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
    unique_rows,
)

MAX_SHIFT = 48  # time steps
START_OF_SONG, END_OF_SONG, START_OF_TRACK, END_OF_TRACK = range(4)
INSTRUMENT = END_OF_TRACK  # + instrument code (1 to 64)
NOTE_ON = INSTRUMENT + len(NAMES) + 1  # + pitch
NOTE_OFF = NOTE_ON + 128
TIME_SHIFT = NOTE_OFF + 128 - 1  # + steps (1 to 48)
VOCABULARY_SIZE = TIME_SHIFT + MAX_SHIFT + 1
BEAT_TOKEN = VOCABULARY_SIZE

# The published code sorts simultaneous events by their names: offs before ons, pitches as text ("100" before "60").
_TEXT_RANK = np.empty(128, np.int64)
_TEXT_RANK[sorted(range(128), key=str)] = np.arange(128)


def vocabulary_size(*, beat_tokens: bool = False) -> int:
    """Return the number of codes."""
    return VOCABULARY_SIZE + beat_tokens


def encode(notes: NoteRows, *, beat_tokens: bool = False) -> NDArray[np.int64]:
    """Encode note rows, (n, 5), as codes, (L,); durations are exact.

    Notes after beat 1,024 and those of programs without an instrument are left out. Raises EncodingError for rows that
    are no notes.
    """
    notes = checked_rows(notes)
    instruments = CODE_OF_PROGRAM[notes[:, PROGRAM]]
    kept = (notes[:, BEAT] <= MAX_BEAT) & (instruments > 0)
    notes, instruments = notes[kept], instruments[kept]
    present = np.unique(instruments)
    present = present[np.argsort(PROGRAM_OF_CODE[present], kind="stable")]
    tracks = [_encode_track(int(code), notes[instruments == code], beat_tokens) for code in present]
    return np.concatenate([[START_OF_SONG], *tracks, [END_OF_SONG]]).astype(np.int64)


def _encode_track(instrument: int, notes: NoteRows, beat_tokens: bool) -> NDArray[np.int64]:
    onset = notes[:, BEAT] * RESOLUTION + notes[:, POSITION]
    times = np.concatenate([onset, onset + notes[:, DURATION]])
    is_on = np.repeat([1, 0], len(notes))
    pitches = np.tile(notes[:, PITCH], 2)
    events = unique_rows(np.column_stack([times, is_on, _TEXT_RANK[pitches], pitches]))
    times, is_on, pitches = events[:, 0], events[:, 1], events[:, 3]
    before = np.concatenate([[0], times[:-1]])
    if beat_tokens:
        passed = times // RESOLUTION - before // RESOLUTION
        fillers, shifts = passed, np.where(passed > 0, times % RESOLUTION, times - before)
    else:
        fillers, shifts = np.divmod(times - before, MAX_SHIFT)
    # Before each event stand `fillers` beats or full shifts, and one shift over what is left.
    places = np.cumsum(fillers + (shifts > 0) + 1) - 1
    result = np.full(places[-1] + 1, BEAT_TOKEN if beat_tokens else TIME_SHIFT + MAX_SHIFT)
    result[places] = np.where(is_on == 1, NOTE_ON, NOTE_OFF) + pitches
    result[places[shifts > 0] - 1] = TIME_SHIFT + shifts[shifts > 0]
    return np.concatenate([[START_OF_TRACK, INSTRUMENT + instrument], result, [END_OF_TRACK]])


def decode(codes: NDArray[np.integer]) -> NoteRows:
    """Decode codes, (L,), to note rows, (n, 5), sorted, as the published decoder does.

    A note-on overwrites an open note of its pitch; a note-off does not close it, so that a second one makes a longer
    note; one without a note-on is passed over. Raises EncodingError for a code outside the vocabulary.
    """
    codes = np.asarray(codes)
    if codes.ndim != 1 or (len(codes) and not 0 <= codes.min() <= codes.max() <= BEAT_TOKEN):
        raise EncodingError(f"MMM codes are (L,) integers from 0 to {BEAT_TOKEN}")
    rows: list[tuple[int, ...]] = []
    program, time = 0, 0
    opened: dict[int, int] = {}
    for code in codes.tolist():
        if code == END_OF_SONG:
            break
        if code in (START_OF_TRACK, END_OF_TRACK):
            program, time, opened = 0, 0, {}
        elif code == BEAT_TOKEN:
            time = (time // RESOLUTION + 1) * RESOLUTION
        elif code > TIME_SHIFT:
            time += code - TIME_SHIFT
        elif code >= NOTE_OFF:
            onset = opened.get(code - NOTE_OFF)
            if onset is not None and time > onset:
                rows.append((*divmod(onset, RESOLUTION), code - NOTE_OFF, time - onset, program))
        elif code >= NOTE_ON:
            opened[code - NOTE_ON] = time
        elif code > INSTRUMENT:
            program = int(PROGRAM_OF_CODE[code - INSTRUMENT])
    return np.array(sorted(rows), np.int64).reshape(-1, 5)
