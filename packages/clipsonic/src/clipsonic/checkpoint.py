"""Weights and descriptions on disk: `model.safetensors` and `config.json` in a folder for each model.

A synthesizer is a folder of folders: `network`, `vocoder`, and `prior` if it has one. A bundled name, a folder, or
`hub:OWNER/NAME` stands for it. A network's folder also holds the vectors of the labels it knows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.pretrained import CONFIG_NAME, WEIGHTS_NAME, Models, halves, write_model

from clipsonic.config import MelConfig, ModelError, NetworkConfig, PriorConfig
from clipsonic.vocoder.config import vocoder_config

if TYPE_CHECKING:
    from torch import Tensor

    from clipsonic.model import SoundDiffusion
    from clipsonic.prior import Prior
    from clipsonic.vocoder.bigvgan import BigVGAN
    from clipsonic.vocoder.inverter import Inverter

    Vocoder = Inverter | BigVGAN

VECTORS = "labels"  # name of the labels' vectors beside the weights


@dataclasses.dataclass(frozen=True)
class QuerySpace:
    """Where a network's query vectors come from.

    encoder: what made them, as its `identity` says: "labels-64", "ViT-L-14-quickgelu/openai". template: in which a
    label is put, such as "a photo of {}". learned_from: "image" or "text", what the network was trained on.
    """

    encoder: str
    template: str = "{}"
    learned_from: str = "text"


@dataclasses.dataclass(frozen=True)
class Network:
    """A diffusion network that was loaded. labels: names by vector of `vectors` (labels, D). steps: of its training.

    init_from: the model that the training began with, if there was one.
    """

    model: SoundDiffusion
    mel: MelConfig
    queries: QuerySpace
    labels: tuple[str, ...] = ()
    vectors: Tensor | None = None
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    steps: int = 0
    init_from: str | None = None


def save_network(folder: str | os.PathLike[str], network: Network) -> None:
    """Write a network into a folder, which is made if there is none; weights in half precision."""
    weights = dict(network.model.state_dict())
    if network.vectors is not None:
        weights[VECTORS] = network.vectors
    description = {
        "kind": "network",
        "model": network.model.config.to_dict(),
        "mel": dataclasses.asdict(network.mel),
        "mel_fingerprint": network.mel.fingerprint,
        "queries": dataclasses.asdict(network.queries),
        "labels": list(network.labels),
        "aliases": dict(network.aliases),
        "steps": network.steps,
        "init_from": network.init_from,
    }
    write_model(folder, halves(weights), description)


def load_network(folder: str | os.PathLike[str]) -> Network:
    """Load a network, in single precision, ready to generate. Raises ModelError."""
    from clipsonic.model import SoundDiffusion

    with _reading(folder, "network") as (description, weights):
        vectors = weights.pop(VECTORS, None)
        model = SoundDiffusion(NetworkConfig.from_dict(description["model"]))
        model.load_state_dict(weights)
        return Network(
            model.eval(),
            _mel(description, Path(folder)),
            QuerySpace(**description["queries"]),
            tuple(description["labels"]),
            vectors,
            description["aliases"],
            int(description["steps"]),
            description.get("init_from"),
        )


def save_vocoder(
    folder: str | os.PathLike[str], vocoder: Vocoder, steps: int = 0, init_from: str | None = None
) -> None:
    """Write a vocoder into a folder. steps: of its training. init_from: the model that this began with."""
    description = {
        "kind": "vocoder",
        "vocoder": vocoder_kind(vocoder),
        "model": dataclasses.asdict(vocoder.config),
        "mel": dataclasses.asdict(vocoder.mel),
        "mel_fingerprint": vocoder.mel.fingerprint,
        "steps": steps,
        "init_from": init_from,
    }
    write_model(folder, halves(vocoder.state_dict()), description)


def load_vocoder(folder: str | os.PathLike[str]) -> Vocoder:
    """Load a vocoder, in single precision. Raises ModelError."""
    with _reading(folder, "vocoder") as (description, weights):
        vocoder = build_vocoder(description["vocoder"], description["model"], _mel(description, Path(folder)))
        vocoder.load_state_dict(weights)
        vocoder.eval()
        return vocoder


def vocoder_kind(vocoder: Vocoder) -> str:
    """Return "istft" or "bigvgan"."""
    from clipsonic.vocoder.inverter import Inverter

    return "istft" if isinstance(vocoder, Inverter) else "bigvgan"


def build_vocoder(kind: Any, values: dict[str, Any], mel: MelConfig) -> Vocoder:
    """Return an untrained vocoder of a kind, "istft" or "bigvgan"."""
    from clipsonic.vocoder.bigvgan import BigVGAN
    from clipsonic.vocoder.config import BigVGANConfig
    from clipsonic.vocoder.inverter import Inverter

    config = vocoder_config(kind, values)
    return BigVGAN(config, mel) if isinstance(config, BigVGANConfig) else Inverter(config, mel)


def save_prior(
    folder: str | os.PathLike[str], prior: Prior, queries: QuerySpace, steps: int = 0, init_from: str | None = None
) -> None:
    """Write a prior into a folder.

    queries: the space of its vectors. steps: of its training. init_from: the model that this began with.
    """
    description = {
        "kind": "prior",
        "model": prior.config.to_dict(),
        "queries": dataclasses.asdict(queries),
        "steps": steps,
        "init_from": init_from,
    }
    write_model(folder, halves(prior.state_dict()), description)


def load_prior(folder: str | os.PathLike[str]) -> tuple[Prior, QuerySpace]:
    """Load a prior, in single precision, and the space of its vectors. Raises ModelError."""
    from clipsonic.prior import Prior

    with _reading(folder, "prior") as (description, weights):
        prior = Prior(PriorConfig(**description["model"]))
        prior.load_state_dict(weights)
        return prior.eval(), QuerySpace(**description["queries"])


def check_same_mel(network: Network, vocoder: Vocoder) -> None:
    """Raise ModelError if a vocoder was trained on other spectrograms than a network makes."""
    if network.mel.fingerprint != vocoder.mel.fingerprint:
        raise ModelError(
            f"the vocoder reads spectrograms {vocoder.mel.fingerprint}, the network makes {network.mel.fingerprint}; "
            "take one that was trained with the network's, or --vocoder griffin-lim"
        )


# --- folders ---------------------------------------------------------------------------------------------------------


MODELS = Models("clipsonic", ModelError, f"network/{CONFIG_NAME}", (f"*{WEIGHTS_NAME}", f"*{CONFIG_NAME}"))
bundled = MODELS.names
model_folder = MODELS.folder


@contextlib.contextmanager
def _reading(folder: str | os.PathLike[str], kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
    """Give the description and the weights of a model of a kind. Raises ModelError."""
    with MODELS.reading(folder, f"{kind} of clipsonic") as (description, weights):
        if description["kind"] != kind:
            raise ModelError(f"{folder}: holds a {description['kind']}, not a {kind}")
        yield description, weights


def _mel(description: dict[str, Any], folder: Path) -> MelConfig:
    mel = MelConfig(**description["mel"])
    if mel.fingerprint != description["mel_fingerprint"]:
        raise ModelError(f"{folder}: its spectrogram was changed after training: {mel.fingerprint} is stated otherwise")
    return mel
