"""Part sets: the classes that notes are sorted into, with their names, instruments, clefs and ranges (§4.3).

Everything downstream counts parts in the order of the set, 0 first: features → labels → decoding → tracks.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from muspy_core.errors import MuspyError


class PartsError(MuspyError):
    """An unknown part set, or parts that do not fit a model."""


@dataclass(frozen=True)
class Part:
    """One part of an ensemble.

    name: as printed in a score. program: General MIDI program, 0–127. clef: (sign, line, octave change).
    low, high: the usual range in MIDI note numbers, both included. aliases: lower-case names by which a track of a
    data set is recognised as this part.
    """

    name: str
    program: int
    clef: tuple[str, int, int]
    low: int
    high: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class PartSet:
    """An ensemble: its parts from the first (highest) to the last."""

    name: str
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts, in order."""
        return tuple(part.name for part in self.parts)

    def label_of(self, track_name: str) -> int | None:
        """Return the part (0 … K-1) that a track's name means, None if it means none.

        The whole name must be one of the part's aliases, so that "Violino II" is never taken for "Violino I".
        """
        wanted = " ".join(track_name.lower().split()).rstrip(".")
        for label, part in enumerate(self.parts):
            if wanted == part.name.lower() or wanted in part.aliases:
                return label
        return None

    def index(self, part_name: str) -> int:
        """Return the position of a part given by name or number; raises PartsError with what there is."""
        label = self.label_of(part_name)
        if label is None and part_name.isdigit() and 1 <= int(part_name) <= len(self):
            label = int(part_name) - 1
        if label is None:
            raise PartsError(f"{part_name!r} is not a part of {self.name}; it has {', '.join(self.names)}")
        return label


_TREBLE = ("G", 2, 0)
_TENOR = ("G", 2, -1)
_BASS = ("F", 4, 0)

# Programs are those of the published recordings of the paper's examples: flute, oboe, clarinet, bassoon stand for the
# four voices, so that they can be told apart by ear. Ranges: choir and string parts as orchestration books give them.
SATB = PartSet(
    "satb",
    (
        Part("Soprano", 73, _TREBLE, 57, 84),
        Part("Alto", 68, _TREBLE, 50, 77),
        Part("Tenor", 71, _TENOR, 45, 70),
        Part("Bass", 70, _BASS, 34, 65),
    ),
)
STRING_QUARTET = PartSet(
    "string-quartet",
    (
        Part("Violin I", 40, _TREBLE, 55, 105, ("violin 1", "violino i", "1st violin", "first violin")),
        Part("Violin II", 40, _TREBLE, 55, 100, ("violin 2", "violino ii", "2nd violin", "second violin")),
        Part("Viola", 41, ("C", 3, 0), 48, 93),
        Part("Violoncello", 42, _BASS, 36, 84, ("cello",)),
    ),
)
NES = PartSet(
    "nes",
    (
        Part("Pulse 1", 80, _TREBLE, 33, 108, ("p1",)),
        Part("Pulse 2", 81, _TREBLE, 33, 108, ("p2",)),
        Part("Triangle", 38, _BASS, 21, 108, ("tr",)),
    ),
)
POP_BAND = PartSet(
    "pop-band",
    (
        Part("Piano", 0, _TREBLE, 21, 108),
        Part("Guitar", 24, _TENOR, 40, 88),
        Part("Bass", 32, ("F", 4, -1), 28, 67),
        Part("Strings", 48, _TREBLE, 28, 103),
        Part("Brass", 61, _TREBLE, 28, 89),
    ),
)
PART_SETS = {parts.name: parts for parts in (SATB, STRING_QUARTET, NES, POP_BAND)}


def part_set(name: str) -> PartSet:
    """Return the part set of that name; raises PartsError with the nearest names."""
    if name not in PART_SETS:
        near = difflib.get_close_matches(name, PART_SETS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(PART_SETS))}"
        raise PartsError(f"unknown part set {name!r}; {hint}")
    return PART_SETS[name]
