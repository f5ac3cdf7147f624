"""CLIPSonic: text-to-audio synthesis learned from unlabeled videos (dissertation chapter 7).

This version holds the package's metadata and nothing else; README.md says what is planned.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.0.1"
