"""MusPy's `muspy.visualization`: piano rolls and scores with matplotlib, under MusPy's names."""

from __future__ import annotations

from typing import Any

from muspy_core.music import Music
from muspy_core.rendering.pianoroll import show_pianoroll
from muspy_core.rendering.score_plotter import ScorePlotter, show_score

__all__ = ["ScorePlotter", "show", "show_pianoroll", "show_score"]


def show(music: Music, kind: str, **kwargs: Any) -> Any:
    """Plot music with matplotlib.

    Args:
        music: The music.
        kind: "piano-roll" (also "pianoroll", "piano roll") or "score".
        **kwargs: Options of `show_pianoroll` or `show_score`.

    Returns what that function returns. Raises ValueError for another kind.
    """
    if kind.lower() in ("piano-roll", "pianoroll", "piano roll"):
        return show_pianoroll(music, **kwargs)
    if kind.lower() == "score":
        return show_score(music, **kwargs)
    raise ValueError(f'`kind` must be "piano-roll" or "score", got {kind!r}')
