"""MusPy's `muspy.outputs.music21`: music → music21 objects."""

from __future__ import annotations

from muspy_core.interop import to_music21

__all__ = ["to_music21"]
