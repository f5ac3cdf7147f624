"""What is asked for: texts, pictures, several of them weighted, and what shall not be heard (console text → query).

The syntax is NAME or NAME:VALUE, several joined by "+": "violin", "violin+fiddle:0.5". A query names its terms; the
vectors of its positive terms are averaged by weight, or their masks joined; the masks of its negative terms are taken
away.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from clipsep.features.queries import LabelledSentences, QueryEncoder, Vector
from clipsep.features.wordings import QueryError, is_label

Combination = Literal["max", "sum", "mean"]
MAX_LENGTH = 2000


@dataclasses.dataclass(frozen=True)
class Term:
    """A text or a picture with its weight. kind: "text", or "image" for the path of a picture or video."""

    content: str
    weight: float = 1.0
    kind: Literal["text", "image"] = "text"


@dataclasses.dataclass(frozen=True)
class Query:
    """One thing to separate.

    name: what it is called in files and reports. terms: what it is made of. negative: what it must not hold. combine:
    how several terms become one: "max", the greatest of their masks; "sum", their sum, at most 1; or "mean", the mask
    of their mean vector. Only the last knows weights.
    """

    name: str
    terms: tuple[Term, ...]
    negative: tuple[Term, ...] = ()
    combine: Combination = "max"

    @classmethod
    def of_text(cls, text: str, *, negative: tuple[Term, ...] = (), combine: Combination = "max") -> Query:
        """Read "violin", "violin:2" or "violin+fiddle:0.5". Raises QueryError for an empty or huge one."""
        return cls(text.strip(), parse_terms(text), negative, combine)

    @classmethod
    def of_image(cls, path: str | Path, *, negative: tuple[Term, ...] = ()) -> Query:
        """Ask by a picture or video."""
        return cls(Path(path).stem, (Term(str(path), kind="image"),), negative)

    @property
    def slug(self) -> str:
        """The name as part of a file's name."""
        kept = "".join(letter if letter.isalnum() else "-" for letter in self.name.lower())
        return "-".join(part for part in kept.split("-") if part)[:60] or "query"


def parse_terms(text: str) -> tuple[Term, ...]:
    """Read terms joined by "+", each NAME or NAME:WEIGHT. Raises QueryError for empty, huge or not positive ones."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query {text[:30]!r}… has {len(text):,} letters; at most {MAX_LENGTH:,} are read")
    terms = []
    for part in text.split("+"):
        name, weight = split_value(part)
        if not name:
            raise QueryError(f"a query must have words; got {text[:60]!r}")
        if weight is not None and not weight > 0:
            raise QueryError(f"{part.strip()!r}: a weight is above 0")
        terms.append(Term(name, 1.0 if weight is None else weight))
    return tuple(terms)


def split_value(text: str) -> tuple[str, float | None]:
    """Split NAME:VALUE; a colon that no number follows belongs to the name."""
    name, colon, value = text.rpartition(":")
    try:
        number = float(value)
    except ValueError:
        return text.strip(), None
    if not colon or not np.isfinite(number):
        return text.strip(), None
    return name.strip(), number


@dataclasses.dataclass(frozen=True)
class EncodedQuery:
    """A query as the network reads it. positive, negative: vectors (terms, D). combine: masks of the positive ones."""

    name: str
    positive: Vector
    negative: Vector
    combine: Combination = "max"


def encode(query: Query, encoder: QueryEncoder) -> EncodedQuery:
    """Return a query's vectors. Raises QueryError, ClipError or MediaError for terms that cannot be read."""
    vectors = np.stack([_vector(term, encoder) for term in query.terms])
    if query.combine == "mean" and len(vectors) > 1:
        weights = np.array([term.weight for term in query.terms], np.float32)
        vectors = (weights @ vectors / weights.sum())[None]
    negative = [_vector(term, encoder) for term in query.negative]
    unwanted = np.stack(negative) if negative else np.zeros((0, encoder.dim), np.float32)
    return EncodedQuery(query.name, vectors, unwanted, query.combine)


def nearest_labels(queries: Sequence[Query], encoder: QueryEncoder | None) -> dict[str, tuple[str, float]]:
    """Return for each text that is no label the nearest label and their cosine; of encoders that know labels and texts.

    So somebody who asks for what the model has never heard sees what it will be taken for.
    """
    if not isinstance(encoder, LabelledSentences):
        return {}
    texts = [term.content for query in queries for term in (*query.terms, *query.negative) if term.kind == "text"]
    return {text: encoder.nearest(text) for text in texts if not is_label(text, list(encoder.known.table))}


def _vector(term: Term, encoder: QueryEncoder) -> Vector:
    return encoder.text(term.content) if term.kind == "text" else encoder.image(term.content)
