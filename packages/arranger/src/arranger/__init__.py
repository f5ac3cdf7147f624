"""Automatic instrumentation: separate a mixture of notes into parts (dissertation chapter 4).

from arranger.separate import separate

parts = separate(muspy_core.read("song.mid"), model="bach-chorales", mode="offline").music
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
