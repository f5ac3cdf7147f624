"""Multitrack Music Transformer: generating music for many instruments (dissertation chapter 3).

In the order of the flow: instruments → notes → encoding (and baselines) → prepare → songs → data → config → layers,
heads → model → losses → training; sampling, grammar → generate → output → cli.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.0.1"
