"""The six packages share muspy_core and nothing else."""

from __future__ import annotations

from pathlib import Path

import check_borders
import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_no_package_imports_a_sibling() -> None:
    assert list(check_borders.violations(ROOT / "packages")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import clipsep",
        "import clipsep.model as other",
        "from clipsep import model",
        "def late():\n    from clipsep.model import UNet",
        "from importlib import import_module\nother = import_module('clipsep.model')",
    ],
)
def test_every_way_to_import_a_sibling_is_caught(tmp_path: Path, statement: str) -> None:
    source = tmp_path / "mmt" / "src" / "mmt" / "generate.py"
    source.parent.mkdir(parents=True)
    source.write_text(f"import muspy_core\nfrom . import model\n{statement}\n", encoding="utf-8")

    (found,) = check_borders.violations(tmp_path)

    assert "mmt imports its sibling clipsep" in found


def test_the_core_imports_no_model_package(tmp_path: Path) -> None:
    source = tmp_path / "muspy-core" / "cli.py"
    source.parent.mkdir(parents=True)
    source.write_text("import mmt\n", encoding="utf-8")

    assert len(list(check_borders.violations(tmp_path))) == 1


def test_every_package_of_the_workspace_is_checked() -> None:
    folders = {path.name.replace("-", "_") for path in (ROOT / "packages").iterdir() if path.is_dir()}

    assert folders == set(check_borders.PACKAGES)
