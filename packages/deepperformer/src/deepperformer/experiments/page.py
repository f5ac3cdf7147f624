"""Figures of all runs → the results page in Markdown, ours beside the paper's (runs → docs)."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from muspy_core.runs import Figures, mean_sd, page_head, read_figures

from deepperformer.experiments.runs import Run, runs_of
from deepperformer.experiments.tables import TABLES, Row, Table


def render(results: Path) -> str:
    """Return the page: the text written by hand, then for every table what was measured and what was not."""
    tables = (line for table in TABLES.values() for line in _table(table, results))
    return "\n".join([page_head("deepperformer"), *_aligners(results), *tables]) + "\n"


def _aligners(results: Path) -> list[str]:
    """The table of the benchmark of alignments, whose figures `benchmarks/deepperformer_alignment.py --json` writes."""
    path = results / "aligner" / "benchmark.json"
    rows: list[Figures] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    if not rows:
        return ["Not measured yet.", ""]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = ["| ms | notes | " + " | ".join(f"{method}: median, p95" for method in methods) + " |"]
    lines += ["|---" * (len(methods) + 2) + "|"]
    for piece in dict.fromkeys(row["piece"] for row in rows):
        made = {row["method"]: row for row in rows if row["piece"] == piece}
        cells = [f"{made[method]['median']:.1f}, {made[method]['p95']:.1f}" for method in methods]
        lines.append(f"| {piece.replace('_', ' ')} | {made[methods[0]]['notes']} | {' | '.join(cells)} |")
    for name, title in (("median", "mean of medians"), ("p95", "mean of p95"), ("over_50", "above 50 ms, %"),
                        ("over_200", "above 200 ms, %")):  # fmt: skip
        means = [statistics.mean(row[name] for row in rows if row["method"] == method) for method in methods]
        lines.append(f"| *{title}* | | {' | '.join(f'{mean:.1f}' for mean in means)} |")
    return [*lines, ""]


def _read(results: Path, table: Table, row: Row, split: str | None = None) -> list[Figures]:
    """Return the figures of a row on a split, one for each seed that there is."""
    folder = results / table.name / row.configuration
    return list(read_figures(folder, f"{split or table.split}-s*.json").values())


def _table(table: Table, results: Path) -> list[str]:
    lines = [f"## {table.title}", "", table.about, ""]
    found = [(row, _read(results, table, row)) for row in table.rows]
    if not any(figures for _, figures in found):
        return [*lines, "Not measured yet.", ""]
    lines += _alignment(found) if table.kind == "alignment" else _synthesis(found)
    missing = [run for run in runs_of(table) if not run.result(results).exists()]
    return [*lines, *_folds(table, results), *_missing(missing), *_commands(found)]


def _alignment(found: Sequence[tuple[Row, list[Figures]]]) -> list[str]:
    lines = ["| | n | onset, ms | of constant tempo | duration, ms | wrong performer, onset | steps |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row, runs in found:
        if not runs:
            lines.append(f"| {row.title} | 0 | | | | | |")
            continue
        onset = [run["model"]["onset_ms"]["mean"] for run in runs]
        ratio = statistics.mean(onset) / runs[0]["constant"]["onset_ms"]["mean"]
        duration = [run["model"]["duration_ms"]["mean"] for run in runs]
        wrong = [run["wrong_performer"]["onset_ms"]["mean"] for run in runs]
        steps = statistics.mean(run["training"]["steps"] for run in runs)
        lines.append(
            f"| {row.title} | {len(runs)} | {mean_sd(onset, 1)} | {ratio:.2f}× | {mean_sd(duration, 1)} "
            f"| {mean_sd(wrong, 1)} | {steps:,.0f} |"
        )
    first = next(runs[0] for _, runs in found if runs)
    for name, title in (("constant", "constant tempo of the recording"), ("oracle", "best tempo of each clip")):
        onset_ms, duration_ms = (first[name][what]["mean"] for what in ("onset_ms", "duration_ms"))
        lines.append(f"| *{title}* | | {onset_ms:.1f} | | {duration_ms:.1f} | | |")
    return [*lines, "", f"{first['clips']} clips, {first['notes']:,} notes.", ""]


def _synthesis(found: Sequence[tuple[Row, list[Figures]]]) -> list[str]:
    lines = ["| | n | paper | ours | of the mean mel | 95 % over clips | edges of notes | steps |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row, runs in found:
        paper = "" if row.paper is None else f"{row.paper:.3f}"
        if not runs:
            lines.append(f"| {row.title} | 0 | {paper} | | | | | |")
            continue
        errors = [run["model"]["mse"]["mean"] for run in runs]
        ratio = statistics.mean(errors) / runs[0]["mean_mel"]["mse"]["mean"]
        interval = runs[0]["model"]["mse"]
        edges = [run["edges"]["mse"]["mean"] for run in runs]
        lines.append(
            f"| {row.title} | {len(runs)} | {paper} | {mean_sd(errors, 3)} | {ratio:.2f}× "
            f"| {interval['low']:.3f}–{interval['high']:.3f} | {mean_sd(edges, 3)} | {runs[0]['training']['steps']:,} |"
        )
    first = next(runs[0] for _, runs in found if runs)
    lines.append(f"| *mean mel of the training data* | | | {first['mean_mel']['mse']['mean']:.3f} | | | | |")
    return [*lines, "", f"{first['clips']} clips.", ""]


def _folds(table: Table, results: Path) -> list[str]:
    lines = []
    for row in table.rows:
        runs = [figures for fold in table.folds for figures in _read(results, table, row, fold)]
        if runs and table.kind == "alignment":
            onset = [run["model"]["onset_ms"]["mean"] for run in runs]
            constant = [run["constant"]["onset_ms"]["mean"] for run in runs]
            lines.append(
                f"{row.title}, over {len(runs)} other folds: {mean_sd(onset, 1)} ms, constant tempo "
                f"{mean_sd(constant, 1)} ms."
            )
    return [*lines, ""] if lines else []


def _missing(missing: Sequence[Run]) -> list[str]:
    if not missing:
        return []
    names = ", ".join(f"{run.row.configuration} {run.version}" for run in missing)
    return [f"Not run yet: {names}.", ""]


def _commands(found: Sequence[tuple[Row, list[Figures]]]) -> list[str]:
    lines = [
        f"    {run['command']} {' '.join(run['training'].get('options', []))}".rstrip()
        for _, runs in found
        for run in runs
    ]
    return ["Commands (DATA is what `deepperformer prepare` made):", "", *lines, ""]
