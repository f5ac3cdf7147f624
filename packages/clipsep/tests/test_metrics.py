"""Metrics equal museval, mir_eval and torchmetrics; baselines are what they are called; mixtures are drawn by index."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from clipsep.checkpoint import Training, save_checkpoint
from clipsep.cli import main
from clipsep.evaluate import Mixture, baseline, by_model, measure, protocol, table, with_baselines
from clipsep.metrics import Summary, bootstrap_interval, bss_eval, si_sdr, snr
from clipsep.model import build_model
from muspy_core.media import find_media
from sound_samples import prepared, stirred, tone, write_sounds


def sounds(samples: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = np.stack([tone(440, 1.0, samples).samples[0], tone(1000, 1.0, samples, 1).samples[0]]).astype(np.float64)
    true += 0.02 * rng.standard_normal(true.shape)
    made = true + 0.2 * true[::-1] + 0.01 * rng.standard_normal(true.shape)
    return true, made


def test_snr_is_musevals_sdr_of_one_window() -> None:
    museval = pytest.importorskip("museval", reason="museval (the test group) is not installed")
    true, made = sounds()
    expected = museval.metrics.bss_eval(true[:, :, None], made[:, :, None], window=np.inf, hop=np.inf)[0][:, 0]
    assert [snr(t, m) for t, m in zip(true, made, strict=True)] == pytest.approx(expected.tolist(), abs=1e-3)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_sdr_sir_and_sar_are_mir_evals() -> None:
    separation = pytest.importorskip("mir_eval.separation", reason="mir_eval (the test group) is not installed")
    true, made = sounds()
    sdr, sir, sar, _ = separation.bss_eval_sources(true, made, compute_permutation=False)
    found = bss_eval(true, made)
    assert found.sdr == pytest.approx(sdr, abs=1e-3)
    assert found.sir == pytest.approx(sir, abs=1e-3)
    assert found.sar == pytest.approx(sar, abs=1e-3)


def test_si_sdr_snr_and_sdr_are_torchmetrics() -> None:
    audio = pytest.importorskip("torchmetrics.functional.audio", reason="torchmetrics is not installed")
    torch = pytest.importorskip("torch")
    true, made = sounds()
    t, m = torch.from_numpy(true[0]), torch.from_numpy(made[0])
    assert si_sdr(true[0], made[0]) == pytest.approx(
        audio.scale_invariant_signal_distortion_ratio(m, t).item(), abs=1e-3
    )
    assert snr(true[0], made[0]) == pytest.approx(audio.signal_noise_ratio(m, t).item(), abs=1e-3)
    assert bss_eval(true, made).sdr[0] == pytest.approx(audio.signal_distortion_ratio(m, t).item(), abs=1e-2)


def test_silence_has_no_ratio_and_the_truth_itself_an_infinite_one() -> None:
    sound = sounds()[0][0]
    assert math.isnan(snr(np.zeros(100), np.ones(100)))
    assert math.isnan(si_sdr(np.zeros(100), np.ones(100)))
    assert snr(sound, sound) == math.inf
    assert np.isnan(bss_eval(np.zeros((2, 2000)), np.ones((2, 2000))).sdr).all()
    with pytest.raises(ValueError, match="equal shapes"):
        snr(np.zeros(3), np.zeros(4))


def test_si_sdr_is_blind_to_scale_and_snr_is_not() -> None:
    true, made = sounds()
    assert si_sdr(true[0], 0.1 * made[0]) == pytest.approx(si_sdr(true[0], made[0]))
    assert snr(true[0], 0.1 * made[0]) < snr(true[0], made[0]) - 5


def test_summaries_leave_out_what_is_not_finite_and_count_it() -> None:
    summary = Summary.of([1.0, 2.0, 6.0, np.nan])
    assert (summary.mean, summary.median, summary.n, summary.left_out) == (3.0, 2.0, 3, 1)
    assert summary.standard_error == pytest.approx(math.sqrt(7) / math.sqrt(3))
    assert str(summary) == "3.00 ± 1.53 / 2.00"


def test_the_bootstrap_interval_holds_the_mean() -> None:
    differences = np.random.default_rng(0).normal(1.0, 2.0, 400)
    low, high = bootstrap_interval(differences, np.random.default_rng(1))
    assert low < differences.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 2.0 / 20, rel=0.15)


# --- protocols -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    prepared(folder, write_sounds(tmp_path_factory.mktemp("sounds"), 3))
    return folder


def test_interferers_are_drawn_by_the_index_as_in_the_published_code(folder: Path) -> None:
    targets = find_media(folder / "audio", kinds=("audio",))
    found = list(protocol(targets, targets, samples=8191))
    drawn = [random.Random(index).randint(0, len(targets) - 1) for index in range(len(targets))]
    assert [mixture.interferer for mixture in found] == [targets[other].label for other in drawn]
    assert found[0].target.shape == (8191,)


def test_halving_gains_in_snr_and_nothing_in_si_sdr_and_the_true_mask_is_best() -> None:
    rng = np.random.default_rng(0)
    mixtures = [
        Mixture(tone(440 + 50 * i, 1.0, 16000, i).samples[0][:8191], (0.2 * rng.standard_normal(8191)).astype("f4"))
        for i in range(3)
    ]
    results = {name: measure(mixtures, baseline(name), progress=False) for name in ("mixture", "half", "oracle")}  # type: ignore[arg-type]  # literals
    alone = measure(mixtures, baseline("oracle"), metrics=("sdr",), progress=False)
    assert alone.values["sdr"] == pytest.approx(results["oracle"].values["sdr"], abs=1e-6)
    means = {name: figures.summary("snr").mean for name, figures in results.items()}
    assert means["mixture"] + 1 < means["half"] < means["oracle"]
    same = results["half"].summary("si_sdr").mean - results["mixture"].summary("si_sdr").mean
    assert same == pytest.approx(0.0, abs=1e-4)


def test_of_pits_masks_the_best_counts() -> None:
    network = stirred(build_model("pit", width=2, depth=5))
    flipped = stirred(build_model("pit", width=2, depth=5))
    flipped.load_state_dict(network.state_dict())
    flipped.heads.weight.data = network.heads.weight.data.flip(0)  # type: ignore[union-attr]  # a convolution
    flipped.heads.bias.data = network.heads.bias.data.flip(0)  # type: ignore[union-attr]
    mixture = Mixture(*(tone(f, 1.0, 16000).samples[0][:8191] for f in (440, 900)))
    one, two = (by_model(net, lambda m: np.zeros(1))(mixture)[0] for net in (network, flipped))
    assert np.allclose(one, two, atol=1e-5)


def test_the_table_holds_baselines_and_model(folder: Path) -> None:
    targets = find_media(folder / "audio", kinds=("audio",))
    network = stirred(build_model("labelsep", width=2, depth=5, labels=["flute", "tuba", "violin"]))
    mixtures = list(protocol(targets, targets, samples=8191, limit=3))
    separate = by_model(network, lambda m: np.array(1))
    results = with_baselines(mixtures, separate, metrics=("snr", "si_sdr"), progress=False)
    assert list(results) == ["mixture", "half", "oracle", "model"]
    assert len(table(results).splitlines()) == 5


def test_evaluation_at_the_console_prints_the_paired_difference_of_two_queries(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = stirred(build_model("labelsep", width=2, depth=5, labels=["flute", "tuba", "violin"]))
    save_checkpoint(tmp_path, network, Training(encoder={"kind": "labels"}))
    arguments = ["evaluate", str(folder / "manifest.csv"), "--model", str(tmp_path), "--limit", "3", "--fast"]
    assert main(arguments) == 0
    assert "oracle" in capsys.readouterr().out
    assert main([*arguments, "--query", "{}", "--query", "flute", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["methods"]) == {"mixture", "half", "oracle", "{}", "flute"}
    assert set(report["difference"]["snr"]) == {"mean", "interval", "n"}
