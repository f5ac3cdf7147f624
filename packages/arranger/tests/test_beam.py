"""The joint assignment of a whole piece."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from arranger import beam
from arranger.beam import decode_jointly
from arranger.config import DecodingConfig
from arranger.decoding import FREE, in_order_of_parts, log_softmax
from arranger.mixture import Mixture
from arranger.parts import SATB
from hypothesis import given
from hypothesis import strategies as st
from mixtures import mixture_of, mixtures


def cost_of(mixture: Mixture, labels: tuple[int, ...], logits: np.ndarray, config: DecodingConfig) -> float:
    """The cost of labels by its definition: a part that still sounds when an onset comes, and chords within a part."""
    total = float(-log_softmax(logits)[np.arange(len(labels)), labels].sum())
    for i, part in enumerate(labels):
        before = [j for j in range(len(labels)) if mixture.onset[j] < mixture.onset[i] and labels[j] == part]
        total += config.overlap_penalty * any(mixture.offset[j] > mixture.onset[i] for j in before)
        chord = [j for j in range(i) if mixture.onset[j] == mixture.onset[i] and labels[j] == part]
        total += config.chord_penalty * len(chord)
    return total


few_notes = st.lists(st.tuples(st.integers(0, 3), st.integers(50, 70), st.integers(1, 4)), min_size=1, max_size=5)


@given(few_notes, st.integers(0, 999))
def test_a_short_piece_gets_its_cheapest_assignment(notes: list[tuple[int, int, int]], seed: int) -> None:
    mixture, config = mixture_of(notes), DecodingConfig(chord_penalty=5.0, overlap_penalty=2.0)
    logits = np.random.default_rng(seed).normal(size=(len(mixture), 4)).astype(np.float32)
    best = min(cost_of(mixture, labels, logits, config) for labels in product(range(4), repeat=len(mixture)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam, "CHOICES", 4**5)
        patch.setattr(beam, "BEAM", 4**5)
        patch.setattr(beam, "MARGIN", 1e9)
        found = decode_jointly(mixture, logits, SATB, config)
    assert cost_of(mixture, tuple(found.tolist()), logits, config) == pytest.approx(best)


def test_what_comes_later_settles_who_holds_the_longer_note_of_a_unison() -> None:
    # Tenor and bass begin on one pitch; a low note that is surely the bass's begins when the shorter one ends.
    mixture = mixture_of([(0, 60, 12), (0, 60, 48), (12, 40, 36)])
    logits = np.array([[-9, -9, 1, 0.9], [-9, -9, 0.9, 0.8], [-9, -9, -9, 9]], np.float32)
    assert decode_jointly(mixture, logits, SATB).tolist() == [3, 2, 3]


@given(mixtures, st.integers(0, 999))
def test_locked_notes_stay_and_every_note_has_a_part(mixture: Mixture, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(mixture), 4)).astype(np.float32)
    locks = np.where(rng.random(len(mixture)) < 0.3, rng.integers(0, 4, len(mixture)), FREE)
    labels = decode_jointly(mixture, logits, SATB, locks=locks)
    assert labels.shape == (len(mixture),)
    assert np.array_equal(labels[locks != FREE], locks[locks != FREE])


def test_a_piece_without_notes_has_no_labels() -> None:
    assert len(decode_jointly(mixture_of([]), np.zeros((0, 4), np.float32), SATB)) == 0


def test_equal_notes_are_in_the_order_of_their_parts_and_others_stay() -> None:
    onset, pitch = np.array([0, 0, 0, 5]), np.array([60, 60, 64, 60])
    assert in_order_of_parts(np.array([3, 1, 0, 2]), onset, pitch).tolist() == [1, 3, 0, 2]
