"""Models in torch, their NumPy twin, and their files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from arranger import inference
from arranger.checkpoint import Checkpoint, ModelError, load_checkpoint, save_checkpoint
from arranger.config import (
    CAUSAL_FEATURES,
    OFFLINE_FEATURES,
    ONSET_FEATURES,
    PAPER_FEATURES,
    DecodingConfig,
    ModelConfig,
)
from arranger.features import FEATURES, extract
from arranger.inference import Tagger
from mixtures import random_piece

CONFIGS = {
    "paper": ModelConfig(features=PAPER_FEATURES, hidden=16),
    "causal": ModelConfig(features=CAUSAL_FEATURES, hidden=16, layers=2),
    "onset": ModelConfig(features=ONSET_FEATURES, hidden=16, layers=2, residual=True),
    "offline": ModelConfig(features=OFFLINE_FEATURES, hidden=16, layers=2, bidirectional=True, residual=True),
}


def random_checkpoint(config: ModelConfig, seed: int = 0) -> Checkpoint:
    """A model of the right shape with random weights, made without torch."""
    rng = np.random.default_rng(seed)
    width = config.hidden // 2 if config.bidirectional else config.hidden
    shapes: dict[str, tuple[int, ...]] = {
        f"embedding.tables.{name}.weight": (FEATURES[name].size, FEATURES[name].width)
        for name in config.features
        if FEATURES[name].kind == "embedding"
    }
    for i in range(config.layers):
        inputs = config.hidden if i else config.input_width
        for side in ("forwards", "backwards")[: 1 + config.bidirectional]:
            prefix = f"layers.{i}.{side}"
            shapes |= {f"{prefix}.weight_ih_l0": (4 * width, inputs), f"{prefix}.weight_hh_l0": (4 * width, width)}
            shapes |= {f"{prefix}.bias_ih_l0": (4 * width,), f"{prefix}.bias_hh_l0": (4 * width,)}
        shapes |= {f"layers.{i}.norm.weight": (config.hidden,), f"layers.{i}.norm.bias": (config.hidden,)}
    shapes |= {"head.weight": (4, config.hidden), "head.bias": (4,)}
    weights = {name: rng.normal(scale=0.4, size=shape).astype(np.float32) for name, shape in shapes.items()}
    return Checkpoint("random", weights, config, DecodingConfig(), {})


PIECES = [random_piece(seed, steps=10 + 7 * seed) for seed in range(4)]


@pytest.mark.parametrize("name", CONFIGS)
def test_numpy_computes_what_torch_computes(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from arranger.data import collate
    from arranger.model import PartTagger

    checkpoint = random_checkpoint(CONFIGS[name])
    model = PartTagger(checkpoint.config)
    model.load_state_dict({key: torch.from_numpy(value) for key, value in checkpoint.weights.items()})
    batch = collate([(extract(piece.mixture, checkpoint.config.features), piece.label) for piece in PIECES])
    with torch.no_grad():
        expected = model.eval()(batch.columns, batch.lengths).numpy()
    for rows, piece, found in zip(
        expected, PIECES, Tagger(checkpoint).logits_of_all([p.mixture for p in PIECES]), strict=True
    ):
        np.testing.assert_allclose(found, rows[: len(piece)], atol=2e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_piece_alone_and_in_a_batch_has_the_same_logits(name: str) -> None:
    tagger = Tagger(random_checkpoint(CONFIGS[name]))
    for piece, rows in zip(PIECES, tagger.logits_of_all([p.mixture for p in PIECES]), strict=True):
        np.testing.assert_allclose(tagger.logits(piece.mixture), rows, atol=1e-5)


@pytest.mark.parametrize("name", ["paper", "causal", "onset"])
def test_streaming_gives_what_the_whole_piece_gives(name: str) -> None:
    tagger = Tagger(random_checkpoint(CONFIGS[name]))
    mixture = PIECES[2].mixture
    columns = extract(mixture, tagger.config.features)
    state, rows = tagger.start(), []
    cuts = (np.flatnonzero(np.diff(mixture.onset)) + 1).tolist() if name == "onset" else range(1, len(mixture))
    for start, stop in zip([0, *cuts], [*cuts, len(mixture)], strict=True):
        logits, state = tagger.step({key: values[start:stop] for key, values in columns.items()}, state)
        rows.append(logits)
    np.testing.assert_allclose(np.concatenate(rows), tagger.logits(mixture), atol=1e-5)


def test_a_model_that_reads_both_ways_refuses_to_stream() -> None:
    tagger = Tagger(random_checkpoint(CONFIGS["offline"]))
    with pytest.raises(ModelError, match="both ends"):
        tagger.step(extract(PIECES[0].mixture, OFFLINE_FEATURES), tagger.start())


def test_an_online_model_does_not_look_ahead() -> None:
    for name in ("paper", "causal", "onset"):
        tagger = Tagger(random_checkpoint(CONFIGS[name]))
        mixture = PIECES[1].mixture
        cut = int((np.flatnonzero(np.diff(mixture.onset)) + 1)[5])
        np.testing.assert_allclose(tagger.logits(mixture[:cut]), tagger.logits(mixture)[:cut], atol=1e-5)


def test_a_long_piece_in_windows_is_labelled_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = Tagger(load_checkpoint("bach-chorales", "offline"))
    mixture = random_piece(5, steps=700).mixture
    assert len(mixture) > 2 * inference.WINDOW
    in_windows = tagger.logits(mixture)
    monkeypatch.setattr(inference, "WINDOW", len(mixture))
    whole = tagger.logits(mixture)
    np.testing.assert_allclose(in_windows, whole, atol=0.05)
    assert np.array_equal(in_windows.argmax(axis=1), whole.argmax(axis=1))


def test_parameters_are_those_of_the_published_models() -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from arranger.model import PartTagger

    # The released weights have 358,165 (LSTM) and 259,861 (BiLSTM) trainable numbers. They have one more
    # class ("no note"), and one bias where torch's LSTM adds two.
    for config, published in (
        (ModelConfig(features=("paper",)), 358_165),
        (ModelConfig(features=("paper",), bidirectional=True), 259_861),
    ):
        count = sum(parameter.numel() for parameter in PartTagger(config).parameters())
        assert count == published - (config.hidden + 1) + config.layers * 4 * config.hidden


def test_a_saved_model_comes_back(tmp_path: Path) -> None:
    saved = random_checkpoint(CONFIGS["onset"])
    decoding = DecodingConfig(overlap_penalty=3.5, excluded_parts=(1,))
    save_checkpoint(tmp_path / "mine", "online", saved.weights, saved.config, decoding, {"pieces": ["a"]})
    loaded = load_checkpoint(tmp_path / "mine", "online")
    assert loaded.config == saved.config
    assert loaded.decoding == decoding
    assert loaded.training == {"pieces": ["a"]}
    assert all(np.array_equal(loaded.weights[name], saved.weights[name]) for name in saved.weights)


@pytest.mark.parametrize("damage", ["truncated", "random", "empty", "json", "shape"])
def test_damaged_model_files_are_refused(tmp_path: Path, damage: str) -> None:
    saved = random_checkpoint(CONFIGS["onset"])
    save_checkpoint(tmp_path, "online", saved.weights, saved.config)
    path = tmp_path / ("online.json" if damage in ("json", "shape") else "online.safetensors")
    content = path.read_bytes()
    if damage == "shape":
        description = json.loads(content)
        description["model"]["hidden"] = 32
        path.write_text(json.dumps(description))
    else:
        path.write_bytes({"truncated": content[:300], "random": b"\xff" * 999, "empty": b"", "json": b"{"}[damage])
    with pytest.raises(ModelError):
        Tagger(load_checkpoint(tmp_path, "online"))


def test_an_unknown_model_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match="did you mean 'bach-chorales'"):
        load_checkpoint("bach-chorale")


def test_a_folder_without_the_mode_says_what_it_has(tmp_path: Path) -> None:
    saved = random_checkpoint(CONFIGS["onset"])
    save_checkpoint(tmp_path, "online", saved.weights, saved.config)
    with pytest.raises(ModelError, match="it has online"):
        load_checkpoint(tmp_path, "offline")


@pytest.mark.parametrize("mode", ["causal", "online", "offline"])
def test_the_shipped_models_are_small_and_say_what_they_saw(mode: str) -> None:
    from arranger.checkpoint import model_folder
    from arranger.splits import shipped_groups, split_of

    checkpoint = load_checkpoint("bach-chorales", mode)
    assert (model_folder("bach-chorales") / f"{mode}.safetensors").stat().st_size <= 4 * 2**20
    names = [name for group in shipped_groups("bach") for name in group]
    assert sorted(checkpoint.training["pieces"]) == sorted(split_of("grouped", "bach", names).train)
    assert checkpoint.training["shuffle_ties"]
    assert checkpoint.config.knowledge == {"causal": "causal", "online": "onset", "offline": "offline"}[mode]
