"""MusPy's `muspy.inputs.music21`: music21 objects → music."""

from __future__ import annotations

from muspy_core.interop import from_music21, from_music21_opus, from_music21_part, from_music21_score

__all__ = ["from_music21", "from_music21_opus", "from_music21_part", "from_music21_score"]
