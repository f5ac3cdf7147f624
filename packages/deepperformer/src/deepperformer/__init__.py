"""Deep Performer: a score in, the sound of a performance out (dissertation chapter 5).

In the order of the flow: features (notes, spectrogram) → recordings, alignment → prepare → splits, clips, data →
config → layers → model, vocoder → losses → training → checkpoint → timing → perform → output, report → cli.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.0.1"
