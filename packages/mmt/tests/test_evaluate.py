"""Metrics with intervals, likelihood of a note, faults of generated songs, copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmt.bigram import Bigram
from mmt.config import MMTConfig
from mmt.copies import longest_copies, longest_copy
from mmt.encoding import encode
from mmt.evaluate import Estimate, Metrics, excerpt_likelihood, excerpts_of, likelihood
from mmt.model import MMT
from mmt.songs import Songs
from mmt.validity import polyphony, validity
from test_encoding import rows


def scale(beats: int = 32, shift: int = 0, program: int = 0) -> np.ndarray:
    steps = (0, 2, 4, 5, 7, 9, 11)
    return rows(*((beat, 0, 60 + shift + steps[beat % 7], 12, program) for beat in range(beats)))


def test_metrics_are_those_of_muspy_on_the_first_64_beats() -> None:
    metrics = Metrics.of([scale(200), scale(64, 3)])
    assert metrics.scale_consistency == Estimate(1.0, 0.0, 0.0, 2)
    assert metrics.pitch_class_entropy.mean == pytest.approx(np.log2(7), abs=0.01)
    assert metrics.groove_consistency.mean == pytest.approx(1 - 4 / 48 / 16)  # MusPy counts an empty measure at the end


def test_songs_without_notes_do_not_count() -> None:
    metrics = Metrics.of([rows(), scale()])
    assert metrics.pitch_class_entropy.n == metrics.groove_consistency.n == 1


def test_an_interval_is_that_of_the_mean() -> None:
    estimate = Estimate.of([1.0, 2.0, 3.0, float("nan")])
    assert (estimate.mean, estimate.sd, estimate.n) == (2.0, 1.0, 3)
    assert estimate.half_width == pytest.approx(1.96 / 3**0.5)
    assert str(estimate) == "2.000 ± 1.132"


@pytest.mark.parametrize("encoding", ["mmt", "mmm", "remi"])
def test_likelihood_is_the_sum_over_all_codes_of_a_song_by_its_notes(encoding: str) -> None:
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(encoding=encoding, dim=64, depth=1)).eval()  # type: ignore[arg-type]  # one of them
    with torch.no_grad():
        for parameter in model.heads.parameters():
            parameter.zero_()
    found = likelihood(model, Songs.of([("a", scale(20)), ("b", scale(33, 2, 40))]))
    assert found.notes == 53
    if encoding == "mmt":  # types of all events but the first, instruments of the lists, five fields of each note
        sizes = np.log(model.config.sizes)
        expected = (sizes[0] * (53 + 2 * 3) + sizes[1:].sum() * 53 + sizes[5] * 2) / 53
    else:
        from mmt.data import encode_window

        lengths = [len(encode_window(song, encoding, 1024, "grammar")) for song in (scale(20), scale(33, 2, 40))]  # type: ignore[arg-type]  # one of them
        expected = np.log(model.config.sizes[0]) * (sum(lengths) - 2) / 53
    assert found.nll_note == pytest.approx(expected, rel=1e-5)
    assert sum(found.fields) == pytest.approx(found.nll_note)


def test_faults_are_counted() -> None:
    good = encode(scale())
    undecodable, backwards, duplicate, undeclared, unused, endless = (good.copy() for _ in range(6))
    undecodable[5, 3] = 0
    backwards[[5, 9]] = backwards[[9, 5]]
    duplicate[6, 1:4] = duplicate[5, 1:4]
    undeclared[5, 5] = 7
    unused = np.insert(unused, 2, [1, 0, 0, 0, 0, 9], axis=0)
    empty = encode(rows())
    found = validity([good, undecodable, backwards, duplicate, undeclared, unused, empty, endless[:-1]])
    assert found.songs == 8
    for fault in ("undecodable", "backwards", "duplicates", "undeclared", "unused", "empty", "bad_end"):
        assert getattr(found, fault) == pytest.approx(1 / 8), fault


def test_copies_are_found_in_any_key() -> None:
    rng = np.random.default_rng(1)
    corpus = rows(*((beat, 0, int(rng.integers(50, 80)), 12, 0) for beat in range(100)))
    other = rows(*((beat, 0, int(rng.integers(50, 80)), 12, 0) for beat in range(100)))
    song = other.copy()
    song[20:60, 2] = corpus[40:80, 2] + 5
    assert longest_copy(song, Songs.of([("x", other[:5]), ("corpus", corpus)])) in (40, 41)
    assert longest_copy(other, Songs.of([("corpus", corpus)])) < 8


def test_copies_end_with_the_song_they_stand_in() -> None:
    first, second = scale(20), scale(20, 1)
    corpus = Songs.of([("a", first[:11]), ("b", second[12:])])
    assert longest_copies([first, rows(), first[:1]], corpus).tolist() == [11, 0, 0]
    assert longest_copy(first, Songs.of([])) == 0


def test_more_notes_than_in_any_song_are_a_fault() -> None:
    chord = rows(*((0, 0, pitch, 12, 0) for pitch in range(60, 66)), (1, 0, 60, 12, 0))
    assert polyphony(chord) == 6
    assert polyphony(scale()) == 1
    found = validity([encode(chord), encode(scale())], [scale(), chord[:3]])
    assert found.crowded == 0.5
    assert validity([encode(chord)]).crowded is None


@pytest.mark.parametrize("encoding", ["mmt", "mmm", "remi"])
def test_excerpts_have_the_same_notes_in_every_encoding(encoding: str) -> None:
    music = rows(*((beat, 0, 60 + beat, 13, program) for beat in range(20) for program in (0, 1, 40)))
    excerpts = excerpts_of(Songs.of([("a", music), ("b", scale(70))]), 12)
    assert np.diff(excerpts.starts).tolist() == [12, 12]
    assert len(excerpts_of(Songs.of([("b", scale(70))]), 100).rows) == 64
    assert set(excerpts[0][:, 4]) == {0, 40}
    assert set(excerpts[0][:, 3]) == {12}
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(encoding=encoding, dim=64, depth=1)).eval()  # type: ignore[arg-type]  # one of them
    found, by_song = excerpt_likelihood(model, excerpts)
    assert found.notes == 24
    assert by_song.mean() == pytest.approx(found.nll_note, rel=1e-5)


def test_an_excerpt_that_the_model_cannot_see_is_refused() -> None:
    model = MMT(MMTConfig(dim=64, depth=1, max_length=16)).eval()
    with pytest.raises(ValueError, match="take fewer notes"):
        excerpt_likelihood(model, excerpts_of(Songs.of([("a", scale(40))]), 32))


def test_what_follows_what_is_learned_by_a_bigram() -> None:
    songs = Songs.of([(str(shift), scale(40, shift)) for shift in range(12)])
    known = Bigram.of(songs).nll_note(excerpts_of(songs, 30))
    other = np.random.default_rng(0).permutation(scale(40)[:, 2])
    strange = scale(40)
    strange[:, 2] = other
    assert known < 1.5
    assert Bigram.of(songs).nll_note(excerpts_of(Songs.of([("x", strange)]), 30)) > known + 1
    for table in Bigram.of(songs).tables:
        np.testing.assert_allclose(np.exp(table).sum(1), 1)
