"""MusPy's `muspy.outputs.musicxml`: music → MusicXML."""

from __future__ import annotations

from muspy_core.io.musicxml import write_musicxml

__all__ = ["write_musicxml"]
