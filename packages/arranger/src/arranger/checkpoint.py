"""Weights and configuration on disk: `NAME.safetensors` and `NAME.json` in one folder (no torch).

A model folder holds one such pair for each mode: `causal`, `online`, `offline`, `tempo-free`, or some of them. A model
is named by a bundled name (`bach-chorales`), by its folder, or as `hub:OWNER/NAME`.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically
from muspy_core.pretrained import Models
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from arranger.config import DecodingConfig, ModelConfig

MODES = ("causal", "online", "offline", "tempo-free")

Weights = Mapping[str, NDArray[np.float32]]


class ModelError(MuspyError):
    """An unknown model, or model files that cannot be used."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model. Two are the same only if they are one object.

    training: what it was trained on: `corpus`, `split`, and `pieces`, the names of the training pieces.
    """

    name: str
    weights: Weights
    config: ModelConfig
    decoding: DecodingConfig
    training: Mapping[str, Any]


def save_checkpoint(
    folder: str | os.PathLike[str],
    name: str,
    weights: Weights,
    config: ModelConfig,
    decoding: DecodingConfig | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write the two files of a model; the folder is made if there is none."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in weights.items()}
    description = {
        "model": config.to_dict(),
        "decoding": asdict(decoding or DecodingConfig()),
        "training": dict(training or {}),
    }
    with write_atomically(folder / f"{name}.safetensors") as temporary:
        save_file(arrays, temporary)
    with write_atomically(folder / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def load_checkpoint(model: str | os.PathLike[str], mode: str = "online") -> Checkpoint:
    """Load a model by its bundled name, folder or Hub id, and mode; only a Hub id touches the network.

    Raises ModelError for an unknown name or mode, or files that do not hold a model.
    """
    folder = model_folder(model)
    weights_path, config_path = folder / f"{mode}.safetensors", folder / f"{mode}.json"
    if not (weights_path.is_file() and config_path.is_file()):
        there = sorted(path.stem for path in folder.glob("*.safetensors"))
        raise ModelError(f"{os.fspath(model)}: has no mode {mode!r}; it has {', '.join(there) or 'none'}")
    stamp = weights_path.stat().st_mtime_ns, config_path.stat().st_mtime_ns
    return _load(os.fspath(model), mode, weights_path, config_path, stamp)


@functools.lru_cache(maxsize=8)
def _load(name: str, mode: str, weights_path: Path, config_path: Path, stamp: tuple[int, int]) -> Checkpoint:
    """Read both files; those of the same `stamp` (times of change) only once: every file of a folder asks for them."""
    try:
        description = json.loads(config_path.read_text(encoding="utf-8"))
        decoding = description.get("decoding", {})
        decoding["excluded_parts"] = tuple(decoding.get("excluded_parts", ()))
        return Checkpoint(
            f"{name}/{mode}",
            load_file(weights_path),
            ModelConfig.from_dict(description["model"]),
            DecodingConfig(**decoding),
            description.get("training", {}),
        )
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{weights_path.name} in {weights_path.parent} does not hold an arranger model: {error}"
        ) from error


def has_mode(model: str | os.PathLike[str], mode: str) -> bool:
    """Whether a model has a mode; raises ModelError for an unknown model."""
    return (model_folder(model) / f"{mode}.safetensors").is_file()


MODELS = Models("arranger", ModelError, "*.json", ("*.safetensors", "*.json"))
bundled = MODELS.names
model_folder = MODELS.folder
