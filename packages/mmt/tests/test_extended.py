"""Whole music: velocity, tempo, time signature and drums as fields, by hand-written songs."""

from __future__ import annotations

from pathlib import Path

import muspy_core
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmt import extended
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.data import SongDataset, Window, encode_window, note_ends
from mmt.editing import continue_piece, fill_in
from mmt.evaluate import likelihood
from mmt.extended import METERS, decode, encode, music_of, rows_of, tempi_of_codes, tempo_codes
from mmt.extending import extend
from mmt.formats import WHOLE
from mmt.generate import Options, generate
from mmt.model import MMT
from mmt.notes import EncodingError
from mmt.prepare import prepare
from mmt.songs import Songs
from mmt.streaming import Played, stream_notes
from muspy_core import Music, Note, Tempo, TimeSignature, Track


def piece() -> Music:
    """Two bars of 3/4 and one of 4/4: piano, drums, a sound effect; twice as fast from the fourth beat on."""
    return Music(
        resolution=24,
        tempos=[Tempo(0, 60), Tempo(72, 120)],
        time_signatures=[TimeSignature(0, 3, 4), TimeSignature(144, 4, 4)],
        tracks=[
            Track(0, notes=[Note(0, 60, 24, 64), Note(78, 64, 12, 127), Note(144, 67, 96, 1)]),
            Track(0, True, notes=[Note(0, 36, 6, 100)]),
            Track(120, notes=[Note(0, 50, 24, 64)]),
        ],
    )


def test_rows_of_a_song_by_hand() -> None:
    assert rows_of(piece()).tolist() == [
        [0, 0, 36, 3, 128, 100, 60, 1],  # beat, position, pitch, duration, program (128: drums), velocity, qpm, 3/4
        [0, 0, 60, 12, 0, 64, 60, 1],
        [3, 3, 64, 6, 0, 127, 120, 1],
        [6, 0, 67, 48, 0, 1, 120, 0],
    ]


