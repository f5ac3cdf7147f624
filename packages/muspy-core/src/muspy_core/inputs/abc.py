"""MusPy's `muspy.inputs.abc`: tune books → music."""

from __future__ import annotations

from muspy_core.io.abc import read_abc, read_abc_string

__all__ = ["read_abc", "read_abc_string"]
