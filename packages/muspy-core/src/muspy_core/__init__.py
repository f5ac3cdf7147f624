"""muspy-core: symbolic music for machine learning.

`import muspy_core as muspy` runs code written for MusPy. Names are imported when they are first used, so that the
import is light; `__init__.pyi` lists them with their modules.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
