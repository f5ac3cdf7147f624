"""Runner: makes the next missing rows of the cross-dataset table (dissertation §2.5, Figs. 2.8–2.10).

    python -m muspy_core.experiments --table cross --data DATA --budget-min 60
    python -m muspy_core.experiments --render
    python -m muspy_core.experiments fit -c lstm --data.corpora '[essen]'

A row is one training and its test on every corpus. Rows are small JSON files; a training that is interrupted is
continued from its checkpoint.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
import time
from pathlib import Path

from muspy_core.console import run_command
from muspy_core.experiments import corpora
from muspy_core.experiments.fit import fit
from muspy_core.experiments.model import ModelName
from muspy_core.experiments.report import render
from muspy_core.experiments.rows import Row, make_row, row_of
from muspy_core.io.files import write_atomically

logger = logging.getLogger(__name__)

MODELS: tuple[ModelName, ...] = ("lstm", "transformer", "gru", "rnn")
LSTM_SEEDS = (0, 1, 2)
MIXED = ("unified", "stratified")


def rows_of(table: str, names: list[str]) -> list[Row]:
    """Return the rows of a table in order of worth."""
    trained_on = [*names, *MIXED]
    if table == "cross":
        first = [row_of(name, kind, 0) for kind in MODELS for name in trained_on]
        return [*first, *(row_of(name, "lstm", seed) for seed in LSTM_SEEDS[1:] for name in trained_on)]
    if table == "upstream":
        return [row_of(name, "lstm", 0, "upstream") for name in trained_on]
    raise ValueError(f'`--table` must be "cross" or "upstream", got {table!r}')


def main() -> int:
    """Parse the arguments and make rows until the budget is spent, or train one model (`fit`)."""
    if sys.argv[1:2] == ["fit"]:
        return run_command(lambda: fit(sys.argv[2:]), debug=False)
    parser = argparse.ArgumentParser(prog="python -m muspy_core.experiments", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--table",
        choices=("cross", "upstream"),
        default="cross",
        help="cross (ours) or upstream (the published protocol)",
    )
    parser.add_argument("--data", type=Path, help="folder of downloaded data sets; without it the music21 wheel's")
    parser.add_argument("--out", type=Path, default=Path("docs/muspy-core/results"), help="folder of finished rows")
    parser.add_argument("--cache", type=Path, default=Path("build/experiments"), help="encoded data and checkpoints")
    parser.add_argument("--budget-min", type=float, default=30, help="minutes after which no row is started")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="only rows of these")
    parser.add_argument("--seeds", nargs="+", type=int, default=LSTM_SEEDS, help="only rows with these")
    parser.add_argument("--train-on", nargs="+", metavar="NAME", help="only rows trained on these data sets")
    parser.add_argument("--windows", type=int, help="windows that a training sees (default: the table's)")
    parser.add_argument("--render", action="store_true", help="only render the page and its figures from the rows")
    parser.add_argument("--encode-only", action="store_true", help="only encode the data sets")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run_command(lambda: _run(arguments), debug=arguments.debug)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.render:
        planned = [("cross", row) for row in rows_of("cross", list(corpora.NAMES))]
        planned += [("upstream", row) for row in rows_of("upstream", list(corpora.NAMES))]
        render(arguments.out, arguments.out.parent, planned)
        return 0
    import torch

    torch.set_num_threads(1)
    deadline = time.monotonic() + 60 * arguments.budget_min
    names = corpora.available(arguments.data)
    loaded = {name: corpora.load_corpus(name, arguments.cache, arguments.data) for name in names}
    if arguments.encode_only:
        return 0
    length = {} if arguments.windows is None else {"windows": arguments.windows}
    trained_on = arguments.train_on or [*names, *MIXED]
    for row in (dataclasses.replace(row, **length) for row in rows_of(arguments.table, names)):
        if row.kind not in arguments.models or row.seed not in arguments.seeds or row.trained_on not in trained_on:
            continue
        path = arguments.out / arguments.table / f"{row.name}.json"
        if path.exists():
            continue
        if time.monotonic() > deadline:
            logger.info("the budget is spent; the next row is %s", row.name)
            break
        result = make_row(row, loaded, arguments.cache, deadline)
        if result is None:
            logger.info("the budget is spent in %s; it will be continued", row.name)
            break
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n")
        logger.info("%s: own test %.3f nats", row.name, result["test"].get(row.trained_on, {}).get("nll", float("nan")))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
