"""The installed package is what its metadata says."""

from __future__ import annotations

from importlib.metadata import entry_points, requires, version

import clipsonic


def test_the_version_is_the_one_in_the_metadata() -> None:
    assert clipsonic.__version__ == version("clipsonic")


def test_it_stands_on_no_other_package_of_the_workspace() -> None:
    siblings = ("arranger", "muspy-arranger", "muspy-mmt", "deepperformer", "clipsep", "mmt")
    assert not [line for line in requires("clipsonic") or [] if line.startswith(siblings)]


def test_the_console_script_is_there() -> None:
    scripts = entry_points(group="console_scripts")
    assert [script.name for script in scripts if script.value == "clipsonic.cli:main"] == ["clipsonic"]
