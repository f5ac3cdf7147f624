"""MusPy's `muspy.outputs.pianoroll`: music → piano rolls."""

from __future__ import annotations

from muspy_core.interop import to_pypianoroll
from muspy_core.representations import to_pianoroll_representation

__all__ = ["to_pianoroll_representation", "to_pypianoroll"]