def test_codes_of_a_song_by_hand() -> None:
    # Tempo: 60 = 24 · 2^(15.86/12) → step 16, code 17; 120 = 24 · 2^(27.86/12) → step 28, code 29.
    assert encode(rows_of(piece())).tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0, 65, 0, 0, 0],
        [2, 0, 0, 0, 0, 0, 0, 0, 0],
        [3, 1, 1, 37, 3, 65, 26, 17, 2],
        [3, 1, 1, 61, 12, 1, 17, 17, 2],
        [3, 4, 4, 65, 6, 1, 32, 29, 2],
        [3, 7, 1, 68, 23, 1, 1, 29, 1],
        [4, 0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_notes_that_only_differ_in_velocity_stand_once() -> None:
    rows = np.array([[0, 0, 60, 12, 0, 20, 100, 0], [0, 0, 60, 12, 1, 90, 100, 0], [0, 0, 60, 24, 0, 20, 100, 0]])
    codes = encode(rows)
    assert codes[codes[:, 0] == 3][:, [4, 6]].tolist() == [[12, 6], [18, 6]]


def test_unknown_meters_and_tempi_become_the_nearest() -> None:
    assert METERS[extended.meter_index(16, 8)] == (4, 2)  # a bar of eight quarters
    assert METERS[extended.meter_index(10, 8)] == (5, 4)
    assert tempo_codes(np.array([1, 24, 25, 26, 120, 999])).tolist() == [1, 1, 2, 2, 29, 41]
    assert tempi_of_codes(np.array([1, 13, 25, 41])).tolist() == [24, 48, 96, 242]


def test_music_comes_back_with_its_meters_on_bar_lines() -> None:
    again = music_of(decode(encode(rows_of(piece()))))
    assert [(tempo.time, tempo.qpm) for tempo in again.tempos] == [(0, 60), (39, 121)]
    assert [(each.time, each.numerator) for each in again.time_signatures] == [(0, 3), (72, 4)]
    assert [(track.is_drum, track.name) for track in again.tracks] == [(False, "piano"), (True, "drums")]
    assert [note.velocity for note in again.tracks[0].notes] == [66, 126, 2]
    late = rows_of(piece())
    late[2, extended.METER] = 0  # 4/4 as early as a bar's second beat: it waits for the bar line
    assert [(each.time, each.numerator) for each in music_of(late).time_signatures] == [(0, 3), (72, 4)]


@given(
    st.lists(
        st.tuples(*[st.integers(0, last) for last in (90, 11, 127)], st.integers(1, 400),
                  st.sampled_from([0, 40, 73, 128]), st.integers(0, 127), st.integers(20, 250), st.integers(0, 18)),
        max_size=30,
    )
)  # fmt: skip
def test_what_was_encoded_once_stays_as_it_is(notes: list[tuple[int, ...]]) -> None:
    codes = encode(np.array(notes, np.int64).reshape(-1, 8))
    assert encode(decode(codes)).tolist() == codes.tolist()
    music = music_of(decode(codes))
    assert sum(len(track.notes) for track in music.tracks) == int((codes[:, 0] == 3).sum())


def test_rows_that_no_music_has_are_refused() -> None:
    with pytest.raises(EncodingError, match="out of range"):
        encode(np.array([[0, 12, 60, 12, 0, 64, 100, 0]]))
    with pytest.raises(EncodingError, match=r"\(n, 8\)"):
        encode(np.zeros((1, 5), np.int64))
    with pytest.raises(EncodingError, match="velocity code 0"):
        decode(np.array([[3, 1, 1, 1, 1, 1, 0, 1, 1]]))


def test_drums_are_not_transposed_and_every_note_is_counted() -> None:
    window = Window(64, 128, transpose=(5, 5))(rows_of(piece()), np.random.default_rng(0))
    assert window[:, 2].tolist() == [36, 65, 69, 72]
    codes = encode_window(window, "extended", 128, "grammar")
    assert note_ends(codes, "extended").sum() == 4
    assert MMTConfig(encoding="extended").sizes == (5, 257, 13, 129, 33, 66, 33, 42, 20)


def test_prepared_songs_are_extended_with_their_split(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    for number in range(6):
        song = Music(resolution=12, tracks=[
            Track(0, notes=[Note(12 * beat, 50 + number + beat % 7, 12) for beat in range(60)]),
            Track(0, True, notes=[Note(12 * beat, 36, 6) for beat in range(60)]),
        ])  # fmt: skip
        song.write(tmp_path / "scores" / f"{number}.mid")
    prepared = prepare([tmp_path / "scores"], tmp_path / "data", progress=False)
    songs = extend(tmp_path / "data", tmp_path / "more", progress=False)
    assert set(songs.names) == {name for part in prepared.split.values() for name in part}
    assert (songs[0][:, 4] == 128).sum() == 60
    dataset = SongDataset(songs, "extended", Window(16, 64), "grammar", np.random.default_rng(0))
    assert dataset[0].shape[1] == 9
    with pytest.raises(EncodingError, match="mmt prepare"):
        extend(tmp_path / "scores", tmp_path / "no")


def test_generated_songs_of_whole_music_decode(tmp_path: Path) -> None:
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(encoding="extended", dim=64, depth=1, max_length=64)).eval()
    with torch.no_grad():
        model.heads.logits.bias[3] += 5  # type: ignore[operator,index]  # notes are likely
    for song in generate(model, [WHOLE.prompt(["piano", "drums"])] * 4, Options(40, seed=1)):
        rows = decode(song)
        assert set(rows[:, 4].tolist()) <= {0, 128}
        assert encode(rows)[4:].tolist() == song[4:].tolist()  # in order, each once
        onset = rows[:, 0] * 12 + rows[:, 1]
        for column in (extended.TEMPO, extended.METER):
            assert not (np.diff(rows[:, column])[np.diff(onset) == 0]).any()
    model.save_pretrained(tmp_path / "model")
    arguments = ["generate", "--model", str(tmp_path / "model"), "-o", str(tmp_path / "out"), "--length", "30"]
    assert main([*arguments, "--instruments", "drums,violin"]) == 0
    music = muspy_core.read(tmp_path / "out" / "song-01.mid")
    assert isinstance(music, Music)
    assert {track.program for track in music.tracks if not track.is_drum} <= {40}


@pytest.fixture(scope="module")
def whole() -> MMT:
    torch.random.manual_seed(0)
    made = MMT(MMTConfig(encoding="extended", dim=64, depth=1, max_length=64)).eval()
    with torch.no_grad():
        made.heads.logits.bias[3] += 5  # type: ignore[operator,index]  # notes are likely
    return made


def test_a_piece_goes_on_with_drums_velocities_and_tempi(whole: MMT) -> None:
    result = continue_piece(whole, piece(), 4, Options(60, seed=1))
    end = 4 * 24
    for before, after in zip(piece().tracks, result.tracks, strict=False):
        assert [note for note in after.notes if note.time < end] == [note for note in before.notes if note.time < end]
    assert list(result.tempos[:2]) == list(piece().tempos)
    assert all(tempo.time >= end for tempo in result.tempos[2:])
    new = [note for track in result.tracks for note in track.notes if note.time >= end]
    assert len({note.velocity for note in new}) > 2
    assert [note for note in result.tracks[1].notes if note.time >= end]  # drums go on
    with pytest.raises(EncodingError, match="trained without tasks"):
        fill_in(whole, piece(), 0, 2)


def test_a_stream_of_whole_music_has_velocities_and_drums(whole: MMT) -> None:
    prompt = WHOLE.prompt(["drums", "piano"])
    rows = decode(generate(whole, [prompt], Options(40, seed=2))[0])
    streamed = list(stream_notes(whole, prompt, Options(40, seed=2)))
    assert [(note.program, note.velocity) for note in streamed] == [(row[4], row[5]) for row in rows.tolist()]
    music = Played(streamed).music(90)
    assert {track.is_drum for track in music.tracks} == {False, True}
    assert [tempo.qpm for tempo in music.tempos] == [90]


def test_a_model_of_whole_music_has_a_logit_for_every_code() -> None:
    model = MMT(MMTConfig(encoding="extended", dim=64, depth=1, max_length=32, heads="conditional"))
    codes = torch.from_numpy(encode(rows_of(piece())))[None]
    assert [tuple(logits.shape[1:]) for logits in model(codes[:, :-1], codes[:, 1:])] == [
        (8, size) for size in model.config.sizes
    ]


def test_the_cost_of_every_field_is_known(whole: MMT) -> None:
    songs = Songs.of((str(number), rows_of(piece())) for number in range(3))
    found = likelihood(whole, songs)
    assert len(found.fields) == len(extended.FIELDS)
    assert found.nll_note == pytest.approx(sum(found.fields))
    assert found.notes == 12
