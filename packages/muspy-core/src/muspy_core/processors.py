"""MusPy's `muspy.processors`: representations as objects, from `muspy_core.representations`."""

from __future__ import annotations

from muspy_core.representations.processors import (
    EventRepresentationProcessor,
    NoteRepresentationProcessor,
    PianoRollRepresentationProcessor,
    PitchRepresentationProcessor,
)

__all__ = [
    "EventRepresentationProcessor",
    "NoteRepresentationProcessor",
    "PianoRollRepresentationProcessor",
    "PitchRepresentationProcessor",
]
