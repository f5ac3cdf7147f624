"""`python -m deepperformer.experiments`: do missing runs, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from deepperformer.errors import DataError
from deepperformer.experiments.tables import TABLES

RESULTS = Path("docs/deepperformer/results")
PAGE = Path("docs/deepperformer/results.md")
RUNS = Path("runs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m deepperformer.experiments", description="Do the missing runs of a table.")
    parser.add_argument("--table", choices=sorted(TABLES), help="table whose missing runs are done")
    parser.add_argument("--budget-min", type=float, default=10.0, metavar="N", help="begin no run after N minutes")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="data that `deepperformer prepare` made")
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"folder of the trainings (default: {RUNS})")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the figures (default: {RESULTS})")
    parser.add_argument("--render", action="store_true", help="write the page from all figures")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument(
        "fit_options", nargs="*", metavar="OPTION", help="after --: further options of fit, for all runs"
    )
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    if options.table:
        from deepperformer.experiments.runs import run_missing

        if options.source is None:
            raise DataError("--table needs --source, the data that `deepperformer prepare` made")
        table, budget = TABLES[options.table], 60.0 * options.budget_min
        further = tuple(options.fit_options)
        for line in run_missing(table, options.runs, options.results, budget, options.source, further):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    if options.render:
        from deepperformer.experiments.page import render

        with write_atomically(options.page) as temporary:
            temporary.write_text(render(options.results), encoding="utf-8")
        sys.stdout.write(f"wrote {options.page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
