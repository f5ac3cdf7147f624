"""Models → the figures of §5.5: errors of times beside constant tempo, errors of mels beside the mean mel.

Intervals are bootstrapped over clips (95 %).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepperformer.checkpoint import Checkpoint
from deepperformer.data import Batch, ClipDataModule, collate
from deepperformer.errors import DataError
from deepperformer.layers import sounding
from deepperformer.model import constant_tempo, frames_per_step
from deepperformer.splits import Subset

BATCH = 16
DRAWS = 1000
LONG_NOTE_S, EDGE_FRAMES = 0.5, 3


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, sums: NDArray[np.float64], weights: NDArray[np.float64], seed: int = 0) -> Interval:
        """Return the weighted mean over clips. sums, weights: (clips,), a mean is sum / weight."""
        rng = np.random.default_rng(seed)
        drawn = rng.integers(len(sums), size=(DRAWS, len(sums)))
        means = sums[drawn].sum(1) / np.maximum(weights[drawn].sum(1), 1e-12)
        low, high = np.percentile(means, [2.5, 97.5])
        return cls(float(sums.sum() / max(weights.sum(), 1e-12)), float(low), float(high))

    def to_dict(self) -> dict[str, float]:
        """Return rounded values, for JSON."""
        return {name: round(value, 5) for name, value in dataclasses.asdict(self).items()}


def evaluate_alignment(checkpoint: Checkpoint, data: ClipDataModule, subset: Subset = "test") -> dict[str, Any]:
    """Return mean absolute errors of onsets and durations in ms, over the notes of the clips of a part of the split.

    Beside the model's: `wrong_performer`, told another one; `constant`, the recording's mean tempo; `oracle`, the best
    constant tempo of each clip (a ceiling for what a tempo alone can do). Onsets count from the anchor of a clip.
    """
    _check(checkpoint, "alignment")
    data.setup()
    examples = data.dataset(subset)
    frame_s = data.prepared.mel.frame_s
    sums: dict[str, list[NDArray[np.float64]]] = {}
    notes: list[NDArray[np.float64]] = []
    performers: list[int] = []
    model = checkpoint.model
    for start in range(0, len(examples), BATCH):
        batch = collate([examples[index] for index in range(start, min(start + BATCH, len(examples)))])
        for name, predicted in _timings(model, batch, frame_s, checkpoint).items():
            true = torch.stack([batch.onsets - batch.anchor[:, None], batch.durations], dim=2)
            error = ((predicted - true).abs() * batch.mask[..., None]).sum(1).double().numpy() * 1000 * frame_s
            sums.setdefault(name, []).append(error)
        notes.append(batch.mask.sum(1).double().numpy())
        performers += batch.performer.tolist()
    weights = np.concatenate(notes)
    figures: dict[str, Any] = {"clips": len(weights), "notes": int(weights.sum()), "split": data.split}
    for name, parts in sums.items():
        errors = np.concatenate(parts)
        figures[name] = {
            what: Interval.of(errors[:, index], weights).to_dict()
            for index, what in enumerate(("onset_ms", "duration_ms"))
        }
    of_model = np.concatenate(sums["model"])[:, 0]
    figures["performers"] = {
        name: round(float(of_model[chosen].sum() / weights[chosen].sum()), 3)
        for index, name in enumerate(data.performers)
        for chosen in [np.array(performers) == index]
        if chosen.any()
    }
    return figures


def _timings(model: Any, batch: Batch, frame_s: float, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Return onsets from the anchor and durations in frames, (B, N, 2), by what predicts them."""
    pace = frames_per_step(batch.qpm, frame_s)
    tempo = (batch.qpm / model.config.tempo_step).long().clamp(0, model.config.tempo_classes - 1)
    others = (batch.performer + 1) % max(len(checkpoint.performers), 1)
    nominal = constant_tempo(batch.notes, pace)
    true = torch.stack([batch.onsets - batch.anchor[:, None], batch.durations], dim=2)
    weight = batch.mask[..., None].float()
    slope = (nominal * true * weight).sum(1) / (nominal.square() * weight).sum(1).clamp(min=1e-6)
    with torch.inference_mode():
        found = {
            name: model.decode(model(batch.notes, batch.mask, number, tempo, batch.marks), batch.notes, pace)
            for name, number in (("model", batch.performer), ("wrong_performer", others))
        }
    return {**found, "constant": nominal, "oracle": nominal * slope[:, None]}


def evaluate_synthesis(checkpoint: Checkpoint, data: ClipDataModule, subset: Subset = "test") -> dict[str, Any]:
    """Return mean squared errors of log mels, over the clips of a part of the split.

    Beside the model's: `mean_mel`, the mean of the training data. `edges`: over the first and last 3 frames of notes of
    more than half a second alone, where the note-wise positional encoding should act.
    """
    _check(checkpoint, "synthesis")
    data.setup()
    examples = data.dataset(subset)
    mean = data.mean_mel()
    model = checkpoint.model
    rows = []
    for start in range(0, len(examples), BATCH):
        batch = collate([examples[index] for index in range(start, min(start + BATCH, len(examples)))])
        if batch.mel is None:
            raise DataError("clips have no mels: set sound to mel")
        tempo = (batch.qpm / model.config.tempo_step).long().clamp(0, model.config.tempo_classes - 1)
        with torch.inference_mode():
            made = model(
                batch.notes,
                batch.mask,
                batch.performer,
                tempo,
                batch.onsets,
                batch.durations,
                batch.mel.shape[1],
                batch.marks,
                batch.condition,
            )
        edges = _edges(batch, batch.mel.shape[1], data.prepared.mel.frame_s)
        error, of_mean = (made - batch.mel).square().mean(2), (mean - batch.mel).square().mean(2)
        columns = [error.sum(1), of_mean.sum(1), torch.full((len(batch),), float(error.shape[1]))]
        columns += [(error * edges).sum(1), edges.sum(1)]
        rows.append(torch.stack(columns, dim=1).double().numpy())
    table = np.concatenate(rows)
    return {
        "clips": len(table),
        "split": data.split,
        "model": {"mse": Interval.of(table[:, 0], table[:, 2]).to_dict()},
        "mean_mel": {"mse": Interval.of(table[:, 1], table[:, 2]).to_dict()},
        "edges": {"mse": Interval.of(table[:, 3], table[:, 4]).to_dict()},
    }


def _edges(batch: Batch, frames: int, frame_s: float) -> Tensor:
    """Return where a long note begins or ends, (B, T), 0 or 1."""
    mask = batch.mask & (batch.durations * frame_s > LONG_NOTE_S)
    active, places = sounding(batch.onsets, batch.durations, mask, frames)
    share = EDGE_FRAMES / batch.durations[..., None].clamp(min=1)
    at_edge = active * ((places < share) | (places > 1 - share))
    return at_edge.amax(1)


def _check(checkpoint: Checkpoint, kind: str) -> None:
    if checkpoint.kind != kind:
        raise DataError(f"{checkpoint.name}: is a model of kind {checkpoint.kind}, not {kind}")
