"""The installed package is what its metadata says."""

from __future__ import annotations

from importlib.metadata import entry_points, requires, version

import clipsep


def test_the_version_is_the_one_in_the_metadata() -> None:
    assert clipsep.__version__ == version("clipsep")


def test_it_stands_on_no_other_package_of_the_workspace() -> None:
    siblings = ("arranger", "muspy-arranger", "muspy-mmt", "deepperformer", "mmt", "clipsonic")
    assert not [line for line in requires("clipsep") or [] if line.startswith(siblings)]


def test_the_console_script_is_there() -> None:
    assert [script.name for script in entry_points(group="console_scripts") if script.value == "clipsep.cli:main"] == [
        "clipsep"
    ]
