"""Names of trained models → their folders → weights and descriptions: `model.safetensors` and `config.json` in each.

Folders lie in a package, on this machine, or on the Hugging Face Hub.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.errors import MuspyError, install_hint
from muspy_core.io.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_NAME, CONFIG_NAME = "model.safetensors", "config.json"


@dataclass(frozen=True)
class Models:
    """The models of a package, each a folder with weights and a description, bundled ones in its folder `pretrained`.

    package: import name. error: raised for a model that cannot be had. description: the file that each model has,
    below its folder. files: patterns of the files that are downloaded.
    """

    package: str
    error: type[MuspyError]
    description: str = CONFIG_NAME
    files: tuple[str, ...] = (WEIGHTS_NAME, CONFIG_NAME)

    @property
    def home(self) -> Path:
        """The folder of the bundled models."""
        return Path(str(resources.files(self.package) / "pretrained"))

    def names(self) -> list[str]:
        """Return the names of the models that come with the package."""
        found = self.home.glob(f"*/{self.description}")
        return sorted({path.relative_to(self.home).parts[0] for path in found})

    def folder(self, name: str | os.PathLike[str]) -> Path:
        """Return the folder of a model by its bundled name, folder or `hub:OWNER/NAME`, which is downloaded.

        Raises `error`, with the nearest name, for an unknown one, and ImportError where the Hub's client is missing.
        """
        text = os.fspath(name)
        bundled = self.names()
        if text in bundled:
            return self.home / text
        if Path(text).is_dir():
            return Path(text)
        if text.startswith("hub:"):
            return self._downloaded(text.removeprefix("hub:"))
        near = difflib.get_close_matches(text, bundled, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"bundled models: {', '.join(bundled) or 'none'}"
        raise self.error(f"unknown model {text!r}: neither bundled, nor a folder, nor hub:OWNER/NAME; {hint}")

    @contextlib.contextmanager
    def reading(
        self, folder: str | os.PathLike[str], what: str | None = None
    ) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
        """Give the description and the weights, in single precision, of the model in a folder.

        what: a model of which kind it should be, for messages. Whatever goes wrong inside the block because of what the
        files hold (a size, a name or a value that does not fit) is raised as `error`, which names the folder.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(folder)
        try:
            description = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
            yield description, {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS_NAME).items()}
        except self.error:
            raise
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as reason:
            raise self.error(f"{folder}: holds no {what or f'{self.package} model'}: {reason}") from reason

    def _downloaded(self, identifier: str) -> Path:
        try:
            from huggingface_hub import snapshot_download
        except ModuleNotFoundError as error:
            wanted = install_hint(self.package, "hub")
            raise ImportError(f"models of the Hub need huggingface_hub: {wanted}") from error
        try:
            return Path(snapshot_download(identifier, allow_patterns=list(self.files)))
        except (OSError, ValueError) as error:
            raise self.error(f"hub:{identifier}: cannot be downloaded: {error}") from error


def write_model(folder: str | os.PathLike[str], weights: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Write a model's weights, as they are, and its description into a folder, which is made if there is none.

    The counterpart of `Models.reading`. Raises OSError.
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with write_atomically(folder / WEIGHTS_NAME) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}, temporary)
    with write_atomically(folder / CONFIG_NAME) as temporary:
        temporary.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def halves(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights in half precision, as they are stored."""
    return {name: tensor.half() for name, tensor in weights.items()}
