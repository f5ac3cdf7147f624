"""No package imports a sibling: only muspy_core is shared (docs/architecture.md, "Borders").

Reads the sources without importing them, so that it needs nothing installed:

    python tools/check_borders.py [packages/]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

CORE = "muspy_core"
PACKAGES = (CORE, "mmt", "arranger", "deepperformer", "clipsep", "clipsonic")


def imported_modules(source: str, filename: str = "<string>") -> Iterator[tuple[int, str]]:
    """Yield (line, top-level module) of every absolute import, nested or by `import_module("…")`."""
    for node in ast.walk(ast.parse(source, filename)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and (dynamic := dynamic_import(node)):
            yield node.lineno, dynamic.partition(".")[0]


def dynamic_import(call: ast.Call) -> str | None:
    """The module that `import_module("name")` or `__import__("name")` loads; None for any other call."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    first = call.args[0] if call.args else None
    if function in {"import_module", "__import__"} and isinstance(first, ast.Constant):
        return str(first.value)
    return None


def allowed(importer: str) -> set[str]:
    """The packages of the workspace that `importer` may import: itself and the core."""
    return {importer, CORE}


def violations(packages: Path) -> Iterator[str]:
    """Yield one line for every import under packages/*/ (sources and tests) that crosses a border."""
    for importer in PACKAGES:
        folder = packages / importer.replace("_", "-")
        for path in sorted(folder.rglob("*.py")):
            for line, module in imported_modules(path.read_text(encoding="utf-8"), str(path)):
                if module in PACKAGES and module not in allowed(importer):
                    yield f"{path}:{line}: {importer} imports its sibling {module}; only {CORE} is shared"


def main(arguments: list[str]) -> int:
    """Print what was found; 1 if there is a violation."""
    packages = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1] / "packages"
    found = list(violations(packages))
    for line in found:
        print(line)
    print(f"borders: {len(found)} imports of a sibling in {packages.name}/")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
