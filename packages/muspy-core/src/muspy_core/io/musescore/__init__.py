"""MuseScore files → Music."""

from __future__ import annotations

from muspy_core.io.musescore.reader import read_musescore, read_musescore_bytes
from muspy_core.io.musescore.source import MuseScoreWarning

__all__ = ["MuseScoreWarning", "read_musescore", "read_musescore_bytes"]
