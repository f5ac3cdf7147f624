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
from collections.abc import Iterable, Sequence
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

    def standing_out(self, claim: Claim, head: int | None = None) -> NDArray[np.float64]:
        """Return for each song the gain at a claim's differences minus that at those it is compared with, (songs,).

        head: from 0; None: the mean of all heads.
        """
        weights = self.weights.mean(1) if head is None else self.weights[:, head]
        gains = _normalised(weights) - _normalised(self.uniform)
        middle = len(self.differences) // 2
        shares = []
        for differences, compared in claim.pairs:
            shares.append(gains[:, [middle + d for d in differences]].mean(1))
            shares[-1] = shares[-1] - gains[:, [middle + d for d in compared]].mean(1)
        result: NDArray[np.float64] = np.mean(shares, axis=0)
        return result


def relative_attention(
    model: MMT, songs: Iterable[Codes], field: str, *, layer: int = -1, baseline: Baseline = "causal"
) -> RelativeAttention:
    """Measure the relative attention of a layer on songs; see `relative_attentions`."""
    return relative_attentions(model, songs, (field,), layer=layer, baseline=baseline)[field]


def relative_attentions(
    model: MMT,
    songs: Iterable[Codes],
    fields: Sequence[str] = RELATIVE_FIELDS,
    *,
    layer: int = -1,
    baseline: Baseline = "causal",
) -> dict[str, RelativeAttention]:
    """Measure the relative attention of a layer on songs, for several fields.

    songs: codes (L, 6) each; what is longer than the model's length is cut. Raises ValueError for a field that is not
    relative, or if no pair of events has codes.
    """
    for field in fields:
        if field not in RELATIVE_FIELDS:
            raise ValueError(f"field={field!r}: choose one of {', '.join(RELATIVE_FIELDS)}")
    if baseline not in get_args(Baseline):
        raise ValueError(f"baseline={baseline!r}: choose one of {', '.join(get_args(Baseline))}")
    columns = {field: FIELDS.index(field) for field in fields}
    reaches = {field: model.config.sizes[column] - 1 for field, column in columns.items()}
    found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {field: [] for field in fields}
    for codes in songs:
        seen = codes[: model.config.max_length]
        attention = attention_of(model, seen, layer)
        for field, column in columns.items():
            measured = _of_song(attention, seen[:, column], reaches[field], baseline)
            if measured is not None:
                found[field].append(measured)
    for field, pairs in found.items():
        if not pairs:
            raise ValueError(f"no song has two events with a {field}")
    return {
        field: RelativeAttention(
            field,
            np.arange(-reaches[field], reaches[field] + 1),
            np.array([weights for weights, _ in pairs]),
            np.array([uniform for _, uniform in pairs]),
        )
        for field, pairs in found.items()
    }


@torch.inference_mode()
def attention_of(model: MMT, codes: Codes, layer: int = -1) -> NDArray[np.float64]:
    """Return the weights with which the events of a song are predicted, (heads, L - 1, L - 1).

    codes: (L, 6). Row t - 1 is that with which event t is predicted from the events before it.
    """
    weights = model.attention_weights(torch.from_numpy(codes[:-1])[None], layer)[0]
    return np.asarray(weights.double().numpy(), np.float64)


def _of_song(
    attention: NDArray[np.float64], values: NDArray[np.int64], reach: int, baseline: Baseline
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the weights by difference, (heads, D), and those of uniform attention, (D,)."""
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


@dataclass(frozen=True)
class Claim:
    """A finding of §3.4.4. field: of the codes. pairs: (differences, those they are compared with)."""

    text: str
    field: str
    pairs: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]

    @classmethod
    def peaks(cls, text: str, field: str, *differences: int, beside: int = 1) -> Claim:
        """A claim that the gain is larger at differences than at so many on each side of them."""
        pairs = []
        for difference in differences:
            around = range(difference - beside, difference + beside + 1)
            pairs.append(((difference,), tuple(other for other in around if other != difference)))
        return cls(text, field, tuple(pairs))


CLAIMS = (
    Claim.peaks("beats 4, 8, 12 and 16 back", "beat", -4, -8, -12, -16),
    Claim("near beats: the same and the two before, rather than the six before those", "beat", (
        ((0, -1, -2), (-3, -4, -5, -6, -7, -8)),
    )),
    Claim.peaks("the same position", "position", 0, beside=2),
    Claim.peaks("positions an eighth note away", "position", -6, 6),
    Claim("pitches up to an octave above, rather than the octave above those", "pitch", (
        (tuple(range(1, 13)), tuple(range(13, 25))),
    )),
    Claim.peaks("the octave above and below", "pitch", 12, -12),
    Claim.peaks("the fifth above and below", "pitch", 7, -7),
    Claim.peaks("the fourth above and below", "pitch", 5, -5),
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """How far the gain of a claim stands out: mean over songs, and the 95 % interval of a bootstrap over songs.

    head: from 1; 0: the mean of all heads.
    """

    claim: str
    head: int
    mean: float
    low: float
    high: float
    songs: int

    @property
    def verdict(self) -> str:
        """`holds` if the whole interval is above 0, `fails` if it is below, else `open`."""
        return "holds" if self.low > 0 else "fails" if self.high < 0 else "open"


def evidence(measured: dict[str, RelativeAttention], rng: np.random.Generator, resamples: int = 1000) -> list[Evidence]:
    """Test the claims of §3.4.4, for the mean of all heads and for each head. measured: by field."""
    results = []
    for claim in CLAIMS:
        found = measured[claim.field]
        for head in range(found.weights.shape[1] + 1):
            values = found.standing_out(claim, head - 1 if head else None)
            drawn = rng.choice(values, (resamples, len(values))).mean(1)
            low, high = np.quantile(drawn, (0.025, 0.975))
            results.append(Evidence(claim.text, head, float(values.mean()), float(low), float(high), len(values)))
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
