"""A song for an ensemble → the same notes in other parts: merge all pitched tracks, and assign them anew (Fig. 4.6).

It is `separate` seen from a song of many instruments; what is new is which instrument's notes went where.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from muspy_core import Music

from arranger.checkpoint import Checkpoint
from arranger.control import Control
from arranger.mixture import Integers
from arranger.separate import Separation, Unisons, separate


@dataclass(frozen=True)
class Rearrangement:
    """A song in other parts.

    separation: the result. sources: names of the input's pitched tracks that have notes. flow: (sources, K) notes that
    each of them gave to each part; drums, tempo, keys, meters and lyrics passed through.
    """

    separation: Separation
    sources: tuple[str, ...]
    flow: Integers

    @property
    def music(self) -> Music:
        """The song in parts."""
        return self.separation.music

    def lines(self) -> list[str]:
        """Return a line for each track: where its notes went, the most first."""
        names = self.separation.parts.names
        lines = []
        for source, counts in zip(self.sources, self.flow.tolist(), strict=True):
            shares = sorted(((count, name) for count, name in zip(counts, names, strict=True) if count), reverse=True)
            lines.append(f"{source} → {', '.join(f'{name} {count:,}' for count, name in shares)}")
        return lines

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the flow as what JSON can hold."""
        names = self.separation.parts.names
        return [
            {"track": source, "parts": dict(zip(names, counts, strict=True))}
            for source, counts in zip(self.sources, self.flow.tolist(), strict=True)
        ]


def rearrange(
    music: Music,
    model: str | os.PathLike[str] | Checkpoint = "bach-chorales",
    mode: str = "offline",
    *,
    control: Control | None = None,
    unisons: Unisons = "single",
) -> Rearrangement:
    """Give a song's notes to the parts of a model; the arguments are those of `separate`.

    A track that the model's user wants to keep is fixed by `Control.tracks`.
    """
    return rearrangement(music, separate(music, model, mode, control=control, unisons=unisons))


def rearrangement(music: Music, separation: Separation) -> Rearrangement:
    """Say of a separation of the music where each track's notes went."""
    tracks, rows = np.unique(separation.origin, return_inverse=True)
    flow = np.zeros((len(tracks), len(separation.parts)), np.int64)
    np.add.at(flow, (rows.ravel(), separation.label), 1)
    names = tuple(music.tracks[track].name or f"track {track + 1}" for track in tracks.tolist())
    return Rearrangement(separation, names, flow)
