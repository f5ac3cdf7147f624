"""Names, versions and what is checked before a release."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from pathlib import Path

import check_release
import lowest_versions
import pytest
from check_installed import PACKAGES, distribution_name
from check_release import faults, tracked, version_of

ROOT = PACKAGES.parent
NAMES = sorted(path.name for path in PACKAGES.iterdir() if path.is_dir())
TAKEN = {"mmt", "arranger"}  # other people's projects on the index


def build(folder: Path, name: str, *, without: str = "", beside: str = "") -> tuple[Path, Path]:
    """Write a wheel and an sdist as hatchling would, with a file less or more."""
    information = f"x-{version_of(name)}.dist-info"
    lines = ["Metadata-Version: 2.4", f"Name: {distribution_name(name)}", f"Version: {version_of(name)}", "", ""]
    wheel, sdist = folder / "x.whl", folder / "x.tar.gz"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{information}/METADATA", "\n".join(lines))
        archive.writestr(f"{information}/licenses/LICENSE", "")
        for path in [*tracked(f"{name}/src"), *([beside] if beside else [])]:
            if path != without:
                archive.writestr(path, "")
    with tarfile.open(sdist, "w:gz") as sources:
        for path in tracked(name):
            if path != without:
                sources.addfile(tarfile.TarInfo(f"x-1/{path}"), io.BytesIO())
    return wheel, sdist


@pytest.mark.parametrize("name", NAMES)
def test_no_package_is_called_like_somebody_elses_project(name: str) -> None:
    text = (PACKAGES / name / "pyproject.toml").read_text(encoding="utf-8")
    assert distribution_name(name) == (f"muspy-{name}" if name in TAKEN else name)
    assert f'\n{name} = "{name.replace("-", "_")}.cli:main"' in text  # the command keeps its name


def test_nobody_is_told_to_install_somebody_elses_project() -> None:
    wrong = re.compile(r"pip install[^\n]*[\s'\"](mmt|arranger)(\[|['\"\s]|$)")
    pages = [
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
        *PACKAGES.glob("*/README.md"),
        *PACKAGES.glob("*/src/**/*.py"),
    ]
    found = [
        f"{page.relative_to(ROOT)}: {line.strip()}"
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
        if wrong.search(line) and "bring something else" not in line
    ]
    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_the_compatibility_page_says_the_names_and_versions_of_the_packages(name: str) -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
    assert f"| `{distribution_name(name)}` | {version_of(name)} |" in row


def test_a_whole_release_has_no_faults(tmp_path: Path) -> None:
    assert list(faults("clipsep", *build(tmp_path, "clipsep"), None)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"without": "clipsep/py.typed"}, "lacks clipsep/py.typed"),
        ({"without": "clipsep/configs/small-text.yaml"}, "lacks clipsep/configs/small-text.yaml"),
        ({"beside": "tests/conftest.py"}, "holds tests/conftest.py"),
    ],
)
def test_a_file_too_few_or_too_many_in_a_wheel_is_found(tmp_path: Path, change: dict[str, str], said: str) -> None:
    assert any(said in fault for fault in faults("clipsep", *build(tmp_path, "clipsep", **change), None))


def test_a_tag_needs_the_version_and_its_section_in_the_changelog(tmp_path: Path) -> None:
    found = list(faults("clipsep", *build(tmp_path, "clipsep"), "clipsep-v99.0.0"))
    assert any("the tag would be clipsep-v" in fault for fault in found)
    assert list(check_release.tag_faults("clipsep", "99.0.0", "clipsep-v99.0.0")) == [
        "packages/clipsep/CHANGELOG.md has no section 99.0.0: move the lines under Unreleased below it"
    ]


def test_the_lowest_versions_are_the_bounds_in_the_metadata() -> None:
    lowest = lowest_versions.lowest()
    assert lowest["numpy"] == "1.26"
    assert "torch" not in lowest
    assert lowest_versions.numbers("0.10") > lowest_versions.numbers("0.9")
