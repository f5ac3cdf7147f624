"""`python -m clipsonic.experiments`: do missing rows, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from clipsonic.experiments.tables import TABLES

RESULTS = Path("docs/clipsonic/results")
PAGE = Path("docs/clipsonic/results.md")
RUNS = Path("runs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m clipsonic.experiments", description="Do the missing rows of a table.")
    parser.add_argument("--table", choices=sorted(TABLES), help="table whose missing rows are done")
    parser.add_argument("--budget-min", type=float, default=10.0, metavar="N", help="begin no row after N minutes")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="scores that sounds are rendered from, once")
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="of the sounds that are learned, once")
    parser.add_argument("--other-soundfont", type=Path, metavar="FILE", help="of the peer's sounds, once")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these rows")
    parser.add_argument("--max-steps", type=int, metavar="N", help="of trainings (default: the configuration's)")
    parser.add_argument(
        "--n", type=int, default=512, metavar="N", help="sounds that a row is measured by (default: 512)"
    )
    parser.add_argument("--vocoder", choices=("trained", "griffin-lim"), default="trained", help="of generated sounds")
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"folder of data and trainings (default: {RUNS})")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the figures (default: {RESULTS})")
    parser.add_argument("--render", action="store_true", help="write the page from all figures")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    parser.add_argument(
        "--bundle", type=Path, metavar="FOLDER", help="write the network and vocoder that generate uses"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    if options.table:
        from clipsonic.experiments.runs import Plan, run_missing
        from clipsonic.experiments.sounds import Source

        source = Source(options.source, options.soundfont, options.other_soundfont)
        budget_s = 60.0 * options.budget_min
        plan = Plan(options.runs, options.results, budget_s, options.n, options.max_steps, options.vocoder)
        for line in run_missing(TABLES[options.table], plan, source, options.rows):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    if options.bundle is not None:
        from clipsonic.experiments.bundle import bundle

        vocoder = options.runs / "vocoder" / "export" if options.vocoder == "trained" else None
        size = bundle(options.runs / "text" / "export", vocoder, options.bundle)
        sys.stdout.write(f"wrote {options.bundle}: {size:,} bytes\n")
    if options.render:
        from clipsonic.experiments.page import figures_of, render

        with write_atomically(options.page) as temporary:
            temporary.write_text(render(options.results), encoding="utf-8")
        for name, drawing in figures_of(options.results).items():
            with write_atomically(options.results / f"{name}.svg") as temporary:
                temporary.write_text(drawing, encoding="utf-8")
        sys.stdout.write(f"wrote {options.page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
