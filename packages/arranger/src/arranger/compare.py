"""A piece as mixture, as written, and as each mode separates it, in part colours under each other (Figs. 4.2–4.6)."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from muspy_core import Music, Track
from muspy_core.errors import install_hint
from muspy_core.io.files import write_atomically

from arranger.checkpoint import Checkpoint, load_checkpoint
from arranger.control import Control
from arranger.mixture import Integers
from arranger.parts import PartSet
from arranger.separate import Separation, SeparationError, separate

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from muspy_core.rendering.page import Page

FIGURES = (".png", ".svg", ".pdf")
PAGES = (".html", ".htm")
MODES = ("online", "offline")
_MIXTURE_COLOR = "#52606d"


@dataclass(frozen=True)
class Comparison:
    """A piece and its separations.

    written: the input without percussion. truth: (n,) part of each note by the names of the input's tracks, None if a
    track is not named after a part; then the rows of tracks are compared by eye only. results: by mode.
    """

    title: str
    written: Music
    truth: Integers | None
    results: Mapping[str, Separation]

    @property
    def parts(self) -> PartSet:
        """The parts of the model."""
        return next(iter(self.results.values())).parts

    def accuracy(self, mode: str) -> float | None:
        """Return the share of notes in their true part; None where it is not known."""
        return None if self.truth is None else float((self.results[mode].label == self.truth).mean())

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as what JSON can hold."""
        notes = len(next(iter(self.results.values())).mixture)
        return {"title": self.title, "notes": notes, "accuracy": {mode: self.accuracy(mode) for mode in self.results}}


def compare(
    music: Music,
    model: str | os.PathLike[str] | Mapping[str, Checkpoint] = "bach-chorales",
    modes: Sequence[str] = MODES,
    *,
    title: str = "",
    control: Control | None = None,
) -> Comparison:
    """Separate music in several modes; model: a name or folder, or a checkpoint for each mode.

    Raises ModelError and SeparationError as `separate` does.
    """
    if not modes:
        raise SeparationError("nothing to compare: name at least one mode")
    results = {
        mode: separate(music, model[mode] if isinstance(model, Mapping) else load_checkpoint(model, mode), mode,
                       control=control)
        for mode in modes
    }  # fmt: skip
    first = next(iter(results.values()))
    named = [first.parts.label_of(track.name or "") for track in music.tracks]
    true = [named[track] for track in first.origin.tolist()]
    known = [label for label in true if label is not None]
    truth = np.array(known, np.int64) if len(known) == len(true) else None
    written = music.deepcopy()
    written.tracks = [track for track in written.tracks if not track.is_drum]
    if truth is not None:  # in the order of the parts, for their colours
        by_part: list[Track] = [Track(name=part.name) for part in first.parts.parts]
        for track in written.tracks:
            label = first.parts.label_of(track.name or "")
            if label is not None:
                by_part[label].notes.extend(track.notes)
        written.tracks = by_part
    return Comparison(title or music.metadata.title or "", written, truth, results)


def comparison_figure(comparison: Comparison, span: tuple[float, float] | None = None) -> Figure:
    """Draw mixture, original (if it has several tracks) and every mode; a cross marks a note that is not its part's.

    span: first and last second shown. Raises ImportError without matplotlib (extra `render`).
    """
    try:
        from matplotlib.figure import Figure
        from muspy_core.rendering import show_pianoroll
    except ModuleNotFoundError as error:
        wanted = install_hint("arranger", "render")
        raise ImportError(f"figures need {error.name}; install the extra: {wanted}") from error
    several = len(comparison.written.tracks) > 1  # a single track, as written, is the mixture
    rows = 1 + several + len(comparison.results)
    figure = Figure(figsize=(10, 2.2 * rows), layout="constrained")  # pyplot would keep it to be shown
    axes = figure.subplots(rows, sharex=True, sharey=True)
    colors = [_MIXTURE_COLOR] * max(len(comparison.written.tracks), 1)
    options: dict[str, Any] = {"time": "seconds", "alpha_by_velocity": False, "grid": "none", "span": span}
    show_pianoroll(comparison.written, axes=axes[0], colors=colors, legend=False, title="Mixture", **options)
    if several:
        show_pianoroll(comparison.written, axes=axes[1], legend=True, title="As written", **options)
    legend = comparison.truth is None  # else the parts are those of the row above
    for row, (mode, separation) in zip(axes[1 + several :], comparison.results.items(), strict=True):
        music = separation.music.deepcopy()
        music.tracks = [track for track in music.tracks if not track.is_drum]
        accuracy = comparison.accuracy(mode)
        title = mode.capitalize() + ("" if accuracy is None else f", {accuracy:.1%} as written")
        show_pianoroll(music, axes=row, legend=legend, title=title, **options)
        legend = False
        if comparison.truth is not None:
            wrong = np.flatnonzero(separation.label != comparison.truth)
            onset = separation.mixture.onset[wrong] * music.resolution / 24
            row.plot(music.tempo_map.seconds(onset), separation.mixture.pitch[wrong], "kx", markersize=4)
    for row in axes[:-1]:
        row.set_xlabel("")
    figure.suptitle(comparison.title)
    return figure


def comparison_page(comparison: Comparison, span: tuple[float, float] | None = None) -> Page:
    """Return a page with the figure, the table of agreement, and the last mode's roll and sound."""
    from muspy_core.rendering import Facts, Page, Picture, Player, Roll, Table, render
    from muspy_core.rendering.html import playable

    picture = io.BytesIO()
    comparison_figure(comparison, span).savefig(picture, format="png", dpi=150)
    mode, last = list(comparison.results.items())[-1]
    wrong = None if comparison.truth is None else last.label != comparison.truth
    others = [None] * (len(last.music.tracks) - len(last.part_rows))
    rows = [
        [
            name.capitalize(),
            "" if comparison.accuracy(name) is None else f"{comparison.accuracy(name):.1%}",
            f"{int(result.doubtful.sum()):,}",
        ]
        for name, result in comparison.results.items()
    ]
    sections: list[Any] = [
        Facts({"Notes": f"{len(last.mixture):,}", "Parts": len(last.parts)}),
        Picture(
            picture.getvalue(),
            "Piano rolls of the mixture, the original and every mode, a colour for each part",
            heading="Side by side",
            caption="Crosses: notes in a part that is not their own.",
        ),
        Table(("Mode", "As written", "Doubtful notes"), rows, heading="Agreement"),
        Roll.from_music(
            last.music,
            confidence=[*(last.confidence[own] for own in last.part_rows), *others],
            marked=None if wrong is None else [*(wrong[own] for own in last.part_rows), *others],
            mark_label="not the part as written",
            heading=f"{mode.capitalize()}, to zoom and hear",
        ),
        Player(playable(render(last.music))),
    ]
    return Page(comparison.title or "Comparison", sections, subtitle="Parts as written and as found",
                footer="Made with arranger and muspy-core.")  # fmt: skip


def write_comparison(
    comparison: Comparison, path: Path, span: tuple[float, float] | None = None, *, overwrite: bool = False
) -> None:
    """Write a page (.html) or a figure (.png, .svg, .pdf), by the extension; raises SeparationError for another one."""
    suffix = path.suffix.lower()
    if suffix in PAGES:
        comparison_page(comparison, span).write(path, overwrite=overwrite)
    elif suffix in FIGURES:
        figure = comparison_figure(comparison, span)
        with write_atomically(path, overwrite) as temporary:
            figure.savefig(temporary, format=suffix[1:], dpi=150)
    else:
        raise SeparationError(f"{path}: the extension is none of {', '.join((*PAGES, *FIGURES))}")
