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
from arranger.hints import hints_of
from arranger.inference import Tagger
from arranger.mixture import Piece
from mixtures import random_piece

CONFIGS = {
    "paper": ModelConfig(features=PAPER_FEATURES, hidden=16),
    "causal": ModelConfig(features=CAUSAL_FEATURES, hidden=16, layers=2),
    "onset": ModelConfig(features=ONSET_FEATURES, hidden=16, layers=2, residual=True),
    "offline": ModelConfig(features=OFFLINE_FEATURES, hidden=16, layers=2, bidirectional=True, residual=True),
    "enc": ModelConfig(
        features=(*PAPER_FEATURES, "duration"),
        architecture="transformer",
        hidden=16,
        heads=4,
        feedforward=24,
        bidirectional=True,
    ),
    "dec": ModelConfig(features=PAPER_FEATURES, architecture="transformer", hidden=16, heads=4, feedforward=24),
    "hints": ModelConfig(features=(*PAPER_FEATURES, "entry_hint", "pitch_hint"), hidden=16, layers=2),
}
PERCEPTRONS = {
    "relu": ModelConfig(features=("neighbours", "entry_hint"), architecture="perceptron", hidden=16),
    "linear": ModelConfig(features=("neighbours",), architecture="perceptron", hidden=16, linear=True),
}


def random_checkpoint(config: ModelConfig, seed: int = 0) -> Checkpoint:
    """A model of the right shape with random weights, made without torch."""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        f"embedding.tables.{name}.weight": (FEATURES[name].size, FEATURES[name].width)
        for name in config.features
        if FEATURES[name].kind == "embedding"
    }
    layers = {"recurrent": recurrent_shapes, "transformer": transformer_shapes, "perceptron": perceptron_shapes}
    shapes |= layers[config.architecture](config)
    shapes |= {"head.weight": (4, config.hidden), "head.bias": (4,)}
    weights = {name: rng.normal(scale=0.4, size=shape).astype(np.float32) for name, shape in shapes.items()}
    return Checkpoint("random", weights, config, DecodingConfig(), {})


Shapes = dict[str, tuple[int, ...]]


def recurrent_shapes(config: ModelConfig) -> Shapes:
    width = config.hidden // 2 if config.bidirectional else config.hidden
    shapes: Shapes = {}
    for i in range(config.layers):
        inputs = config.hidden if i else config.input_width
        for side in ("forwards", "backwards")[: 1 + config.bidirectional]:
            prefix = f"layers.{i}.{side}"
            shapes |= {f"{prefix}.weight_ih_l0": (4 * width, inputs), f"{prefix}.weight_hh_l0": (4 * width, width)}
            shapes |= {f"{prefix}.bias_ih_l0": (4 * width,), f"{prefix}.bias_hh_l0": (4 * width,)}
        shapes |= {f"layers.{i}.norm.weight": (config.hidden,), f"layers.{i}.norm.bias": (config.hidden,)}
    return shapes


def transformer_shapes(config: ModelConfig) -> Shapes:
    shapes = dense("project", config.input_width, config.hidden)
    for i in range(config.layers):
        for name in ("query", "key", "value", "out"):
            shapes |= dense(f"layers.{i}.{name}", config.hidden, config.hidden)
        shapes |= dense(f"layers.{i}.expand", config.hidden, config.feedforward)
        shapes |= dense(f"layers.{i}.contract", config.feedforward, config.hidden)
        for name in ("attention_norm", "norm"):
            shapes |= {f"layers.{i}.{name}.weight": (config.hidden,), f"layers.{i}.{name}.bias": (config.hidden,)}
    return shapes


def perceptron_shapes(config: ModelConfig) -> Shapes:
    widths = [config.input_width, *[config.hidden] * config.layers]
    return {k: v for i in range(config.layers) for k, v in dense(f"layers.{i}.0", widths[i], widths[i + 1]).items()}


def dense(prefix: str, inputs: int, outputs: int) -> Shapes:
    return {f"{prefix}.weight": (outputs, inputs), f"{prefix}.bias": (outputs,)}


PIECES = [random_piece(seed, steps=10 + 7 * seed) for seed in range(4)]


HINTS = [hints_of(piece, 4) for piece in PIECES]


