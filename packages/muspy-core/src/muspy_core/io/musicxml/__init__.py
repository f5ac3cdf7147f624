"""MusicXML files ⇄ Music."""

from __future__ import annotations

from muspy_core.io.musicxml.reader import read_musicxml, read_musicxml_bytes
from muspy_core.io.musicxml.writer import musicxml_bytes, write_musicxml

__all__ = ["musicxml_bytes", "read_musicxml", "read_musicxml_bytes", "write_musicxml"]
