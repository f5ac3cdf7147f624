"""The lowest versions that the six packages allow, as constraints for pip (`nox -s tests-lowest`).

    python tools/lowest_versions.py lowest.txt

torch is left out, since one of two years ago has no wheels for new Pythons and CUDA, and typing-extensions, of which a
new torch wants a newer one. So is what only tests need.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1] / "packages"
LEFT_OUT = ("torch", "typing-extensions", "muspy-core")
BOUND = re.compile(r'"([\w.-]+)(?:\[[\w,-]+\])?>=([\d.]+)')


def lowest() -> dict[str, str]:
    """Return the lower bound of each dependency, the highest of them where packages differ."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGES.glob("*/pyproject.toml")):
        project = path.read_text(encoding="utf-8").partition("[project]")[2].partition("[tool.")[0]
        for name, version in BOUND.findall(project):
            if name not in LEFT_OUT:
                found[name] = max(found.get(name, version), version, key=numbers)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
    return tuple(int(part) for part in version.split("."))


if __name__ == "__main__":
    lines = [f"{name}=={version if '.' in version else f'{version}.0'}.*\n" for name, version in lowest().items()]
    Path(sys.argv[1]).write_text("".join(lines), "utf-8")
    print(f"{len(lowest())} lower bounds in {sys.argv[1]}")
