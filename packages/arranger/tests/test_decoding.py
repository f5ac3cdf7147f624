"""The assignment of each onset's notes."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from arranger import decoding
from arranger.config import DecodingConfig
from arranger.decoding import FREE, assign, decode, decode_causally, linear_assignment, log_softmax
from arranger.mixture import Mixture
from arranger.parts import SATB
from hypothesis import given
from hypothesis import strategies as st
from mixtures import mixture_of, mixtures

costs = st.lists(st.floats(0, 20), min_size=4, max_size=4)
onset_costs = st.lists(costs, min_size=1, max_size=5).map(np.array)


def total_cost(chosen: tuple[int, ...], table: np.ndarray, penalty: float) -> float:
    pairs = sum(a == b for i, a in enumerate(chosen) for b in chosen[:i])
    return float(sum(table[i, part] for i, part in enumerate(chosen))) + penalty * pairs


@given(onset_costs, st.floats(0, 30))
def test_an_onset_gets_its_cheapest_assignment(table: np.ndarray, penalty: float) -> None:
    best = min(total_cost(c, table, penalty) for c in product(range(4), repeat=len(table)))
    assert total_cost(tuple(assign(table, penalty).tolist()), table, penalty) == pytest.approx(best)


@given(onset_costs, st.floats(0, 30))
def test_the_method_for_large_chords_is_optimal_too(table: np.ndarray, penalty: float) -> None:
    best = min(total_cost(c, table, penalty) for c in product(range(4), repeat=len(table)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_LARGEST_TABLE", 1)
        chosen = assign(table, penalty)
    assert total_cost(tuple(chosen.tolist()), table, penalty) == pytest.approx(best)


@given(st.integers(1, 5), st.integers(0, 2), st.randoms(use_true_random=False))
def test_linear_assignment_equals_brute_force(rows: int, more: int, random: object) -> None:
    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]  # hypothesis's Random
    table = rng.normal(size=(rows, rows + more)).round(1)
    columns = linear_assignment(table)
    best = min(sum(table[i, c] for i, c in enumerate(p)) for p in permutations(range(rows + more), rows))
    assert len(set(columns.tolist())) == rows
    assert table[np.arange(rows), columns].sum() == pytest.approx(best)


def some_logits(mixture: Mixture, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=3, size=(len(mixture), 4)).astype(np.float32)


@given(mixtures, st.integers(0, 5))
def test_every_note_gets_exactly_one_part(mixture: Mixture, seed: int) -> None:
    for method in (decode, decode_causally):
        labels = method(mixture, some_logits(mixture, seed), SATB)
        assert labels.shape == (len(mixture),)
        assert set(labels.tolist()) <= {0, 1, 2, 3}


@given(mixtures)
def test_notes_of_an_onset_have_different_parts_while_there_are_enough(mixture: Mixture) -> None:
    labels = decode(mixture, some_logits(mixture), SATB, DecodingConfig(chord_penalty=1e3, overlap_penalty=0))
    for onset in np.unique(mixture.onset):
        chord = labels[mixture.onset == onset]
        assert len(set(chord.tolist())) == min(len(chord), 4)


def test_a_sounding_note_turns_the_next_one_away() -> None:
    mixture = mixture_of([(0, 60, 24), (12, 62, 12)])
    logits = np.array([[5.0, 0, 0, 0], [1.0, 0.5, 0, 0]], np.float32)
    assert decode(mixture, logits, SATB, DecodingConfig(overlap_penalty=2)).tolist() == [0, 1]
    assert decode(mixture, logits, SATB, DecodingConfig(overlap_penalty=0)).tolist() == [0, 0]


@given(mixtures, st.data())
def test_locked_notes_stay_where_they_are_locked(mixture: Mixture, data: st.DataObject) -> None:
    locks = np.array(data.draw(st.lists(st.integers(FREE, 3), min_size=len(mixture), max_size=len(mixture))))
    labels = decode(mixture, some_logits(mixture), SATB, locks=locks)
    assert (labels[locks != FREE] == locks[locks != FREE]).all()


@given(mixtures)
def test_excluded_parts_stay_empty(mixture: Mixture) -> None:
    labels = decode(mixture, some_logits(mixture), SATB, DecodingConfig(excluded_parts=(0, 3)))
    assert set(labels.tolist()) <= {1, 2}


def test_a_note_far_below_a_range_goes_to_the_nearest_part() -> None:
    mixture = mixture_of([(0, 30, 12)])
    logits = np.array([[3.0, 0, 0, 0]], np.float32)
    assert decode(mixture, logits, SATB, DecodingConfig(range_penalty=1)).tolist() == [3]


@given(mixtures)
def test_decoding_reads_nothing_beyond_the_onset(mixture: Mixture) -> None:
    logits = some_logits(mixture)
    whole = decode(mixture, logits, SATB)
    for length in (np.flatnonzero(np.diff(mixture.onset)) + 1).tolist():
        assert np.array_equal(decode(mixture[:length], logits[:length], SATB), whole[:length])


@given(mixtures)
def test_causal_decoding_reads_nothing_beyond_the_note(mixture: Mixture) -> None:
    logits = some_logits(mixture)
    whole = decode_causally(mixture, logits, SATB)
    for length in range(1, len(mixture)):
        assert np.array_equal(decode_causally(mixture[:length], logits[:length], SATB), whole[:length])


def test_log_softmax_is_exact_for_large_logits() -> None:
    assert np.exp(log_softmax(np.array([[1000.0, 1000.0], [0.0, -1000.0]]))).tolist() == [[0.5, 0.5], [1.0, 0.0]]
