"""MusPy's `muspy.outputs.wrappers`: music → any of them."""

from __future__ import annotations

from muspy_core.interop import to_object
from muspy_core.io import save, write
from muspy_core.representations import to_representation

__all__ = ["save", "to_object", "to_representation", "write"]
