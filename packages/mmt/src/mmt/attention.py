"""What the model attends to: mean relative attention and its gain (§3.4.4, equations 3.1 and 3.2).

For a field (beat, position or pitch) and a head, the mean relative attention at a difference δ is the share of the
attention weight that goes from an event to earlier events whose code is larger by δ:

    g(δ) = Σ a(t, s) [x_s − x_t = δ] / Σ a(t, s),

summed over songs, events t that are predicted and events s that are seen, both with a defined code. The weights a(t, s)
are those with which event t is predicted, that is the row of event t − 1. The gain is g minus the same quantity u
under uniform attention. Ours is uniform over what is seen (`causal`: 1 / t for s < t); the published code's is uniform
over all pairs, later events included (`full`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

from mmt.encoding import FIELDS, Codes
from mmt.model import MMT

Baseline = Literal["causal", "full"]
RELATIVE_FIELDS = ("beat", "position", "pitch")
SPANS = {"beat": (-40, 4), "position": (-12, 12), "pitch": (-25, 25)}  # differences that figures show


@dataclass(frozen=True)
class RelativeAttention:
    """Mean relative attention of a field.

    differences: (D,), ascending. weights: (songs, heads, D), attention weight by difference. uniform: (songs, D), the
    same under uniform attention. Neither is normalised, so that songs can be drawn again for confidence intervals.
    """

    field: str
    differences: NDArray[np.int64]
    weights: NDArray[np.float64]
    uniform: NDArray[np.float64]

    @property
    def attention(self) -> NDArray[np.float64]:
        """Mean relative attention g, (heads, D)."""
        return _normalised(self.weights.sum(0))

    @property
    def gain(self) -> NDArray[np.float64]:
        """Mean relative attention gain g − u, (heads, D)."""
        return self.attention - _normalised(self.uniform.sum(0))

    def gain_at(self, difference: int, neighbours: int = 1) -> NDArray[np.float64]:
        """Return for each song the gain at a difference minus the mean of its neighbours', (songs,); mean of all heads.

        neighbours: differences on each side.
        """
        place = int(np.flatnonzero(self.differences == difference)[0])
        gains = _normalised(self.weights.mean(1)) - _normalised(self.uniform)
        beside = [*range(max(place - neighbours, 0), place), *range(place + 1, place + 1 + neighbours)]
        beside = [index for index in beside if index < len(self.differences)]
        standing_out: NDArray[np.float64] = gains[:, place] - gains[:, beside].mean(1)
        return standing_out


def relative_attention(
    model: MMT, songs: Iterable[Codes], field: str, *, layer: int = -1, baseline: Baseline = "causal"
) -> RelativeAttention:
    """Measure the relative attention of a layer on songs.

    songs: codes (L, 6) each; what is longer than the model's length is cut. Raises ValueError for a field that is not
    relative, or if no pair of events has codes.
    """
    if field not in RELATIVE_FIELDS:
        raise ValueError(f"field={field!r}: choose one of {', '.join(RELATIVE_FIELDS)}")
    if baseline not in get_args(Baseline):
        raise ValueError(f"baseline={baseline!r}: choose one of {', '.join(get_args(Baseline))}")
    column = FIELDS.index(field)
    reach = model.config.sizes[column] - 1
    weights, uniform = [], []
    for codes in songs:
        seen = codes[: model.config.max_length]
        measured = _of_song(model, seen, column, reach, layer, baseline)
        if measured is not None:
            weights.append(measured[0])
            uniform.append(measured[1])
    if not weights:
        raise ValueError(f"no song has two events with a {field}")
    return RelativeAttention(field, np.arange(-reach, reach + 1), np.array(weights), np.array(uniform))


@torch.inference_mode()
def _of_song(
    model: MMT, codes: Codes, column: int, reach: int, layer: int, baseline: Baseline
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the weights by difference, (heads, D), and those of uniform attention, (D,)."""
    attention = model.attention_weights(torch.from_numpy(codes[:-1])[None], layer)[0].double().numpy()
    values = codes[:, column]
    predicted, seen = np.flatnonzero(values[1:]) + 1, np.flatnonzero(values[:-1])
    if not len(predicted) or not len(seen):
        return None
    places = values[seen][None, :] - values[predicted][:, None] + reach
    visible = seen[None, :] < predicted[:, None]
    if not visible.any():
        return None
    size = 2 * reach + 1
    rows = attention[:, predicted - 1][:, :, seen]
    weights = np.stack([_sums(places[visible], head[visible], size) for head in rows])
    if baseline == "causal":
        flat = np.broadcast_to(1.0 / predicted[:, None], places.shape)
        return weights, _sums(places[visible], flat[visible], size)
    return weights, _sums(places.ravel(), np.ones(places.size), size)


