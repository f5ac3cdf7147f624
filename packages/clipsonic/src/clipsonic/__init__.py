"""CLIPSonic: text-to-audio synthesis learned from unlabeled videos (dissertation chapter 7).

In the order of the flow: config → features (spectrogram, queries) → prepare → data → model → schedule → losses →
training; guidance, sampling, canvas → generate → vocoder → output → cli. `prior.py` turns vectors of texts into vectors
of images.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.0.1"
