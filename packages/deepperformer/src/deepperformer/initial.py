"""A trained model of a bundle → what `deepperformer fit --init-from` takes from it."""

from __future__ import annotations

from typing import Any

from muspy_core.fine_tuning import Initial

from deepperformer.checkpoint import INVERTERS, load_checkpoint
from deepperformer.config import HiFiGANConfig, ISTFTConfig, NoteConfig, PhaseConfig
from deepperformer.errors import ModelError
from deepperformer.features.spectrogram import MelDefinition

STAGES = {
    "AlignmentModule": "alignment",
    "SynthesisModule": "synthesis",
    "AdversarialSynthesisModule": "synthesis",
}  # of other modules: the inverter


def initial(name: str, model_class: str | None = None) -> Initial:
    """Return a trained model for `fit` to begin with.

    name: as `load_checkpoint` takes it; of a bundle that model which the configuration trains. model_class: path of the
    class of its Lightning module. Raises ModelError.
    """
    stage = STAGES.get((model_class or "").rpartition(".")[2], "inverter")
    checkpoint = load_checkpoint(name, stage)
    if checkpoint.kind != stage and not (stage == "inverter" and checkpoint.kind in INVERTERS):
        raise ModelError(f"{name}: holds a model of the kind {checkpoint.kind}, the configuration trains the {stage}")
    return Initial(name, architecture_of(checkpoint.model.config, checkpoint.mel), checkpoint.model.state_dict())


def architecture_of(config: NoteConfig | HiFiGANConfig | ISTFTConfig, mel: MelDefinition) -> dict[str, Any]:
    """Return the arguments that make a Lightning module one of a model, as a configuration states them."""
    if isinstance(config, NoteConfig):
        return {"config": config.to_dict()}
    if isinstance(config, PhaseConfig):
        return {"config": config.to_dict(), "mel": mel.to_dict()}
    # The same module trains HiFi-GAN and iSTFT inverters.
    kind = f"{type(config).__module__}.{type(config).__name__}"
    return {"config": {"class_path": kind, "init_args": config.to_dict()}, "mel": mel.to_dict()}
