"""MusPy's `muspy.inputs.wrappers`: any of them → music."""

from __future__ import annotations

from muspy_core.interop import from_object
from muspy_core.io import load, read
from muspy_core.representations import from_representation

__all__ = ["from_object", "from_representation", "load", "read"]
