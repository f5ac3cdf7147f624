"""Model or baseline + corpus → the figures of Tables 4.2 to 4.4, with what they were measured on (§4.5.3).

Two kinds of online figures are kept apart: *strictly causal* (a note is labelled before the next one is read, also
within a chord; the paper's online setting) and *onset-synchronous* (the notes of one onset are labelled together).
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arranger.beam import OVERLAP_PENALTY, decode_jointly
from arranger.checkpoint import MODES, Checkpoint, ModelError, load_checkpoint, model_folder
from arranger.config import DecodingConfig
from arranger.corpus import corpus_of, load_corpus
from arranger.decoding import decode, decode_causally, in_order_of_parts
from arranger.heuristics import closest_pitch, closest_pitch_monophonic, fit_zones, most_common_part
from arranger.hints import Hints, entries_of, hints_of
from arranger.inference import Tagger
from arranger.metrics import Scores, score
from arranger.mixture import Integers, Mixture, Piece, Ties, shuffled_ties
from arranger.playability import playable
from arranger.splits import SUBSETS, Split, SplitError, split_of

SETTINGS = {
    "causal": "strictly causal",
    "online": "onset-synchronous",
    "offline": "offline",
    "tempo-free": "offline, without time",
}
BASELINES = ("most-common", "zone", "zone-oracle", "closest", "closest-mono")

Predictor = Callable[[Sequence[Piece]], list[Integers]]


@dataclass(frozen=True)
class Measurement:
    """The same predictions, or the same model, under the three treatments of ties (which the order may tell apart).

    ordered: with the pieces as the paper orders them; its `accuracy_unisons_merged` is the treatment in which notes of
    equal onset and pitch may be exchanged. shuffled: with such notes in random order; offline only those
    that also have the same duration, as the order of the others follows from what is known.
    """

    ordered: Scores
    shuffled: Scores

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, those of `ordered` at the top level."""
        return {**self.ordered.to_dict(), "accuracy_ties_shuffled": self.shuffled.accuracy}


