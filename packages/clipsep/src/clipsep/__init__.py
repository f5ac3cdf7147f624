"""CLIPSep: text-queried sound separation learned from unlabeled videos (dissertation chapter 6).

In the order of the flow: features (spectrogram, queries), resnet → prepare → data → config → unet → model → losses →
training, fit → checkpoint, convert; windows → separate → remix, report; metrics → evaluate; cli.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.0.1"
