"""Figures of all runs → the results page in Markdown, ours beside the paper's (runs → docs)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from muspy_core.runs import Figures, mean_sd, page_head, read_figures

from arranger.corpus import corpus_of
from arranger.experiments.drawing import confusion_figure
from arranger.experiments.runs import runs_of, shipped_rows
from arranger.experiments.tables import COLUMNS, FEATURES, MODELS, OURS, TIME, Column, Row


def render(results: Path) -> str:
    """Return the page: the text written by hand, then for every column what was measured and what was not."""
    lines = [line for column in COLUMNS.values() for line in _column(column, results)]
    return "\n".join([page_head("arranger"), *lines])


def figures_of(results: Path) -> dict[str, str]:
    """Return an SVG of confusion matrices for every column that has figures, by name."""
    drawings = {}
    for column in COLUMNS.values():
        matrices = []
        for row in [*(row for _, rows in MODELS for row in rows if row.measure != "true history"), *OURS]:
            found = _read(results, column, row)
            if found:
                matrices.append((_short(row), _chosen(found[0], row)["confusion"]))
        if matrices:
            drawings[f"{column.name}-confusion"] = confusion_figure(matrices, corpus_of(column.corpus).parts.names)
    return drawings


# ---- reading


def _read(results: Path, column: Column, row: Row, split: str = "grouped") -> list[Figures]:
    """Return the figures of a row, one for each seed that there is."""
    return list(read_figures(results / column.name / row.model, f"{split}-s*.json").values())


def _chosen(figures: Figures, row: Row) -> Figures:
    """Return the figures that the row stands for: decoded ones at the top level, or the undecoded ones."""
    if row.measure == "decoded" or figures["undecoded"] is None:
        return figures
    chosen: Figures = figures["undecoded"]
    return chosen


def _value(row: Row) -> Callable[[Figures], float | None]:
    if row.measure == "true history":
        return lambda figures: figures["true_history_accuracy"]
    return lambda figures: _chosen(figures, row)["accuracy"]


# ---- writing


def _column(column: Column, results: Path) -> list[str]:
    everything = [*(row for _, rows in MODELS for row in rows), *OURS, *FEATURES, *TIME]
    first = next((found[0] for row in everything if (found := _read(results, column, row))), None)
    if first is None:
        return []
    lines = [
        f"## {column.title}",
        "",
        f"Corpus `{column.corpus}`: {first['dataset_pieces']} pieces, {first['dataset_notes']:,} notes. Split "
        f"`{first['split']}`: tested on {first['pieces']} pieces, {first['notes']:,} notes.",
        "",
    ]
    lines += ["### Table 4.2", "", *_models(column, results), ""]
    lines += ["### Beyond the paper", "", *_table(column, results, (*OURS, *shipped_rows(column)), f"| | {_HEADS}"), ""]
    for name, rows in (("Table 4.3: what the LSTM reads", FEATURES), ("Table 4.4: time and augmentation", TIME)):
        if any(_read(results, column, row) for row in rows if row.model != "lstm-emb"):
            lines += [f"### {name}", "", *_table(column, results, rows, f"| | {_HEADS}"), ""]
    lines += [f"![Confusion matrices](figures/{column.name}-confusion.svg)", ""]
    if column.bundled:
        lines += [
            "### An example",
            "",
            "The first test piece by name, with the shipped models; crosses mark notes in another part than written. "
            "`python -m arranger.experiments --examples` draws it.",
            "",
            f"![Mixture, original, online and offline](figures/{column.name}-example.png)",
            "",
        ]
    lines += ["### Speed, and what one player could play", "", *_speed(column, results), ""]
    return [*lines, *_spread(column, results), *_missing(column, results), *_commands(column, results)]


_HEADS = (
    "paper | ours | n | passes | unisons shuffled | unisons interchangeable | other way | balanced | soundness "
    "| completeness | link P | link R | link F1 |"
)
_RULE = "|---|" + "---|" * (_HEADS.count("|"))


def _models(column: Column, results: Path) -> list[str]:
    lines = [f"| | {_HEADS}", _RULE]
    for heading, rows in MODELS:
        found = [(row, _read(results, column, row)) for row in rows]
        lines.append(f"| **{heading}** |" + " |" * _HEADS.count("|"))
        lines += [_line(row, column, figures) for row, figures in found]
    return lines


def _table(column: Column, results: Path, rows: Sequence[Row], head: str) -> list[str]:
    return [head, _RULE, *(_line(row, column, _read(results, column, row)) for row in rows)]


def _line(row: Row, column: Column, found: Sequence[Figures]) -> str:
    """One row: mean ± sd over seeds of what it stands for, and further figures of the same predictions."""
    paper = row.published(column)
    cells = ["" if paper is None else f"{paper:.2f}"]
    if not found:
        return f"| {row.title} | {' | '.join([*cells, 'not run', *[''] * (_HEADS.count('|') - 2)])} |"
    cells += [f"**{_mean([_value(row)(figures) for figures in found])}**", str(len(found)), _passes(found)]
    if row.measure == "true history":
        return f"| {row.title} | {' | '.join([*cells, *[''] * (_HEADS.count('|') - len(cells))])} |"
    chosen = [_chosen(figures, row) for figures in found]
    other = [_other(figures, row) for figures in found]
    cells += [
        _mean([c["accuracy_ties_shuffled"] for c in chosen]),
        _mean([c["accuracy_unisons_merged"] for c in chosen]),
    ]
    cells.append(_mean(other))
    for name in ("balanced_accuracy", "soundness", "completeness", "link_precision", "link_recall", "link_f1"):
        cells.append(_mean([c[name] for c in chosen]))
    return f"| {row.title} | {' | '.join(cells)} |"


def _other(figures: Figures, row: Row) -> float | None:
    """The accuracy decoded, if the row stands for the undecoded one; else undecoded."""
    if row.measure == "decoded":
        undecoded: float | None = figures["undecoded_accuracy"]
        return undecoded
    return float(figures["accuracy"])


def _mean(values: Sequence[float | None]) -> str:
    known = [100 * value for value in values if value is not None]
    if not known:
        return ""
    return mean_sd(known, 2)


def _passes(found: Sequence[Figures]) -> str:
    """Passes over the training pieces up to the best validation."""
    passes = sorted({f["training"]["epoch"] + 1 for f in found if "epoch" in f["training"]})
    return "" if not passes else str(passes[0]) if len(passes) == 1 else f"{passes[0]}–{passes[-1]}"


def _speed(column: Column, results: Path) -> list[str]:
    lines = ["| | notes per second | accuracy where playable | notes | pieces |", "|---|---|---|---|---|"]
    for row in [
        *(row for _, rows in MODELS for row in rows if row.measure != "true history"),
        *OURS,
        *shipped_rows(column),
    ]:
        found = _read(results, column, row)
        if not found:
            continue
        speed = max(figures["notes_per_s"] for figures in found)
        playable = found[0]["playable"]
        lines.append(
            f"| {_short(row)} | {float(f'{speed:.2g}'):,.0f} | {100 * playable['accuracy']:.2f} | "
            f"{playable['notes']:.0%} | {playable['pieces']:.0%} |"
        )
    return lines


def _short(row: Row) -> str:
    return row.model if row.mode else row.title


def _spread(column: Column, results: Path) -> list[str]:
    """Figures on other splits, if there are any."""
    lines = []
    for row in [*(row for _, rows in MODELS for row in rows), *OURS]:
        for name, pattern in (("other draws of `grouped`", "grouped[1-9]*"), ("`paper`", "paper")):
            found = _read(results, column, row, pattern)
            if found:
                lines.append(f"| {_short(row)} | {name} | {_mean([_value(row)(f) for f in found])} | {len(found)} |")
    head = ["### Other splits", "", "| | split | ours | n |", "|---|---|---|---|"]
    return [*head, *lines, ""] if lines else []


def _missing(column: Column, results: Path) -> list[str]:
    """Say which runs of the plan are not done yet."""
    left: dict[str, list[str]] = {}
    for run in runs_of(column):
        if not run.result(results).exists():
            left.setdefault(run.version, []).append(run.model)
    if not left:
        return []
    whole = [version for version, models in left.items() if len(models) > 5]
    lines = ["### Not run yet", ""]
    lines += [f"* `{version}`: {', '.join(models)}" for version, models in left.items() if version not in whole]
    lines += [f"* `{version}`: {len(left[version])} rows" for version in whole]
    return [*lines, "", f"`python -m arranger.experiments --table {column.name} --budget-min N` goes on with them.", ""]


def _commands(column: Column, results: Path) -> list[str]:
    lines = ["### Commands", ""]
    for run in runs_of(column):
        if run.result(results).exists():
            lines.append(f"    {run.command}")
    return [*lines, ""]