@dataclass(frozen=True)
class Evaluation:
    """Figures and what they belong to.

    setting: "strictly causal", "onset-synchronous", "offline", or for a baseline what it knows beforehand; with "hints"
    where a model is told when parts enter or how high they lie. decoded: after the assignment of each onset. undecoded:
    of the most probable part of each note alone, as in the paper; None for a baseline. true_history_accuracy: of a
    perceptron that is told the parts of the notes before (the paper's oracle). causal: of the strictly causal model of
    the same folder, beside an online one. playable: of the notes at whose onset two hands could hold what sounds, with
    the share of such notes and of pieces in which all are. notes_per_s: notes labelled in a second of processor time.
    """

    model: str
    mode: str
    setting: str
    dataset: str
    dataset_pieces: int
    dataset_notes: int
    split: str
    subset: str
    decoded: Measurement
    playable: dict[str, float]
    undecoded: Measurement | None = None
    true_history_accuracy: float | None = None
    causal: Evaluation | None = None
    notes_per_s: float = 0.0
    seconds: float = 0.0

    @property
    def scores(self) -> Scores:
        """The figures after decoding, in the paper's order of ties."""
        return self.decoded.ordered

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON can hold; the figures of `decoded` stand at the top level."""
        undecoded = self.undecoded.to_dict() if self.undecoded else None
        return {
            "model": self.model,
            "mode": self.mode,
            "setting": self.setting,
            "dataset": self.dataset,
            "dataset_pieces": self.dataset_pieces,
            "dataset_notes": self.dataset_notes,
            "split": self.split,
            "subset": self.subset,
            **self.decoded.to_dict(),
            "undecoded_accuracy": undecoded["accuracy"] if undecoded else None,
            "undecoded": undecoded,
            "true_history_accuracy": self.true_history_accuracy,
            "playable": self.playable,
            "strictly_causal": self.causal.to_dict() if self.causal else None,
            "notes_per_s": round(self.notes_per_s),
            "seconds": round(self.seconds, 2),
        }

    def lines(self) -> list[str]:
        """Return the figures as a person reads them."""
        scores = self.scores
        named = self.model if self.model in BASELINES else f"{self.model} ({self.mode})"
        lines = [
            f"{named} on {self.dataset}, {self.split}, {self.subset}: "
            f"{scores.pieces} of {self.dataset_pieces} pieces, {scores.notes:,} of {self.dataset_notes:,} notes",
            f"  accuracy, {self.setting:<25} {scores.accuracy:.4f}",
            f"    order of unisons shuffled         {self.decoded.shuffled.accuracy:.4f}",
            f"    unisons interchangeable           {scores.accuracy_unisons_merged:.4f}",
            *(
                [f"    before decoding                   {self.undecoded.ordered.accuracy:.4f}"]
                if self.undecoded
                else []
            ),
            f"    mean of the parts                 {scores.balanced_accuracy:.4f}",
            f"    mean of the pieces, and worst     {scores.piece_accuracy:.4f}  {scores.worst_piece_accuracy:.4f}",
            f"    where two hands can play it       {self.playable['accuracy']:.4f}  ({self.playable['notes']:.0%})",
            f"  soundness, completeness             {scores.soundness:.4f}  {scores.completeness:.4f}",
            "  links: precision, recall, F1        "
            f"{scores.link_precision:.4f}  {scores.link_recall:.4f}  {scores.link_f1:.4f}",
        ]
        if self.true_history_accuracy is not None:
            lines.append(f"  accuracy, true history              {self.true_history_accuracy:.4f}")
        if self.causal is not None:
            lines.append(f"  accuracy, strictly causal           {self.causal.scores.accuracy:.4f}")
        return [*lines, f"  ({self.seconds:.1f} s)"]


def evaluate(
    model: str | os.PathLike[str] = "bach-chorales",
    mode: str = "online",
    *,
    dataset: str = "bach",
    split: str = "grouped",
    subset: str = "test",
    cache: str | os.PathLike[str] | None = None,
    source: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure a model (bundled name or folder) or a baseline on one subset of a data set.

    mode: `causal`, `online`, `offline` or `tempo-free`; a baseline ignores it. source: folder of the data set's files,
    where it is not in the cache folder yet. seed: of the order of shuffled ties. Raises ModelError for an unknown model
    or one for other parts, SplitError if the model was trained on pieces of the subset.
    """
    start = time.perf_counter()
    chosen = _load(model, mode)
    pieces = load_corpus(dataset, cache, source)
    by_name = {piece.name: piece for piece in pieces}
    drawn = split_of(split, dataset, list(by_name))
    wanted = [by_name[name] for name in drawn.subset(subset)]
    where = {
        "model": os.fspath(model),
        "dataset": dataset,
        "dataset_pieces": len(pieces),
        "dataset_notes": sum(map(len, pieces)),
        "split": drawn.name,
        "subset": subset,
    }
    rng = np.random.default_rng(seed)
    alike: Ties = "unisons" if isinstance(chosen, str) or chosen.config.knowledge != "offline" else "equal"
    shuffled = [shuffled_ties(piece, rng, alike) for piece in wanted]
    if isinstance(chosen, str):
        result = _measure_baseline(chosen, [by_name[name] for name in drawn.train], wanted, shuffled, where)
    else:
        check_unseen(chosen, drawn, subset)
        _check_parts(chosen, dataset)
        result = _measure(chosen, mode, wanted, shuffled, where)
        if mode == "online" and (model_folder(model) / "causal.json").exists():
            beside = load_checkpoint(model, "causal")
            check_unseen(beside, drawn, subset)
            result = replace(result, causal=_measure(beside, "causal", wanted, shuffled, where))
    return replace(result, seconds=time.perf_counter() - start)


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


def _check_parts(checkpoint: Checkpoint, dataset: str) -> None:
    """Raise ModelError if a model sorts notes into other parts than a data set has."""
    model, data = checkpoint.config.part_set, corpus_of(dataset).parts
    if model.name != data.name:
        raise ModelError(f"{checkpoint.name} knows the parts of {model.name}; {dataset} has those of {data.name}")


def predict_parts(tagger: Tagger, pieces: Sequence[Piece], decoding: DecodingConfig | None = None) -> list[Integers]:
    """Return the parts of the notes of each piece, decoded in the way of the model's mode."""
    return [labels for labels, _ in _predictions(tagger, pieces, decoding or tagger.checkpoint.decoding)]


