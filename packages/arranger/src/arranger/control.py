"""What a user demands of a separation: ranges, polyphony, parts left out, notes whose part is fixed (before decoding).

Symbols: n notes, K parts.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from muspy_core.errors import MuspyError
from numpy.typing import NDArray

from arranger.config import DecodingConfig
from arranger.decoding import FREE, LIMIT_PENALTY, NO_LIMIT, Floats
from arranger.instruments import with_instruments
from arranger.mixture import RESOLUTION, Integers, Mixture
from arranger.parts import PartSet

# A note outside a part's usual range costs this much for each semitone, in nats; chosen on validation pieces, where
# it changes next to nothing, so that notes far outside all ranges of a choir still go to the nearest part.
RANGE_PENALTY = 1.0
_PITCH = re.compile(r"([A-Ga-g])(##|#|bb|b|♯|♭)?(-?\d+)")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "♯": 1, "##": 2, "b": -1, "♭": -1, "bb": -2}


class ControlError(MuspyError):
    """A demand that cannot be understood or met."""


@dataclass(frozen=True)
class Lock:
    """Notes whose part is fixed: those of one onset and pitch. onset: in quarters. origin: where it was written."""

    onset: Fraction
    pitch: int
    part: int
    origin: str = ""


@dataclass(frozen=True)
class Control:
    """The demands on a separation into `parts`.

    excluded: parts that stay empty. ranges: by part the lowest and highest pitch that it may have. limits: by part the
    notes that it may play at once. locks: notes whose part is fixed. tracks: by the name or the number (from 1) of an
    input track, the part that all its notes have. Demands that contradict each other or the music are broken where
    they must be, never a note lost.
    """

    parts: PartSet
    excluded: tuple[int, ...] = ()
    ranges: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    limits: Mapping[int, int] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    tracks: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.excluded)) == len(self.parts):
            raise ControlError(f"all {len(self.parts)} parts are excluded; leave at least one")
        for lock in self.locks:
            if lock.part in self.excluded:
                raise ControlError(f"{lock.origin or 'a lock'}: {self.parts.names[lock.part]} is left out")
        for track, part in self.tracks.items():
            if part in self.excluded:
                raise ControlError(f"track {track}: {self.parts.names[part]} is left out")

    @property
    def polyphony(self) -> Integers | None:
        """The limits as `decoding.seat_costs` reads them, (K,); None if there is none."""
        if not self.limits:
            return None
        return np.array([self.limits.get(part, NO_LIMIT) for part in range(len(self.parts))])

    def decoding(self, config: DecodingConfig) -> DecodingConfig:
        """Return a model's penalties with those of the usual ranges and of parts left out."""
        return replace(config, range_penalty=RANGE_PENALTY, excluded_parts=self.excluded)

    def limited(self, logits: Floats, pitch: Integers) -> NDArray[np.float64]:
        """Return logits that shun a part the more, the farther outside its demanded range a note lies, (n, K)."""
        result = logits.astype(np.float64)
        for part, (low, high) in self.ranges.items():
            result[:, part] -= LIMIT_PENALTY * (np.maximum(low - pitch, 0) + np.maximum(pitch - high, 0))
        return result

    def locked(self, mixture: Mixture, origin: Integers, names: Sequence[str | None]) -> Integers | None:
        """Return the part that each note must have, (n,), FREE for any; None if no note is fixed.

        origin: (n,) input track of each note. names: of the input tracks. A lock of one note goes before that of its
        track. Raises ControlError for a lock that fits no note.
        """
        if not (self.locks or self.tracks):
            return None
        locks = np.full(len(mixture), FREE)
        for wanted, part in self.tracks.items():
            locks[np.isin(origin, _tracks_named(wanted, names))] = part
        taken = np.zeros(len(mixture), bool)
        for lock in self.locks:
            step = int(lock.onset * RESOLUTION + Fraction(1, 2))
            fitting = np.flatnonzero((mixture.onset == step) & (mixture.pitch == lock.pitch))
            if not len(fitting):
                where = f"{lock.origin}: " if lock.origin else ""
                raise ControlError(f"{where}no note of pitch {lock.pitch} begins at quarter {float(lock.onset):g}")
            free = fitting[~taken[fitting]]  # the second lock of a unison is that of its second note
            row = int(free[0]) if len(free) else int(fitting[-1])
            locks[row], taken[row] = lock.part, True
        return locks


