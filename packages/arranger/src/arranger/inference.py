"""Features → logits without torch: whole pieces in batches and windows, notes step by step, or free-running.

Symbols: B pieces, N notes (padded), n notes of one piece, m notes of one step, D width of the input, K parts.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from arranger.checkpoint import Checkpoint, ModelError
from arranger.config import ModelConfig
from arranger.features import FEATURES, extract, history_of, input_width
from arranger.hints import Hints
from arranger.history import history_rows
from arranger.mixture import Integers, Mixture, Piece
from arranger.networks import NETWORKS, Floats, Perceptron, Recurrent, State, shaped

BATCH = 16
# A piece longer than a window is read in windows that overlap by twice the margin, all at once; what a bidirectional
# model remembers over a margin of 64 notes no longer matters (see the test of this; no label of 19,000 notes of
# validation quartets changes).
WINDOW, MARGIN = 512, 64
# A Transformer has learned the places of a crop of 500 notes, and knows nothing of later ones; it sees far back.
TRANSFORMER_WINDOW, TRANSFORMER_MARGIN = 512, 128


@functools.lru_cache(maxsize=8)
def tagger_of(checkpoint: Checkpoint) -> Tagger:
    """Return the `Tagger` of a checkpoint; it is made once, and keeps nothing of what it has labelled."""
    return Tagger(checkpoint)


class Tagger:
    """A trained model that labels notes.

    Args:
        checkpoint: What `load_checkpoint` returns.

    Raises ModelError if weights are missing or have the wrong shape.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.config: ModelConfig = checkpoint.config
        self.checkpoint = checkpoint
        weights, parts = checkpoint.weights, len(checkpoint.config.part_set)
        try:
            self._tables = {
                name: shaped(weights, f"embedding.tables.{name}.weight", (FEATURES[name].size, FEATURES[name].width))
                for name in self.config.features
                if FEATURES[name].kind == "embedding"
            }
            self.network = NETWORKS[self.config.architecture](weights, self.config)
            self._head = shaped(weights, "head.weight", (parts, self.config.hidden)).T
            self._head_bias = shaped(weights, "head.bias", (parts,))
        except ModelError as error:
            raise ModelError(f"{checkpoint.name}: {error}") from None

    def logits(self, mixture: Mixture, hints: Hints | None = None) -> Floats:
        """Return the logits of every note of a piece, (n, K).

        hints: for a model that reads them. Raises ModelError where they are missing.
        """
        return self.logits_of_all([mixture], None if hints is None else [hints])[0]

    def logits_of_all(self, mixtures: Sequence[Mixture], hints: Sequence[Hints] | None = None) -> list[Floats]:
        """Return the logits of several pieces, computed in batches of pieces, or windows of them, of similar length.

        A perceptron runs freely: each note is given the history that it has itself decided.
        """
        if isinstance(self.network, Perceptron):
            return self._run_freely(mixtures, hints)
        known = self._check(mixtures, hints)
        embedded = [
            self.embed(extract(mixture, self.config.features, h)) for mixture, h in zip(mixtures, known, strict=True)
        ]
        return self._run_in_windows(embedded)

    def informed_logits(self, pieces: Sequence[Piece], hints: Sequence[Hints] | None = None) -> list[Floats]:
        """Return the logits of every note given the true parts of the notes before it: the oracle of a perceptron."""
        known, parts = self._check(pieces, hints), len(self.config.part_set)
        embedded = []
        for piece, h in zip(pieces, known, strict=True):
            history = history_of(piece.mixture, piece.label, self.config.features, parts)
            embedded.append(self.embed(extract(piece.mixture, self.config.features, h, history)))
        return self._run_in_windows(embedded)

    def embed(self, columns: Mapping[str, NDArray[np.int64] | Floats]) -> Floats:
        """Return the features of n notes side by side, (n, D)."""
        return np.concatenate([self._embed(name, columns[name]) for name in self.config.features], axis=-1)

    def run(self, embedded: Floats, lengths: Integers) -> Floats:
        """embedded: (B, N, D), padded at the end. lengths: (B,). Returns the logits, (B, N, K)."""
        return np.asarray(self.network.run(embedded, lengths) @ self._head + self._head_bias)

    def start(self) -> State:
        """Return the state before the first note, for `step`."""
        return self._streaming().start()

    def step(self, columns: Mapping[str, NDArray[np.int64] | Floats], state: State) -> tuple[Floats, State]:
        """Read the next m notes and return their logits, (m, K), and the state after them.

        Raises ModelError for a bidirectional model, which must see the end first, and for models that keep no state.
        """
        hidden, after = self._streaming().step(self.embed(columns), state)
        return hidden @ self._head + self._head_bias, after

    def _streaming(self) -> Recurrent:
        if self.config.bidirectional:
            raise ModelError(f"{self.checkpoint.name} reads a piece from both ends; it cannot label notes as they come")
        if not isinstance(self.network, Recurrent):
            raise ModelError(f"{self.checkpoint.name} is not recurrent; only an LSTM labels notes as they come")
        return self.network

    def _embed(self, name: str, column: NDArray[np.int64] | Floats) -> Floats:
        feature = FEATURES[name]
        if feature.kind == "one-hot":
            return np.eye(feature.size, dtype=np.float32)[column]
        if feature.kind == "value":
            return column.astype(np.float32)
        return self._tables[feature.table or name][column].reshape(len(column), -1)

    def _check(
        self, pieces: Sequence[Mixture] | Sequence[Piece], hints: Sequence[Hints] | None
    ) -> Sequence[Hints | None]:
        """Return the hints of each piece, None where the model reads none."""
        if not self.config.reads_hints:
            return [None] * len(pieces)
        if hints is None:
            raise ModelError(f"{self.checkpoint.name} must be told hints: when each part enters, and its mean pitch")
        return hints

    # ---- windows

    def _spans(self, count: int) -> list[tuple[int, int, int]]:
        """Return the windows of a piece of n notes: (first note, end, notes at the start that only give context)."""
        transformer = self.config.architecture == "transformer"
        window, margin = (TRANSFORMER_WINDOW, TRANSFORMER_MARGIN) if transformer else (WINDOW, MARGIN)
        whole = count <= window or not (transformer or self.config.bidirectional)
        if whole:
            return [(0, count, 0)]
        hop = window - 2 * margin
        context = margin if self.config.bidirectional else window - hop
        spans = [(start, min(start + window, count), context if start else 0) for start in range(0, count, hop)]
        return [span for span in spans if span[1] - span[0] > span[2]]

    def _run_in_windows(self, embedded: Sequence[Floats]) -> list[Floats]:
        """embedded: for each piece (n, D). Returns for each piece (n, K).

        Where windows overlap, the later one has the say from its margin on, so that a note has context on both sides.
        """
        results = [np.zeros((len(rows), len(self._head_bias)), np.float32) for rows in embedded]
        spans = [(piece, *span) for piece, rows in enumerate(embedded) for span in self._spans(len(rows)) if len(rows)]
        spans.sort(key=lambda span: span[2] - span[1])  # stable: the windows of a piece keep their order
        kept = {}
        for first in range(0, len(spans), BATCH):
            chosen = spans[first : first + BATCH]
            lengths = np.array([stop - start for _, start, stop, _ in chosen])
            padded = np.zeros((len(chosen), lengths.max(), self.config.input_width), np.float32)
            for row, (piece, start, stop, _) in enumerate(chosen):
                padded[row, : stop - start] = embedded[piece][start:stop]
            for span, logits in zip(chosen, self.run(padded, lengths), strict=True):
                kept[span[:2]] = logits[span[3] : span[2] - span[1]].copy(), span
        for _, (logits, (piece, start, stop, context)) in sorted(kept.items(), key=lambda item: item[0]):
            results[piece][start + context : stop] = logits
        return results

    # ---- free running

    def _run_freely(self, mixtures: Sequence[Mixture], hints: Sequence[Hints] | None) -> list[Floats]:
        """Label note by note, all pieces side by side; returns for each piece the logits, (n, K)."""
        known, parts = self._check(mixtures, hints), len(self.config.part_set)
        blank = [np.zeros((len(mixture), self._history_width), np.float32) for mixture in mixtures]
        embedded = [
            self.embed(extract(mixture, self.config.features, h, rows))
            for mixture, h, rows in zip(mixtures, known, blank, strict=True)
        ]
        results = [np.zeros((len(mixture), parts), np.float32) for mixture in mixtures]
        last = np.full((3, len(mixtures), parts), -1)  # pitch, onset and offset of each part's last note
        where = self._history_start
        for index in range(max(map(len, mixtures), default=0)):  # each note needs what was decided before it
            active = np.array([piece for piece, mixture in enumerate(mixtures) if index < len(mixture)])
            heard = [mixtures[piece] for piece in active]
            note = np.array([[m.pitch[index], m.onset[index], m.onset[index] + m.duration[index]] for m in heard])
            pitch, onset, offset = last[:, active]
            rows = np.stack([embedded[piece][index] for piece in active])
            rows[:, where : where + self._history_width] = history_rows(
                note[:, 1:2], note[:, :1], pitch, onset, offset, pitch >= 0
            )
            logits = self.run(rows[:, None], np.ones(len(rows), np.int64))[:, 0]
            last[:, active, logits.argmax(axis=1)] = note.T
            for piece, row in zip(active.tolist(), logits, strict=True):
                results[piece][index] = row
        return results

    @property
    def _history_width(self) -> int:
        return FEATURES["history"].width * len(self.config.part_set)

    @property
    def _history_start(self) -> int:
        """The column of the input at which the history begins."""
        before = self.config.features[: self.config.features.index("history")]
        return input_width(before, len(self.config.part_set))
