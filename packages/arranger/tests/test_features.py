"""What a model reads of every note."""

from __future__ import annotations

import numpy as np
import pytest
from arranger import context, features
from arranger.config import CAUSAL_FEATURES, FEATURE_SETS, OFFLINE_FEATURES, ONSET_FEATURES, PAPER_FEATURES, ModelConfig
from arranger.context import MAX_COUNT, MAX_INTERVAL, NO_NEIGHBOUR
from arranger.features import extract, input_width, required_knowledge
from arranger.hints import hints_of
from arranger.history import chord_features, history_features
from arranger.mixture import Mixture, Piece
from hypothesis import given
from hypothesis import strategies as st
from mixtures import mixture_of, mixtures, piece_of, random_piece


def test_widths_are_those_of_the_published_models() -> None:
    # Released weights: 49 inputs for embedded pitch, beat, position and frequency; 65 with duration.
    # 4 more with entry hints for four parts, 64 with pitch hints.
    assert input_width(PAPER_FEATURES, 4) == 49
    assert input_width((*PAPER_FEATURES, "duration"), 4) == 65
    assert input_width((*PAPER_FEATURES, "entry_hint"), 4) == 53
    assert input_width((*PAPER_FEATURES, "pitch_hint"), 4) == 49 + 4 * 16
    assert input_width(("chord", "history"), 4) == 9 + 4 * 4


def test_a_chord_over_a_held_note_is_described_from_every_note() -> None:
    # A bass note held from 0, a triad at 12.
    mixture = mixture_of([(0, 48, 48), (12, 60, 12), (12, 64, 12), (12, 67, 12)])
    columns = extract(mixture, OFFLINE_FEATURES + CAUSAL_FEATURES)
    assert columns["chord_size"].tolist() == [1, 3, 3, 3]
    assert columns["rank"].tolist() == [0, 2, 1, 0]
    assert columns["index"].tolist() == [0, 0, 1, 2]
    assert columns["held_below"].tolist() == [0, 1, 1, 1]
    assert columns["held_above"].tolist() == [0, 0, 0, 0]
    assert columns["below_1"].tolist() == [NO_NEIGHBOUR, 12, 4, 3]
    assert columns["below_2"].tolist() == [NO_NEIGHBOUR, NO_NEIGHBOUR, 16, 7]
    assert columns["above_1"].tolist() == [NO_NEIGHBOUR, 4, 3, NO_NEIGHBOUR]
    assert columns["gap"].tolist() == [0, 12, 12, 12]
    assert columns["position"].tolist() == [0, 12, 12, 12]


def test_a_note_that_ends_at_the_onset_does_not_sound_any_more() -> None:
    columns = extract(mixture_of([(0, 60, 12), (12, 62, 12)]), ["held_below", "below_1"])
    assert columns["held_below"].tolist() == [0, 0]
    assert columns["below_1"].tolist() == [NO_NEIGHBOUR, NO_NEIGHBOUR]


def plain_context(mixture: Mixture) -> dict[str, list[int]]:
    """The same definitions, note by note."""
    result: dict[str, list[int]] = {name: [] for name in context.sounding_context(mixture)}
    rows = list(zip(mixture.onset.tolist(), mixture.pitch.tolist(), mixture.offset.tolist(), strict=True))
    for i, (onset, pitch, _) in enumerate(rows):
        new = [j for j, row in enumerate(rows) if row[0] == onset]
        held = [j for j, row in enumerate(rows) if row[0] < onset < row[2]]
        sounding = sorted(new + held, key=lambda j: (rows[j][1], j))
        place = sounding.index(i)
        held_above = [j for j in sounding[place + 1 :] if j in held]
        result["chord_size"].append(min(len(new), MAX_COUNT))
        result["index"].append(min(sum(j < i for j in new), MAX_COUNT))
        result["rank"].append(min(sum(j > i for j in new), MAX_COUNT))
        result["held_above"].append(min(len(held_above), MAX_COUNT))
        result["held_below"].append(min(sum(j in held for j in sounding[:place]), MAX_COUNT))
        for k in (1, 2, 3):
            for name, others in (
                (f"below_{k}", sounding[:place][::-1]),
                (f"above_{k}", sounding[place + 1 :]),
                (f"held_above_{k}", held_above),
            ):
                distance = abs(rows[others[k - 1]][1] - pitch) if len(others) >= k else None
                result[name].append(NO_NEIGHBOUR if distance is None else min(distance, MAX_INTERVAL))
    return result


