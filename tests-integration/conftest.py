"""Settings of the tests of all packages together: what the runs of commands came to is printed at the end."""

from __future__ import annotations

import pytest
from console_runs import COUNTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many damaged inputs the commands were given, and how they ended."""
    if COUNTS:
        terminalreporter.section("commands under damage")
        terminalreporter.line(", ".join(f"{name}: {count}" for name, count in sorted(COUNTS.items())))
