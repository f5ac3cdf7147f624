"""The cross-dataset experiments: sizes, windows, exact likelihoods, and a row made from end to end."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

import muspy_core as m  # noqa: E402
from muspy_core.experiments.corpora import Corpus, encode, incipit, store_corpus  # noqa: E402 - after the skips
from muspy_core.experiments.data import (  # noqa: E402
    END_OF_SEQUENCE,
    IGNORE,
    PiecesOfSets,
    Windows,
    clean_windows,
    exact_windows,
    pieces_of,
    upstream_windows,
)
from muspy_core.experiments.evaluate import PUBLISHED_SCALE, exact_nll, upstream_nll  # noqa: E402
from muspy_core.experiments.fit import CONFIGS, fit  # noqa: E402
from muspy_core.experiments.loading import EventDataModule  # noqa: E402
from muspy_core.experiments.model import EventModelConfig, build_model  # noqa: E402
from muspy_core.experiments.rows import Row, make_row, row_of  # noqa: E402
from muspy_core.experiments.training import EventModule  # noqa: E402


@pytest.mark.parametrize(
    ("kind", "parameters"), [("rnn", 157_797), ("lstm", 355_941), ("gru", 289_893), ("transformer", 290_917)]
)
def test_models_have_the_papers_sizes(kind: str, parameters: int) -> None:
    model = build_model(EventModelConfig(kind=kind))  # type: ignore[arg-type] # parametrised
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "transformer"])
def test_no_model_sees_the_event_it_predicts(kind: str) -> None:
    torch.manual_seed(0)
    model = build_model(EventModelConfig(kind=kind)).eval()  # type: ignore[arg-type] # parametrised
    events = torch.randint(0, 357, (2, 20))
    changed = events.clone()
    changed[:, 10:] = 5
    torch.testing.assert_close(model(events)[0][:, :10], model(changed)[0][:, :10])


def sets_of(*pieces: np.ndarray) -> PiecesOfSets:
    return PiecesOfSets([pieces_of([piece]) for piece in pieces], np.full(len(pieces), 1 / len(pieces)))


def test_a_window_ends_the_sequence_only_where_the_piece_ends() -> None:
    inputs, targets = clean_windows(sets_of(np.arange(200)), 3000, np.random.default_rng(0))
    assert sorted(set(inputs[:, 0].tolist())) == list(range(137))
    ending = targets[:, -1] == END_OF_SEQUENCE
    assert (inputs[ending, 0] == 136).all()
    assert (targets[~ending] == inputs[~ending] + 1).all()


def test_a_short_window_is_padded_with_what_is_not_counted() -> None:
    inputs, targets = clean_windows(sets_of(np.arange(10)), 5, np.random.default_rng(0))
    assert inputs[0, :10].tolist() == list(range(10))
    assert targets[0, :11].tolist() == [*range(1, 10), END_OF_SEQUENCE, IGNORE]
    assert (targets[:, 10:] == IGNORE).all()


def test_windows_never_run_into_the_next_piece() -> None:
    sets = sets_of(np.full(70, 1), np.full(3, 2), np.full(64, 3), np.full(65, 4))
    inputs, targets = clean_windows(sets, 400, np.random.default_rng(0))
    for row, expected in zip(inputs, targets, strict=True):
        assert len(set(row.tolist()) - {END_OF_SEQUENCE}) == 1
        assert set(expected.tolist()) <= {row[0], END_OF_SEQUENCE, IGNORE}
        assert (expected == END_OF_SEQUENCE).sum() <= 1


def test_the_published_window_ends_every_crop() -> None:
    inputs, targets = upstream_windows(sets_of(np.arange(200)), 3000, np.random.default_rng(0))
    assert (targets[:, -1] == END_OF_SEQUENCE).all()
    assert sorted(set(inputs[:, 0].tolist())) == list(range(137))
    assert (targets[:, :-1] == inputs[:, :-1] + 1).all()
    inputs, targets = upstream_windows(sets_of(np.arange(3)), 1, np.random.default_rng(0))
    assert inputs[0].tolist() == [0, 1, 2] + [END_OF_SEQUENCE] * 61
    assert targets.shape == (1, 64)


def test_a_stream_that_is_continued_gives_the_same_batches() -> None:
    corpora = [pieces_of([np.arange(200)] * 5)]
    stream = iter(Windows(corpora, 4, seed=3))
    batches = [next(stream)[0] for _ in range(6)]
    continued = next(iter(Windows(corpora, 4, seed=3, first_batch=5)))[0]
    assert torch.equal(batches[5], continued)
    assert not torch.equal(batches[4], batches[5])


def test_exact_windows_predict_every_event_once() -> None:
    pieces = pieces_of([np.arange(1, 131), np.arange(7), np.arange(64)])
    _, targets = exact_windows(pieces)
    counted = np.sort(targets[targets != IGNORE].numpy())
    expected = np.sort(np.concatenate([np.arange(2, 131), np.arange(1, 7), np.arange(1, 64), [END_OF_SEQUENCE] * 3]))
    assert counted.tolist() == expected.tolist()


def test_a_limited_test_takes_windows_from_the_whole_corpus() -> None:
    pieces = pieces_of([np.full(128, number) for number in range(100)])
    inputs, _ = exact_windows(pieces, 50)
    assert len(inputs) == 50
    assert len(set(inputs[:, 1].tolist())) == 50
    assert inputs[:, 1].max() >= 95


def test_a_uniform_model_has_the_entropy_of_the_vocabulary() -> None:
    module = EventModule()
    with torch.no_grad():
        module.model.output.weight.zero_()
    result = exact_nll(module, pieces_of([np.arange(100)]))
    assert result.mean == pytest.approx(math.log(357), abs=1e-5)
    assert result.standard_error == pytest.approx(0, abs=1e-5)
    assert result.events == 100
    assert upstream_nll(module, pieces_of([np.arange(100)]), batches=3) == pytest.approx(math.log(357), abs=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "transformer"])
def test_the_exact_likelihood_is_that_of_one_event_after_the_other(kind: str) -> None:
    torch.manual_seed(0)
    module = EventModule(EventModelConfig(kind=kind)).eval()  # type: ignore[arg-type] # parametrised
    pieces = [np.random.default_rng(0).integers(0, 356, size=length) for length in (5, 64, 65, 130, 1)]
    losses = []
    for piece in pieces:
        whole = [*piece.tolist(), END_OF_SEQUENCE]
        for place in range(1, len(whole)):
            first = (place - 1) // 64 * 64
            with torch.inference_mode():
                logits = module(torch.tensor([whole[first:place]]))[0, -1]
            losses.append(float(torch.logsumexp(logits, 0) - logits[whole[place]]))
    result = exact_nll(module, pieces_of(pieces))
    assert result.events == len(losses) == sum(map(len, pieces))
    assert result.mean == pytest.approx(np.mean(losses), abs=1e-5)


def test_the_published_arithmetic_is_that_of_the_published_loop() -> None:
    torch.manual_seed(0)
    module = EventModule().eval()
    corpus = pieces_of([np.random.default_rng(1).integers(0, 356, size=100) for _ in range(7)])
    stream, state, total, n_trials = iter(Windows([corpus], 10, 0, protocol="upstream")), None, 0.0, 6
    for _ in range(n_trials):
        inputs, targets = next(stream)
        with torch.inference_mode():
            logits, state = module.model(inputs, state)
        picked = torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1))
        total += 64 * -float(picked.mean())
    published = total / (n_trials * 10 - 1)
    nats = upstream_nll(module, corpus, batches=n_trials)
    assert published == pytest.approx(nats * 64 * n_trials / (n_trials * 10 - 1), abs=1e-5)
    assert pytest.approx(6.4006, abs=1e-4) == PUBLISHED_SCALE


def test_the_standard_error_is_the_spread_of_means_over_samples() -> None:
    torch.manual_seed(0)
    module = EventModule(EventModelConfig(kind="rnn"))
    with torch.no_grad():
        module.model.output.weight.mul_(30)
    rng = np.random.default_rng(0)
    results = [exact_nll(module, pieces_of([rng.integers(0, 356, size=64) for _ in range(20)])) for _ in range(30)]
    errors, means = [result.standard_error for result in results], [result.mean for result in results]
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.35)


def test_stratified_windows_draw_corpora_equally() -> None:
    large, small = pieces_of([np.full(80, 1)] * 99), pieces_of([np.full(80, 2)])
    stream = iter(Windows([large, small], 400, seed=0, stratified=True))
    inputs, _ = next(stream)
    assert 0.4 < float((inputs[:, 0] == 2).float().mean()) < 0.6


def song(pitch: int, steps: int = 30) -> m.Music:
    notes = [m.Note(6 * i, pitch + i * i % 11, 6) for i in range(steps)]
    return m.Music(resolution=24, tracks=[m.Track(notes=notes)])


def test_an_incipit_is_the_same_in_every_key() -> None:
    assert incipit(song(60)) == incipit(song(65)) != ""
    assert incipit(song(60, 5)) == ""
    assert encode(song(60)).max() < 356


def corpus(name: str, pitch: int) -> Corpus:
    arrays = [encode(song(pitch + i % 12, 40)) for i in range(30)]
    return Corpus(name, pieces_of(arrays), list("x" * 30), np.full(30, 0.01), [str(i) for i in range(30)], [])


@pytest.mark.parametrize("protocol", ["clean", "upstream"])
def test_a_row_is_trained_interrupted_continued_and_tested(
    tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muspy_core.experiments.rows.UPSTREAM_BATCHES", 5)
    corpora = {"low": corpus("low", 40), "high": corpus("high", 70)}
    row = Row("stratified", "lstm", 0, protocol, windows=48, batch_size=4)  # type: ignore[arg-type] # parametrised
    assert make_row(row, corpora, tmp_path, time.monotonic() - 1) is None
    result = make_row(row, corpora, tmp_path, time.monotonic() + 60)
    assert result is not None
    assert set(result["test"]) == {"low", "high"}
    assert result["test"]["low"]["nll"] < math.log(357) + 0.1
    assert result["parameters"] == 355_941


def test_a_shortened_row_is_not_mistaken_for_one_of_the_table() -> None:
    assert Row("essen", "lstm", 1).name == "essen-lstm-1"
    assert Row("essen", "lstm", 1, windows=10).name == "essen-lstm-1-10-windows"


def test_a_model_is_fitted_by_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_corpus(corpus("m21jsb", 60), tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    arguments = [
        "-c",
        "gru",
        "--data.cache",
        "cache",
        "--trainer.max_steps",
        "20",
        "--trainer.val_check_interval",
        "10",
    ]
    fit([*arguments, "--trainer.enable_progress_bar", "false", "--trainer.default_root_dir", "out"])
    checkpoint = torch.load(next(tmp_path.rglob("last.ckpt")), weights_only=True)
    assert checkpoint["global_step"] == 20
    assert sum(weights.numel() for weights in checkpoint["state_dict"].values()) == 289_893


@pytest.mark.parametrize("name", ["lstm", "gru", "transformer", "rnn"])
def test_configurations_hold_the_recipe_of_the_rows(name: str) -> None:
    held = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    row = row_of("m21jsb", name, 0)  # type: ignore[arg-type] # parametrised
    assert held["trainer"]["max_steps"] == row.steps
    assert held["data"]["batch_size"] == row.batch_size
    assert held["model"] == {
        "config": {"kind": name, "dropout": row.dropout},
        "learning_rate": row.learning_rate,
        "schedule": "cosine",
        "protocol": "clean",
    }


def test_an_unknown_data_set_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"essen.*got \['esen'\]"):
        EventDataModule(["esen"])
