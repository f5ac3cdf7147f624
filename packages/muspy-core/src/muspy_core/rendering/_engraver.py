"""The child process of `engrave`: one JSON request on stdin, one JSON answer on stdout.

verovio is C++ that can end a process, and takes its time on dense pages; here it can do neither to the caller.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def engrave_request(request: dict[str, Any]) -> dict[str, Any]:
    """Lay out a MusicXML document.

    request: "xml", "pages" (the most to draw, or None), "measures" (a range of places such as "2-5", or None) and
    "options" of verovio. Returns "pages" (SVG), "total" (pages of the whole score) and "timemap"; or "error".
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(request["options"])
    if not toolkit.loadData(request["xml"]):
        return {"error": "verovio does not accept the score"}
    if request["measures"] is not None:
        toolkit.select({"measureRange": request["measures"]})
        toolkit.redoLayout()
    total = toolkit.getPageCount()
    count = total if request["pages"] is None else min(total, request["pages"])
    pages = [toolkit.renderToSVG(number) for number in range(1, count + 1)]
    return {"pages": pages, "total": total, "timemap": toolkit.renderToTimemap()}


if __name__ == "__main__":
    json.dump(engrave_request(json.load(sys.stdin)), sys.stdout)
