"""MusicXML files ⇄ Music."""

from __future__ import annotations

from muspy_core.io.musicxml.reader import read_musicxml, read_musicxml_bytes

__all__ = ["read_musicxml", "read_musicxml_bytes"]
