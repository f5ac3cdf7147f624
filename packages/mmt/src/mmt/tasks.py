"""Songs as tasks: some notes are given, the others are to be found (beyond the paper; after Huang et al. 2023).

In training, tasks are drawn at random: a span of beats, or some of the instruments. In use, `generate.infill` and
`generate.accompany` make them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmt.encoding import Codes, encode_task
from mmt.instruments import CODE_OF_PROGRAM
from mmt.notes import BEAT, PROGRAM, NoteRows

SPAN_SHARE = 0.5  # of tasks that are spans of beats; the others are instruments
LONGEST_SPAN = 32  # beats
HEADER_ROOM = 40  # events kept for instruments and marks


def random_task(notes: NoteRows, max_length: int, rng: np.random.Generator) -> Codes:
    """Return the codes of a random task on a song, (L, 6), L at most `max_length`; notes: (n, 5), n at least 1."""
    room = max(max_length - HEADER_ROOM, 1)
    if len(notes) > room:
        start = int(rng.integers(len(notes) - room + 1))
        notes = notes[start : start + room]
    wanted = random_span(notes, rng) if rng.random() < SPAN_SHARE else random_players(notes, rng)
    return encode_task(notes, ~wanted)[:max_length]


def random_span(notes: NoteRows, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which notes begin in a random span of beats, (n,); at least one does."""
    first, last = int(notes[:, BEAT].min()), int(notes[:, BEAT].max())
    length = int(rng.integers(1, min(LONGEST_SPAN, max((last - first) // 2, 1)) + 1))
    start = int(notes[rng.integers(len(notes)), BEAT])
    inside: NDArray[np.bool_] = (notes[:, BEAT] >= start) & (notes[:, BEAT] < start + length)
    return inside


def random_players(notes: NoteRows, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which notes are played by some of the instruments, (n,); all of them where there is only one."""
    codes = CODE_OF_PROGRAM[notes[:, PROGRAM]]
    players = rng.permutation(np.unique(codes))
    chosen = players[: int(rng.integers(1, max(len(players), 2)))]
    return np.isin(codes, chosen)
