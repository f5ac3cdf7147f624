"""Music → a few lines of HTML for notebooks: a summary and a piano roll as inline SVG (no other library)."""

from __future__ import annotations

import html

import numpy as np

from muspy_core.music import Music
from muspy_core.rendering.palette import color_of
from muspy_core.rendering.summary import bar_times, summarize

WIDTH, HEIGHT = 720, 160
_NOTES_MOST = 4000


def music_repr_html(music: Music) -> str:
    """Return a piece as HTML: its title and figures, its piano roll (of long pieces the beginning), its parts."""
    summary = summarize(music)
    title = f"<strong>{html.escape(summary.title)}</strong><br>" if summary.title else ""
    facts = " · ".join(f"{label.lower()} {value}" for label, value in summary.facts().items())
    return (
        '<div style="font-family:system-ui,sans-serif;font-size:13px;max-width:45em">'
        f"{title}<span>{html.escape(facts)}</span>{_roll(music)}{_legend(music)}</div>"
    )


def _roll(music: Music) -> str:
    tables = [track.notes.array for track in music.tracks]
    tables = [table[np.argsort(table["time"], kind="stable")] for table in tables]
    total = sum(len(table) for table in tables)
    if not total:
        return ""
    end = max(int((table["time"] + table["duration"]).max()) for table in tables if len(table))
    if total > _NOTES_MOST:
        end = int(np.sort(np.concatenate([table["time"] for table in tables]))[_NOTES_MOST])
    pitches = np.concatenate([table["pitch"] for table in tables])
    low, high = int(pitches.min()) - 1, int(pitches.max()) + 1
    across, row = WIDTH / max(end, 1), HEIGHT / (high - low + 1)
    bars = bar_times(music)
    bars = bars[bars < end]
    bars = bars[:: max(len(bars) // 64, 1)]
    lines = "".join(f"M{time * across:.1f} 0V{HEIGHT}" for time in bars.tolist())
    shapes = [f'<path d="{lines}" stroke="#8886" stroke-width=".7"/>'] if lines else []
    for index, table in enumerate(tables):
        table = table[table["time"] < end]
        if len(table):
            x = (table["time"] * across).tolist()
            wide = np.maximum(np.minimum(table["duration"], end - table["time"]) * across - 0.5, 1.2).tolist()
            y = ((high - table["pitch"]) * row).tolist()
            path = "".join(
                f"M{left:.1f} {top:.1f}h{width:.1f}v{row * 0.86:.1f}h-{width:.1f}z"
                for left, top, width in zip(x, y, wide, strict=True)
            )
            shapes.append(f'<path d="{path}" fill="{color_of(index)}" fill-opacity=".85"/>')
    label = f"Piano roll of {total} notes in {len(tables)} tracks"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" '
        'style="display:block;width:100%;height:auto;margin:.5em 0;border-radius:4px;background:#8881">'
        f"{''.join(shapes)}</svg>"
    )


def _legend(music: Music) -> str:
    tracks = [(index, track) for index, track in enumerate(music.tracks) if len(track.notes)]
    names = [
        f'<span style="white-space:nowrap"><span style="color:{color_of(index)}">■</span> '
        f"{html.escape(track.name or f'Track {index + 1}')}</span>"
        for index, track in tracks[:16]
    ]
    if len(tracks) > 16:
        names.append(f"and {len(tracks) - 16} more")
    return " &ensp;".join(names)
