"""Instruments by name, for parts that a user names: `violin,violin,viola,cello` (beside the part sets of `parts`).

Ranges are the usual ones of orchestration books, in sounding pitch; programs are those of General MIDI.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from arranger.parts import Part, PartsError, PartSet

MOST_PARTS = 8
_TREBLE, _ALTO, _TENOR, _BASS = ("G", 2, 0), ("C", 3, 0), ("G", 2, -1), ("F", 4, 0)
_OCTAVE_BASS = ("F", 4, -1)

INSTRUMENTS = {
    part.name.lower(): part
    for part in (
        Part("Piccolo", 72, ("G", 2, 1), 74, 108),
        Part("Flute", 73, _TREBLE, 60, 96),
        Part("Oboe", 68, _TREBLE, 58, 91),
        Part("English horn", 69, _TREBLE, 52, 81),
        Part("Clarinet", 71, _TREBLE, 50, 94),
        Part("Bass clarinet", 71, _TENOR, 38, 77),
        Part("Bassoon", 70, _BASS, 34, 75),
        Part("Recorder", 74, _TREBLE, 60, 86),
        Part("Soprano saxophone", 64, _TREBLE, 56, 87),
        Part("Alto saxophone", 65, _TREBLE, 49, 81),
        Part("Tenor saxophone", 66, _TENOR, 44, 76),
        Part("Baritone saxophone", 67, _BASS, 37, 69),
        Part("Horn", 60, _TREBLE, 41, 77),
        Part("Trumpet", 56, _TREBLE, 54, 82),
        Part("Trombone", 57, _BASS, 40, 72),
        Part("Tuba", 58, _BASS, 28, 58),
        Part("Violin", 40, _TREBLE, 55, 103),
        Part("Viola", 41, _ALTO, 48, 91),
        Part("Cello", 42, _BASS, 36, 81),
        Part("Double bass", 43, _OCTAVE_BASS, 28, 67),
        Part("Guitar", 24, _TENOR, 40, 83),
        Part("Electric bass", 33, _OCTAVE_BASS, 28, 67),
        Part("Piano", 0, _TREBLE, 21, 108),
        Part("Organ", 19, _TREBLE, 36, 96),
        Part("Soprano", 52, _TREBLE, 57, 84),
        Part("Alto", 52, _TREBLE, 50, 77),
        Part("Tenor", 52, _TENOR, 45, 70),
        Part("Baritone", 52, _BASS, 41, 67),
        Part("Bass", 52, _BASS, 34, 65),
    )
}


def instrument(name: str) -> Part:
    """Return the instrument of that name; raises PartsError with the nearest names."""
    wanted = " ".join(name.lower().split())
    if wanted not in INSTRUMENTS:
        near = difflib.get_close_matches(wanted, INSTRUMENTS, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(sorted(INSTRUMENTS))}"
        raise PartsError(f"unknown instrument {name!r}; {hint}")
    return INSTRUMENTS[wanted]


def ensemble(names: Sequence[str]) -> tuple[Part, ...]:
    """Return the instruments of an ensemble; those that come several times are numbered, as "Violin 1", "Violin 2"."""
    found = [instrument(name) for name in names]
    total, seen = Counter(part.name for part in found), Counter[str]()
    parts = []
    for part in found:
        seen[part.name] += 1
        several = total[part.name] > 1
        parts.append(replace(part, name=f"{part.name} {seen[part.name]}") if several else part)
    return tuple(parts)


def with_instruments(parts: PartSet, names: Sequence[str], excluded: Sequence[int]) -> tuple[PartSet, tuple[int, ...]]:
    """Return a model's parts under the names and ranges of a user's ensemble, and which of them are left out.

    names: 2 to 8 instruments from the highest part to the lowest; or some of the model's own parts, which leaves the
    others out. excluded: parts that the user has left out. Raises PartsError if the numbers do not match.
    """
    if not 2 <= len(names) <= MOST_PARTS:
        raise PartsError(f"an ensemble has 2 to {MOST_PARTS} parts, not {len(names)}")
    own = [parts.label_of(name) for name in names]
    labels = [label for label in own if label is not None]
    if not excluded and len(labels) == len(names) == len(set(labels)) and labels == sorted(labels):
        return parts, tuple(label for label in range(len(parts)) if label not in labels)
    left = [label for label in range(len(parts)) if label not in excluded]
    if len(names) > len(left):
        raise PartsError(f"{len(names)} parts are too many: {_room(parts, len(left))}; {_models_with(len(names))}")
    if len(names) < len(left):
        raise PartsError(
            f"{len(names)} parts are fewer than {_room(parts, len(left))}; leave out {len(left) - len(names)} of "
            f"{', '.join(parts.parts[label].name for label in left)} by --exclude"
        )
    renamed = list(parts.parts)
    for label, part in zip(left, ensemble(names), strict=True):
        renamed[label] = part
    return PartSet(parts.name, tuple(renamed)), tuple(excluded)


def _room(parts: PartSet, left: int) -> str:
    out = f", {len(parts) - left} of them left out" if left < len(parts) else ""
    return f"the model's {len(parts)}{out}"


def _models_with(count: int) -> str:
    """Say which bundled models have at least that many parts."""
    from arranger.checkpoint import MODES, ModelError, bundled, load_checkpoint

    fitting = []
    for name in bundled():
        for mode in MODES:
            try:
                parts = load_checkpoint(name, mode).config.part_set
            except ModelError:
                continue  # a model need not have every mode
            if len(parts) >= count:
                fitting.append(f"{name} ({len(parts)} parts)")
                break
    return f"models that fit: {', '.join(fitting)}" if fitting else f"no bundled model has {count} or more"
