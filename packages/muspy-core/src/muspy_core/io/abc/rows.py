"""What is read from a voice: notes and marks in written order, at positions in ticks (see `tokens`)."""

from __future__ import annotations

from typing import NamedTuple

from muspy_core.io.abc.fields import Key, Meter
from muspy_core.io.abc.marks import Symbol


class Sign(NamedTuple):
    """A sign that steers the playing order; passes: of an ending, or one number (times) of a backward repeat."""

    position: int
    kind: str
    passes: frozenset[int] = frozenset()


class VoiceRows:
    """The rows of one voice.

    The lists onsets … spellings are the columns of the notes: one entry a note, in written order. layers: overlay
    number inside the voice, from 1. graces, ties: as in the columns of `Note`. articulations, ornaments: by row.
    """

    def __init__(self) -> None:
        self.onsets: list[int] = []
        self.durations: list[int] = []
        self.pitches: list[int] = []
        self.layers: list[int] = []
        self.graces: list[int] = []
        self.ties: list[int] = []
        self.spellings: list[str] = []
        self.articulations: dict[int, list[str]] = {}
        self.ornaments: dict[int, list[str]] = {}
        self.bars: list[int] = []
        self.signs: list[Sign] = []
        self.slurs: list[tuple[int, int, int]] = []  # position, end, layer
        self.symbols: list[tuple[int, Symbol]] = []
        self.texts: list[tuple[int, str, str]] = []  # text, kind
        self.dynamics: list[tuple[int, str, int]] = []  # mark, end (−1: a point)
        self.keys: list[tuple[int, Key]] = []
        self.meters: list[tuple[int, Meter]] = []
        self.tempos: list[tuple[int, float, str | None]] = []
        self.clefs: list[tuple[int, str, int | None, int | None]] = []
        self.lyrics: list[tuple[int, str, int]] = []  # text, verse

    @property
    def has_notes(self) -> bool:
        """Whether the voice has any note."""
        return bool(self.onsets)
