"""MusPy's `muspy.outputs.note`: music → rows of notes."""

from __future__ import annotations

from muspy_core.representations import to_note_representation

__all__ = ["to_note_representation"]
