"""What a model reads of every note."""

from __future__ import annotations

import numpy as np
import pytest
from arranger import features
from arranger.config import CAUSAL_FEATURES, FEATURE_SETS, OFFLINE_FEATURES, ONSET_FEATURES, PAPER_FEATURES, ModelConfig
from arranger.features import MAX_COUNT, MAX_INTERVAL, NO_NEIGHBOUR, extract, input_width
from arranger.mixture import Mixture
from hypothesis import given
from hypothesis import strategies as st
from mixtures import mixture_of, mixtures


def test_widths_are_those_of_the_published_models() -> None:
    # Released weights: 49 inputs for embedded pitch, beat, position and frequency; 65 with duration.
    assert input_width(PAPER_FEATURES) == 49
    assert input_width((*PAPER_FEATURES, "duration")) == 65


def test_a_chord_over_a_held_note_is_described_from_every_note() -> None:
    # A bass note held from 0, a triad at 12.
    mixture = mixture_of([(0, 48, 48), (12, 60, 12), (12, 64, 12), (12, 67, 12)])
    columns = extract(mixture, features.FEATURES)
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
    result: dict[str, list[int]] = {name: [] for name in features.sounding_context(mixture)}
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
    found = features.sounding_context(mixture)
    assert {name: values.tolist() for name, values in found.items()} == plain_context(mixture)


@given(mixtures, st.integers(1, 40))
def test_pieces_with_long_notes_are_described_in_portions(mixture: Mixture, portion: int) -> None:
    whole = features.sounding_context(mixture)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "_PAIRS_AT_ONCE", portion)
        portions = features.sounding_context(mixture)
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
    knowledge = {name: ModelConfig(features=(name,)).knowledge for name in FEATURE_SETS}
    assert knowledge == {
        "paper": "causal",
        "paper-duration": "offline",
        "causal": "causal",
        "onset": "onset",
        "offline": "offline",
    }
    assert ModelConfig(bidirectional=True).knowledge == "offline"


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(KeyError, match="loudness"):
        ModelConfig(features=("pitch", "loudness"))
