"""The installed package is what its metadata says."""

from __future__ import annotations

from importlib.metadata import entry_points, requires, version

import clipsep


def test_the_version_is_the_one_in_the_metadata() -> None:
    assert clipsep.__version__ == version("clipsep")


def test_it_stands_on_muspy_core_alone() -> None:
    assert requires("clipsep") == ["muspy-core>=0.1"]


def test_no_command_is_promised_before_there_is_one() -> None:
    assert not [script for script in entry_points(group="console_scripts") if script.value.startswith("clipsep.")]
