"""`python -m deepperformer.experiments`: do missing runs, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from muspy_core.runs import Experiments

from deepperformer.experiments.page import render
from deepperformer.experiments.tables import TABLES


def _do(options: argparse.Namespace) -> Iterator[str]:
    from deepperformer.errors import DataError
    from deepperformer.experiments.runs import run_missing

    if options.source is None:
        raise DataError("--table needs --source, the data that `deepperformer prepare` made")
    table, further = TABLES[options.table], tuple(options.fit_options)
    return run_missing(table, options.runs, options.results, options.budget_s, options.source, further)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="data that `deepperformer prepare` made")
    parser.add_argument(
        "fit_options", nargs="*", metavar="OPTION", help="after --: further options of fit, for all runs"
    )


EXPERIMENTS = Experiments("deepperformer", tuple(TABLES), _do, render, add_options=_add_options)
main = EXPERIMENTS.main

if __name__ == "__main__":
    sys.exit(main())
