"""Model or baseline + corpus → the figures of Tables 4.2 to 4.4, with what they were measured on (§4.5.3).

Two kinds of online figures are kept apart: *strictly causal* (a note is labelled before the next one is read, also
within a chord; the paper's online setting) and *onset-synchronous* (the notes of one onset are labelled together).
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arranger.checkpoint import MODES, Checkpoint, ModelError, load_checkpoint, model_folder
from arranger.config import DecodingConfig
from arranger.corpus import CORPORA, load_corpus
from arranger.decoding import decode, decode_causally
from arranger.heuristics import (
    closest_pitch,
    closest_pitch_monophonic,
    entries_of,
    fit_zones,
    most_common_part,
)
from arranger.inference import Tagger
from arranger.metrics import Scores, score
from arranger.mixture import Integers, Piece, shuffled_ties
from arranger.splits import SUBSETS, Split, SplitError, split_of

SETTINGS = {"causal": "strictly causal", "online": "onset-synchronous", "offline": "offline"}
BASELINES = ("most-common", "zone", "zone-oracle", "closest", "closest-mono")

Predictor = Callable[[Sequence[Piece]], list[Integers]]


@dataclass(frozen=True)
class Evaluation:
    """Figures and what they belong to.

    setting: "strictly causal", "onset-synchronous", "offline", or for a baseline what it knows beforehand. scores: of
    the pieces as the paper orders them. shuffled: the same with notes of equal onset and pitch in random order, so that
    the order cannot tell the part. causal: of the strictly causal model of the same folder, beside an online one.
    undecoded_accuracy: of the most probable part of each note alone.
    """

    model: str
    mode: str
    setting: str
    dataset: str
    dataset_pieces: int
    dataset_notes: int
    split: str
    subset: str
    scores: Scores
    shuffled: Scores
    undecoded_accuracy: float | None = None
    causal: Scores | None = None
    causal_undecoded_accuracy: float | None = None
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON can hold; the figures of `scores` stand at the top level."""
        result: dict[str, Any] = {
            "model": self.model,
            "mode": self.mode,
            "setting": self.setting,
            "dataset": self.dataset,
            "dataset_pieces": self.dataset_pieces,
            "dataset_notes": self.dataset_notes,
            "split": self.split,
            "subset": self.subset,
            **self.scores.to_dict(),
            "accuracy_ties_shuffled": self.shuffled.accuracy,
            "undecoded_accuracy": self.undecoded_accuracy,
            "strictly_causal": None,
        }
        if self.causal is not None:
            undecoded = {"undecoded_accuracy": self.causal_undecoded_accuracy}
            result["strictly_causal"] = {**self.causal.to_dict(), **undecoded}
        result["seconds"] = round(self.seconds, 2)
        return result

    def lines(self) -> list[str]:
        """Return the figures as a person reads them."""
        scores = self.scores
        named = self.model if self.model in BASELINES else f"{self.model} ({self.mode})"
        lines = [
            f"{named} on {self.dataset}, {self.split}, {self.subset}: "
            f"{scores.pieces} of {self.dataset_pieces} pieces, {scores.notes:,} of {self.dataset_notes:,} notes",
            f"  accuracy, {self.setting:<25} {scores.accuracy:.4f}",
            f"    order of unisons shuffled         {self.shuffled.accuracy:.4f}",
            f"    unisons interchangeable           {scores.accuracy_unisons_merged:.4f}",
            f"    mean of the parts                 {scores.balanced_accuracy:.4f}",
            f"    mean of the pieces, and worst     {scores.piece_accuracy:.4f}  {scores.worst_piece_accuracy:.4f}",
            f"  soundness, completeness             {scores.soundness:.4f}  {scores.completeness:.4f}",
            "  links: precision, recall, F1        "
            f"{scores.link_precision:.4f}  {scores.link_recall:.4f}  {scores.link_f1:.4f}",
        ]
        if self.causal is not None:
            lines.append(f"  accuracy, strictly causal           {self.causal.accuracy:.4f}")
        return [*lines, f"  ({self.seconds:.1f} s)"]


