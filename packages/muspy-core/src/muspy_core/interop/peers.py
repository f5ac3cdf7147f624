"""How the other libraries are imported: when needed, and with an error that says how to get them."""

from __future__ import annotations

import importlib
from typing import Any


def import_peer(name: str) -> Any:
    """Import a library (or one of its modules); raises ImportError that says what to install if it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise ImportError(
            f"this needs {library}, which could not be imported ({error}); install muspy-core with its extra "
            f'"interop", or {library} itself'
        ) from error
