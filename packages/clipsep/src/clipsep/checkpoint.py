"""Weights, configuration and history on disk: `model.safetensors` and `config.json` in one folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from muspy_core.errors import MuspyError
from muspy_core.pretrained import Models, write_model

from clipsep.config import CLIPSepConfig

if TYPE_CHECKING:
    from torch import Tensor

    from clipsep.model import Network


class ModelError(MuspyError):
    """An unknown model, or model files that cannot be used."""


@dataclass(frozen=True)
class Training:
    """How a model was trained.

    steps: updates. encoder: who made the vectors of its queries, as `clipsep.features.queries.encoder_of` reads it,
    such as {"kind": "clip", "model": "ViT-B-32-quickgelu", "weights": "openai"}. data: a line about what it has heard.
    scores: by name. init_from: the model that training began with, if there was one.
    """

    steps: int = 0
    encoder: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    init_from: str | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A model that was loaded."""

    name: str
    model: Network
    training: Training


def save_checkpoint(folder: str | os.PathLike[str], model: Network, training: Training | None = None) -> None:
    """Write a model into a folder, which is made if there is none; kernels and matrices in half precision."""
    description = {"model": model.config.to_dict(), "training": asdict(training or Training())}
    write_model(folder, {name: _stored(tensor) for name, tensor in _learned(model).items()}, description)


def load_checkpoint(name: str | os.PathLike[str] = "default") -> Checkpoint:
    """Load a model by its bundled name, folder or Hub id, in single precision, ready to separate.

    A bundled name or a folder touches no network; `hub:OWNER/NAME` is downloaded by huggingface_hub. Raises ModelError.
    """
    from clipsep.model import build_model

    with MODELS.reading(model_folder(name)) as (description, weights):
        model = build_model(CLIPSepConfig.from_dict(description["model"]))
        _check_names(weights, _learned(model))
        model.load_state_dict(weights, strict=False)
        return Checkpoint(os.fspath(name), model.eval(), Training(**description.get("training", {})))


MODELS = Models("clipsep", ModelError)
bundled = MODELS.names
model_folder = MODELS.folder


def _learned(model: Network) -> dict[str, Tensor]:
    """What is stored: all but counters of batches, which nothing reads."""
    return {name: tensor for name, tensor in model.state_dict().items() if not name.endswith("num_batches_tracked")}


def _check_names(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise KeyError unless the weights are those of the model; counters of batches are not among them."""
    different = sorted(set(found) ^ set(wanted))
    if different:
        raise KeyError(f"weights that are missing or not of this model: {', '.join(different[:5])}")


def _stored(tensor: Tensor) -> Tensor:
    """Vectors, few and of any size (variances), stay in single precision."""
    return tensor.half() if tensor.ndim >= 2 else tensor
