"""Small made-up pieces for tests: random ones, and hypothesis strategies."""

from __future__ import annotations

import numpy as np
from arranger.mixture import Mixture, Piece, sort_order
from hypothesis import strategies as st
from muspy_core import Music, Note, Track


def random_piece(seed: int = 0, *, steps: int = 24, parts: int = 4, name: str = "random") -> Piece:
    """A piece in which each part moves by small steps, and stays within a sixth of its own pitch."""
    rng = np.random.default_rng(seed)
    rows = []
    for part in range(parts):
        pitch = centre = 72 - 7 * part
        for beat in range(steps):
            pitch = min(max(pitch + int(rng.integers(-2, 3)), centre - 9), centre + 9)
            rows.append((beat * 12, pitch, 12 * int(rng.integers(1, 3)), 64, part))
    return piece_of(rows, name)


def piece_of(rows: list[tuple[int, int, int, int, int]], name: str = "piece") -> Piece:
    """A piece from rows (onset, pitch, duration, velocity, label), which stand part by part."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    table = table[np.argsort(table[:, 4], kind="stable")]
    table = table[sort_order(table[:, 0], table[:, 1], table[:, 2], table[:, 3])]
    return Piece(name, Mixture(*table[:, :4].T), table[:, 4])


def mixture_of(notes: list[tuple[int, int, int]]) -> Mixture:
    """A mixture from (onset, pitch, duration)."""
    return piece_of([(onset, pitch, duration, 64, 0) for onset, pitch, duration in notes]).mixture


notes = st.tuples(st.integers(0, 30), st.integers(30, 90), st.integers(1, 20))
mixtures = st.lists(notes, min_size=1, max_size=25).map(mixture_of)


@st.composite
def musics(draw: st.DrawFn) -> Music:
    """Music of one to three tracks at some resolution, with at least one pitched note."""
    resolution = draw(st.sampled_from([1, 24, 480]))
    event = st.builds(
        Note,
        time=st.integers(0, 8 * resolution),
        pitch=st.integers(0, 127),
        duration=st.integers(0, 4 * resolution),
        velocity=st.integers(1, 127),
    )
    tracks = [
        Track(program=draw(st.integers(0, 127)), notes=draw(st.lists(event, min_size=1, max_size=12)))
        for _ in range(draw(st.integers(1, 3)))
    ]
    return Music(resolution=resolution, tracks=tracks)
