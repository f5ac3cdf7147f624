"""MusPy's `muspy.inputs.event`: event codes → music."""

from __future__ import annotations

from muspy_core.representations import from_event_representation

__all__ = ["from_event_representation"]
