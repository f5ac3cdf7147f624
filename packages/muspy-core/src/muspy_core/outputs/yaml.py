"""MusPy's `muspy.outputs.yaml`: music → YAML."""

from __future__ import annotations

from muspy_core.io.yaml import save_yaml

__all__ = ["save_yaml"]