def _predictions(tagger: Tagger, pieces: Sequence[Piece], decoding: DecodingConfig) -> list[tuple[Integers, Integers]]:
    """Return decoded and undecoded parts of each piece."""
    logits = tagger.logits_of_all([piece.mixture for piece in pieces], _hints(tagger, pieces))
    return [
        (decode_all(tagger, piece.mixture, rows, decoding), rows.argmax(axis=1))
        for piece, rows in zip(pieces, logits, strict=True)
    ]


def decode_all(tagger: Tagger, mixture: Mixture, logits: NDArray[np.float32], decoding: DecodingConfig) -> Integers:
    """Return the parts that a model gives to the notes of a piece, (n,), with equal notes in the order of their parts.

    Notes are equal if they agree in what a model of this kind knows: onset and pitch, and offline also the duration. A
    strictly causal model decides for good before it sees the second one.
    """
    parts, knowledge = tagger.config.part_set, tagger.config.knowledge
    if knowledge == "causal":
        return decode_causally(mixture, logits, parts, decoding)
    if knowledge == "onset":
        return in_order_of_parts(decode(mixture, logits, parts, decoding), mixture.onset, mixture.pitch)
    jointly = decode_jointly(mixture, logits, parts, replace(decoding, overlap_penalty=OVERLAP_PENALTY))
    return in_order_of_parts(jointly, mixture.onset, mixture.pitch, mixture.duration)


def _hints(tagger: Tagger, pieces: Sequence[Piece]) -> list[Hints] | None:
    """Return the true hints of the pieces, if the model reads hints."""
    if not tagger.config.reads_hints:
        return None
    return [hints_of(piece, len(tagger.config.part_set)) for piece in pieces]


def _measure(
    checkpoint: Checkpoint, mode: str, wanted: Sequence[Piece], shuffled: Sequence[Piece], where: dict[str, Any]
) -> Evaluation:
    tagger, parts = Tagger(checkpoint), len(checkpoint.config.part_set)
    start = time.process_time()
    ordered = _predictions(tagger, wanted, checkpoint.decoding)
    speed = sum(map(len, wanted)) / max(time.process_time() - start, 1e-9)
    mixed = _predictions(tagger, shuffled, checkpoint.decoding)
    decoded, undecoded = (
        Measurement(score(wanted, [p[i] for p in ordered], parts), score(shuffled, [p[i] for p in mixed], parts))
        for i in (0, 1)
    )
    true_history = None
    if checkpoint.config.architecture == "perceptron":
        told = [rows.argmax(axis=1) for rows in tagger.informed_logits(wanted, _hints(tagger, wanted))]
        true_history = score(wanted, told, parts).accuracy
    return Evaluation(
        mode=mode,
        setting=SETTINGS[mode] + (", hints" if checkpoint.config.reads_hints else ""),
        decoded=decoded,
        undecoded=undecoded,
        playable=_playable(wanted, [labels for labels, _ in ordered]),
        true_history_accuracy=true_history,
        notes_per_s=speed,
        **where,
    )


def _measure_baseline(
    name: str, train: Sequence[Piece], wanted: Sequence[Piece], shuffled: Sequence[Piece], where: dict[str, Any]
) -> Evaluation:
    parts = len(corpus_of(where["dataset"]).parts)
    setting, predict = baseline(name, train, parts)
    start = time.process_time()
    ordered = predict(wanted)
    speed = sum(map(len, wanted)) / max(time.process_time() - start, 1e-9)
    measured = Measurement(score(wanted, ordered, parts), score(shuffled, predict(shuffled), parts))
    playable_part = _playable(wanted, ordered)
    return Evaluation(
        mode=setting, setting=setting, decoded=measured, playable=playable_part, notes_per_s=speed, **where
    )


def _playable(pieces: Sequence[Piece], predictions: Sequence[Integers]) -> dict[str, float]:
    """Return the accuracy on what two hands could play, and how much that is."""
    can = [playable(piece.mixture) for piece in pieces]
    right = [piece.label == predicted for piece, predicted in zip(pieces, predictions, strict=True)]
    notes, hits = np.concatenate(can), np.concatenate(right)
    return {
        "accuracy": float(hits[notes].mean()) if notes.any() else 1.0,
        "notes": float(notes.mean()),
        "pieces": float(np.mean([bool(moments.all()) for moments in can])),
    }


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
