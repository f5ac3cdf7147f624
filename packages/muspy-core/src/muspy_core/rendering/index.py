"""Many pages → the page that leads to them: titles, facts, and what failed (the end of `muspy-core view FOLDER`)."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from muspy_core.rendering.page import Link, Links, Page, Section, Table

_HEAD = 4 * 1024 * 1024  # titles and facts stand in front of the score and the sound


def write_index(
    path: str | os.PathLike[str], pages: Sequence[Path], failed: Sequence[tuple[str, str]] = (), *, title: str = "Music"
) -> Path:
    """Write an HTML page with a link to each page, and a table of what failed; return its path.

    pages: pages that `view` wrote, in the folder of the index or below it. failed: (file, reason). An index that exists
    is replaced, any other file is not: FileExistsError.
    """
    path = Path(path)
    if path.exists() and 'class="links"' not in path.read_text(encoding="utf-8", errors="replace"):
        raise FileExistsError(17, "is no index of ours and is not replaced", str(path))
    sections: list[Section] = [Links([_link(page, path.parent) for page in pages])]
    if failed:
        sections.append(Table(("file", "reason"), failed, heading="Not shown"))
    count = f"{len(pages)} page" if len(pages) == 1 else f"{len(pages)} pages"
    return Page(title, sections, subtitle=count, footer="Made with muspy-core.").write(path)


def _link(page: Path, folder: Path) -> Link:
    """Read from a page what it is called and what it says of itself."""
    inside = page.relative_to(folder)
    with open(page, encoding="utf-8", errors="replace") as file:
        head = file.read(_HEAD)
    title = re.search(r"<h1>(.*?)</h1>", head)
    facts = re.findall(r"<dt>(Length|Key|Tracks)</dt><dd>(.*?)</dd>", head)
    address = "/".join(quote(part) for part in inside.parts)
    name = html.unescape(title[1]) if title else page.stem
    return Link(address, name, " · ".join([inside.as_posix(), *(f"{a.lower()} {html.unescape(b)}" for a, b in facts)]))
