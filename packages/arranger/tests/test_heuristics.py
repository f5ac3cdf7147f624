"""Baselines: zones and closest pitch."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from arranger.heuristics import (
    PITCHES,
    Zones,
    best_zones,
    closest_pitch,
    closest_pitch_monophonic,
    fit_zones,
    fit_zones_in_any_order,
    hits,
    most_common_part,
)
from arranger.hints import entries_of
from arranger.mixture import Piece
from arranger.splits import split_of
from hypothesis import given
from hypothesis import strategies as st
from mixtures import piece_of, random_piece


@given(st.integers(0, 1000), st.integers(2, 4))
def test_zones_are_as_good_as_any(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.zeros((parts, PITCHES), np.int64)
    used = np.sort(rng.choice(PITCHES, 5, replace=False))
    counts[:, used] = rng.integers(0, 10, (parts, 5))
    order = tuple(rng.permutation(parts).tolist())
    edges = [0, *(used + 1).tolist()]  # only boundaries just above a used pitch can differ
    best = max(
        hits(counts, Zones(tuple(sorted(b, reverse=True)), order))
        for b in combinations_with_replacement(edges, parts - 1)
    )
    assert hits(counts, best_zones(counts, order)) == best


def test_prediction_agrees_with_the_count_of_hits() -> None:
    piece = random_piece(3)
    zones = fit_zones([piece], 4)
    counts = np.zeros((4, PITCHES), np.int64)
    np.add.at(counts, (piece.label, piece.mixture.pitch), 1)
    assert (zones.predict(piece.mixture) == piece.label).sum() == hits(counts, zones)


def test_the_order_of_the_parts_is_found() -> None:
    piece = random_piece(1)
    turned = Piece("turned", piece.mixture, 3 - piece.label)
    assert fit_zones_in_any_order([turned], 4).order == (3, 2, 1, 0)


def test_the_boundaries_of_the_chorales_are_the_published_ones(chorales: list[Piece]) -> None:
    # The original code's optimum on its Bach split: 69, 63, 57.
    split = split_of("grouped", "bach", [piece.name for piece in chorales])
    train = [piece for piece in chorales if piece.name in set(split.train)]
    assert fit_zones(train, 4).boundaries == (69, 63, 57)


def test_closest_pitch_follows_two_lines() -> None:
    piece = piece_of([(t, 70 + t, 1, 64, 0) for t in range(5)] + [(t, 50 - t, 1, 64, 1) for t in range(5)])
    for method in (closest_pitch, closest_pitch_monophonic):
        assert method(piece.mixture, entries_of(piece, 2)).tolist() == piece.label.tolist()


def test_a_part_takes_no_note_before_its_entry() -> None:
    piece = piece_of([(0, 60, 4, 64, 1), (4, 60, 4, 64, 1), (8, 60, 4, 64, 0)])
    entries = entries_of(piece, 2)
    assert entries.tolist() == [2, 0]
    assert closest_pitch(piece.mixture, entries).tolist() == [1, 1, 0]


def test_equally_near_parts_differ_in_the_two_rules() -> None:
    # Both parts last had pitch 60. One by one the first part wins; together, low notes go to low parts.
    piece = piece_of([(0, 60, 4, 64, 0), (0, 60, 4, 64, 1), (4, 58, 4, 64, 1), (4, 62, 4, 64, 0)])
    entries = entries_of(piece, 2)
    assert closest_pitch(piece.mixture, entries)[2:].tolist() == [0, 0]
    assert closest_pitch_monophonic(piece.mixture, entries)[2:].tolist() == [1, 0]


def test_a_part_without_notes_is_never_chosen() -> None:
    piece = piece_of([(0, 60, 4, 64, 0), (4, 60, 4, 64, 0)])
    for method in (closest_pitch, closest_pitch_monophonic):
        assert method(piece.mixture, entries_of(piece, 3)).tolist() == [0, 0]


def test_the_most_common_part_has_the_most_notes() -> None:
    assert most_common_part([piece_of([(0, 60, 1, 64, 2), (1, 60, 1, 64, 2), (2, 60, 1, 64, 0)])], 4) == 2
