"""The child process of `normalise`: a score on stdin, MEI of verovio's form (or an error) as JSON on stdout.

verovio is C++ that can end a process, or grow, over a damaged file; here it can do neither to the caller.
"""

from __future__ import annotations

import json
import sys
from typing import Any

MEMORY_BYTES = 2 * 1024**3


def normalise_request(request: dict[str, Any]) -> dict[str, Any]:
    """Return {"mei": document} or {"error": reason}. request: "text" and "format" ("mei" or "humdrum")."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({"inputFrom": request["format"], "breaks": "none", "expandNever": True})
    if not toolkit.loadData(request["text"]):
        return {"error": "verovio does not accept it"}
    return {"mei": toolkit.getMEI({"scoreBased": True, "removeIds": False})}


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    _bound_memory()
    sys.stdout.buffer.write(json.dumps(normalise_request(json.loads(sys.stdin.buffer.read()))).encode())
