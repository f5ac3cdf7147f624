"""`python -m clipsep.experiments`: do missing runs, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from muspy_core.runs import Experiments

from clipsep.experiments.page import render
from clipsep.experiments.tables import TABLES

STEMS = Path("data/stems")


def _do(options: argparse.Namespace) -> Iterator[str]:
    from clipsep.experiments.runs import run_missing

    return run_missing(options.table, options.data, options.runs, options.results, options.budget_s)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, default=STEMS, metavar="FOLDER", help=f"folder of the stems (default: {STEMS})"
    )


EXPERIMENTS = Experiments("clipsep", tuple(TABLES), _do, render, add_options=_add_options)
main = EXPERIMENTS.main

if __name__ == "__main__":
    sys.exit(main())
