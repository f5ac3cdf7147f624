"""MusPy's `muspy.inputs.musicxml`: MusicXML → music."""

from __future__ import annotations

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml import read_musicxml

__all__ = ["MusicXMLError", "read_musicxml"]
