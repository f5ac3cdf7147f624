"""Texts and pictures → vectors of CLIP's common space, by open_clip, through the cache on disk (the extra `clip`).

What clipsep and clipsonic ask their networks with. Vectors are the raw outputs of the towers, not normalised to length
1 (those of OpenAI's ViT-B/32 are about 10 long): both papers train on them as they are.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import ClipError
from muspy_core.media.embeddings import EmbeddingCache, content_hash, embedding_key
from muspy_core.media.files import open_image
from muspy_core.media.frames import read_frames

DEFAULT_MODEL = "ViT-B-32-quickgelu"
DEFAULT_WEIGHTS = "openai"
BATCH = 32

Vectors = NDArray[np.float32]
Picture = str | os.PathLike[str] | NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class _Towers:
    """A loaded network. preprocess: PIL image → (3, height, width) tensor."""

    model: Any
    preprocess: Any
    tokenizer: Any


class ClipEncoder:
    """The text and image towers of an open_clip model, loaded only when something is not in the cache.

        encoder = ClipEncoder("ViT-B-32-quickgelu", "weights/open_clip_model.safetensors", cache="cache")
        texts = encoder.texts(["a photo of a violin", "a photo of a dog"])  # (2, 512)
        pictures = encoder.images(["dog.jpg"])  # (1, 512)

    Args:
        model: Name of an open_clip architecture, or the path of a .json file that describes one. OpenAI's weights need
            a name that ends in "-quickgelu".
        weights: A file of weights (.safetensors, .pt, .bin), or a tag that open_clip downloads, such as "openai".
        cache: Folder in which vectors are kept (see `EmbeddingCache`); None: they are not.
        device: Where the towers run, such as "cpu" or "cuda".

    Raises ClipError, at once and before anything is loaded, for a file that does not exist, for a tag while the Hub is
    switched off (HF_HUB_OFFLINE) and the weights were never downloaded, and for an architecture that does not fit its
    tag; ImportError where open_clip is missing.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        weights: str | os.PathLike[str] = DEFAULT_WEIGHTS,
        *,
        cache: str | os.PathLike[str] | None = None,
        device: str = "cpu",
    ) -> None:
        self.model, self.weights, self.device = model, os.fspath(weights), device
        self.name = Path(model).stem if model.endswith(".json") else model
        self._file = _weights_file(self.name, self.weights)
        self._towers: _Towers | None = None
        self._identity: str | None = None
        self._cache = None if cache is None else EmbeddingCache(cache, self.identity, preprocessing="open_clip")

    def __repr__(self) -> str:
        return f"ClipEncoder({self.model!r}, {self.weights!r})"

    @property
    def identity(self) -> str:
        """Name and weights in one line: what is equal for equal vectors. A file is named by its SHA-256."""
        if self._identity is None:
            self._identity = self.name + "/" + (content_hash(self._file) if self._file else self.weights)
        return self._identity

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        if self._cache is not None and self._cache.dim is not None:
            return self._cache.dim
        return int(_configuration(self.model)["embed_dim"])

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, (texts, dim). Raises ClipError for an empty text or one that is too long."""
        _check_words(texts)
        keys = [embedding_key(text, "text") for text in texts]
        return self._vectors(keys, lambda chosen: self._run_texts([texts[index] for index in chosen]))

    def tokens(self, texts: Sequence[str]) -> Vectors:
        """Return the encoded tokens of texts, (texts, length, width): what the text tower ends with before it pools.

        length: of the longest text that the tower reads, 77 for OpenAI's. Places after the end of a text are zeros.
        Nothing is cached: tokens of a text are a hundred times as many values as its vector. Raises ClipError as
        `texts` does, and for an architecture whose tower has no such tokens.
        """
        parts = [self._run_tokens(list(texts[first : first + BATCH])) for first in range(0, len(texts), BATCH)]
        if not parts:
            raise ClipError("no text is given, of which tokens could be encoded")
        return np.concatenate(parts)

    def images(self, pictures: Sequence[Picture]) -> Vectors:
        """Return the vectors of pictures, (pictures, dim).

        pictures: image files, or arrays (height, width, 3) uint8, RGB. Raises MediaError for a file that is no image.
        """
        keys = [embedding_key(_content(picture), "image") for picture in pictures]
        return self._vectors(keys, lambda chosen: self._run_images([pictures[index] for index in chosen]))

    def frames(self, path: str | os.PathLike[str], times_s: Sequence[float], *, sha256: str | None = None) -> Vectors:
        """Return the vectors of a video's pictures at times in seconds, (times, dim).

        sha256: of the file, where it is known already (a manifest has it). Pictures that the cache has are not decoded.
        Raises MediaError as `read_frames` does.
        """
        digest = sha256 or (content_hash(path) if self._cache is not None else os.fspath(path))
        keys = [embedding_key(digest, f"frame {time_s:.3f}") for time_s in times_s]

        def compute(chosen: list[int]) -> Vectors:
            pictures = read_frames(path, [float(times_s[index]) for index in chosen])
            return self._run_images([picture.pixels for picture in pictures])

        return self._vectors(keys, compute)

    def _vectors(self, keys: list[str], compute: Any) -> Vectors:
        if not keys:
            return np.zeros((0, self.dim), np.float32)
        if self._cache is not None:
            return self._cache.get_or_compute(keys, compute, batch=BATCH)
        parts = [compute(list(range(first, min(first + BATCH, len(keys))))) for first in range(0, len(keys), BATCH)]
        return np.concatenate(parts)

    # --- the towers --------------------------------------------------------------------------------------------------

    def _loaded(self) -> _Towers:
        if self._towers is None:
            self._towers = _load(self.model, self.name, self._file or self.weights, self.device)
        return self._towers

    def _run_texts(self, texts: list[str]) -> Vectors:
        import torch

        towers = self._loaded()
        length = int(towers.tokenizer.context_length)
        for text in texts:
            tokens = len(towers.tokenizer.encode(text)) if hasattr(towers.tokenizer, "encode") else 0
            # Beginning and end take two.
            if tokens > length - 2:
                raise ClipError(f"the query {text[:40]!r}… has {tokens} tokens; {self.name} reads at most {length - 2}")
        with torch.inference_mode():
            vectors = towers.model.encode_text(towers.tokenizer(texts).to(self.device))
        return _array(vectors)

    def _run_tokens(self, texts: list[str]) -> Vectors:
        _check_words(texts)
        towers = self._loaded()
        norm = getattr(getattr(towers.model, "text", towers.model), "ln_final", None)
        if norm is None:
            raise ClipError(f"{self.name}: its text tower has no encoded tokens to give")
        ended: list[Any] = []
        hook = norm.register_forward_hook(lambda module, given, made: ended.append(made))
        try:
            self._run_texts(texts)
        finally:
            hook.remove()
        encoded = _array(ended[0])
        numbers = towers.tokenizer(texts).numpy()
        # The end has the highest number of all tokens.
        after = np.arange(encoded.shape[1]) > numbers.argmax(1)[:, None]
        return np.where(after[..., None], np.float32(0), encoded)

    def _run_images(self, pictures: Sequence[Picture]) -> Vectors:
        import torch

        towers = self._loaded()
        batch = torch.stack([towers.preprocess(_image(picture)) for picture in pictures])
        with torch.inference_mode():
            vectors = towers.model.encode_image(batch.to(self.device))
        return _array(vectors)

    def __getstate__(self) -> dict[str, Any]:
        # Another process loads the towers for itself, if it needs them.
        return {**self.__dict__, "_towers": None}


def _check_words(texts: Sequence[str]) -> None:
    if not all(text.strip() for text in texts):
        raise ClipError("a query must have words; got an empty text")


def _array(vectors: Any) -> Vectors:
    array: Vectors = vectors.float().cpu().numpy()
    return array


def _content(picture: Picture) -> str | bytes:
    if isinstance(picture, (str, os.PathLike)):
        return content_hash(picture)
    pixels: NDArray[np.uint8] = np.ascontiguousarray(picture, np.uint8)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ClipError(f"a picture is (height, width, 3) uint8, got an array of shape {pixels.shape}")
    return f"{pixels.shape[0]} x {pixels.shape[1]} ".encode() + pixels.tobytes()


def _image(picture: Picture) -> Any:
    if isinstance(picture, (str, os.PathLike)):
        with open_image(picture) as image:
            image.load()
            return image
    return importlib.import_module("PIL.Image").fromarray(np.ascontiguousarray(picture, np.uint8))


# --- weights ---------------------------------------------------------------------------------------------------------


def _weights_file(name: str, weights: str) -> str | None:
    """Return the file of weights, or None if they are to be downloaded. Raises ClipError if neither can be."""
    if Path(weights).is_file():
        return weights
    if os.sep in weights or Path(weights).suffix in (".pt", ".bin", ".safetensors", ".pth", ".npz"):
        raise ClipError(f"{weights}: there is no such file of weights")
    known = _open_clip().get_pretrained_cfg(name, weights)
    if not known:
        tags = ", ".join(_open_clip().list_pretrained_tags_by_model(name)) or "none"
        raise ClipError(
            f"open_clip has no weights {weights!r} for {name!r} (its tags: {tags}), and no such file exists"
        )
    if known.get("quick_gelu") and not _configuration(name).get("quick_gelu"):
        raise ClipError(f"the weights {weights!r} were trained with QuickGELU; name the model {name}-quickgelu")
    stored = _downloaded(known.get("hf_hub") or "")
    if stored is None and _is_offline():
        repository = str(known.get("hf_hub") or "").strip("/") or known.get("url")
        raise ClipError(
            f"the weights {name}/{weights} are not on this machine, and HF_HUB_OFFLINE forbids to download them; fetch "
            f"{repository} elsewhere and name the file instead of the tag"
        )
    return stored


def _downloaded(repository: str) -> str | None:
    """The file of weights in the cache of the Hub, or None."""
    if not repository:
        return None
    hub = importlib.import_module("huggingface_hub")
    owner, _, filename = repository.rpartition("/")
    names = [filename] if filename else ["open_clip_pytorch_model.bin"]
    names = ["open_clip_model.safetensors", *(str(Path(known).with_suffix(".safetensors")) for known in names), *names]
    for candidate in dict.fromkeys(names):
        found = hub.try_to_load_from_cache(owner, candidate)
        if isinstance(found, str):
            return found
    return None


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _configuration(model: str) -> dict[str, Any]:
    if model.endswith(".json"):
        try:
            described: dict[str, Any] = json.loads(Path(model).read_text(encoding="utf-8"))
            if not isinstance(described["embed_dim"], int):
                raise TypeError("embed_dim is no number")
        except FileNotFoundError:
            raise ClipError(f"{model}: there is no such file") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ClipError(f"{model}: is no description of an open_clip model: {error!r}") from None
        return described
    found: dict[str, Any] | None = _open_clip().get_model_config(model)
    if found is None:
        raise ClipError(f"open_clip has no model {model!r}; `open_clip.list_models()` names all")
    return found


def _load(model: str, name: str, weights: str, device: str) -> _Towers:
    open_clip = _open_clip()
    _configuration(model)
    if model.endswith(".json"):
        open_clip.add_model_config(model)
    try:
        network, _, preprocess = open_clip.create_model_and_transforms(name, pretrained=weights, device=device)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ClipError(f"{weights}: the weights of {name} cannot be loaded: {reason}") from None
    return _Towers(network.eval(), preprocess, open_clip.get_tokenizer(name))


def _open_clip() -> Any:
    try:
        return importlib.import_module("open_clip")
    except ImportError as error:
        message = f"CLIP needs the package open_clip_torch: pip install 'muspy-core[clip]' ({error})"
        raise ImportError(message, name="open_clip") from None
