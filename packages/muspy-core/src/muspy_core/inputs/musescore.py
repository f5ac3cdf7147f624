"""MusPy's `muspy.inputs.musescore`: MuseScore files → music."""

from __future__ import annotations

from muspy_core.errors import MuseScoreError
from muspy_core.io.musescore import read_musescore

__all__ = ["MuseScoreError", "read_musescore"]
