"""Notes and chords of music21 → what sounds, ties merged (used by `music21.py`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from muspy_core.events import Grace, Tie
from muspy_core.interop.music21_names import articulations_of, ornaments_of, spelling_here
from muspy_core.interop.peers import import_peer


@dataclasses.dataclass
class Sounding:
    """A note, or a chord of which all members end together. onset, length: in quarter notes."""

    onset: Fraction
    length: Fraction
    pitches: tuple[int, ...]
    spellings: tuple[str | None, ...]
    velocity: int | None
    voice: int | None
    tie: str | None
    grace: Grace | None
    articulations: list[str] | None
    ornaments: list[str] | None
    began_tied: bool = False

    @property
    def end(self) -> Fraction:
        """Where it ends, in quarter notes."""
        return self.onset + self.length

    @property
    def open_tie(self) -> Tie | None:
        """The tie that is left open at its borders after merging."""
        goes_on = self.tie in ("start", "continue")
        if self.began_tied:
            return "continue" if goes_on else "stop"
        return "start" if goes_on else None

    def members(self) -> list[Sounding]:
        """The notes of a chord, one by one."""
        return [
            dataclasses.replace(self, pitches=(pitch,), spellings=(spelling,))
            for pitch, spelling in zip(self.pitches, self.spellings, strict=True)
        ]


def soundings_of(element: Any, onset: Fraction, voice: int | None) -> Iterator[Sounding]:
    """Return what a music21 element sounds: nothing, a note, or a chord; a chord tied in part is several notes."""
    classes = element.classes
    if "ChordSymbol" in classes or "NotRest" not in classes:
        return
    members = list(element.notes) if "ChordBase" in classes else [element]
    ties = [member.tie.type if member.tie is not None else None for member in members]
    if "ChordBase" in classes and element.tie is not None and not any(ties):
        ties = [element.tie.type] * len(members)
    grace: Grace | None = None
    length = Fraction(element.duration.quarterLength)
    if element.duration.isGrace:
        grace = "acciaccatura" if element.duration.slash else "appoggiatura"
        length = _nominal_length(element.duration.type)
    whole = Sounding(
        onset,
        length,
        tuple(_pitch_of(member) for member in members),
        tuple(_spelling_of(member) for member in members),
        element.volume.velocity,
        voice,
        None,
        grace,
        articulations_of(element),
        ornaments_of(element),
    )
    if len(set(ties)) <= 1:
        groups = [whole]
        ties = ties[:1]
    else:
        groups = whole.members()
    for group, tie in zip(groups, ties, strict=True):
        if group.pitches:
            group.tie = tie
            group.began_tied = tie in ("stop", "continue")
            yield group


def merge_ties(soundings: Iterable[Sounding]) -> list[Sounding]:
    """Join each tied note (or chord) to the one that it continues."""
    merged: list[Sounding] = []
    # What waits for its continuation: pitches and end → the sounding.
    waiting: dict[tuple[tuple[int, ...], Fraction], Sounding] = {}
    for item in soundings:
        previous = waiting.pop((item.pitches, item.onset), None) if item.began_tied else None
        if previous is None and item.began_tied and _split_for(item, waiting, merged):
            previous = waiting.pop((item.pitches, item.onset), None)
        if previous is None:
            previous = item
            merged.append(item)
        else:
            previous.length += item.length
            previous.tie = item.tie
        if previous.tie in ("start", "continue"):
            waiting[previous.pitches, previous.end] = previous
    return merged


def _split_for(
    item: Sounding, waiting: dict[tuple[tuple[int, ...], Fraction], Sounding], merged: list[Sounding]
) -> bool:
    """Split a waiting chord into notes if `item` continues only some of them; return whether one was split."""
    for (pitches, end), chord in waiting.items():
        if end == item.onset and len(pitches) > 1 and set(item.pitches) < set(pitches):
            del waiting[pitches, end]
            notes = chord.members()
            position = next(index for index, one in enumerate(merged) if one is chord)
            merged[position : position + 1] = notes
            waiting.update({(note.pitches, note.end): note for note in notes})
            return True
    return False


def _pitch_of(note: Any) -> int:
    if "Unpitched" in note.classes:
        mapped = getattr(note.storedInstrument, "percMapPitch", None)
        return int(note.displayPitch().midi) if mapped is None else int(mapped)
    return int(note.pitch.midi)


def _spelling_of(note: Any) -> str | None:
    if "Unpitched" in note.classes:
        return None
    return spelling_here(note.pitch.name)


def _nominal_length(note_type: str) -> Fraction:
    duration = import_peer("music21.duration")
    return Fraction(duration.typeToDuration.get(note_type, 0))
