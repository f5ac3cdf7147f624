"""MusPy's `muspy.inputs.yaml`: YAML → music."""

from __future__ import annotations

from muspy_core.io.yaml import load_yaml

__all__ = ["load_yaml"]