def _sums(places: NDArray[np.int64], weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.bincount(places, weights, size).astype(np.float64)


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = weights.sum(-1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return shares


# --- claims ----------------------------------------------------------------------------------------------------------

# Claim of §3.4.4 → field, differences at which the gain should stand out, neighbours to compare with.
CLAIMS: dict[str, tuple[str, tuple[int, ...], int]] = {
    "attends to beats 4, 8, 12 and 16 back": ("beat", (-4, -8, -12, -16), 1),
    "attends to the same position": ("position", (0,), 2),
    "attends to the octave above and below": ("pitch", (12, -12), 1),
    "attends to the fifth above and below": ("pitch", (7, -7), 1),
    "attends to the fourth above and below": ("pitch", (5, -5), 1),
}


@dataclass(frozen=True)
class Evidence:
    """The gain of a claim over its neighbours': mean over songs, and the 95 % interval of a bootstrap over songs."""

    claim: str
    mean: float
    low: float
    high: float
    songs: int

    @property
    def verdict(self) -> str:
        """`holds` if the whole interval is above 0, `fails` if it is below, else `open`."""
        return "holds" if self.low > 0 else "fails" if self.high < 0 else "open"


def evidence(measured: dict[str, RelativeAttention], rng: np.random.Generator, resamples: int = 1000) -> list[Evidence]:
    """Test the claims of §3.4.4. measured: by field."""
    results = []
    for claim, (field, differences, neighbours) in CLAIMS.items():
        values = np.mean([measured[field].gain_at(d, neighbours) for d in differences], axis=0)
        drawn = rng.choice(values, (resamples, len(values))).mean(1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        results.append(Evidence(claim, float(values.mean()), float(low), float(high), len(values)))
    return results


# --- figures ---------------------------------------------------------------------------------------------------------


def draw(measured: RelativeAttention, path: str | os.PathLike[str], *, gain: bool = True) -> Path:
    """Draw heads × differences, the gain (or the attention itself), as a picture; its kind is that of the extension.

    Needs matplotlib (the extra `render`).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    low, high = SPANS[measured.field]
    shown = (measured.differences >= low) & (measured.differences <= high)
    values = (measured.gain if gain else measured.attention)[:, shown]
    figure = Figure(figsize=(8, 0.9 + 0.28 * len(values)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    limit = float(np.abs(values).max()) or 1.0
    image = axes.imshow(
        values,
        cmap="bwr" if gain else "Blues",
        vmin=-limit if gain else 0.0,
        vmax=limit,
        aspect="auto",
        extent=(low - 0.5, high + 0.5, len(values) + 0.5, 0.5),
        interpolation="none",
    )
    axes.set_xlabel(f"difference of {measured.field} (seen − predicted)")
    axes.set_ylabel("head")
    axes.set_yticks(range(1, len(values) + 1))
    figure.colorbar(image, ax=axes, label="gain" if gain else "attention")
    target = Path(path)
    with write_atomically(target) as temporary:
        figure.savefig(temporary, dpi=150)
    return target