def evaluate(
    model: str | os.PathLike[str] = "bach-chorales",
    mode: str = "online",
    *,
    dataset: str = "bach",
    split: str = "grouped",
    subset: str = "test",
    cache: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure a model (bundled name or folder) or a baseline on one subset of a data set.

    mode: `causal`, `online` or `offline`; a baseline ignores it. seed: of the order of shuffled ties. Raises ModelError
    for an unknown model, SplitError if the model was trained on pieces of the subset.
    """
    start = time.perf_counter()
    chosen = _load(model, mode)
    pieces = load_corpus(dataset, cache)
    by_name = {piece.name: piece for piece in pieces}
    drawn = split_of(split, dataset, list(by_name))
    wanted = [by_name[name] for name in drawn.subset(subset)]
    rng = np.random.default_rng(seed)
    shuffled = [shuffled_ties(piece, rng) for piece in wanted]
    causal = None
    if isinstance(chosen, str):
        parts = len(CORPORA[dataset])
        setting, predict = baseline(chosen, [by_name[name] for name in drawn.train], parts)
        mode = setting
        ordered, mixed, undecoded = *(score(p, predict(p), parts) for p in (wanted, shuffled)), None
    else:
        setting = SETTINGS[mode]
        check_unseen(chosen, drawn, subset)
        ordered, undecoded = _measure(chosen, wanted)
        mixed, _ = _measure(chosen, shuffled)
        if mode == "online" and (model_folder(model) / "causal.json").exists():
            beside = load_checkpoint(model, "causal")
            check_unseen(beside, drawn, subset)
            causal = _measure(beside, wanted)
    return Evaluation(
        model=os.fspath(model),
        mode=mode,
        setting=setting,
        dataset=dataset,
        dataset_pieces=len(pieces),
        dataset_notes=sum(map(len, pieces)),
        split=drawn.name,
        subset=subset,
        scores=ordered,
        shuffled=mixed,
        undecoded_accuracy=undecoded,
        causal=causal[0] if causal else None,
        causal_undecoded_accuracy=causal[1] if causal else None,
        seconds=time.perf_counter() - start,
    )


def _load(model: str | os.PathLike[str], mode: str) -> Checkpoint | str:
    """Return the checkpoint, or the name of a baseline."""
    name = os.fspath(model)
    if name in BASELINES:
        return name
    if mode not in MODES:
        raise ModelError(f"unknown mode {mode!r}; there are {', '.join(MODES)}")
    near = difflib.get_close_matches(name, BASELINES, n=1, cutoff=0.75)
    if near and not os.path.isdir(name):
        raise ModelError(f"unknown model {name!r}; did you mean the baseline {near[0]!r}?")
    return load_checkpoint(model, mode)


def check_unseen(checkpoint: Checkpoint, split: Split, subset: str) -> None:
    """Raise SplitError if a piece of the subset was trained on; `train` itself may be looked at."""
    if subset not in SUBSETS or subset == "train":
        split.subset(subset)
        return
    seen = sorted(set(split.subset(subset)) & set(checkpoint.training.get("pieces", ())))
    if seen:
        raise SplitError(
            f"{checkpoint.name} was trained on {len(seen)} of the {len(split.subset(subset))} {subset} pieces of "
            f"{split.name} (the first is {seen[0]}); use the split it was trained on: "
            f"{checkpoint.training.get('split', 'unknown')}"
        )


def predict_parts(tagger: Tagger, pieces: Sequence[Piece], decoding: DecodingConfig | None = None) -> list[Integers]:
    """Return the parts of the notes of each piece, decoded in the way of the model's mode."""
    return [labels for labels, _ in _predictions(tagger, pieces, decoding or tagger.checkpoint.decoding)]


def _predictions(tagger: Tagger, pieces: Sequence[Piece], decoding: DecodingConfig) -> list[tuple[Integers, Integers]]:
    """Return decoded and undecoded parts of each piece."""
    step = decode_causally if tagger.config.knowledge == "causal" else decode
    logits = tagger.logits_of_all([piece.mixture for piece in pieces])
    return [
        (step(piece.mixture, rows, tagger.config.part_set, decoding), rows.argmax(axis=1))
        for piece, rows in zip(pieces, logits, strict=True)
    ]


def _measure(checkpoint: Checkpoint, pieces: Sequence[Piece]) -> tuple[Scores, float]:
    """Return the scores, and the accuracy without decoding."""
    both = _predictions(Tagger(checkpoint), pieces, checkpoint.decoding)
    parts = len(checkpoint.config.part_set)
    decoded = score(pieces, [labels for labels, _ in both], parts)
    return decoded, score(pieces, [labels for _, labels in both], parts).accuracy


def baseline(name: str, train: Sequence[Piece], parts: int) -> tuple[str, Predictor]:
    """Return what a baseline knows beforehand, and the baseline fitted to the training pieces."""
    if name == "most-common":
        part = most_common_part(train, parts)
        return "online", lambda pieces: [np.full(len(piece), part) for piece in pieces]
    if name == "zone":
        zones = fit_zones(train, parts)
        return "online", lambda pieces: [zones.predict(piece.mixture) for piece in pieces]
    if name == "zone-oracle":
        return "oracle", lambda pieces: [fit_zones([piece], parts).predict(piece.mixture) for piece in pieces]
    method = closest_pitch if name == "closest" else closest_pitch_monophonic
    return "online, entries known", lambda pieces: [method(p.mixture, entries_of(p, parts)) for p in pieces]
