"""Copies, transcriptions and pictures: how performances and models are judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from deepperformer.embedding import embedding_distance, last_hidden
from deepperformer.errors import DataError, ModelError
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.transcription import Transcriber, decoded, onset_f1
from deepperformer.vocoder.copying import copy_errors, evaluate_inverter
from deepperformer.vocoder.griffin_lim import GriffinLim

DEFINITION = MelDefinition()
CLOCK = np.arange(16000 * 8) / 16000


def tone(hz: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * CLOCK)).astype(np.float32)


def test_a_perfect_copy_has_no_errors_and_a_mistuned_one_as_many_cents() -> None:
    assert copy_errors(tone(440), tone(440), DEFINITION) == {"mel_l1": 0, "lsd_db": 0, "cents": 0}
    wrong = copy_errors(tone(440), tone(440 * 2 ** (50 / 1200)), DEFINITION)
    assert wrong["cents"] == pytest.approx(50, abs=1)
    assert wrong["lsd_db"] > 1


def test_an_inverter_is_measured_beside_griffin_lim() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, len(CLOCK))
    sound = ((tone(440) + tone(661.5) + noise) * 32767).astype(np.int16)
    figures = evaluate_inverter({"model": GriffinLim(iterations=2)}, [sound], DEFINITION)
    assert figures["clips"] == 1
    assert figures["griffin_lim"]["mel_l1"] < figures["model"]["mel_l1"]
    with pytest.raises(DataError, match="no sound lasts 8 s"):
        evaluate_inverter({}, [sound[:100]], DEFINITION)


def activations(*notes: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Levels and onsets of notes: first frame, last frame, number of the pitch."""
    levels, onsets = np.zeros((300, 88), np.float32), np.zeros((300, 88), np.float32)
    for start, end, pitch in notes:
        levels[start:end, pitch] = 0.8
        onsets[start, pitch] = 0.9
    return levels, onsets


def test_notes_are_found_where_onsets_peak_and_last_long_enough() -> None:
    found = decoded(*activations((20, 60, 40), (20, 50, 47), (100, 105, 40), (150, 200, 44)))
    assert found[:, 1].tolist() == [61, 68, 65]  # the one of five frames is none
    assert found[:2, 0] == pytest.approx(20 * 256 / 22050)
    assert found[2, 0] == pytest.approx(150 * 256 / 22050, abs=0.01)
    assert decoded(*activations()).shape == (0, 2)


def test_repeated_notes_are_heard_again() -> None:
    assert len(decoded(*activations((20, 60, 40), (60, 100, 40)))) == 2


def test_f1_counts_notes_of_one_pitch_within_the_tolerance() -> None:
    pytest.importorskip("mir_eval")
    true = np.array([[0.0, 60], [1.0, 62], [2.0, 64]])
    assert onset_f1(true, true) == 1
    assert onset_f1(true, true + np.array([0.2, 0])) == 0
    assert onset_f1(true, true + np.array([0.04, 0])) == 1
    assert onset_f1(true, true[:2]) == pytest.approx(0.8)
    assert onset_f1(true, true * np.array([1, 0]) + np.array([0, 60])) == pytest.approx(1 / 3)
    assert onset_f1(true, true[:0]) == 0


def test_a_network_that_is_not_there_or_another_is_named(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(FileNotFoundError, match=r"nmp\.onnx"):
        Transcriber(tmp_path / "nmp.onnx")
    (tmp_path / "nmp.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="cannot be run"):
        Transcriber(tmp_path / "nmp.onnx")


# --- embeddings ------------------------------------------------------------------------------------------------------


def test_a_distance_is_in_units_of_the_real_spread() -> None:
    real = np.random.default_rng(0).normal([1, 5], [2, 0.5], (4000, 2))
    spread = np.sqrt(np.square(real.std(0)).sum())
    assert embedding_distance(real, real) == 0
    assert embedding_distance(real + np.array([3, 4]), real) == pytest.approx(5 / spread)
    assert embedding_distance(real.mean(0) + 2 * (real - real.mean(0)), real) == pytest.approx(1)
    assert embedding_distance(real[::2], real[1::2]) < 0.05
    assert embedding_distance(10 * real, 10 * real[::-1] + 1) == pytest.approx(np.sqrt(2) / spread / 10)
    with pytest.raises(ValueError, match="1 and 4000 frames"):
        embedding_distance(real[:1], real)


def test_the_last_hidden_layer_is_what_the_last_convolution_reads() -> None:
    """Whatever it is called: the graph is followed back from the onsets."""
    onnx = pytest.importorskip("onnx")
    make = onnx.helper.make_node
    nodes = [
        make("Relu", ["sound"], ["hidden"]),
        make("Conv", ["hidden", "weights"], ["logits"]),
        make("Sigmoid", ["logits"], ["shaped"]),
        make("Reshape", ["shaped", "shape"], ["StatefulPartitionedCall:2"]),
    ]
    assert last_hidden(onnx.helper.make_model(onnx.helper.make_graph(nodes, "judge", [], []))) == "hidden"
    with pytest.raises(ModelError, match="by no convolution"):
        last_hidden(onnx.helper.make_model(onnx.helper.make_graph(nodes[2:], "judge", [], [])))
