"""Weights, configuration and history on disk: `model.safetensors` and `config.json` in one folder."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from muspy_core.errors import MuspyError
from muspy_core.pretrained import Models, halves, write_model

from mmt.config import MMTConfig
from mmt.encoding import Order

if TYPE_CHECKING:
    from mmt.model import MMT

HARDLY_HOURS = 1.0
BEAT_FIELD = 1  # of the encoding's fields
# Weights with a row for each code of all fields.
BY_CODE = ("embedding.weight", "heads.logits.weight", "heads.logits.bias", "heads.conditions.weight")


class ModelError(MuspyError):
    """An unknown model, or model files that cannot be used."""


@dataclass(frozen=True)
class Training:
    """How a model was trained.

    songs: names of the training songs. order: of its codes. scores: by name. hours: of music in which each instrument
    plays, by name; empty where nobody counted. init_from: the model that its training began with, if there was one; the
    songs of that one are not listed again.
    """

    steps: int = 0
    songs: tuple[str, ...] = ()
    order: Order = "grammar"
    scores: Mapping[str, float] = field(default_factory=dict)
    hours: Mapping[str, float] = field(default_factory=dict)
    init_from: str | None = None

    def hardly_heard(self, names: Iterable[str]) -> list[str]:
        """Return those of the instruments that played less than an hour in training; none where nobody counted."""
        return [name for name in names if self.hours and self.hours.get(name, 0.0) < HARDLY_HOURS]


@dataclass(frozen=True)
class Checkpoint:
    """A model that was loaded."""

    name: str
    model: MMT
    training: Training


def save_checkpoint(folder: str | os.PathLike[str], model: MMT, training: Training | None = None) -> None:
    """Write a model into a folder, which is made if there is none; weights in half precision."""
    description = {"model": model.config.to_dict(), "training": asdict(training or Training())}
    write_model(folder, halves(model.state_dict()), description)


def load_checkpoint(name: str | os.PathLike[str] = "default") -> Checkpoint:
    """Load a model by its bundled name, folder or Hub id, in single precision, ready to generate.

    A bundled name or a folder touches no network; `hub:OWNER/NAME` is downloaded by huggingface_hub. Raises ModelError.
    """
    from mmt.model import MMT

    with MODELS.reading(model_folder(name)) as (description, weights):
        model = MMT(MMTConfig.from_dict(description["model"]))
        model.load_state_dict(weights)
        training = description.get("training", {})
        training["songs"] = tuple(training.get("songs", ()))
        return Checkpoint(os.fspath(name), model.eval(), Training(**training))


def with_beats(model: MMT, beats: int) -> MMT:
    """Return a model without the codes of later beats, which a training on windows of so many beats never showed it.

    Its other codes are as likely, relative to one another, as they were. A model without a field of beats, or with no
    more of them, is returned as it is.
    """
    import torch

    from mmt.model import MMT

    sizes = model.config.sizes
    if len(sizes) < BEAT_FIELD + 1 or sizes[BEAT_FIELD] <= beats + 1:
        return model
    start = sum(sizes[:BEAT_FIELD])
    kept = torch.cat([torch.arange(start + beats + 1), torch.arange(start + sizes[BEAT_FIELD], sum(sizes))])
    smaller = MMT(dataclasses.replace(model.config, sizes=(*sizes[:BEAT_FIELD], beats + 1, *sizes[BEAT_FIELD + 1 :])))
    weights = {}
    for name, tensor in model.state_dict().items():
        if name in BY_CODE:
            weights[name] = tensor[kept.to(tensor.device)]
        else:
            weights[name] = tensor[: beats + 1] if name.startswith(f"heads.fields.{BEAT_FIELD}.logits.") else tensor
    smaller.load_state_dict(weights)
    smaller.train(model.training)
    return smaller


MODELS = Models("mmt", ModelError)
bundled = MODELS.names
model_folder = MODELS.folder