@given(mixtures)
def test_the_context_is_what_its_definition_says(mixture: Mixture) -> None:
    found = context.sounding_context(mixture)
    assert {name: values.tolist() for name, values in found.items()} == plain_context(mixture)


@given(mixtures, st.integers(1, 40))
def test_pieces_with_long_notes_are_described_in_portions(mixture: Mixture, portion: int) -> None:
    whole = context.sounding_context(mixture)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context, "_PAIRS_AT_ONCE", portion)
        portions = context.sounding_context(mixture)
    for name in whole:
        assert np.array_equal(whole[name], portions[name]), name


@given(mixtures)
def test_causal_features_do_not_change_with_what_comes_later(mixture: Mixture) -> None:
    whole = extract(mixture, CAUSAL_FEATURES)
    for length in range(1, len(mixture)):
        for name, values in extract(mixture[:length], CAUSAL_FEATURES).items():
            assert np.array_equal(values, whole[name][:length]), name


@given(mixtures)
def test_onset_features_do_not_change_with_later_onsets(mixture: Mixture) -> None:
    whole = extract(mixture, ONSET_FEATURES)
    for length in np.flatnonzero(np.diff(mixture.onset)) + 1:
        for name, values in extract(mixture[: int(length)], ONSET_FEATURES).items():
            assert np.array_equal(values, whole[name][: int(length)]), name


@given(mixtures)
def test_no_online_feature_reads_how_long_the_note_itself_will_last(mixture: Mixture) -> None:
    last = mixture.onset == mixture.onset[-1]
    longer = Mixture(mixture.onset, mixture.pitch, mixture.duration + 30 * last, mixture.velocity)
    for name in {*PAPER_FEATURES, *CAUSAL_FEATURES, *ONSET_FEATURES}:
        assert np.array_equal(extract(mixture, [name])[name], extract(longer, [name])[name]), name


@given(mixtures)
def test_codes_stay_below_their_size(mixture: Mixture) -> None:
    for name, values in extract(mixture, OFFLINE_FEATURES).items():
        assert values.shape == (len(mixture),)
        assert values.min() >= 0
        assert values.max() < features.FEATURES[name].size


def test_a_beat_far_beyond_the_papers_table_has_an_encoding() -> None:
    # The published models clip beats to 4,096.
    far, farther = (extract(mixture_of([(24 * beat, 60, 24)]), ["beat"])["beat"] for beat in (5000, 5001))
    assert not np.array_equal(far, farther)


def test_a_models_knowledge_follows_from_its_features() -> None:
    knowledge = {name: required_knowledge(names) for name, names in FEATURE_SETS.items()}
    offline = {"paper-duration", "offline", "neighbours"}
    assert {name for name, known in knowledge.items() if known == "offline"} == offline
    assert {name for name, known in knowledge.items() if known == "onset"} == {"onset", "tempo-free"}
    assert ModelConfig(bidirectional=True).knowledge == "offline"


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(KeyError, match="loudness"):
        ModelConfig(features=("pitch", "loudness"))


# ---- hints and history


def two_parts() -> Piece:
    """Part 0 plays 70 and 72 from note 0, part 2 plays 50, 52, 54 from note 1; part 1 is absent."""
    rows = [(0, 70, 12, 64, 0), (12, 50, 12, 64, 2), (24, 52, 12, 64, 2), (24, 72, 12, 64, 0), (36, 54, 12, 64, 2)]
    return piece_of(rows)


