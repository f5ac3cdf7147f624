"""Figures of all rows → the results page in Markdown, ours beside the paper's (results → docs)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muspy_core.runs import Figures, mean_sd, page_head

from clipsonic.experiments.drawing import curves
from clipsonic.experiments.tables import TABLES, Row, Table
from clipsonic.experiments.targets import targets
from clipsonic.experiments.vocoders import read_choice

MISSING = "–"
CELLS = (
    ("fd_aisfx", 3),
    ("accuracy", 3),
    ("accuracy_shuffled", 3),
    ("diversity", 2),
    ("cosine", 3),
    ("cosine_within", 3),
    ("log_mel_error", 3),
)


def render(results: Path) -> str:
    """Return the page: the text written by hand, then what was measured and what was not."""
    return "\n".join([page_head("clipsonic"), *(line for table in TABLES.values() for line in _table(table, results))])


def figures_of(results: Path) -> dict[str, str]:
    """Return an SVG of the guidance sweep for every table that has one, by name."""
    drawings = {}
    for table in TABLES.values():
        sweep = _sweep(table, results)
        if len(sweep) > 1:
            weights = [figures["guidance"] for figures in sweep]
            drawings[f"{table.name}-guidance"] = curves(
                weights,
                (("FD-aisfx", [f["fd_aisfx"] for f in sweep]), ("accuracy", [f["accuracy"] for f in sweep])),
                "weight of the guidance",
            )
    return drawings


def read_row(results: Path, table: Table, row: Row) -> Figures | None:
    """Return the figures of a row, or None if it was not done."""
    path = results / table.name / f"{row.name}.json"
    if not path.is_file():
        return None
    figures: Figures = json.loads(path.read_text(encoding="utf-8"))
    return figures


def _table(table: Table, results: Path) -> list[str]:
    lines = [f"## {table.name.capitalize()}", ""]
    lines += [
        "| | FD-aisfx | accuracy | shuffled | diversity | cosine | within | log-mel | n | seeds | paper: FAD, CLAP |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|---|---|---|"]
    done: list[Figures] = []
    missing: list[str] = []
    for rows in _groups(table.rows):
        found = [figures for row in rows if (figures := read_row(results, table, row)) is not None]
        if not found:
            missing.append(rows[0].about)
            continue
        done += found
        lines.append(_line(rows[0], found))
    if done:
        first = done[0]
        lines.append(
            f"| real test sounds: halves, accuracy, diversity | {first['fd_aisfx_real_halves']:.3f} | "
            f"{first['accuracy_real']:.3f} | | {first['diversity_real']:.2f} | | | | {first['n_real_halves']} | | |"
        )
        lines += ["", f"![Guidance](figures/{table.name}-guidance.svg)"] if len(_sweep(table, results)) > 1 else []
    if missing:
        lines += ["", f"Not run: {'; '.join(missing)}."]
    return [*lines, *_trained(table, results), *_targets(table, results), ""]


def _trained(table: Table, results: Path) -> list[str]:
    """How long the networks of the rows were trained, and what made their sounds."""
    told: dict[str, None] = {}  # in order, each once
    for row in table.rows:
        figures = read_row(results, table, row)
        if figures is not None and "network_steps" in figures:
            vocoder = "Griffin-Lim" if figures["vocoder"] == "griffin-lim" else "the trained vocoder"
            told[f"`{row.needs[1]}`: {figures['network_steps']:,} steps, sounds by {vocoder}"] = None
    choice = read_choice(results / table.name)
    lines = [f"Networks: {'; '.join(told)}."] if told else []
    return [line for text in [*lines, *([choice.line] if choice is not None else [])] for line in ("", text)]


def _targets(table: Table, results: Path) -> list[str]:
    rows = {row.name: figures for row in table.rows if (figures := read_row(results, table, row)) is not None}
    if not rows:
        return []
    heading = ["", "### Targets", "", "| figure | aim | ours | |", "|---|---|---|---|"]
    return [*heading, *(target.line for target in targets(rows))]


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that differ in their seed alone, together."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.about, row.guidance, row.steps, row.sampler), []).append(row)
    return list(groups.values())


def _line(row: Row, found: Sequence[Figures]) -> str:
    cells = [_mean(found, name, digits) for name, digits in CELLS]
    paper = ", ".join(MISSING if value is None else f"{value:g}" for value in row.paper) if any(row.paper) else ""
    return f"| {row.about} | {' | '.join(cells)} | {found[0]['n']} | {len(found)} | {paper} |"


def _mean(found: Sequence[Figures], name: str, digits: int) -> str:
    values = [figures[name] for figures in found if name in figures]
    return mean_sd(values, digits) if values else ""


def _sweep(table: Table, results: Path) -> list[Figures]:
    """Figures of the text-trained model at every weight, of the first seed."""
    wanted = ("TTA", 0, "text", 25, "unipc", None)
    rows = [row for row in table.rows if (row.path, row.seed, *row.needs[1:2], row.steps, row.sampler, row.n) == wanted]
    found = [figures for row in rows if (figures := read_row(results, table, row)) is not None]
    return sorted(found, key=lambda figures: float(figures["guidance"]))
