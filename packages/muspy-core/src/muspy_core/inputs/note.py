"""MusPy's `muspy.inputs.note`: rows of notes → music."""

from __future__ import annotations

from muspy_core.representations import from_note_representation

__all__ = ["from_note_representation"]
