"""Finished rows → the tables of the page on the experiments, and its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from muspy_core.analysis.pages import markdown_table, replace_section
from muspy_core.experiments.claims import MODELS, findings
from muspy_core.experiments.corpora import NAMES
from muspy_core.experiments.figures import LABELS, save_figures
from muspy_core.experiments.results import MIXED, TRAINED_ON, Results, group, rank_correlation
from muspy_core.experiments.rows import LONG_WINDOWS, WINDOWS_SEEN, Row

# Nats an event of the published models, recovered from the vector graphics of Fig. 2.8 (± 0.008) and divided by 6.4006,
# for the sets that ours resemble: our name → the published one and its RNN, LSTM, GRU and Transformer.
PUBLISHED: dict[str, tuple[str, tuple[float, float, float, float]]] = {
    "m21jsb": ("music21 JSBach", (1.614, 1.338, 1.375, 1.687)),
    "essen": ("Essen", (1.123, 0.978, 0.986, 1.069)),
    "nottingham": ("NMD", (0.964, 0.881, 0.884, 0.934)),
    "music21": ("music21", (2.054, 1.651, 1.723, 2.045)),
}


def render(kept: Path, pages: Path, planned: Sequence[tuple[str, Row]]) -> None:
    """Write the tables into the page and draw the figures.

    kept: folder of the tables' rows. pages: folder of the page. planned: the rows of all tables, with the table's name.
    """
    results = Results.load(kept / "cross", WINDOWS_SEEN)
    long = Results.load(kept / "cross", LONG_WINDOWS)
    upstream = Results.load(kept / "upstream", WINDOWS_SEEN)
    sections = {
        "state": _state(kept, planned),
        "own": _own(results),
        "hours": _hours(results),
        "matrix": _matrix(results),
        "spread": _spread(results),
        "claims": _claims(results),
        "published": _published(results, long, upstream),
        "upstream": _upstream(results, upstream),
    }
    save_figures(results, pages / "images")
    for name, text in sections.items():
        replace_section(pages / "experiments.md", name, text)


def _state(kept: Path, planned: Sequence[tuple[str, Row]]) -> str:
    """How many rows there are, and which are missing, by what they share."""
    missing: dict[str, list[str]] = {}
    for table, row in planned:
        if not (kept / table / f"{row.name}.json").exists():
            missing.setdefault(f"{LABELS[row.kind]}, `{row.protocol}`, seed {row.seed}", []).append(row.trained_on)
    count = len(planned) - sum(map(len, missing.values()))
    lines = [f"{count} of {len(planned)} rows are there. {'Not reached:' if missing else ''}".strip(), ""]
    for what, names in missing.items():
        lines.append(f"* {what}: {'all' if len(names) == len(TRAINED_ON) else ', '.join(names)}")
    return "\n".join(lines)


def _own(results: Results) -> str:
    head = ("trained and tested on", "group", "hours", *(LABELS[kind] for kind in MODELS), "LSTM perplexity", "seeds")
    rows = []
    for name in TRAINED_ON:
        own = NAMES if name in MIXED else (name,)
        cells = []
        for kind in MODELS:
            values = [results.nats(name, kind, test) for test in own]
            cells.append(_mean_and_spread(np.mean(values, axis=0) if len(values[0]) else np.empty(0)))
        hours, nats = results.hours(name), results.overall(name, "lstm")
        what = "all" if name in MIXED else group(name)
        rows.append((name, what, _number(hours, 1), *cells, _number(math.exp(nats), 2), _seeds(results, name)))
    return markdown_table(head, rows, numeric_from=2)


def _hours(results: Results) -> str:
    rows = []
    for kind in MODELS:
        for name in ("monophonic", "multi-pitch"):
            members = [member for member in NAMES if group(member) == name]
            hours = [results.hours(member, kind) for member in members]
            found = rank_correlation(hours, [results.overall(member, kind) for member in members])
            rows.append((LABELS[kind], name, str(found.n), _number(found.rho, 2), _number(found.p, 3)))
    return markdown_table(("model", "group", "n", "Spearman's ρ", "exact one-sided p"), rows, numeric_from=2)


def _matrix(results: Results) -> str:
    matrix = results.matrix("lstm")
    nats = [(name, *(_number(value, 2) for value in row)) for name, row in zip(TRAINED_ON, matrix, strict=True)]
    perplexity = [
        (name, *(_number(value, 1) for value in row)) for name, row in zip(TRAINED_ON, np.exp(matrix), strict=True)
    ]
    head = ("trained on ↓, tested on →", *NAMES)
    return f"Nats an event:\n\n{markdown_table(head, nats)}\n\nPerplexity:\n\n{markdown_table(head, perplexity)}"


def _spread(results: Results) -> str:
    spreads: list[float] = []
    foreign: list[float] = []
    for name in TRAINED_ON:
        for test in NAMES:
            values = results.nats(name, "lstm", test)
            if len(values) > 1:
                (spreads if name in (test, *MIXED) else foreign).append(float(values.std(ddof=1)))
    if not spreads:
        return "No data set has more than one seed yet."
    return (
        f"Over seeds, the standard deviation of the LSTM's nats is {np.median(spreads):.3f} in the median on sets that "
        f"were trained on (at most {max(spreads):.3f}; {len(spreads)} pairs of training and test)"
        + (f", and {np.median(foreign):.3f} on foreign ones (at most {max(foreign):.3f})." if foreign else ".")
    )


def _claims(results: Results) -> str:
    verdicts = {True: "holds", False: "not confirmed", None: "–"}
    rows = [(found.claim, verdicts[found.holds], found.evidence) for found in findings(results)]
    return markdown_table(("claim of §2.5", "here", "our evidence"), rows, numeric_from=3)


def _published(results: Results, long: Results, upstream: Results) -> str:
    # Columns that no row has reached would only be dashes.
    tables = {f"`clean`, {WINDOWS_SEEN:,}": results, f"`clean`, {LONG_WINDOWS:,}": long}
    tables[f"`upstream`, {WINDOWS_SEEN:,}"] = upstream
    tables = {label: table for label, table in tables.items() if table.rows}
    transformer = ("published Transformer", f"Transformer, `clean`, {WINDOWS_SEEN:,}")
    head = ("ours", "published", "published LSTM", *(f"LSTM, {label}" for label in tables), *transformer)
    rows = []
    for name, (label, nats) in PUBLISHED.items():
        found = (_mean_and_spread(table.nats(name, "lstm", name)) for table in tables.values())
        ours = _mean_and_spread(results.nats(name, "transformer", name))
        rows.append((name, label, f"{nats[1]:.3f}", *found, f"{nats[3]:.3f}", ours))
    return markdown_table(head, rows, numeric_from=2)


def _upstream(results: Results, upstream: Results) -> str:
    rows = []
    for name in TRAINED_ON:
        own = NAMES if name in MIXED else (name,)
        if not upstream.seeds(name, "lstm"):
            continue
        (row,) = upstream.rows[(name, "lstm")]
        axis = float(np.mean([row["test"][test]["published_axis"] for test in own]))
        first = next((one for one in results.rows.get((name, "lstm"), []) if one["seed"] == row["seed"]), None)
        clean = math.nan if first is None else float(np.mean([first["test"][test]["nll"] for test in own]))
        rows.append((name, _number(clean, 3), _number(upstream.overall(name, "lstm"), 3), _number(axis, 2)))
    head = ("trained and tested on", "`clean`", "`upstream`", "the same on the paper's axis")
    return markdown_table(head, rows) if rows else "No row of this protocol was reached."


def _mean_and_spread(values: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    if not len(values):
        return "–"
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.3f}"


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _seeds(results: Results, name: str) -> str:
    return str(len(results.seeds(name, "lstm")))
