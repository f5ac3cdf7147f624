"""The MMM and REMI+ encodings: golden values of the published implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from mmt.baselines import mmm, remi
from mmt.encoding import DURATIONS
from mmt.notes import EncodingError
from test_encoding import note_rows, rows


def test_vocabularies_have_the_published_sizes_and_places() -> None:
    assert (mmm.VOCABULARY_SIZE, remi.VOCABULARY_SIZE) == (372, 1264)
    assert (mmm.INSTRUMENT + 1, mmm.NOTE_ON, mmm.NOTE_OFF, mmm.TIME_SHIFT + 1) == (4, 68, 196, 324)
    assert (remi.BEAT_CODE, remi.POSITION_CODE, remi.INSTRUMENT_CODE + 1) == (4, 1028, 1040)
    assert (remi.PITCH_CODE, remi.DURATION_CODE + 1) == (1104, 1232)


# --- MMM -------------------------------------------------------------------------------------------------------------


def test_mmm_writes_one_instrument_after_the_other() -> None:
    notes = rows((0, 0, 60, 12, 40), (0, 0, 64, 12, 0), (5, 0, 65, 6, 0))
    assert mmm.encode(notes).tolist() == [
        0,
        *(2, 4, 68 + 64, 323 + 12, 196 + 64, 323 + 48, 68 + 65, 323 + 6, 196 + 65, 3),  # piano
        *(2, 28, 68 + 60, 323 + 12, 196 + 60, 3),  # violin
        1,
    ]


def test_mmm_sorts_simultaneous_events_as_text() -> None:
    """Offs before ons, and pitch 100 before pitch 60: the published code sorts names."""
    notes = rows((0, 0, 60, 12, 0), (1, 0, 60, 12, 0), (1, 0, 100, 12, 0))
    assert mmm.encode(notes).tolist()[3:9] == [128, 335, 256, 168, 128, 335]


def test_mmm_shifts_greedily_and_drops_what_it_cannot_name() -> None:
    codes = mmm.encode(rows((8, 1, 60, 1, 0), (0, 0, 60, 1, 127), (1025, 0, 60, 1, 0))).tolist()
    assert codes == [0, 2, 4, 371, 371, 324, 128, 324, 256, 3, 1]


def test_mmm_instruments_come_in_the_order_of_their_programs() -> None:
    codes = mmm.encode(rows((0, 0, 60, 1, 48), (0, 0, 60, 1, 47), (0, 0, 60, 1, 16), (0, 0, 60, 1, 19)))
    assert [code - mmm.INSTRUMENT for code in codes.tolist() if 4 <= code < 68] == [13, 14, 30, 31]


@given(note_rows())
def test_mmm_keeps_exact_durations_of_notes_that_do_not_overlap(notes: np.ndarray) -> None:
    apart = rows(*{(beat, position, pitch, program): (beat, position, pitch, duration, program)
                   for beat, position, pitch, duration, program in notes.tolist()}.values())  # fmt: skip
    ends: dict[tuple[int, int], int] = {}
    kept = []
    for row in sorted(apart.tolist()):
        onset = row[0] * 12 + row[1]
        if onset > ends.get((row[2], row[4]), -1):
            kept.append(row)
            ends[row[2], row[4]] = onset + row[3]
    assert mmm.decode(mmm.encode(rows(*kept))).tolist() == kept
    assert mmm.decode(mmm.encode(rows(*kept), beat_tokens=True)).tolist() == kept


def test_mmm_beat_tokens_stand_at_beats() -> None:
    codes = mmm.encode(rows((2, 3, 60, 10, 0)), beat_tokens=True).tolist()
    assert codes == [0, 2, 4, 372, 372, 326, 128, 372, 324, 256, 3, 1]


def test_mmm_decoding_follows_the_published_decoder() -> None:
    twice_off = [0, 2, 4, 128, 324, 256, 324, 256, 3, 1]
    assert mmm.decode(np.array(twice_off)).tolist() == [[0, 0, 60, 1, 0], [0, 0, 60, 2, 0]]
    assert mmm.decode(np.array([0, 2, 4, 256, 3, 1])).shape == (0, 5)
    with pytest.raises(EncodingError):
        mmm.decode(np.array([400]))


# --- REMI+ -----------------------------------------------------------------------------------------------------------


def test_remi_repeats_all_but_the_beat_for_every_note() -> None:
    notes = rows((0, 0, 60, 12, 0), (1, 6, 64, 13, 40), (1, 6, 67, 12, 40))
    assert remi.encode(notes).tolist() == [
        0,
        *(1028, 1040, 1104 + 60, 1243),
        *(5, 1034, 1064, 1104 + 64, 1243),
        *(1034, 1064, 1104 + 67, 1243),
        1,
    ]


def test_remi_leaves_out_beat_1024_which_the_published_code_fails_at() -> None:
    assert remi.encode(rows((1023, 0, 60, 1, 0), (1024, 0, 60, 1, 0))).tolist() == [0, 1027, 1028, 1040, 1164, 1232, 1]


@given(note_rows())
def test_remi_decodes_to_the_same_notes(notes: np.ndarray) -> None:
    notes = rows(*sorted(row for row in notes.tolist() if row[0] < remi.BEATS))
    assert remi.decode(remi.encode(notes)).tolist() == notes.tolist()


def test_remi_decoding_follows_the_published_decoder() -> None:
    twice = np.array([0, 1028, 1040, 1164, 1232, 1233, 1])
    assert remi.decode(twice).tolist() == [[0, 0, 60, 1, 0], [0, 0, 60, int(DURATIONS[1]), 0]]
    forgotten = np.array([0, 1028, 1040, 1164, 5, 1232, 1])
    assert remi.decode(forgotten).shape == (0, 5)
    with pytest.raises(EncodingError, match="tracks"):
        remi.decode(np.array([0, 2]))


def test_mmt_needs_fewer_codes_than_remi_and_mmm_for_the_same_music() -> None:
    from mmt.encoding import encode

    notes = rows(*((beat, 0, 60 + beat % 5, 12, program) for beat in range(64) for program in (0, 40)))
    assert len(encode(notes)) < len(mmm.encode(notes)) / 2
    assert len(encode(notes)) < len(remi.encode(notes)) / 3
