"""`python -m mmt.experiments`: do missing rows, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from muspy_core.runs import Experiments

from mmt.experiments.page import render
from mmt.experiments.tables import TABLES


def _do(options: argparse.Namespace) -> Iterator[str]:
    from muspy_core.runs import do_missing

    from mmt.experiments.plan import rows_of
    from mmt.experiments.runs import Folders

    folders = Folders(options.data, options.runs, options.results)
    yield from do_missing(
        rows_of(options.table, folders),
        lambda row: folders.results / row.path,
        lambda row: row.measure(folders),
        options.budget_s,
        lambda row, figures: f"wrote {folders.results / row.path}",
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="FOLDER", help="songs of `mmt prepare`")


EXPERIMENTS = Experiments("mmt", tuple(TABLES), _do, render, add_options=_add_options)
main = EXPERIMENTS.main

if __name__ == "__main__":
    sys.exit(main())
