"""A synthesizer → TorchScript and ONNX files that need no clipsonic: `network`, and `vocoder` where it has one.

The network is one step of the diffusion: noisy spectrograms, steps and vectors of queries → the prediction; schedule
and sampler stay with the caller, and `dropped` says where no query is meant, as guidance needs it. The last layer of an
iSTFT vocoder is left out, as ONNX knows no complex numbers: its outputs are log magnitudes and phases. B items and T
frames may be any number, T of the network a multiple of what `network.json` says.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from muspy_core.exporting import FORMATS, Format, Plan, write_exports
from torch import Tensor, nn

from clipsonic.checkpoint import Network, load_network, load_vocoder, model_folder, vocoder_kind
from clipsonic.config import MelConfig
from clipsonic.model import SoundDiffusion
from clipsonic.vocoder.inverter import Inverter

if TYPE_CHECKING:
    from clipsonic.checkpoint import Vocoder

ITEMS, FRAMES = 2, 16  # of the example that is traced


def export(
    name: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write a synthesizer, by its bundled name, folder or Hub id, and return the files.

    Raises ModelError, FileExistsError unless told to overwrite, and ImportError where ONNX is wanted and missing.
    """
    source = model_folder(name)
    network = load_network(source / "network" if (source / "network").is_dir() else source)
    facts = {
        **_facts("network", network.model.config, network.mel),
        "multiple": network.model.config.multiple,
        "encoder": network.queries.encoder,
        "template": network.queries.template,
        "labels": list(network.labels),
    }
    written = write_exports("clipsonic", "network", network_plan(network), facts, folder, formats, overwrite)
    if (source / "vocoder").is_dir():
        vocoder = load_vocoder(source / "vocoder")
        facts = {**_facts("vocoder", vocoder.config, vocoder.mel), "vocoder": vocoder_kind(vocoder)}
        written += write_exports("clipsonic", "vocoder", vocoder_plan(vocoder), facts, folder, formats, overwrite)
    return written


def network_plan(network: Network) -> Plan:
    """Return what is exported of a network."""
    config, bands = network.model.config, str(network.mel.n_mels)
    mels = ("items", "1", bands, "frames")
    frames = -(-FRAMES // config.multiple) * config.multiple
    example = (
        torch.randn(ITEMS, 1, network.mel.n_mels, frames),
        torch.tensor([1, config.steps - 1]),
        torch.randn(ITEMS, config.query_dim),
        torch.tensor([False, True]),
    )
    inputs = {"mels": mels, "steps": ("items",), "queries": ("items", str(config.query_dim)), "dropped": ("items",)}
    outputs = {"prediction": mels, **({} if config.variance == "fixed" else {"variance": mels})}
    return Plan(_Step(network.model), inputs, outputs, example)


def vocoder_plan(vocoder: Vocoder) -> Plan:
    """Return what is exported of a vocoder."""
    inputs = {"mels": ("items", str(vocoder.mel.n_mels), "frames")}
    example = (torch.randn(ITEMS, vocoder.mel.n_mels, FRAMES),)
    if isinstance(vocoder, Inverter):
        bins = ("items", str(vocoder.mel.n_fft // 2 + 1), "frames")
        return Plan(_LevelsAndPhases(vocoder), inputs, {"levels": bins, "phases": bins}, example)
    return Plan(vocoder, inputs, {"samples": ("items", "samples")}, example)


def _facts(kind: str, config: Any, mel: MelConfig) -> dict[str, Any]:
    return {
        "kind": kind,
        "model": dataclasses.asdict(config),
        "mel": dataclasses.asdict(mel),
        "mel_fingerprint": mel.fingerprint,
    }


class _Step(nn.Module):
    """Condition and network in one."""

    def __init__(self, model: SoundDiffusion) -> None:
        super().__init__()
        self.model = model

    def forward(self, mels: Tensor, steps: Tensor, queries: Tensor, dropped: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        output = self.model(mels, steps, self.model.condition(queries, dropped))
        prediction: Tensor = output.prediction
        return prediction if output.variance is None else (prediction, output.variance)


class _LevelsAndPhases(nn.Module):
    """Log magnitudes and phases of an `Inverter`."""

    def __init__(self, vocoder: Inverter) -> None:
        super().__init__()
        self.vocoder = vocoder

    def forward(self, mels: Tensor) -> tuple[Tensor, Tensor]:
        return self.vocoder.spectrum(mels)
