"""MusPy's `muspy.outputs.json`: music → JSON."""

from __future__ import annotations

from muspy_core.io.json import save_json

__all__ = ["save_json"]
