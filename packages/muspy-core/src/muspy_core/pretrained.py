"""Names of trained models → their folders: those that lie in a package, on this machine, or on the Hugging Face Hub."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from muspy_core.errors import MuspyError, install_hint

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
