"""Tasks: what is given stays as it is, what is found lies where it should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmt.config import MMTConfig
from mmt.data import Collate
from mmt.encoding import CONTEXT, NOTE, decode, encode, encode_task
from mmt.generate import Options
from mmt.infilling import accompany, infill
from mmt.instruments import InstrumentError
from mmt.model import MMT
from mmt.notes import EncodingError
from mmt.tasks import random_task
from test_encoding import note_rows, rows


@pytest.fixture(scope="module")
def model() -> MMT:
    torch.random.manual_seed(0)
    made = MMT(MMTConfig(dim=64, depth=1, max_length=64, tasks=True)).eval()
    with torch.no_grad():
        made.heads.logits.bias[NOTE] += 5  # type: ignore[operator,index]  # a parameter
    return made


SONG = rows(*((beat, 0, 60 + beat % 7, 12, program) for beat in range(40) for program in (0, 48)))


def test_a_task_tells_apart_what_is_given_and_what_is_wanted() -> None:
    notes = rows((0, 0, 60, 12, 0), (1, 0, 62, 12, 40), (2, 0, 64, 12, 0))
    codes = encode_task(notes, np.array([True, False, True]))
    assert codes[:, 0].tolist() == [0, 1, 1, CONTEXT, CONTEXT, 2, NOTE, 4]
    assert codes[1:3, 5].tolist() == [1, 25]
    assert decode(codes).tolist() == [[1, 0, 62, 12, 40]]
    assert decode(codes, CONTEXT).tolist() == [[0, 0, 60, 12, 0], [2, 0, 64, 12, 0]]


@given(note_rows(), st.integers(0, 1000))
def test_random_tasks_lose_no_note_and_ask_for_one(notes: np.ndarray, seed: int) -> None:
    if not len(notes):
        return
    notes = decode(encode(notes))
    codes = random_task(notes, 4096, np.random.default_rng(seed))
    found, context = decode(codes), decode(codes, CONTEXT)
    assert len(found)
    together = np.concatenate([found, context])
    assert sorted(map(tuple, together.tolist())) == sorted(map(tuple, notes.tolist()))


def test_what_is_given_is_not_counted() -> None:
    codes = encode_task(rows((0, 0, 60, 12, 0), (1, 0, 62, 12, 0)), np.array([True, False]))
    batch = Collate("mmt")([codes, codes[:3]])
    assert batch.counted[0].tolist() == [True, True, False, True, True, True]
    assert batch.mask[0].all()
    assert batch.notes.tolist() == [1, 0]


def test_new_notes_lie_in_the_span(model: MMT) -> None:
    new = infill(model, SONG, 30, 34, Options(20, seed=1))
    assert len(new)
    assert 30 <= new[:, 0].min() <= new[:, 0].max() < 34
    assert set(new[:, 4].tolist()) <= {0, 48}  # strings keep the program they have


def test_what_stood_in_the_span_does_not_matter(model: MMT) -> None:
    outside = SONG[(SONG[:, 0] < 30) | (SONG[:, 0] >= 34)]
    again = infill(model, outside, 30, 34, Options(20, seed=1))
    assert again.tolist() == infill(model, SONG, 30, 34, Options(20, seed=1)).tolist()


def test_new_notes_end_where_the_same_pitch_begins_again(model: MMT) -> None:
    new = infill(model, SONG, 10, 12, Options(40, seed=2))
    after = SONG[SONG[:, 0] >= 12]
    for beat, position, pitch, duration, program in new.tolist():
        same = after[(after[:, 2] == pitch) & (after[:, 4] == program)]
        if len(same):
            assert beat * 12 + position + duration <= same[0, 0] * 12 + same[0, 1]


def test_an_accompaniment_is_played_by_the_named_instruments(model: MMT) -> None:
    flute = accompany(model, SONG, ["flute"], Options(30))
    assert set(flute[:, 4].tolist()) == {73}
    assert {beat // 16 for beat in flute[:, 0].tolist()} == {0, 1, 2}


def test_late_spans_of_long_songs_are_reached(model: MMT) -> None:
    long = SONG.copy()
    long[:, 0] += 600
    result = infill(model, long, 620, 624, Options(20))
    assert ((result[:, 0] >= 620) & (result[:, 0] < 624)).any()


def test_impossible_requests_are_refused(model: MMT) -> None:
    with pytest.raises(EncodingError, match="beats 0 to 39"):
        infill(model, SONG, 40, 44)
    with pytest.raises(EncodingError, match="beats 4 to 4"):
        infill(model, SONG, 4, 4)
    with pytest.raises(EncodingError, match="without notes"):
        accompany(model, rows(), ["flute"])
    with pytest.raises(InstrumentError, match="flute"):
        accompany(model, SONG, ["flutes"])
    with pytest.raises(EncodingError, match="without tasks"):
        infill(MMT(MMTConfig(dim=64, depth=1)), SONG, 0, 4)
    with pytest.raises(ValueError, match="tasks need"):
        MMTConfig(encoding="remi", tasks=True)
