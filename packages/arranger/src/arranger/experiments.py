"""Results that are published: one row a run, kept as JSON, rendered as one page (models → figures → docs).

    python -m arranger.experiments --table bach --budget-min 10     # the next missing rows
    python -m arranger.experiments --render                         # docs/arranger/results.md from all rows

Rows are files RESULTS/TABLE/ROW.json; a row that is there is not measured again, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

RESULTS = Path("docs/arranger/results")
PAGE = Path("docs/arranger/results.md")


@dataclass(frozen=True)
class Row:
    """One measurement.

    model: a bundled name, a baseline, or `runs/CONFIG/export`, which `arranger fit -c CONFIG` makes. mode: of a model;
    empty for a baseline. paper: the dissertation's figure in percent (Table 4.2, column Bach), on
    its own random split.
    """

    name: str
    title: str
    model: str
    mode: str = ""
    paper: float | None = None

    @property
    def training(self) -> str:
        """The command that makes the model; empty if it is there already."""
        return f"arranger fit -c {Path(self.model).parts[1]}" if self.model.startswith("runs/") else ""

    @property
    def command(self) -> str:
        """The commands that make the row."""
        measuring = f"arranger evaluate --model {self.model}" + (f" --mode {self.mode}" if self.mode else "")
        return f"{self.training} && {measuring}" if self.training else measuring


TABLES: dict[str, tuple[Row, ...]] = {
    "bach": (
        Row("most-common", "most common part", "most-common"),
        Row("zone", "zones", "zone", paper=73.14),
        Row("zone-oracle", "zones, oracle", "zone-oracle", paper=78.33),
        Row("closest", "closest pitch, entries known", "closest", paper=68.87),
        Row("closest-mono", "closest pitch, monophonic, entries known", "closest-mono", paper=89.76),
        Row("lstm-paper", "LSTM of the paper, causal", "runs/bach-lstm-emb/export", "causal", paper=93.02),
        Row("bilstm-paper", "BiLSTM of the paper, offline", "runs/bach-bilstm-emb-dur/export", "offline", paper=97.13),
        Row("lstm-causal", "bach-chorales, strictly causal", "bach-chorales", "causal"),
        Row("lstm-online", "bach-chorales, onset-synchronous", "bach-chorales", "online"),
        Row("bilstm-offline", "bach-chorales, offline", "bach-chorales", "offline"),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m arranger.experiments", description="Measure the missing rows of a table.")
    parser.add_argument("--table", choices=sorted(TABLES), help="table whose missing rows are measured")
    parser.add_argument("--budget-min", type=float, default=10.0, metavar="N", help="start no row after N minutes")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the rows (default: {RESULTS})")
    parser.add_argument("--render", action="store_true", help="write the page from all rows")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    if options.table:
        for line in measure_missing(options.table, options.results, 60.0 * options.budget_min):
            sys.stdout.write(f"{line}\n")
    if options.render:
        text = render(options.results)
        with write_atomically(options.page) as temporary:
            temporary.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {options.page}\n")
    return 0


def measure_missing(table: str, results: Path, budget_s: float) -> list[str]:
    """Measure rows that have no file yet until the budget is spent; return a line for each."""
    from arranger.evaluate import evaluate

    folder = results / table
    folder.mkdir(parents=True, exist_ok=True)
    start, lines = time.perf_counter(), []
    for row in TABLES[table]:
        path = folder / f"{row.name}.json"
        if path.exists() or time.perf_counter() - start > budget_s:
            continue
        if row.training and not Path(row.model).is_dir():
            lines.append(f"{row.title}: first {row.training}")
            continue
        figures = evaluate(row.model, row.mode or "online").to_dict()
        figures.pop("strictly_causal")  # has a row of its own
        figures["command"] = row.command
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        lines.append(f"{row.title}: {figures['accuracy']:.4f}")
    return lines


def render(results: Path) -> str:
    """Return the page of all tables, in Markdown."""
    lines = [HEAD]
    for table, rows in TABLES.items():
        found = [(row, _read(results / table / f"{row.name}.json")) for row in rows]
        measured = [(row, figures) for row, figures in found if figures is not None]
        if measured:
            lines += _table(measured)
    return "\n".join(lines)


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _table(measured: Sequence[tuple[Row, dict[str, Any]]]) -> list[str]:
    first = measured[0][1]
    lines = [
        f"## {first['dataset'].capitalize()} chorales, split `{first['split']}`",
        "",
        f"{first['dataset_pieces']} pieces, {first['dataset_notes']:,} notes; tested on {first['pieces']} pieces, "
        f"{first['notes']:,} notes.",
        "",
        "| | paper | accuracy | undecoded | unisons shuffled | unisons interchangeable | balanced | soundness "
        "| completeness | link F1 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row, figures in measured:
        names = (
            "accuracy", "undecoded_accuracy", "accuracy_ties_shuffled", "accuracy_unisons_merged", "balanced_accuracy",
            "soundness", "completeness", "link_f1",
        )  # fmt: skip
        cells = ["" if figures[name] is None else f"{100 * figures[name]:.2f}" for name in names]
        paper = "" if row.paper is None else f"{row.paper:.2f}"
        lines.append(f"| {row.title} | {paper} | {' | '.join(cells)} |")
    commands = [f"    {figures['command']}" for _, figures in measured]
    return [*lines, "", "Each row by its command:", "", *commands, ""]


HEAD = """\
# Results

All figures in percent, measured on the test part of a split in which no test piece shares a tune or a setting with a
training piece (`arranger.splits`). The paper (dissertation, Table 4.2) drew its split piece by piece, so its figures
stand here for orientation, not for comparison to the last digit.

* **Strictly causal**: a note is labelled before the next one is read, also within a chord. This is the paper's online
  setting.
* **Onset-synchronous**: the notes that start together are labelled together. The paper has no such row.
* **Offline**: the whole piece is read first.
* **Unisons**: where two parts have the same pitch at the same onset, the notes stand in the order of their parts
  (*accuracy*, as in the paper), in random order (*shuffled*), or may be exchanged (*interchangeable*). bach-chorales
  was trained with random order, so that the order tells it nothing; the models of the paper were not.
* **Undecoded**: the most probable part of each note, as in the paper; the other columns have the best assignment of
  each onset.
* **Of the paper**: its features and layers trained here, for 45 passes over the training pieces (900 steps; the paper
  trains for longer), and with a loss that leaves out padding.
* **Entries known**: the baseline is told the first note of every part.

There is one training of each model, and a good model makes some 220 errors on the 41 test pieces: differences of less
than half a percent say nothing.

This page is written by `python -m arranger.experiments --render` from the JSON files beside it.
"""


if __name__ == "__main__":
    sys.exit(main())
