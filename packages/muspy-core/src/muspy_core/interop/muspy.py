"""MusPy's objects ⇄ ours, which have the same names and attributes (interop, through dictionaries)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muspy_core.interop.peers import import_peer

if TYPE_CHECKING:
    from muspy_core.base import Base


def from_muspy(obj: Any) -> Any:
    """Return an object of MusPy (music, a track, a note, …) as the object of the same name here."""
    import muspy_core

    made: Base = getattr(muspy_core, type(obj).__name__).from_dict(obj.to_ordered_dict())
    return made


def to_muspy(obj: Base) -> Any:
    """Return music, a track or an event as MusPy's object of the same name; what only we have is left out."""
    muspy = import_peer("muspy")
    return getattr(muspy, type(obj).__name__).from_dict(obj.to_ordered_dict())