def control_of(
    parts: PartSet,
    *,
    ensemble: str | None = None,
    excluded: Sequence[str] = (),
    ranges: Sequence[str] = (),
    polyphony: Sequence[str] = (),
    locks: str | os.PathLike[str] | None = None,
    tracks: Sequence[str] = (),
) -> Control:
    """Build the demands from what a user writes.

    parts: those of the model. ensemble: "violin,violin,viola,cello". excluded: names or numbers of parts. ranges:
    "Soprano=C4-A5". polyphony: "Viola=2". locks: a file, see `read_locks`. tracks: "Melody=Soprano", the input's track
    and its part. Raises MuspyError for what cannot be understood.
    """
    left_out = tuple(sorted({parts.index(name) for name in excluded}))
    if ensemble is not None:
        names = [name.strip() for name in ensemble.split(",") if name.strip()]
        parts, left_out = with_instruments(parts, names, left_out)
    spans = {}
    for text in ranges:
        part, value = _pair(text, "a range", "Soprano=C4-A5")
        spans[parts.index(part)] = _span(text, value)
    limits = {}
    for text in polyphony:
        part, value = _pair(text, "a polyphony limit", "Viola=2")
        if not value.isdigit() or not int(value):
            raise ControlError(f"{text}: a polyphony limit is a whole number above 0, as in Viola=2")
        limits[parts.index(part)] = int(value)
    fixed = {}
    for text in tracks:
        track, part = _pair(text, "a fixed track", "Melody=Soprano")
        fixed[track] = parts.index(part)
    read = () if locks is None else read_locks(locks, parts)
    return Control(parts, left_out, spans, limits, read, fixed)


def read_locks(path: str | os.PathLike[str], parts: PartSet) -> tuple[Lock, ...]:
    """Read the notes whose part is fixed, one a line: onset in quarters, pitch, part (`4.5,E4,Tenor` or `9/2,64,3`).

    A first line `onset,pitch,part` and lines that begin with # are passed over. Raises ControlError with the line.
    """
    path = Path(path)
    locks = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = list(csv.reader(file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ControlError(f"{path}: is not a text file of locks ({error})") from None
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#") or (number == 1 and cells[0].lower() == "onset"):
            continue
        origin = f"{path}, line {number}"
        if len(cells) != 3:
            raise ControlError(f"{origin}: a lock is an onset in quarters, a pitch and a part, not {','.join(row)!r}")
        try:
            locks.append(Lock(_onset(cells[0]), pitch_number(cells[1]), parts.index(cells[2]), origin))
        except ValueError as error:
            raise ControlError(f"{origin}: {error}") from None
    return tuple(locks)


def pitch_number(text: str) -> int:
    """Return the MIDI note number of a pitch, written as 60 or C4 (F#3, Bb2); raises ControlError."""
    found = _PITCH.fullmatch(text)
    if found is not None:
        letter, sign, octave = found.groups()
        number = _LETTERS[letter.upper()] + _SIGNS[sign or ""] + 12 * (int(octave) + 1)
    elif text.isdigit():
        number = int(text)
    else:
        raise ControlError(f"{text!r} is no pitch; pitches are C4, F#3, Bb2 or MIDI note numbers")
    if not 0 <= number <= 127:
        raise ControlError(f"pitch {text} is outside 0 to 127")
    return number


def _onset(text: str) -> Fraction:
    try:
        onset = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ControlError(f"{text!r} is no onset; onsets are quarters from the beginning, as 4.5 or 9/2") from None
    if onset < 0:
        raise ControlError(f"onset {text} is before the beginning")
    return onset


def _pair(text: str, what: str, example: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not (equals and name.strip() and value.strip()):
        raise ControlError(f"{text!r} is not {what}; write {example}")
    return name.strip(), value.strip()


def _span(text: str, value: str) -> tuple[int, int]:
    """The two pitches of a range; a minus sign may stand before an octave, so the dash between them is looked for."""
    for place in (i for i, sign in enumerate(value) if sign in "-–" and i):
        try:
            low, high = pitch_number(value[:place].strip()), pitch_number(value[place + 1 :].strip())
        except ControlError:
            continue
        if low > high:
            raise ControlError(f"{text}: {value[:place]} is above {value[place + 1 :]}")
        return low, high
    raise ControlError(f"{text}: a range is two pitches, as in Soprano=C4-A5")


def _tracks_named(wanted: str, names: Sequence[str | None]) -> list[int]:
    """The input tracks that a user means by a name or number; raises ControlError with those there are."""
    found = [i for i, name in enumerate(names) if (name or "").strip().lower() == wanted.lower()]
    if not found and wanted.isdigit() and 1 <= int(wanted) <= len(names):
        found = [int(wanted) - 1]
    if not found:
        there = ", ".join(f"{i} {name}" if name else str(i) for i, name in enumerate(names, 1))
        raise ControlError(f"no track {wanted!r} in the music; its tracks are {there}")
    return found
