"""Automatic instrumentation: separate a mixture of notes into parts (dissertation chapter 4).

import arranger
parts = arranger.separate(music, model="bach-chorales", mode="offline").music
"""

from __future__ import annotations

__version__ = "0.1.0"
