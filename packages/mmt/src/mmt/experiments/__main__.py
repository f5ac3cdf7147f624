"""`python -m mmt.experiments`: do missing runs, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from mmt.experiments.tables import TABLES

RESULTS = Path("docs/mmt/results")
PAGE = Path("docs/mmt/results.md")
RUNS = Path("runs")
DATA = Path("data")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m mmt.experiments", description="Do the missing runs of a table.")
    parser.add_argument("--table", choices=sorted(TABLES), help="table whose missing rows are done")
    parser.add_argument("--budget-min", type=float, default=10.0, metavar="N", help="begin no row after N minutes")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="songs of `mmt prepare`")
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"folder of the trainings (default: {RUNS})")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the figures (default: {RESULTS})")
    parser.add_argument("--render", action="store_true", help="write the page from all figures")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    if options.table:
        from mmt.experiments.plan import rows_of
        from mmt.experiments.runs import Folders, run_missing

        folders = Folders(options.data, options.runs, options.results)
        for line in run_missing(rows_of(options.table, folders), folders, 60.0 * options.budget_min):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    if options.render:
        from mmt.experiments.page import render

        with write_atomically(options.page) as temporary:
            temporary.write_text(render(options.results), encoding="utf-8")
        sys.stdout.write(f"wrote {options.page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
