"""MusPy's `muspy.inputs.pianoroll`: piano rolls → music."""

from __future__ import annotations

from muspy_core.interop import from_pypianoroll, from_pypianoroll_track
from muspy_core.representations import from_pianoroll_representation

__all__ = ["from_pianoroll_representation", "from_pypianoroll", "from_pypianoroll_track"]