def test_every_part_has_its_own_entry_hint_the_last_one_too() -> None:
    columns = hints_of(two_parts(), 3).entry_columns(5)
    assert columns[:, 0].tolist() == [0, 1, 1, 1, 1]
    assert columns[:, 1].tolist() == [0, 0, 0, 0, 0]
    assert columns[:, 2].tolist() == [-1, 0, 1, 1, 1]


def test_entry_hints_are_shifted_with_a_crop() -> None:
    whole = hints_of(two_parts(), 3).entry_columns(5)
    for start in range(5):
        assert np.array_equal(hints_of(two_parts(), 3).from_note(start).entry_columns(5 - start), whole[start:])


def test_pitch_hints_are_the_mean_pitches_of_their_parts() -> None:
    columns = hints_of(two_parts(), 3).pitch_columns(2)
    assert columns.tolist() == [[71 + 1, 0, 52 + 1]] * 2


def test_pitch_hints_follow_a_transposition_and_do_not_drift() -> None:
    from arranger.data import Augmentation, PieceDataset

    piece = two_parts()
    dataset = PieceDataset([piece], ("pitch", "pitch_hint"), 3, Augmentation(transpose=(-5, 6)))
    shifts = set()
    for _ in range(40):
        columns, _ = dataset[0]
        shift = int(columns["pitch"][0] - piece.mixture.pitch[0] - 1)
        shifts.add(shift)
        assert columns["pitch_hint"][0].tolist() == [72 + shift, 0, 53 + shift]
    assert shifts == set(range(-5, 7))


def test_the_crop_of_a_piece_has_the_hints_of_the_whole() -> None:
    from arranger.data import Augmentation, PieceDataset

    piece = random_piece(3, steps=40)
    dataset = PieceDataset([piece], ("pitch", "entry_hint"), 4, Augmentation(crop=20, transpose=(0, 0)))
    whole = extract(piece.mixture, ("pitch", "entry_hint"), hints_of(piece, 4))
    for _ in range(10):
        columns, _ = dataset[0]
        starts = [
            i
            for i in range(len(piece) - 19)
            if np.array_equal(whole["pitch"][i : i + 20], columns["pitch"])
            and np.array_equal(whole["entry_hint"][i : i + 20], columns["entry_hint"])
        ]
        assert starts


def test_features_that_must_be_told_say_so() -> None:
    mixture = mixture_of([(0, 60, 12)])
    with pytest.raises(ValueError, match="hints"):
        extract(mixture, ["entry_hint"])
    with pytest.raises(ValueError, match="parts of the notes before"):
        extract(mixture, ["history"])


def test_the_chord_of_a_note_is_that_of_its_onset_everywhere_in_the_piece() -> None:
    # A single note, then a triad of quarters, then a sixteenth at an eighth.
    mixture = mixture_of([(0, 50, 24), (24, 60, 24), (24, 64, 24), (24, 67, 24), (60, 72, 6)])
    rows = chord_features(mixture)
    assert rows[0].tolist() == [50, 24, 0, 0, -1, -1, 1, 0, 3]
    assert rows[2].tolist() == [64, 24, 0, 1, 4, 3, 3, 0, 1]
    assert rows[4].tolist() == [72, 6, 1, 0, -1, -1, 1, 12, 0]


def plain_history(mixture: Mixture, labels: list[int], parts: int) -> list[list[float]]:
    """The same definition, note by note."""
    last: list[tuple[int, int, int] | None] = [None] * parts
    rows = []
    for i, label in enumerate(labels):
        onset, pitch, offset = int(mixture.onset[i]), int(mixture.pitch[i]), int(mixture.offset[i])
        row: list[float] = []
        for note in last:
            known = note and [abs(note[1] - pitch), abs(note[0] - onset), abs(note[2] - onset), float(onset < note[2])]
            row += known or [-1.0] * 4
        rows.append(row)
        last[label] = (onset, pitch, offset)
    return rows


@given(mixtures, st.integers(0, 99))
def test_the_history_is_what_its_definition_says(mixture: Mixture, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, len(mixture))
    assert history_features(mixture, labels, 3).tolist() == plain_history(mixture, labels.tolist(), 3)
