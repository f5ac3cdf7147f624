"""Weights, configuration and history on disk: `model.safetensors` and `config.json` in one folder (all models alike).

A bundle is a folder of three such folders, `alignment`, `synthesis` and `inverter`, which `deepperformer perform` takes
together. The definition of the mels is saved with a model, and checked where two models meet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from muspy_core.pretrained import CONFIG_NAME, WEIGHTS_NAME, Models, halves, write_model

from deepperformer.config import AlignmentConfig, HiFiGANConfig, ISTFTConfig, PhaseConfig, SynthesisConfig
from deepperformer.errors import ModelError
from deepperformer.features.spectrogram import MelDefinition

if TYPE_CHECKING:
    from torch import nn

STAGES = ("alignment", "synthesis", "inverter")
CONFIGS = {
    "alignment": AlignmentConfig,
    "synthesis": SynthesisConfig,
    "hifigan": HiFiGANConfig,
    "istft": ISTFTConfig,
    "phase": PhaseConfig,
}
INVERTERS = ("hifigan", "istft", "phase")


@dataclass(frozen=True)
class Training:
    """How a model was trained.

    works: of the training recordings. scores: by name. init_from: the model that training began with, if there was one.
    """

    steps: int = 0
    works: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    init_from: str | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A model that was loaded. kind: `alignment`, `synthesis`, `hifigan`, `istft` or `phase`. performers, conditions:
    names, by number.
    """

    name: str
    kind: str
    model: Any
    mel: MelDefinition
    performers: tuple[str, ...]
    training: Training
    conditions: tuple[str, ...] = ()


def kind_of(model: nn.Module) -> str:
    """Return the kind of a model, by its configuration."""
    for kind, config in CONFIGS.items():
        if type(model.config) is config:
            return kind
    raise ModelError(f"{type(model).__name__} is no model of this package")


def build(kind: str, config: Any) -> nn.Module:
    """Return an untrained model of a kind."""
    from deepperformer.model import AlignmentModel, SynthesisModel
    from deepperformer.vocoder.hifigan import HiFiGAN
    from deepperformer.vocoder.istft import ISTFTInverter
    from deepperformer.vocoder.phase import PhaseInverter

    models = {
        "alignment": AlignmentModel,
        "synthesis": SynthesisModel,
        "hifigan": HiFiGAN,
        "istft": ISTFTInverter,
        "phase": PhaseInverter,
    }
    model: nn.Module = models[kind](config)
    return model


def save_checkpoint(
    folder: str | os.PathLike[str],
    model: nn.Module,
    mel: MelDefinition,
    performers: tuple[str, ...] = (),
    training: Training | None = None,
    conditions: tuple[str, ...] = (),
) -> None:
    """Write a model into a folder, which is made if there is none; weights in half precision, folded.

    performers: their names, by number. conditions: those of recording conditions, of a model that is told them.
    """
    kind, config = kind_of(model), model.config
    plain = build(kind, config)
    plain.load_state_dict(model.state_dict())
    weights = plain.fold().state_dict() if kind in INVERTERS else plain.state_dict()
    description = {
        "kind": kind,
        "model": config.to_dict(),
        "mel": mel.to_dict(),
        "mel_fingerprint": mel.fingerprint,
        "performers": list(performers),
        "conditions": list(conditions),
        "training": asdict(training or Training()),
    }
    write_model(folder, halves(weights), description)


def load_checkpoint(name: str | os.PathLike[str], stage: str | None = None) -> Checkpoint:
    """Load a model in single precision, ready for use.

    name: of a bundled set of models, a folder, or `hub:OWNER/NAME`; no network is touched for the first two. stage: the
    model of a bundle: `alignment`, `synthesis` or `inverter`. Raises ModelError.
    """
    folder = model_folder(name)
    if stage is not None and (folder / stage / CONFIG_NAME).is_file():
        folder = folder / stage
    with MODELS.reading(folder) as (description, weights):
        kind = description["kind"]
        model: Any = build(kind, CONFIGS[kind].from_dict(description["model"]))  # type: ignore[attr-defined]
        if kind in INVERTERS:
            model.fold()
        model.load_state_dict(weights)
        history = description.get("training", {})
        training = Training(
            history.get("steps", 0),
            tuple(history.get("works", ())),
            history.get("scores", {}),
            history.get("init_from"),
        )
        mel = MelDefinition(**description["mel"])
        performers, conditions = (tuple(description.get(key, ())) for key in ("performers", "conditions"))
        return Checkpoint(os.fspath(name), kind, model.eval(), mel, performers, training, conditions)


FILES = (WEIGHTS_NAME, CONFIG_NAME, f"*/{WEIGHTS_NAME}", f"*/{CONFIG_NAME}")  # of a model, and of a bundle of models
MODELS = Models("deepperformer", ModelError, f"*/{CONFIG_NAME}", FILES)
bundled = MODELS.names
model_folder = MODELS.folder
