"""MEI files → Music, and what Humdrum files share with them: verovio turns both into MEI of one form."""

from __future__ import annotations

from muspy_core.io.mei.reader import read_mei, read_mei_bytes

__all__ = ["read_mei", "read_mei_bytes"]
