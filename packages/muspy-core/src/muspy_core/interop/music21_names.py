"""What marks, keys, chord kinds and spellings are called in music21 and here."""

from __future__ import annotations

from typing import Any

# Here (MusicXML's names) → class in music21.articulations.
ARTICULATIONS = {
    "accent": "Accent",
    "strong-accent": "StrongAccent",
    "staccato": "Staccato",
    "tenuto": "Tenuto",
    "detached-legato": "DetachedLegato",
    "staccatissimo": "Staccatissimo",
    "spiccato": "Spiccato",
    "scoop": "Scoop",
    "plop": "Plop",
    "doit": "Doit",
    "falloff": "Falloff",
    "breath-mark": "BreathMark",
    "caesura": "Caesura",
    "stress": "Stress",
    "unstress": "Unstress",
    "up-bow": "UpBow",
    "down-bow": "DownBow",
    "harmonic": "Harmonic",
    "open-string": "OpenString",
    "snap-pizzicato": "SnapPizzicato",
    "stopped": "Stopped",
}
# Here → class in music21.expressions; a tremolo carries its number of beams ("tremolo-3").
ORNAMENTS = {
    "trill-mark": "Trill",
    "mordent": "Mordent",
    "inverted-mordent": "InvertedMordent",
    "turn": "Turn",
    "inverted-turn": "InvertedTurn",
    "schleifer": "Schleifer",
    "shake": "Shake",
}
TREMOLO = "tremolo-"

_ARTICULATION_NAMES = {cls: name for name, cls in ARTICULATIONS.items()}
_ORNAMENT_NAMES = {cls: name for name, cls in ORNAMENTS.items()}


def spelling_here(name: str) -> str:
    """Return a spelling of music21 as we write it: "B-" → "Bb"."""
    return name.replace("-", "b")


def spelling_there(name: str) -> str:
    """Return one of our spellings as music21 writes it: "Bb" → "B-"."""
    return name.replace("b", "-")


def articulations_of(note: Any) -> list[str] | None:
    """Return the names of the articulations (and fermatas) of a music21 note, None if it has none."""
    names = [_name_of(item, _ARTICULATION_NAMES) for item in note.articulations]
    names += ["fermata" for item in note.expressions if type(item).__name__ == "Fermata"]
    return [name for name in names if name] or None


def ornaments_of(note: Any) -> list[str] | None:
    """Return the names of the ornaments of a music21 note, None if it has none."""
    names = []
    for item in note.expressions:
        if type(item).__name__ == "Tremolo":
            names.append(f"{TREMOLO}{item.numberOfMarks}")
        else:
            names.append(_name_of(item, _ORNAMENT_NAMES) or "")
    return [name for name in names if name] or None


def _name_of(item: Any, names: dict[str, str]) -> str | None:
    return next((names[cls.__name__] for cls in type(item).__mro__ if cls.__name__ in names), None)
