"""A trained synthesizer → what `clipsonic fit --init-from` takes from it: its network, prior or vocoder."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from muspy_core.fine_tuning import Initial
from muspy_core.pretrained import CONFIG_NAME

from clipsonic.checkpoint import load_network, load_prior, load_vocoder, model_folder, vocoder_kind
from clipsonic.config import MelConfig, NetworkConfig

if TYPE_CHECKING:
    from clipsonic.checkpoint import Vocoder

PARTS = {"NetworkModule": "network", "PriorModule": "prior", "VocoderModule": "vocoder"}


def initial(name: str, model_class: str | None = None) -> Initial:
    """Return a trained model for `fit` to begin with.

    name: a synthesizer's bundled name, folder or Hub id, of which that part is taken which the configuration trains; or
    the folder of such a part. model_class: path of the class of its Lightning module. Raises ModelError.
    """
    part = PARTS.get((model_class or "").rpartition(".")[2], "network")
    folder = model_folder(name)
    if (folder / part / CONFIG_NAME).is_file():
        folder = folder / part
    if part == "vocoder":
        vocoder = load_vocoder(folder)
        return Initial(name, vocoder_architecture(vocoder), vocoder.state_dict())
    if part == "prior":
        prior, _ = load_prior(folder)
        return Initial(name, {"config": prior.config.to_dict()}, prior.state_dict())
    network = load_network(folder)
    return Initial(name, network_architecture(network.model.config, network.mel), network.model.state_dict())


def network_architecture(config: NetworkConfig, mel: MelConfig) -> dict[str, Any]:
    """Return the arguments that make a Lightning module one of a network, as a configuration states them."""
    return {"config": config.to_dict(), "mel": dataclasses.asdict(mel)}


def vocoder_architecture(vocoder: Vocoder) -> dict[str, Any]:
    """Return the arguments that make a Lightning module one of a vocoder."""
    return {
        "kind": vocoder_kind(vocoder),
        "config": dataclasses.asdict(vocoder.config),
        "mel": dataclasses.asdict(vocoder.mel),
    }
