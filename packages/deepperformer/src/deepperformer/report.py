"""Performance → a page with score time against played time, piano roll, mel and player (the extra `render`)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray

from deepperformer.features.notes import performed_music
from deepperformer.features.spectrogram import Mel
from deepperformer.perform import Performance

WIDTH, HEIGHT = 10.0, 3.2  # inches
SVG = "image/svg+xml"
MAX_COLUMNS = 2000  # of the picture of a mel; longer ones are averaged


def performance_page(performance: Performance, score_s: NDArray[np.float64], mel: Mel, audio: Audio, title: str) -> Any:
    """Return a page that shows and plays a performance.

    score_s: (n,), when notes begin in the score, in seconds. mel: (T, M). Raises ImportError without the extra
    `render`.
    """
    from muspy_core.rendering import Facts, Page, Picture, Player, Roll
    from muspy_core.rendering.html import playable

    drift = performance.timings[:, 0] - score_s
    facts = Facts(
        {
            "Notes": f"{len(performance.rows):,}",
            "Length": f"{audio.duration:.1f} s",
            "Latest after the score": f"{drift.max():+.2f} s",
        }
    )
    pictures = [
        Picture(timing_picture(score_s, drift), "delay of each note", SVG, "Played time beside score time"),
        Picture(mel_picture(mel), "mel spectrogram", SVG, "Mel spectrogram"),
    ]
    roll = Roll.from_music(performed_music(performance.rows, performance.timings))
    footer = "Made with deepperformer and muspy-core."
    return Page(title, [facts, Player(playable(audio)), roll, *pictures], footer=footer)


def timing_picture(score_s: NDArray[np.float64], drift: NDArray[np.float64]) -> bytes:
    """Return an SVG of how much later than in the score notes are played."""
    figure, axes = _axes()
    axes.plot(score_s, drift, linewidth=0.8, marker=".", markersize=2)
    axes.axhline(0, color="gray", linewidth=0.5)
    axes.set(xlabel="score time (s)", ylabel="played later by (s)")
    return _svg(figure)


def mel_picture(mel: Mel) -> bytes:
    """Return an SVG of a mel spectrogram, (T, M)."""
    figure, axes = _axes()
    step = -(-len(mel) // MAX_COLUMNS)
    whole = len(mel) // step * step
    axes.imshow(mel[:whole].reshape(-1, step, mel.shape[1]).mean(1).T, origin="lower", aspect="auto", cmap="magma")
    axes.set(xlabel="time", ylabel="mel band", xticks=[])
    return _svg(figure)


def _axes() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError("a report needs matplotlib: pip install 'deepperformer[render]'") from error
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
