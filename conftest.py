"""Test settings of the whole workspace: executed documentation, and skips that CI does not accept."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

# Tiny models gain nothing from threads, and lose much where other work shares the machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REQUIRE_PROGRAMS = "MUSPY_REQUIRE_PROGRAMS"
PROGRAM_MARKERS = ("browser", "fluidsynth", "compiler")


PAGE_FOLDERS = pytest.StashKey[dict[Path, Path]]()


@pytest.fixture
def page_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The examples of a page run in one folder, empty at first, so that they may write and read files by bare names."""
    folders = request.config.stash.setdefault(PAGE_FOLDERS, {})
    folder = folders.get(request.path) or folders.setdefault(request.path, tmp_path_factory.mktemp("page"))
    monkeypatch.chdir(folder)
    return folder


# Every ```python block of the documentation and of the READMEs runs as a test, page by page in one namespace.
pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["docs/**/*.md", "docs/*.md", "packages/*/README.md", "README.md"],
    fixtures=["page_folder"],
).pytest()


def programs_are_required() -> bool:
    """Whether this run (CI) has installed every program, so that nothing may be skipped for want of one."""
    return os.environ.get(REQUIRE_PROGRAMS) == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test of a browser, FluidSynth or a compiler that was skipped counts as failed where they are required.

    What a test printed may hold names that are no UTF-8, which could not be sent from process to process.
    """
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    needs_program = any(item.get_closest_marker(name) for name in PROGRAM_MARKERS)
    if needs_program and report.skipped and programs_are_required():
        report.outcome = "failed"
        report.longrepr = f"skipped although {REQUIRE_PROGRAMS}=1: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skips itself (a missing module) counts as failed there too."""
    report = yield
    if report.skipped and programs_are_required():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped although {REQUIRE_PROGRAMS}=1: {report.longrepr}"
    return report
