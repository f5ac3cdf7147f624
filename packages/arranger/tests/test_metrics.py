"""What is measured."""

from __future__ import annotations

import numpy as np
import pytest
from arranger.metrics import links, score
from mixtures import piece_of, random_piece

PIECE = piece_of([(0, 60, 1, 64, 1), (0, 70, 1, 64, 0), (1, 61, 1, 64, 1), (1, 71, 1, 64, 0), (2, 62, 1, 64, 1)])


def test_the_truth_is_perfect() -> None:
    scores = score([PIECE], [PIECE.label], 2)
    figures = scores.to_dict()
    assert (figures.pop("pieces"), figures.pop("notes")) == (1, 5)
    assert figures.pop("confusion") == ((2, 0), (0, 3))
    assert set(figures.values()) == {1.0}


def test_figures_of_a_small_mistake_by_hand() -> None:
    # True parts 1 0 1 0 1; the fourth note is given to part 1 instead of 0.
    predicted = np.array([1, 0, 1, 1, 1])
    scores = score([PIECE], [predicted], 2)
    assert scores.confusion == ((1, 1), (0, 3))
    assert scores.accuracy == 0.8
    assert scores.balanced_accuracy == pytest.approx((1 / 2 + 1) / 2)
    # Predicted part 1 is notes 0 2 3 4 with true parts 1 1 0 1: one of three neighbours agrees; part 0 has one note.
    assert scores.soundness == pytest.approx(1 / 3)
    # True part 0 is notes 1 3, predicted 0 1; true part 1 is notes 0 2 4, predicted 1 1 1: two of three agree.
    assert scores.completeness == pytest.approx(2 / 3)
    # Predicted links 0-2, 2-3, 3-4; true links 1-3, 0-2, 2-4.
    assert scores.link_precision == scores.link_recall == scores.link_f1 == pytest.approx(1 / 3)


def test_links_join_notes_that_follow_each_other_in_a_part() -> None:
    assert sorted(map(tuple, links(PIECE.label).tolist())) == [(0, 2), (1, 3), (2, 4)]


def test_unisons_may_be_exchanged_in_one_figure_only() -> None:
    piece = piece_of([(0, 60, 1, 64, 0), (0, 60, 1, 64, 1), (1, 62, 1, 64, 0)])
    scores = score([piece], [np.array([1, 0, 0])], 2)
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.accuracy_unisons_merged == 1.0


def test_pieces_count_by_their_notes() -> None:
    long, short = random_piece(0, steps=30), random_piece(1, steps=10)
    scores = score([long, short], [long.label, 3 - short.label], 4)
    assert scores.accuracy == pytest.approx(0.75)
    assert scores.piece_accuracy == pytest.approx(0.5)
    assert scores.worst_piece_accuracy == 0.0


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(ValueError, match="no notes"):
        score([], [], 4)
