"""MusPy's `muspy.inputs.pitch`: pitches a time step → music."""

from __future__ import annotations

from muspy_core.representations import from_pitch_representation

__all__ = ["from_pitch_representation"]
