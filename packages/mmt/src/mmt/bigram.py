"""Songs → a model that knows only the event before: what a transformer has to beat (beyond the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmt.encoding import END_OF_SONG, NOTE, TYPE, Codes, encode, field_sizes
from mmt.songs import Songs

SMOOTHING = 0.1  # what is added to each count
_BEAT, _POSITION, _PITCH, _DURATION, _PLAYER = range(1, 6)


@dataclass(frozen=True)
class Bigram:
    """Probabilities of each field given the same field of the event before; beats by how far they move on.

    tables: for each field, (contexts, codes), the logarithms of probabilities.
    """

    tables: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, songs: Songs) -> Bigram:
        """Count the events of songs."""
        counts = [np.full((contexts, codes), SMOOTHING) for contexts, codes in _shapes()]
        for index in range(len(songs)):
            for table, (context, code) in zip(counts, _pairs(encode(songs[index])), strict=True):
                np.add.at(table, (context, code), 1.0)
        return cls(tuple(np.log(table / table.sum(1, keepdims=True)) for table in counts))

    def nll_note(self, excerpts: Songs) -> float:
        """Return -log p in nats of the events of excerpts, but for the end of song, by the number of notes."""
        total = 0.0
        for index in range(len(excerpts)):
            codes = encode(excerpts[index])
            codes = codes[codes[:, TYPE] != END_OF_SONG]
            total -= sum(table[pair].sum() for table, pair in zip(self.tables, _pairs(codes), strict=True))
        return total / max(len(excerpts.rows), 1)


def _shapes() -> list[tuple[int, int]]:
    """Contexts and codes of each field."""
    types, beats, positions, pitches, durations, players = field_sizes()
    return [
        (types, types),
        (2, beats + 1),
        (2 * positions, positions),
        (pitches, pitches),
        (durations, durations),
        (2 * players, players),
    ]


def _pairs(codes: Codes) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Contexts and codes of all fields that are defined, event by event."""
    before, after = codes[:-1], codes[1:]
    pairs = [(before[:, TYPE], after[:, TYPE])]
    is_note = after[:, TYPE] == NOTE
    last, note = before[is_note], after[is_note]
    moved = note[:, _BEAT] - last[:, _BEAT]
    pairs.append(((last[:, TYPE] == NOTE).astype(np.int64), moved))
    pairs.append((2 * last[:, _POSITION] + (moved > 0), note[:, _POSITION]))
    pairs += [(last[:, column], note[:, column]) for column in (_PITCH, _DURATION)]
    named = after[:, _PLAYER] > 0
    # Whether it is a note's instrument or one of the list is told by the type, which was drawn before.
    pairs.append((2 * before[named, _PLAYER] + is_note[named], after[named, _PLAYER]))
    return pairs
