"""Predicted and true parts → figures: accuracy, soundness, completeness, links (§4.5.3). NumPy.

Symbols: n notes, K parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from arranger.mixture import Integers, Piece


@dataclass(frozen=True)
class Scores:
    """How well the parts of some pieces were found; all but the counts in [0, 1].

    accuracy: notes with the right part, over all notes of all pieces. balanced_accuracy: mean over parts of the share
    of their notes that was found. piece_accuracy, worst_piece_accuracy: mean and least accuracy of a piece.
    soundness: of two notes in succession in a predicted part, how often both are of the same true part.
    completeness: the same with the roles exchanged. link_precision, link_recall, link_f1: successions within predicted
    parts that are successions within true parts, and the reverse. accuracy_unisons_merged: accuracy if notes of equal
    onset and pitch may exchange their parts, which no listener could tell. confusion: notes by true part (rows) and
    predicted part (columns).
    """

    pieces: int
    notes: int
    accuracy: float
    balanced_accuracy: float
    piece_accuracy: float
    worst_piece_accuracy: float
    soundness: float
    completeness: float
    link_precision: float
    link_recall: float
    link_f1: float
    accuracy_unisons_merged: float
    confusion: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def score(pieces: Sequence[Piece], predictions: Sequence[Integers], parts: int) -> Scores:
    """Compare predictions, (n,) for each piece, with the true parts. Raises ValueError if there are no notes."""
    notes = sum(len(piece) for piece in pieces)
    if not notes:
        raise ValueError("there are no notes to score")
    true = np.concatenate([piece.label for piece in pieces])
    predicted = np.concatenate(list(predictions))
    correct = true == predicted
    present = np.bincount(true, minlength=parts)
    found = np.bincount(true[correct], minlength=parts)
    by_piece = [float((p == piece.label).mean()) for piece, p in zip(pieces, predictions, strict=True) if len(piece)]
    confusion = np.bincount(true * parts + predicted, minlength=parts * parts).reshape(parts, parts)
    sound, complete = ratios(_same_neighbours(pieces, predictions))
    precision, recall = ratios(_common_links(pieces, predictions))
    total = precision + recall
    return Scores(
        pieces=len(pieces),
        notes=notes,
        accuracy=float(correct.mean()),
        balanced_accuracy=float((found[present > 0] / present[present > 0]).mean()),
        piece_accuracy=float(np.mean(by_piece)),
        worst_piece_accuracy=min(by_piece),
        soundness=sound,
        completeness=complete,
        link_precision=precision,
        link_recall=recall,
        link_f1=2 * precision * recall / total if total else 0.0,
        accuracy_unisons_merged=sum(map(_merged_hits, pieces, predictions)) / notes,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def ratios(counts: tuple[tuple[int, int], tuple[int, int]]) -> tuple[float, float]:
    """Return two quotients; 1 where there was nothing to get wrong."""
    first, second = ((hit / all_ if all_ else 1.0) for hit, all_ in counts)
    return first, second


def links(labels: Integers) -> Integers:
    """Return the pairs of notes that follow each other within a part, (links, 2), as indices into the piece."""
    order = np.argsort(labels, kind="stable")
    pairs = np.stack([order[:-1], order[1:]], axis=1)
    return np.asarray(pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]])


def _same_neighbours(
    pieces: Sequence[Piece], predictions: Sequence[Integers]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (hits, all) of soundness and of completeness."""
    counts = np.zeros((2, 2), np.int64)
    for piece, predicted in zip(pieces, predictions, strict=True):
        for row, (grouping, other) in enumerate(((predicted, piece.label), (piece.label, predicted))):
            pairs = links(grouping)
            counts[row] += (other[pairs[:, 0]] == other[pairs[:, 1]]).sum(), len(pairs)
    (a, b), (c, d) = counts.tolist()
    return (a, b), (c, d)


def _common_links(pieces: Sequence[Piece], predictions: Sequence[Integers]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (hits, all) of link precision and of link recall."""
    common = in_predicted = in_true = 0
    for piece, predicted in zip(pieces, predictions, strict=True):
        found = {tuple(pair) for pair in links(predicted).tolist()}
        true = {tuple(pair) for pair in links(piece.label).tolist()}
        common += len(found & true)
        in_predicted += len(found)
        in_true += len(true)
    return (common, in_predicted), (common, in_true)


def _merged_hits(piece: Piece, predicted: Integers) -> int:
    """Count the notes that are right if notes of equal onset and pitch may exchange their parts."""
    mixture = piece.mixture
    keys = mixture.onset * 128 + mixture.pitch
    parts = int(max(piece.label.max(initial=0), predicted.max(initial=0))) + 1
    true_keys, true_counts = np.unique(keys * parts + piece.label, return_counts=True)
    keys_found, counts = np.unique(keys * parts + predicted, return_counts=True)
    _, in_true, in_found = np.intersect1d(true_keys, keys_found, assume_unique=True, return_indices=True)
    return int(np.minimum(true_counts[in_true], counts[in_found]).sum())