@pytest.mark.parametrize("name", [*CONFIGS, *PERCEPTRONS])
def test_numpy_computes_what_torch_computes(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from arranger.data import PieceDataset, collate
    from arranger.model import build_model

    checkpoint = random_checkpoint((CONFIGS | PERCEPTRONS)[name])
    model = build_model(checkpoint.config)
    model.load_state_dict({key: torch.from_numpy(value) for key, value in checkpoint.weights.items()})
    batch = collate(list(PieceDataset(PIECES, checkpoint.config.features, 4)))
    with torch.no_grad():
        expected = model.eval()(batch.columns, batch.lengths).numpy()
    tagger = Tagger(checkpoint)
    if name in PERCEPTRONS:
        found = tagger.informed_logits(PIECES, HINTS)
    else:
        found = tagger.logits_of_all([p.mixture for p in PIECES], HINTS)
    for rows, piece, logits in zip(expected, PIECES, found, strict=True):
        np.testing.assert_allclose(logits, rows[: len(piece)], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [*CONFIGS, *PERCEPTRONS])
def test_a_piece_alone_and_in_a_batch_has_the_same_logits(name: str) -> None:
    tagger = Tagger(random_checkpoint((CONFIGS | PERCEPTRONS)[name]))
    together = tagger.logits_of_all([p.mixture for p in PIECES], HINTS)
    for piece, hints, rows in zip(PIECES, HINTS, together, strict=True):
        np.testing.assert_allclose(tagger.logits(piece.mixture, hints), rows, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", PERCEPTRONS)
def test_a_free_running_perceptron_reads_its_own_decisions(name: str) -> None:
    tagger, piece = Tagger(random_checkpoint(PERCEPTRONS[name])), PIECES[3]
    logits = tagger.logits(piece.mixture, HINTS[3])
    decided = Piece("decided", piece.mixture, logits.argmax(axis=1))
    np.testing.assert_allclose(tagger.informed_logits([decided], [HINTS[3]])[0], logits, atol=1e-4, rtol=1e-4)


def test_a_model_that_reads_hints_asks_for_them() -> None:
    with pytest.raises(ModelError, match="hints"):
        Tagger(random_checkpoint(CONFIGS["hints"])).logits(PIECES[0].mixture)


@pytest.mark.parametrize("name", ["enc", "dec"])
def test_a_transformer_reads_a_long_piece_in_windows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger, mixture = Tagger(random_checkpoint(CONFIGS[name])), random_piece(5, steps=60).mixture
    monkeypatch.setattr(inference, "TRANSFORMER_WINDOW", 64)
    monkeypatch.setattr(inference, "TRANSFORMER_MARGIN", 16)
    logits = tagger.logits(mixture)
    assert logits.shape == (240, 4)
    # The second window holds notes 32 … 95, and has the say on those that have context: on both sides, or before them.
    kept = slice(48, 80) if name == "enc" else slice(64, 96)
    window = tagger.embed(extract(mixture, tagger.config.features))[32:96]
    alone = tagger.run(window[None], np.array([64]))[0]
    np.testing.assert_allclose(logits[kept], alone[kept.start - 32 : kept.stop - 32], atol=1e-4, rtol=1e-4)


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
    for name in ("paper", "causal", "onset", "dec"):
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


EMB = ("paper",)
HINT, DUR_HINT = (*EMB, "entry_hint"), ("paper-duration", "entry_hint")


@pytest.mark.parametrize(
    ("features", "published"),
    [
        # Trainable numbers of the released weights: LSTM, BiLSTM, Transformer (Enc and Dec alike).
        (("raw",), (331_653, 233_349, 398_469)),
        (EMB, (358_165, 259_861, 406_933)),
        (HINT, (360_213, 261_909, 407_445)),
        (DUR_HINT, (371_493, 273_189, 412_581)),
    ],
)
def test_parameters_are_those_of_the_published_models(features: tuple[str, ...], published: tuple[int, ...]) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from arranger.model import build_model

    kinds = (("recurrent", False), ("recurrent", True), ("transformer", True), ("transformer", False))
    for (architecture, bidirectional), expected in zip(kinds, (*published, published[-1]), strict=True):
        config = ModelConfig(features=features, architecture=architecture, bidirectional=bidirectional)
        count = sum(parameter.numel() for parameter in build_model(config).parameters())
        # The released ones have one more class ("no note"), and one bias where torch's LSTM adds two.
        second_biases = config.layers * 4 * config.hidden if architecture == "recurrent" else 0
        assert count == expected - (config.hidden + 1) + second_biases


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


@pytest.mark.parametrize(
    ("model", "corpus", "mode"),
    [
        ("bach-chorales", "bach", "causal"),
        ("bach-chorales", "bach", "online"),
        ("bach-chorales", "bach", "offline"),
        ("string-quartets", "openscore-quartets", "online"),
        ("string-quartets", "openscore-quartets", "offline"),
    ],
)
def test_the_shipped_models_are_small_and_say_what_they_saw(model: str, corpus: str, mode: str) -> None:
    from arranger.checkpoint import model_folder
    from arranger.splits import shipped_groups, split_of

    checkpoint = load_checkpoint(model, mode)
    assert (model_folder(model) / f"{mode}.safetensors").stat().st_size <= 4 * 2**20
    names = [name for group in shipped_groups(corpus) for name in group]
    assert sorted(checkpoint.training["pieces"]) == sorted(split_of("grouped", corpus, names).train)
    assert checkpoint.training.get("shuffle_ties") or checkpoint.training["ties"] in ("equal", "unisons")
    assert checkpoint.config.knowledge == {"causal": "causal", "online": "onset", "offline": "offline"}[mode]
