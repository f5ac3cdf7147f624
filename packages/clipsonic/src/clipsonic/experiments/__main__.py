"""`python -m clipsonic.experiments`: do missing rows, and write the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from muspy_core.runs import Experiments

from clipsonic.experiments.page import figures_of, render
from clipsonic.experiments.tables import SHIPPED, TABLES

if TYPE_CHECKING:
    from clipsonic.experiments.runs import Plan


def _do(options: argparse.Namespace) -> Iterator[str]:
    from clipsonic.experiments.runs import run_missing
    from clipsonic.experiments.sounds import Source

    source = Source(options.source, options.soundfont, options.other_soundfont)
    return run_missing(TABLES[options.table], _plan(options), source, options.rows)


def _plan(options: argparse.Namespace) -> Plan:
    from clipsonic.experiments.runs import Plan

    return Plan(options.runs, options.results, options.budget_s, options.n, options.max_steps, options.vocoder)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="scores that sounds are rendered from, once")
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="of the sounds that are learned, once")
    parser.add_argument("--other-soundfont", type=Path, metavar="FILE", help="of the peer's sounds, once")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these rows")
    parser.add_argument("--max-steps", type=int, metavar="N", help="of trainings (default: the configuration's)")
    parser.add_argument(
        "--n", type=int, default=512, metavar="N", help="sounds that a row is measured by (default: 512)"
    )
    parser.add_argument(
        "--vocoder", choices=("chosen", "trained", "griffin-lim"), default="chosen",
        help="of generated and bundled sounds (default: chosen, by the copies of validation sounds)",
    )  # fmt: skip
    parser.add_argument(
        "--bundle", type=Path, metavar="FOLDER", help="write the network and vocoder that generate uses"
    )


def _bundle(options: argparse.Namespace) -> Iterator[str]:
    from clipsonic.experiments.bundle import bundle

    if options.bundle is not None:
        plan = _plan(options)
        size = bundle(options.runs / SHIPPED / "export", plan.vocoder_folder, options.bundle)
        yield f"sounds of the bundle are made by {plan.made_by}"
        yield f"wrote {options.bundle}: {size:,} bytes"


EXPERIMENTS = Experiments("clipsonic", tuple(TABLES), _do, render, figures_of, _add_options, _bundle)
main = EXPERIMENTS.main

if __name__ == "__main__":
    sys.exit(main())
