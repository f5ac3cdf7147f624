"""MusPy's `muspy.outputs.pitch`: music → pitches a time step."""

from __future__ import annotations

from muspy_core.representations import to_pitch_representation

__all__ = ["to_pitch_representation"]
