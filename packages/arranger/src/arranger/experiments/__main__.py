"""`python -m arranger.experiments`: do missing runs, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from arranger.experiments.tables import COLUMNS

RESULTS = Path("docs/arranger/results")
PAGE = Path("docs/arranger/results.md")
RUNS = Path("runs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m arranger.experiments", description="Do the missing runs of a column of the tables.")
    parser.add_argument("--table", choices=sorted(COLUMNS), help="column whose missing runs are done")
    parser.add_argument("--budget-min", type=float, default=10.0, metavar="N", help="begin no run after N minutes")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="files of a corpus that was not read yet")
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"folder of the trainings (default: {RUNS})")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the figures (default: {RESULTS})")
    parser.add_argument("--render", action="store_true", help="write the page from all figures")
    parser.add_argument("--examples", action="store_true", help="draw a test piece of each corpus with a bundled model")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    if options.table:
        from arranger.experiments.runs import run_missing

        budget = 60.0 * options.budget_min
        for line in run_missing(COLUMNS[options.table], options.runs, options.results, budget, options.source):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    if options.render:
        from arranger.experiments.page import figures_of, render

        with write_atomically(options.page) as temporary:
            temporary.write_text(render(options.results), encoding="utf-8")
        figures = options.page.parent / "figures"
        figures.mkdir(exist_ok=True)
        for name, drawing in figures_of(options.results).items():
            with write_atomically(figures / f"{name}.svg") as temporary:
                temporary.write_text(drawing, encoding="utf-8")
        sys.stdout.write(f"wrote {options.page}\n")
    if options.examples:
        from arranger.experiments.examples import draw_examples

        for path in draw_examples(options.page.parent / "figures", options.source):
            sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
