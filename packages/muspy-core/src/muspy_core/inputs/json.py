"""MusPy's `muspy.inputs.json`: JSON → music."""

from __future__ import annotations

from muspy_core.io.json import load_json

__all__ = ["load_json"]
