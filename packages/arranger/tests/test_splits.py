"""Splits, and which pieces are related."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from arranger.mixture import Piece, shuffled_ties
from arranger.splits import (
    SAME_SETTING,
    SAME_TUNE,
    SplitError,
    grouped_split,
    paper_split,
    related_groups,
    shared_setting,
    shared_tune,
    shipped_groups,
    split_of,
    tune_fragments,
)
from hypothesis import given
from hypothesis import strategies as st
from mixtures import piece_of, random_piece

NAMES = [name for group in shipped_groups("bach") for name in group]


def test_the_shipped_groups_hold_every_chorale_once() -> None:
    assert len(NAMES) == len(set(NAMES)) == 409


@pytest.mark.parametrize("draw", range(5))
def test_no_group_stands_on_two_sides(draw: int) -> None:
    split = split_of(f"grouped:{draw}", "bach", NAMES)
    side = {name: subset for subset in ("train", "valid", "test") for name in split.subset(subset)}
    assert len(side) == 409
    for group in shipped_groups("bach"):
        assert len({side[name] for name in group}) == 1


@pytest.mark.parametrize("draw", range(5))
def test_a_tenth_of_the_pieces_is_for_testing(draw: int) -> None:
    split = split_of(f"grouped:{draw}", "bach", NAMES)
    assert 38 <= len(split.test) <= 46
    assert 38 <= len(split.valid) <= 48


@given(st.lists(st.integers(1, 6), min_size=3, max_size=60), st.integers(0, 9))
def test_any_groups_are_split_whole(sizes: list[int], seed: int) -> None:
    groups = [[f"{i}-{j}" for j in range(size)] for i, size in enumerate(sizes)]
    split = grouped_split(groups, seed)
    assert sorted(split.train + split.valid + split.test) == sorted(name for group in groups for name in group)


def test_the_paper_split_does_not_depend_on_the_order_of_files() -> None:
    assert paper_split(NAMES[::-1], 3) == paper_split(NAMES, 3)
    assert paper_split(NAMES, 3) != paper_split(NAMES, 4)


@pytest.mark.parametrize("name", ["random", "grouped:x", "", "paper:-1"])
def test_an_unknown_split_is_named(name: str) -> None:
    with pytest.raises(SplitError, match="unknown split"):
        split_of(name, "bach", NAMES)


def test_other_pieces_than_the_shipped_ones_are_noticed() -> None:
    with pytest.raises(SplitError, match="differ"):
        split_of("grouped", "bach", [*NAMES[1:], "bwv999"])


def test_a_transposed_copy_is_related_and_another_piece_is_not() -> None:
    piece, other = random_piece(1, steps=60), random_piece(2, steps=60, name="other")
    copy = Piece("copy", piece.mixture.transposed(-5), piece.label)
    assert shared_setting(piece, copy) == 1.0
    assert shared_tune(tune_fragments(piece), tune_fragments(copy)) == 1.0
    assert related_groups([piece, other, copy]) == [["copy", "random"], ["other"]]


def test_ties_are_shuffled_and_nothing_else() -> None:
    piece = Piece("unisons", random_piece(0).mixture[np.zeros(50, np.int64)], np.arange(50) % 4)
    shuffled = shuffled_ties(piece, np.random.default_rng(0))
    assert shuffled.label.tolist() != piece.label.tolist()
    assert sorted(shuffled.label.tolist()) == sorted(piece.label.tolist())
    no_ties = random_piece(0)
    keys = no_ties.mixture.onset * 128 + no_ties.mixture.pitch
    unique = no_ties.mixture[np.unique(keys, return_index=True)[1]]
    kept = shuffled_ties(Piece("", unique, np.zeros(len(unique), np.int64)), np.random.default_rng(0))
    assert np.array_equal(kept.mixture.pitch, unique.pitch)


def test_only_notes_that_also_end_together_are_shuffled_if_so_asked() -> None:
    rows = [(0, 60, 12, 64, 0), (0, 60, 12, 64, 1), (0, 60, 24, 64, 2)]
    orders = {
        tuple(shuffled_ties(piece_of(rows), np.random.default_rng(seed), "equal").label.tolist()) for seed in range(30)
    }
    assert orders == {(0, 1, 2), (1, 0, 2)}


def test_near_copies_known_by_name_are_in_one_group(chorales: list[Piece]) -> None:
    # Transposed or re-scored versions of one setting, and settings of one tune.
    group_of = {name: i for i, group in enumerate(shipped_groups("bach")) for name in group}
    for first, second in (
        ("bwv112.5", "bwv112.5-sc"), ("bwv120.8-a", "bwv137.5"), ("bwv20.7", "bwv20.11"), ("bwv227.1", "bwv227.11"),
        ("bwv80.8", "bwv302"), ("bwv302", "bwv303"), ("bwv281", "bwv282"), ("bwv12.7", "bwv99.6"),
    ):  # fmt: skip
        assert group_of[first] == group_of[second], (first, second)


@pytest.mark.slow
def test_the_shipped_groups_are_what_the_function_finds(chorales: list[Piece]) -> None:
    assert related_groups(chorales) == shipped_groups("bach")


@pytest.mark.slow
def test_no_pair_across_train_and_test_shares_a_tune_or_setting(chorales: list[Piece]) -> None:
    split = split_of("grouped", "bach", [piece.name for piece in chorales])
    side = {name: subset for subset in ("train", "valid", "test") for name in split.subset(subset)}
    fragments = {piece.name: tune_fragments(piece) for piece in chorales}
    for first, second in combinations(chorales, 2):
        if side[first.name] != side[second.name]:
            assert shared_tune(fragments[first.name], fragments[second.name]) < SAME_TUNE
            assert shared_setting(first, second) < SAME_SETTING
