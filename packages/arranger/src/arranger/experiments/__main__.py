"""`python -m arranger.experiments`: do missing runs, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from muspy_core.runs import Experiments

from arranger.experiments.page import figures_of, render
from arranger.experiments.tables import COLUMNS


def _do(options: argparse.Namespace) -> Iterator[str]:
    from arranger.experiments.runs import run_missing

    return run_missing(COLUMNS[options.table], options.runs, options.results, options.budget_s, options.source)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="files of a corpus that was not read yet")
    parser.add_argument("--examples", action="store_true", help="draw a test piece of each corpus with a bundled model")


def _examples(options: argparse.Namespace) -> Iterator[str]:
    from arranger.experiments.examples import draw_examples

    if options.examples:
        for path in draw_examples(options.page.parent / "figures", options.source):
            yield f"wrote {path}"


EXPERIMENTS = Experiments("arranger", tuple(COLUMNS), _do, render, figures_of, _add_options, _examples)
main = EXPERIMENTS.main

if __name__ == "__main__":
    sys.exit(main())
