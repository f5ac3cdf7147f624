"""The cross-dataset experiments: sizes, windows, exact likelihoods, and a row made from end to end."""

from __future__ import annotations

import functools
import math
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

import muspy_core as m  # noqa: E402
from muspy_core.experiments.corpora import Corpus, encode, incipit  # noqa: E402 - after the skips
from muspy_core.experiments.data import (  # noqa: E402
    END_OF_SEQUENCE,
    IGNORE,
    Windows,
    clean_window,
    exact_windows,
    pieces_of,
    upstream_window,
)
from muspy_core.experiments.evaluate import PUBLISHED_SCALE, exact_nll, upstream_nll  # noqa: E402
from muspy_core.experiments.model import EventModelConfig, build_model  # noqa: E402
from muspy_core.experiments.rows import Row, make_row  # noqa: E402
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


def test_a_window_ends_the_sequence_only_where_the_piece_ends() -> None:
    piece = np.arange(200)
    rng = np.random.default_rng(0)
    ends = [clean_window(piece, rng)[1][-1] for _ in range(500)]
    assert END_OF_SEQUENCE in ends
    inputs, targets = clean_window(np.arange(10), rng)
    assert inputs[:10].tolist() == list(range(10))
    assert targets[:11].tolist() == [*range(1, 10), END_OF_SEQUENCE, IGNORE]
    assert (targets[10:] == IGNORE).all()


def test_the_published_window_ends_every_crop() -> None:
    rng = np.random.default_rng(0)
    assert upstream_window(np.arange(200), rng)[1][-1] == END_OF_SEQUENCE
    inputs, targets = upstream_window(np.arange(3), rng)
    assert inputs.tolist() == [0, 1, 2] + [END_OF_SEQUENCE] * 61
    assert len(targets) == 64


def test_exact_windows_predict_every_event_once() -> None:
    pieces = pieces_of([np.arange(1, 131), np.arange(7), np.arange(64)])
    _, targets = exact_windows(pieces)
    counted = np.sort(targets[targets != IGNORE].numpy())
    expected = np.sort(np.concatenate([np.arange(2, 131), np.arange(1, 7), np.arange(1, 64), [END_OF_SEQUENCE] * 3]))
    assert counted.tolist() == expected.tolist()


def test_a_uniform_model_has_the_entropy_of_the_vocabulary() -> None:
    module = EventModule()
    with torch.no_grad():
        module.model.output.weight.zero_()
    loss, count = exact_nll(module, pieces_of([np.arange(100)]))
    assert loss == pytest.approx(math.log(357), abs=1e-5)
    assert count == 100
    assert upstream_nll(module, pieces_of([np.arange(100)]), batches=3) == pytest.approx(math.log(357), abs=1e-5)
    assert pytest.approx(6.4006, abs=1e-4) == PUBLISHED_SCALE


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
    monkeypatch.setattr("muspy_core.experiments.rows.upstream_nll", functools.partial(upstream_nll, batches=5))
    corpora = {"low": corpus("low", 40), "high": corpus("high", 70)}
    row = Row("stratified", "lstm", 0, protocol, steps=12, batch_size=4)  # type: ignore[arg-type] # parametrised
    assert make_row(row, corpora, tmp_path, time.monotonic() - 1) is None
    result = make_row(row, corpora, tmp_path, time.monotonic() + 60)
    assert result is not None
    assert set(result["test"]) == {"low", "high"}
    assert result["test"]["low"]["nll"] < math.log(357) + 0.1
    assert result["parameters"] == 355_941


def test_a_shortened_row_is_not_mistaken_for_one_of_the_table() -> None:
    assert Row("essen", "lstm", 1).name == "essen-lstm-1"
    assert Row("essen", "lstm", 1, steps=10).name == "essen-lstm-1-10-steps"
