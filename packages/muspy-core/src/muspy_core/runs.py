"""Experiments as all packages run them: rows that are done once, one JSON file each, and a page made of them.

What is there is not done again, no row is begun once the time is spent, and a training that was cut off goes on from
its last checkpoint. Every package has its tables, says how a row is measured, and renders its page.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from muspy_core.console import EXIT_OK, Parser, run_command
from muspy_core.io.files import write_atomically

RowT = TypeVar("RowT")
Figures = dict[str, Any]
FINISHED = "finished"  # an empty file in the folder of a training that has come to its end


# --- rows ------------------------------------------------------------------------------------------------------------


def do_missing(
    rows: Iterable[RowT],
    path: Callable[[RowT], Path],
    measure: Callable[[RowT], Figures],
    budget_s: float,
    line: Callable[[RowT, Figures], str],
) -> Iterator[str]:
    """Measure the rows that have no file of figures yet, and yield a line for each.

    path: where a row's figures are. measure: trains what there is to train, and returns them. budget_s: seconds after
    which no row is begun.
    """
    start = time.perf_counter()
    for row in rows:
        target = path(row)
        if target.exists():
            continue
        if time.perf_counter() - start > budget_s:
            return
        figures = measure(row)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_figures(target, figures)
        yield line(row, figures)


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON."""
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_figures(folder: Path, pattern: str = "*.json") -> dict[str, Figures]:
    """Return the figures of all files in a folder whose names match, by the name without extension."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob(pattern))}


def train_once(folder: Path, fit: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> None:
    """Train to the end, from the last checkpoint if there is one; nothing is done if that has been done.

    folder: of the training, which holds `checkpoints/last.ckpt`. fit: a package's `fit`, and its arguments.
    """
    if (folder / FINISHED).exists():
        return
    last = folder / "checkpoints" / "last.ckpt"
    resumed = ["--ckpt_path", str(last)] if last.exists() else []
    fit([*arguments, "--trainer.enable_progress_bar", "false", *resumed])
    (folder / FINISHED).touch()


# --- the page --------------------------------------------------------------------------------------------------------


def page_head(package: str) -> str:
    """Return the part of a results page that is written by hand: `experiments/page.md` of a package."""
    return (resources.files(f"{package}.experiments") / "page.md").read_text(encoding="utf-8")


def mean_sd(values: Sequence[float], digits: int, sign: str = "") -> str:
    """Return "mean ± standard deviation", of one value the value; sign: "+" to show it always."""
    mean = f"{statistics.mean(values):{sign}.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def write_configurations(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    """Write configurations, (name, YAML) each, into a folder."""
    for name, text in texts:
        with write_atomically(folder / f"{name}.yaml") as temporary:
            temporary.write_text(text, encoding="utf-8")


# --- the command -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Experiments:
    """`python -m PACKAGE.experiments`.

    tables: their names. do: parsed options → a line for each row that was done; called if --table is given. render:
    folder of figures → the page. drawings: folder of figures → pictures in SVG by name, written into the page's folder
    `figures`. add_options: adds options of the package's own. finally_do: what those ask for beside; a line for each.
    """

    package: str
    tables: Sequence[str]
    do: Callable[[argparse.Namespace], Iterator[str]]
    render: Callable[[Path], str]
    drawings: Callable[[Path], Mapping[str, str]] | None = None
    add_options: Callable[[argparse.ArgumentParser], None] | None = None
    finally_do: Callable[[argparse.Namespace], Iterator[str]] | None = None

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run the program and return its exit code."""
        docs = Path("docs") / self.package
        parser = Parser(
            prog=f"python -m {self.package}.experiments", description="Do the missing rows of a table, write the page."
        )
        parser.add_argument("--table", choices=sorted(self.tables), help="table whose missing rows are done")
        parser.add_argument("--budget-min", type=float, default=10.0, metavar="N", help="begin no row after N minutes")
        parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the trainings (default: runs)")
        parser.add_argument(
            "--results", type=Path, default=docs / "results", help=f"folder of the figures (default: {docs}/results)"
        )
        parser.add_argument("--render", action="store_true", help="write the page from all figures")
        parser.add_argument(
            "--page", type=Path, default=docs / "results.md", help=f"the page (default: {docs}/results.md)"
        )
        parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if self.add_options is not None:
            self.add_options(parser)
        options = parser.parse_args(arguments)
        options.budget_s = 60.0 * options.budget_min
        return run_command(lambda: self._run(options), debug=options.debug)

    def _run(self, options: argparse.Namespace) -> int:
        if options.table:
            for line in self.do(options):
                print(line, flush=True)
        if options.render:
            with write_atomically(options.page) as temporary:
                temporary.write_text(self.render(options.results), encoding="utf-8")
            self._draw(options.page.parent / "figures", options.results)
            print(f"wrote {options.page}")
        if self.finally_do is not None:
            for line in self.finally_do(options):
                print(line, flush=True)
        return EXIT_OK

    def _draw(self, folder: Path, results: Path) -> None:
        for name, drawing in self.drawings(results).items() if self.drawings is not None else ():
            folder.mkdir(parents=True, exist_ok=True)
            with write_atomically(folder / f"{name}.svg") as temporary:
                temporary.write_text(drawing, encoding="utf-8")
