"""What a user may tell beforehand: when each part enters and how high it lies (§4.4, entry hints and pitch hints).

Hints belong to a whole piece. Where a piece is cropped or transposed, its hints are shifted with it, so that they stay
aligned with the music and do not drift from visit to visit.

Symbols: n notes, K parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arranger.mixture import Integers, Piece


@dataclass(frozen=True)
class Hints:
    """What is known of the parts before the first note.

    entry: (K,) index of each part's first note; negative if that was before the crop. pitch: (K,) mean pitch of each
    part, rounded. present: (K,) whether the part plays at all; where not, the other two mean nothing.
    """

    entry: Integers
    pitch: Integers
    present: NDArray[np.bool_]

    def from_note(self, start: int) -> Hints:
        """Return the hints for the notes from index `start` on."""
        return replace(self, entry=self.entry - start)

    def entry_columns(self, count: int) -> NDArray[np.float32]:
        """Return -1 before a part's entry, 0 at it, 1 after it, and 0 throughout for an absent part, (count, K)."""
        steps = np.sign(np.arange(count)[:, None] - self.entry) * self.present
        return np.asarray(steps, np.float32)

    def pitch_columns(self, count: int) -> Integers:
        """Return the mean pitches as codes (pitch + 1; 0 for an absent part), the same for every note, (count, K)."""
        return np.tile(np.where(self.present, self.pitch + 1, 0), (count, 1))


def entries_of(piece: Piece, parts: int) -> Integers:
    """Return the index of each part's first note, (K,); n for a part without notes."""
    entries = np.full(parts, len(piece), np.int64)
    labels, first = np.unique(piece.label, return_index=True)
    entries[labels] = first
    return entries


def hints_of(piece: Piece, parts: int) -> Hints:
    """Return the true hints of a piece."""
    counts = np.bincount(piece.label, minlength=parts)
    sums = np.bincount(piece.label, piece.mixture.pitch, minlength=parts)
    means = np.round(sums / np.maximum(counts, 1)).astype(np.int64)
    return Hints(entries_of(piece, parts), means, counts > 0)
