"""Figures 2.5–2.7 from the statistics of data sets: lengths, initial tempos, declared and estimated keys.

A figure is an SVG whose text stays text; the same statistics give the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muspy_core.analysis.keys import MINOR, TONICS
from muspy_core.analysis.summary import LENGTH_BINS_PER_OCTAVE, Statistics
from muspy_core.io.files import write_atomically

MAJOR_COLOUR, MINOR_COLOUR = "#4878a8", "#c2613c"
COLUMNS = 4
# A distribution of fewer songs is not drawn; the tables have its numbers.
FEWEST_SONGS = 20
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "muspy-core",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def save_figures(statistics: Sequence[Statistics], folder: Path) -> list[Path]:
    """Draw the three figures into a folder and return their paths."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figures = {
            "song-lengths": draw_lengths(statistics),
            "initial-tempos": draw_tempos(statistics),
            "keys": draw_keys(statistics),
        }
        return [save_svg(figure, folder / f"{name}.svg") for name, figure in figures.items()]


def draw_lengths(statistics: Sequence[Statistics]) -> Any:
    """Fig. 2.5: the distribution of song lengths of each data set.

    A dot is the median, the thick line goes from quartile to quartile, the thin one from 5 to 95 %.
    """
    figure, axes = _grid(1, 1, (7.0, 0.36 * len(statistics) + 0.8))
    axis = axes[0]
    ordered = sorted(statistics, key=lambda item: -item.lengths.median)
    for row, item in enumerate(ordered):
        _, low, first, median, third, high, _ = item.lengths.quantiles
        edges = np.array([edge for edge, _ in item.lengths.counts])
        counts = np.array([count for _, count in item.lengths.counts], dtype=np.float64)
        width = edges * (2 ** (1 / LENGTH_BINS_PER_OCTAVE) - 1)
        axis.bar(edges, 0.8 * counts / counts.max(), width, bottom=row, align="edge", color=MAJOR_COLOUR, alpha=0.35)
        axis.hlines(row, low, high, color="black", linewidth=0.8)
        axis.hlines(row, first, third, color="black", linewidth=3)
        axis.plot(median, row, "o", color="white", markeredgecolor="black", markersize=4, zorder=3)
    axis.set_yticks(range(len(ordered)), [f"{item.name} ({item.songs:,})" for item in ordered])
    axis.set_xscale("log")
    axis.set_xlim(5, 3000)
    axis.set_ylim(-0.3, len(ordered))
    axis.set_xticks([10, 30, 60, 120, 300, 600, 1800], ["10 s", "30 s", "1 min", "2 min", "5 min", "10 min", "30 min"])
    axis.minorticks_off()
    axis.set_xlabel("length of a song (songs)")
    return figure


def draw_tempos(statistics: Sequence[Statistics]) -> Any:
    """Fig. 2.6: the distribution of initial tempos of each data set in which at least 20 songs state one."""
    stated = [item for item in statistics if item.tempos.n >= FEWEST_SONGS] or list(statistics[:1])
    figure, axes = _grid(-(-len(stated) // COLUMNS), COLUMNS, (8.0, 1.5 * -(-len(stated) // COLUMNS)))
    edges = np.arange(20, 265, 5)
    for axis, item in zip(axes, stated, strict=False):
        values = np.array([value for value, _ in item.tempos.counts])
        counts = np.array([count for _, count in item.tempos.counts])
        shares, _ = np.histogram(np.clip(values, 20, 259), edges, weights=counts / counts.sum())
        axis.stairs(shares, edges, fill=True, color=MAJOR_COLOUR)
        axis.axvline(120, color=MINOR_COLOUR, linewidth=0.6, linestyle=":")
        axis.set_title(f"{item.name}: {item.tempos.n:,} of {item.songs:,}", fontsize=8)
        axis.set_xticks([60, 120, 180, 240])
    for axis in axes[len(stated) :]:
        axis.set_axis_off()
    figure.supxlabel("initial tempo (quarter notes a minute)")
    figure.supylabel("share of songs")
    return figure


def draw_keys(statistics: Sequence[Statistics]) -> Any:
    """Fig. 2.7: how often each key is declared (bars, from 20 songs on), and how often the notes suggest it (dots)."""
    figure, axes = _grid(-(-len(statistics) // COLUMNS), COLUMNS, (8.5, 1.7 * -(-len(statistics) // COLUMNS)))
    # Fifths apart, so that neighbours are related: D♭ … F♯ for major keys.
    order = [(7 * step + 1) % 12 for step in range(12)]
    for axis, item in zip(axes, statistics, strict=False):
        _draw_keys_of(axis, item, order)
    for axis in axes[len(statistics) :]:
        axis.set_axis_off()
    figure.supylabel("share of songs")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower right", ncols=4, fontsize=7, frameon=False)
    return figure


def _draw_keys_of(axis: Any, item: Statistics, order: list[int]) -> None:
    places = np.arange(12)
    for first, shift, colour, mode in ((0, -0.2, MAJOR_COLOUR, "major"), (MINOR, 0.2, MINOR_COLOUR, "minor")):
        declared = np.array(item.declared[first : first + 12])[order] / max(sum(item.declared), 1)
        declared = declared if sum(item.declared) >= FEWEST_SONGS else np.zeros(12)
        estimated = np.array(item.estimated[first : first + 12])[order] / max(sum(item.estimated), 1)
        axis.bar(places + shift, declared, 0.4, color=colour, label=f"{mode}, declared")
        axis.plot(places + shift, estimated, ".", color=colour, markeredgecolor="black", label=f"{mode}, estimated")
    axis.set_title(f"{item.name}: {sum(item.declared):,} of {item.songs:,} declared", fontsize=8)
    axis.set_xticks(places, [TONICS[tonic] for tonic in order], fontsize=6)


def save_svg(figure: Any, path: Path) -> Path:
    """Write a figure of matplotlib; the file does not depend on the date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
    return path


def _grid(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """A figure with axes in rows and columns; `size` in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, list(np.ravel(figure.subplots(rows, columns)))
