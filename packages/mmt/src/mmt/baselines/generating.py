"""Songs by the baselines, code after code with the cache of keys and values (§3.4.2).

There is no grammar, as published. Codes are those of `mmm` or `remi`, (L,).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmt.baselines import mmm, remi
from mmt.model import MMT
from mmt.notes import NoteRows
from mmt.sampling import Sampling, draw

# Codes that never stand in a song of REMI+, and that its decoder refuses.
_NEVER = {"mmm": (mmm.START_OF_SONG,), "remi": (remi.START_OF_SONG, 2, 3)}


@dataclass(frozen=True)
class BaselineOptions:
    """How songs are generated. length: codes after the start at most. seed: song i is drawn from seed + i."""

    length: int = 1023
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0


@torch.inference_mode()
def generate(model: MMT, count: int, options: BaselineOptions | None = None) -> list[NDArray[np.int64]]:
    """Generate so many songs from nothing, codes (L,) each, at most as long as the model sees at once.

    Raises ValueError for a model that is no baseline.
    """
    options = options or BaselineOptions()
    forbidden = torch.tensor(never_codes(model))
    generators = [torch.Generator().manual_seed(options.seed + index) for index in range(count)]
    songs = torch.zeros(count, 1, dtype=torch.long)
    ended = torch.zeros(count, dtype=torch.bool)
    cache = model.new_cache(count)
    for _ in range(min(options.length, model.config.max_length - 1)):
        hidden = model.extend(songs[:, -1:, None], cache)
        logits = model.heads.field(model.heads.start(hidden), 0).index_fill(-1, forbidden, float("-inf"))
        codes = draw(logits, options.sampling, 0, generators)
        songs = torch.cat([songs, codes.masked_fill(ended, mmm.END_OF_SONG)[:, None]], dim=1)
        ended |= codes == mmm.END_OF_SONG
        if bool(ended.all()):
            break
    return [_up_to_end(song) for song in songs]


def decode(model: MMT, codes: NDArray[np.integer]) -> NoteRows:
    """Decode codes, (L,), to note rows, (n, 5), by the baseline of a model; notes that last no step are left out."""
    rows: NoteRows = (mmm if model.config.encoding == "mmm" else remi).decode(codes)
    return rows[rows[:, 3] > 0]


def never_codes(model: MMT) -> tuple[int, ...]:
    """Return the codes that are never drawn. Raises ValueError for a model that is no baseline."""
    if model.config.encoding not in _NEVER:
        raise ValueError(f"{model.config.encoding} is no baseline: its songs are made by mmt.generate")
    return _NEVER[model.config.encoding]


def _up_to_end(song: Tensor) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = song.numpy()
    ends = np.flatnonzero(codes == mmm.END_OF_SONG)  # the same code in both
    return codes[: ends[0] + 1] if len(ends) else codes
