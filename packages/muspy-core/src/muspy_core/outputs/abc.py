"""MusPy's `muspy.outputs.abc`: music → tune books."""

from __future__ import annotations

from muspy_core.io.abc import write_abc

__all__ = ["write_abc"]
