"""What the converters share: the notes of a track with those of its chords, and the tonic of a key."""

from __future__ import annotations

import numpy as np

from muspy_core.columns import Table, new_array
from muspy_core.events import Note
from muspy_core.io.musicxml.spelling import LETTERS, MODE_FIFTHS
from muspy_core.music import Track


def all_notes(track: Track) -> Table:
    """Return the notes of a track and of its chords as one table of notes, (notes,).

    With chords it is sorted by time. It may be the track's own table, so it is not to be changed.
    """
    if not track.chords:
        return track.notes.array
    chords, pitches = track.chords.array, track.chords.side("pitches")
    members = np.repeat(np.arange(len(chords)), [len(item) for item in pitches])
    table = new_array(Note, len(members))
    for name in ("time", "duration", "velocity", "voice", "staff"):
        table[name] = chords[name][members]
    table["pitch"] = [pitch for item in pitches for pitch in item]
    joined = np.concatenate([track.notes.array, table])
    return joined[np.argsort(joined["time"], kind="stable")]


def tonic(fifths: int, mode: str) -> tuple[int, str]:
    """Return the pitch class and the name of the tonic of a key: (−3, "minor") → (0, "C")."""
    position = fifths + MODE_FIFTHS.get(mode, 0)
    letter = LETTERS[(4 * position) % 7]
    alter = (position + 1) // 7
    return (7 * position) % 12, letter + ("#" * alter if alter > 0 else "b" * -alter)
