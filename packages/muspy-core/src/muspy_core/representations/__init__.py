"""Music as arrays for models, each representation with its encoder and decoder (timing → representations).

In reading order: `note` (rows of notes, and the columns the others start from), `pitch`, `pianoroll`, `event`,
`performance`, `remi`, `multitrack`; `pairing` and `sequence` serve the event-based ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from muspy_core.music import Music
from muspy_core.representations.event import from_event_representation, to_event_representation
from muspy_core.representations.multitrack import (
    MultitrackEventVocabulary,
    from_multitrack_event_representation,
    to_multitrack_event_representation,
)
from muspy_core.representations.note import from_note_representation, to_note_representation
from muspy_core.representations.performance import (
    DefaultEventSequence,
    PerformanceEventSequence,
    from_default_event_representation,
    from_performance_event_representation,
    get_default_indexer,
    get_performance_indexer,
    to_default_event_representation,
    to_default_event_sequence,
    to_performance_event_representation,
    to_performance_event_sequence,
)
from muspy_core.representations.pianoroll import from_pianoroll_representation, to_pianoroll_representation
from muspy_core.representations.pitch import from_pitch_representation, to_pitch_representation
from muspy_core.representations.processors import (
    EventRepresentationProcessor,
    NoteRepresentationProcessor,
    PianoRollRepresentationProcessor,
    PitchRepresentationProcessor,
)
from muspy_core.representations.remi import (
    REMIEventSequence,
    from_remi_event_representation,
    get_remi_indexer,
    to_remi_event_representation,
    to_remi_event_sequence,
)
from muspy_core.representations.sequence import EventSequence, Indexer

__all__ = [
    "DefaultEventSequence",
    "EventRepresentationProcessor",
    "EventSequence",
    "Indexer",
    "MultitrackEventVocabulary",
    "NoteRepresentationProcessor",
    "PerformanceEventSequence",
    "PianoRollRepresentationProcessor",
    "PitchRepresentationProcessor",
    "REMIEventSequence",
    "from_default_event_representation",
    "from_event_representation",
    "from_multitrack_event_representation",
    "from_note_representation",
    "from_performance_event_representation",
    "from_pianoroll_representation",
    "from_pitch_representation",
    "from_remi_event_representation",
    "from_representation",
    "get_default_indexer",
    "get_indexer",
    "get_performance_indexer",
    "get_remi_indexer",
    "to_default_event_representation",
    "to_default_event_sequence",
    "to_event_representation",
    "to_multitrack_event_representation",
    "to_note_representation",
    "to_performance_event_representation",
    "to_performance_event_sequence",
    "to_pianoroll_representation",
    "to_pitch_representation",
    "to_remi_event_representation",
    "to_remi_event_sequence",
    "to_representation",
]

ENCODERS: dict[str, Callable[..., NDArray[Any]]] = {
    "pitch": to_pitch_representation,
    "pianoroll": to_pianoroll_representation,
    "event": to_event_representation,
    "note": to_note_representation,
    "default": to_default_event_representation,
    "performance": to_performance_event_representation,
    "remi": to_remi_event_representation,
    "multitrack": to_multitrack_event_representation,
}
DECODERS: dict[str, Callable[..., Music]] = {
    "pitch": from_pitch_representation,
    "pianoroll": from_pianoroll_representation,
    "event": from_event_representation,
    "note": from_note_representation,
    "default": from_default_event_representation,
    "performance": from_performance_event_representation,
    "remi": from_remi_event_representation,
    "multitrack": from_multitrack_event_representation,
}
OTHER_NAMES = {
    "pitch-based": "pitch",
    "piano-roll": "pianoroll",
    "piano roll": "pianoroll",
    "event-based": "event",
    "note-based": "note",
}


def to_representation(music: Music, kind: str, **kwargs: Any) -> NDArray[Any]:
    """Encode music in a representation: "pitch", "pianoroll", "event", "note" (MusPy's four, also as "pitch-based",
    "piano-roll", …), "default", "performance", "remi" or "multitrack".

    kwargs: options of the `to_…_representation` function. Raises ValueError for another kind.
    """
    return ENCODERS[_kind(kind)](music, **kwargs)


def from_representation(array: NDArray[Any], kind: str, **kwargs: Any) -> Music:
    """Decode an array in a representation (see `to_representation` for the kinds) into music.

    kwargs: options of the `from_…_representation` function. Raises ValueError for another kind.
    """
    return DECODERS[_kind(kind)](array, **kwargs)


def get_indexer(preset: str | None = None) -> Indexer:
    """Return a vocabulary: "midi" (the default event sequence), "performance" or "remi".

    Raises ValueError for another name.
    """
    indexers = {"midi": get_default_indexer, "performance": get_performance_indexer, "remi": get_remi_indexer}
    name = "midi" if preset is None else preset.lower()
    if name not in indexers:
        raise ValueError(f"unknown vocabulary {preset!r}; expected one of {', '.join(indexers)}")
    return indexers[name]()


def _kind(kind: str) -> str:
    name = OTHER_NAMES.get(kind.lower(), kind.lower())
    if name not in ENCODERS:
        raise ValueError(f"Expect `kind` to be one of {', '.join(ENCODERS)}, but got {kind!r}")
    return name
