"""MusPy's `muspy.outputs.audio`: music → sound."""

from __future__ import annotations

from muspy_core.rendering import synthesize, write_audio

__all__ = ["synthesize", "write_audio"]
