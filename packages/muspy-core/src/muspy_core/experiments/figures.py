"""Figures 2.8–2.10 from the rows: perplexity of each model on each set, against hours, and train against test."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from muspy_core.analysis.figures import STYLE, save_svg
from muspy_core.experiments.claims import MODELS
from muspy_core.experiments.corpora import NAMES
from muspy_core.experiments.results import TRAINED_ON, Results, group, rank_correlation

COLOURS = {"rnn": "#9aa0a6", "lstm": "#4878a8", "gru": "#6aa56e", "transformer": "#c2613c"}
GROUP_COLOURS = {"monophonic": "#c2613c", "multi-pitch": "#4878a8"}
LABELS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "transformer": "Transformer"}


def save_figures(results: Results, folder: Path) -> list[Path]:
    """Draw the three figures into a folder and return their paths."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figures = {
            "perplexity-by-model": draw_models(results),
            "perplexity-by-hours": draw_hours(results),
            "train-test": draw_matrix(results),
        }
        return [save_svg(figure, folder / f"{name}.svg") for name, figure in figures.items()]


def draw_models(results: Results) -> Any:
    """Fig. 2.8: perplexity of each model on the test set it was trained for; bars of the LSTM show ± sd over seeds."""
    figure, axis = _figure((8.0, 3.0))
    names = sorted(TRAINED_ON, key=lambda name: -_sortable(results.overall(name, "lstm")))
    places = np.arange(len(names))
    for number, kind in enumerate(MODELS):
        nats = np.array([results.overall(name, kind) for name in names])
        spread = np.array([_spread(results, name) if kind == "lstm" else 0.0 for name in names])
        error = np.exp(nats) * np.stack([1 - np.exp(-spread), np.exp(spread) - 1])
        shift = (number - 1.5) * 0.2
        style = {"color": COLOURS[kind], "label": LABELS[kind]}
        axis.bar(places + shift, np.exp(nats), 0.2, yerr=error if spread.any() else None, **style)
    axis.set_xticks(places, names, rotation=40, ha="right")
    axis.set_ylabel("perplexity of an event")
    axis.set_yscale("log")
    axis.set_yticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
    axis.minorticks_off()
    axis.legend(frameon=False, ncols=4, fontsize=7)
    return figure


def draw_hours(results: Results) -> Any:
    """Fig. 2.9: the LSTM's perplexity on its own test set against the hours it was trained on."""
    figure, axis = _figure((5.5, 3.4))
    for name, colour in GROUP_COLOURS.items():
        members = [member for member in NAMES if group(member) == name and results.seeds(member, "lstm")]
        hours = [results.hours(member) for member in members]
        nats = [results.overall(member, "lstm") for member in members]
        found = rank_correlation(hours, nats)
        axis.plot(hours, np.exp(nats), "o", color=colour, label=f"{name}: ρ = {found.rho:.2f} (n = {found.n})")
        for member, x, y in zip(members, hours, np.exp(nats), strict=True):
            axis.annotate(member, (x, y), textcoords="offset points", xytext=(4, 3), fontsize=7)
    for member in ("unified", "stratified"):
        if results.seeds(member, "lstm"):
            place = (results.hours(member), math.exp(results.overall(member, "lstm")))
            axis.plot(*place, "s", color="black", markersize=4)
            axis.annotate(member, place, textcoords="offset points", xytext=(-6, 5), fontsize=7, ha="right")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_yticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
    axis.set_xticks([3, 10, 30, 100, 200], ["3", "10", "30", "100", "200"])
    axis.minorticks_off()
    axis.set_xlabel("hours of music in the training pieces")
    axis.set_ylabel("perplexity of an event")
    axis.legend(frameon=False, fontsize=7)
    return figure


def draw_matrix(results: Results) -> Any:
    """Fig. 2.10: nats an event of the LSTM trained on the row's set and tested on the column's."""
    figure, axis = _figure((7.0, 4.8))
    matrix = results.matrix("lstm")
    picture = axis.imshow(matrix, cmap="viridis_r", vmin=0.8, vmax=6, aspect="auto")
    for (row, column), value in np.ndenumerate(matrix):
        if not math.isnan(value):
            colour = "white" if value > 3 else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color=colour)
    axis.set_xticks(range(len(NAMES)), NAMES, rotation=40, ha="right")
    axis.set_yticks(range(len(TRAINED_ON)), TRAINED_ON)
    axis.set_xlabel("tested on")
    axis.set_ylabel("trained on")
    figure.colorbar(picture, ax=axis, label="nats an event")
    return figure


def _figure(size: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def _spread(results: Results, name: str) -> float:
    """Standard deviation over seeds of the LSTM's mean over its test sets, 0 for one seed."""
    own = NAMES if name in ("unified", "stratified") else (name,)
    values = [results.nats(name, "lstm", test) for test in own]
    means = np.mean(values, axis=0) if all(len(one) for one in values) else np.empty(0)
    return float(means.std(ddof=1)) if len(means) > 1 else 0.0


def _sortable(value: float) -> float:
    return -math.inf if math.isnan(value) else value
