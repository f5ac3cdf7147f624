"""Note rows and the codes of the Multitrack Music Transformer: golden values of the published implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmt import encoding
from mmt.encoding import DURATIONS, decode, decode_music, describe, duration_codes, encode, encode_music, save_text
from mmt.instruments import CODE_OF_PROGRAM, NAMES, PROGRAM_OF_CODE, InstrumentError, codes_of_names
from mmt.notes import EncodingError, load_rows, music_of, notes_of, save_rows
from muspy_core import Music, Note, Track


def rows(*notes: tuple[int, ...]) -> np.ndarray:
    return np.array(notes, np.int64).reshape(-1, 5)


@st.composite
def note_rows(draw: st.DrawFn) -> np.ndarray:
    note = st.tuples(
        st.integers(0, 1024),
        st.integers(0, 11),
        st.integers(0, 127),
        st.sampled_from(DURATIONS.tolist()),
        st.sampled_from([int(program) for program in PROGRAM_OF_CODE[1:]]),
    )
    return rows(*draw(st.lists(note, max_size=40)))


# --- instruments -----------------------------------------------------------------------------------------------------


def test_there_are_64_instruments_of_104_programs() -> None:
    assert len(NAMES) == 64
    assert (CODE_OF_PROGRAM > 0).sum() == 104
    unknown = [*range(76, 79), *range(96, 104), *range(112, 117), *range(120, 128)]
    assert np.flatnonzero(CODE_OF_PROGRAM == 0).tolist() == unknown


def test_the_program_that_is_written_for_an_instrument_is_read_as_that_instrument() -> None:
    assert CODE_OF_PROGRAM[PROGRAM_OF_CODE[1:]].tolist() == list(range(1, 65))


@pytest.mark.parametrize(
    ("program", "name"),
    [(3, "piano"), (18, "organ"), (19, "church-organ"), (110, "violin"), (48, "strings"), (119, "synth-drums")],
)
def test_similar_programs_share_an_instrument(program: int, name: str) -> None:
    assert NAMES[CODE_OF_PROGRAM[program] - 1] == name


def test_an_unknown_instrument_is_answered_with_near_names() -> None:
    assert codes_of_names(["Violin", "piano", "alto saxophone", "piano"]) == [1, 25, 42]
    with pytest.raises(InstrumentError, match="did you mean violin"):
        codes_of_names(["violine"])


# --- codes -----------------------------------------------------------------------------------------------------------


def test_a_song_is_its_instruments_and_its_notes() -> None:
    codes = encode(rows((0, 0, 60, 12, 0), (0, 6, 67, 6, 40), (1, 0, 60, 13, 0)))
    assert codes.tolist() == [
        [0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 25],
        [2, 0, 0, 0, 0, 0],
        [3, 1, 1, 61, 12, 1],
        [3, 1, 7, 68, 6, 25],
        [3, 2, 1, 61, 12, 1],
        [4, 0, 0, 0, 0, 0],
    ]


def test_durations_are_rounded_to_the_nearest_known_one_and_to_the_shorter_of_two() -> None:
    given_steps = [0, 13, 14, 17, 19, 22, 23, 27, 33, 45, 54, 288, 289, 384, 5000]
    expected = [1, 12, 15, 16, 18, 21, 24, 24, 30, 42, 48, 192, 384, 384, 384]
    assert DURATIONS[duration_codes(np.array(given_steps)) - 1].tolist() == expected


def test_fields_have_the_published_numbers_of_codes() -> None:
    assert encoding.field_sizes(encoding.MAX_BEAT + 1) == (5, 1026, 13, 129, 33, 65)
    assert encoding.field_sizes(256) == (5, 257, 13, 129, 33, 65)


def test_the_reference_keeps_order_duplicates_and_instruments_that_are_left_out() -> None:
    notes = rows(
        (0, 0, 64, 12, 110), (0, 0, 60, 12, 40), (0, 0, 60, 12, 110), (1025, 0, 60, 12, 0), (2, 0, 60, 12, 127)
    )
    published = encode(notes, order="reference")
    assert published[:, 0].tolist() == [0, 1, 1, 2, 3, 3, 3, 4]
    assert published[1:3, 5].tolist() == [1, 25]  # piano, whose only note lies behind the last beat
    assert published[4:7, 3].tolist() == [65, 61, 61]
    ours = encode(notes, order="grammar")
    assert ours[:, 0].tolist() == [0, 1, 2, 3, 3, 4]
    assert ours[1, 5] == 25
    assert ours[3:5, 3].tolist() == [61, 65]


def test_notes_are_sorted_by_instrument_code_not_by_program() -> None:
    notes = rows((0, 0, 60, 12, 19), (0, 0, 60, 12, 20))  # church-organ (14), organ (13)
    assert encode(notes, "reference")[4:6, 5].tolist() == [14, 13]
    assert encode(notes)[4:6, 5].tolist() == [13, 14]


def test_beat_1024_is_encoded_and_the_next_is_not() -> None:
    assert encode(rows((1024, 0, 60, 1, 0), (1025, 0, 60, 1, 0)))[3:-1].tolist() == [[3, 1025, 1, 61, 1, 1]]


def test_a_song_without_notes_has_no_instruments() -> None:
    assert encode(rows()).tolist() == [[0] * 6, [2, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0]]
    assert decode(encode(rows())).shape == (0, 5)


@given(note_rows())
def test_what_is_encoded_decodes_to_the_same_notes(notes: np.ndarray) -> None:
    assert decode(encode(notes, "reference")).tolist() == notes.tolist()
    assert {tuple(row) for row in decode(encode(notes)).tolist()} == {tuple(row) for row in notes.tolist()}


@given(note_rows())
def test_codes_ascend_and_stand_once(notes: np.ndarray) -> None:
    codes = encode(notes)
    played = [tuple(row) for row in codes[codes[:, 0] == 3].tolist()]
    assert played == sorted(set(played))


def test_what_follows_an_end_of_song_is_not_read() -> None:
    codes = encode(rows((0, 0, 60, 12, 0)))
    assert len(decode(np.concatenate([codes, codes]))) == 1


def test_a_note_with_an_undefined_field_is_refused() -> None:
    codes = encode(rows((0, 0, 60, 12, 0)))
    codes[3, 4] = 0
    with pytest.raises(EncodingError, match="duration code 0"):
        decode(codes)


@pytest.mark.parametrize(
    "wrong", [(0, 12, 60, 1, 0), (0, 0, 128, 1, 0), (-1, 0, 60, 1, 0), (0, 0, 60, 0, 0), (0, 0, 60, 1, 128)]
)
def test_rows_that_are_no_notes_are_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(EncodingError, match="note row 0"):
        encode(rows(wrong))
    with pytest.raises(EncodingError, match="note rows are integers"):
        encode(np.zeros((3, 4), np.int64))


# --- music -----------------------------------------------------------------------------------------------------------


def test_drums_and_unknown_programs_are_left_out_of_the_rows() -> None:
    note = [Note(0, 60, 24)]
    music = Music(24, tracks=[])
    music = Music(
        resolution=24,
        tracks=[Track(0, True, notes=list(note)), Track(127, notes=list(note)), Track(40, notes=list(note))],
    )
    assert notes_of(music).tolist() == [[0, 0, 60, 12, 40]]


def test_times_are_rounded_to_twelfths_of_a_beat_and_no_note_vanishes() -> None:
    music = Music(resolution=480, tracks=[Track(notes=[Note(0, 60, 1), Note(460, 62, 480), Note(500, 64, 20)])])
    assert notes_of(music).tolist() == [[0, 0, 60, 1, 0], [1, 0, 62, 12, 0], [1, 1, 64, 1, 0]]


def test_beats_can_be_counted_from_the_first_note() -> None:
    music = Music(resolution=12, tracks=[Track(notes=[Note(30, 60, 12)])])
    assert notes_of(music, from_first=True).tolist() == [[0, 6, 60, 12, 0]]


def test_rows_become_music_with_a_track_for_each_program() -> None:
    music = music_of(rows((1, 3, 60, 12, 40), (0, 0, 48, 24, 0)))
    assert [track.program for track in music.tracks] == [0, 40]
    assert music.tracks[1].notes[0].time == 15
    assert notes_of(music).tolist() == [[0, 0, 48, 24, 0], [1, 3, 60, 12, 40]]


def test_more_than_15_instruments_are_written_as_valid_midi(tmp_path: Path) -> None:
    import muspy_core

    notes = rows(*((0, 0, 40 + code, 12, int(PROGRAM_OF_CODE[code])) for code in range(1, 33)))
    music = decode_music(encode(notes))
    music.write(tmp_path / "many.mid")
    again = muspy_core.read(tmp_path / "many.mid")
    assert notes_of(again).tolist() == notes_of(music).tolist()
    assert len(notes_of(again)) == 32


def test_music_survives_up_to_known_durations() -> None:
    music = Music(resolution=12, tracks=[Track(0, notes=[Note(0, 60, 12), Note(12, 64, 24)])])
    assert notes_of(decode_music(encode_music(music))).tolist() == notes_of(music).tolist()


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["song.npy", "song.csv"])
def test_rows_survive_files(tmp_path: Path, name: str) -> None:
    notes = rows((0, 0, 60, 12, 0), (3, 7, 67, 6, 40))
    save_rows(tmp_path / name, notes)
    assert load_rows(tmp_path / name).tolist() == notes.tolist()
    codes = encode(notes)
    save_rows(tmp_path / name, codes, encoding.FIELDS)
    assert load_rows(tmp_path / name, encoding.FIELDS).tolist() == codes.tolist()


def test_csv_files_have_the_published_header(tmp_path: Path) -> None:
    save_rows(tmp_path / "song.csv", rows((0, 1, 60, 12, 40)))
    assert (tmp_path / "song.csv").read_text() == "beat,position,pitch,duration,program\n0,1,60,12,40\n"


def test_files_that_hold_no_rows_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(EncodingError, match=r"bad\.csv"):
        load_rows(tmp_path / "bad.csv")
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    with pytest.raises(EncodingError, match=r"bad\.npy"):
        load_rows(tmp_path / "bad.npy")


def test_events_are_described_in_words(tmp_path: Path) -> None:
    codes = encode(rows((0, 6, 60, 12, 40)))
    assert list(describe(codes)) == [
        "Start of song",
        "Instrument: violin",
        "Start of notes",
        "Note: beat=0, position=6, pitch=C4, duration=12, instrument=violin",
        "End of song",
    ]
    save_text(tmp_path / "song.txt", codes)
    assert (tmp_path / "song.txt").read_text().splitlines() == list(describe(codes))
