"""What the model attends to and what it holds for alike: absolute attention and embeddings as pictures (§3.4.4).

The absolute attention of a head is a map from codes of the predicted event to codes of the events seen: the mean weight
of each pair, rows summing to 1. Similarities are cosines between the embeddings of the codes of a field.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

from mmt.attention import attention_of
from mmt.encoding import FIELDS, Codes
from mmt.model import MMT

MAP_FIELDS = ("type", "duration", "instrument")


def absolute_attention(model: MMT, songs: Iterable[Codes], field: str, layer: int = -1) -> NDArray[np.float64]:
    """Return the absolute attention of a layer, (heads, codes, codes): of the predicted event × of the event seen.

    songs: codes (L, 6) each. A code 0 counts for types only, which are always defined.
    """
    column = FIELDS.index(field)
    size = model.config.sizes[column]
    heads = model.config.attention_heads
    total = np.zeros((heads, size * size))
    for codes in songs:
        seen = codes[: model.config.max_length]
        values = seen[:, column]
        places = values[1:, None] * size + values[None, :-1]
        counts = np.tri(len(values) - 1, dtype=bool)
        if field != "type":
            counts &= (values[1:, None] > 0) & (values[None, :-1] > 0)
        for head, weights in enumerate(attention_of(model, seen, layer)):
            total[head] += np.bincount(places[counts], weights[counts], size * size)
    maps = total.reshape(heads, size, size)
    sums = maps.sum(-1, keepdims=True)
    result: NDArray[np.float64] = np.divide(maps, sums, out=np.zeros_like(maps), where=sums > 0)
    return result


def similarities(model: MMT) -> dict[str, NDArray[np.float64]]:
    """Return the cosines between the embeddings of the codes of each field, and between those of positions.

    Keys are fields, and `places` for the learned positions of events where a model has them. Each is (codes, codes);
    code 0 is left out of all but types.
    """
    tables = {}
    start = 0
    weights = model.embedding.weight.detach().double()
    for field, size in zip(FIELDS, model.config.sizes, strict=False):
        tables[field] = weights[start + (field != "type") : start + size]
        start += size
    if model.positions is not None:
        tables["places"] = model.positions.detach().double()
    return {name: _cosines(table) for name, table in tables.items()}


def _cosines(table: torch.Tensor) -> NDArray[np.float64]:
    unit = torch.nn.functional.normalize(table, dim=-1)
    return np.asarray((unit @ unit.T).numpy(), np.float64)


# --- figures ---------------------------------------------------------------------------------------------------------


def draw_maps(model: MMT, songs: Iterable[Codes], folder: str | os.PathLike[str]) -> list[Path]:
    """Draw the absolute attention, mean of all heads and each head, as `FIELD-mean.png` and `FIELD-head-H.png`.

    Needs matplotlib (the extra `render`).
    """
    songs = list(songs)
    paths = []
    for field in MAP_FIELDS:
        maps = absolute_attention(model, songs, field)
        paths.append(_draw(maps.mean(0), Path(folder) / f"{field}-mean.png", "Blues", 0.0))
        for head, values in enumerate(maps):
            paths.append(_draw(values, Path(folder) / f"{field}-head-{head + 1}.png", "Blues", 0.0))
    return paths


def draw_similarities(model: MMT, folder: str | os.PathLike[str]) -> list[Path]:
    """Draw the similarities of embeddings as `similarity-FIELD.png`. Needs matplotlib (the extra `render`)."""
    found = similarities(model)
    return [_draw(found[name], Path(folder) / f"similarity-{name}.png", "bwr", -1.0) for name in found]


def _draw(values: NDArray[np.float64], path: Path, colours: str, low: float) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    image = axes.imshow(values, cmap=colours, vmin=low, vmax=max(float(values.max()), 1e-9), interpolation="none")
    axes.set_xlabel("code seen" if low == 0 else "code")
    axes.set_ylabel("code predicted" if low == 0 else "code")
    figure.colorbar(image, ax=axes)
    with write_atomically(path) as temporary:
        figure.savefig(temporary, dpi=110)
    return path
