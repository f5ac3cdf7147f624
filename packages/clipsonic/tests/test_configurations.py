"""Every configuration trains: 20 steps on tiny data with tiny widths, and one in two processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from clipsonic.checkpoint import load_network, load_prior, load_vocoder
from clipsonic.cli import main
from clipsonic.clips import AUDIO, Clip, Clips, Wording
from clipsonic.fit import CONFIGS

NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
SAMPLES, CLIPS, FRAMES = 16_384, 84, 2  # FRAMES: vectors of pictures of a clip
STEPS = 20

TINY: dict[str, dict[str, Any]] = {
    "NetworkModule": {"channels": [8, 16], "layers": 1, "attention": [False, True], "head_dim": 8, "groups": 4},
    "PriorModule": {"dim": 24, "depth": 1, "heads": 2},
    "istft": {"dim": 8, "hidden": 16, "depth": 1},
    "bigvgan": {"channels": 16, "block_kernels": [3], "dilations": [1]},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_configuration_trains(name: str, tmp_path: Path) -> None:
    kind = configured(name, tmp_path)
    assert main(["fit", "-c", str(tmp_path / "tiny.yaml")]) == 0
    export = tmp_path / "export"
    if kind == "NetworkModule":
        network = load_network(export)
        assert network.steps == STEPS
        assert network.labels == ("high", "low")
        assert any(parameter.abs().sum() for parameter in network.model.unet.conv_out.parameters())
        assert bool(network.model.centre.any()) == (name in ("small-text", "small-text-spread"))
    elif kind == "PriorModule":
        load_prior(export)
    else:
        assert load_vocoder(export)(torch.zeros(1, 64, 4)).shape == (1, 2048)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small-text", "small-istft-gan"])
def test_two_processes_train_together(name: str, tmp_path: Path) -> None:
    configured(name, tmp_path, steps=10)
    strategy = "ddp" if name == "small-text" else "ddp_find_unused_parameters_true"
    arguments = ["fit", "-c", str(tmp_path / "tiny.yaml"), "--trainer.devices", "2", "--trainer.strategy", strategy]
    command = [sys.executable, "-m", "clipsonic.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "MEMBER: 2/2" in done.stdout + done.stderr
    assert (tmp_path / "export" / "model.safetensors").is_file()


def configured(name: str, folder: Path, steps: int = STEPS) -> str:
    """Write tiny data and a configuration with its own widths made small; return the name of the module."""
    values: dict[str, Any] = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    settings, data, trainer = values["model"]["init_args"], values["data"], values["trainer"]
    kind: str = values["model"]["class_path"].rpartition(".")[2]
    tokens = settings["config"].get("tokens")
    settings["config"] |= TINY[settings["kind"] if kind == "VocoderModule" else kind]
    vocoder = kind == "VocoderModule"
    if vocoder and settings["discriminator_channels"]:
        settings["discriminator_channels"] = 4
    assert tokens == settings["config"].get("tokens")
    write_clips(folder / "data", settings["config"].get("query_dim", 8))
    data |= {"folder": str(folder / "data"), "batch_size": 2 if vocoder else 4}
    if "frames" in data:
        data["frames"] = 8 if vocoder else 16
    # Two optimisers step in the training of a vocoder with discriminators, and each step counts.
    count = 2 if vocoder and settings["discriminator_channels"] else 1
    trainer |= {"accelerator": "cpu", "max_steps": count * steps, "val_check_interval": steps}
    trainer |= {"enable_progress_bar": False}
    trainer["logger"]["init_args"] |= {"save_dir": str(folder), "name": "log"}
    export, checkpoint = trainer["callbacks"]
    export["init_args"]["folder"] = str(folder / "export")
    checkpoint["init_args"] |= {"dirpath": str(folder), "every_n_train_steps": steps}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return kind


def write_clips(folder: Path, dim: int) -> None:
    """Write clips of two labels with the vectors of two pictures each, 80 for training."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    clips, waves = [], []
    for index in range(CLIPS):
        label = ("low", "high")[index % 2]
        times = np.arange(SAMPLES) / 16_000
        hz = (200, 1500)[index % 2] * (1 + 0.01 * index)
        waves.append(np.round(6000 * np.sin(2 * np.pi * hz * times)).astype("<i2"))
        split = "valid" if index >= CLIPS - 4 else "train"
        clips.append(Clip(str(index), label, split, SAMPLES * index, SAMPLES, (4 + FRAMES * index, FRAMES)))
    (folder / AUDIO).write_bytes(np.concatenate(waves).tobytes())
    texts = ("low", "deep"), ("high", "shrill")
    wordings = [Wording(words[0], text, 2 * row + i) for row, words in enumerate(texts) for i, text in enumerate(words)]
    vectors = rng.standard_normal((4 + FRAMES * len(clips), dim)).astype(np.float32)
    Clips(folder, 16_000, "labels", "{}", tuple(clips), tuple(wordings), vectors).save()
