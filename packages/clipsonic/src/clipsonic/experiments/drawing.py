"""Curves over one axis → an SVG figure, a panel for each (figures → page)."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 300, 200, 48


def curves(xs: Sequence[float], lines: Sequence[tuple[str, Sequence[float]]], axis: str) -> str:
    """Return an SVG with a panel for each named line, (x,) values each, over the same axis."""
    step = WIDTH + 2 * MARGIN
    body = "".join(_panel(xs, name, values, axis, index * step) for index, (name, values) in enumerate(lines))
    width, height = step * len(lines), HEIGHT + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11" text-anchor="middle"><rect width="100%" height="100%" fill="white"/>{body}</svg>\n'
    )


def _panel(xs: Sequence[float], name: str, values: Sequence[float], axis: str, left: int) -> str:
    low, high = min(values), max(values)
    span, room = (high - low) or 1.0, (max(xs) - min(xs)) or 1.0
    points = [
        (left + MARGIN + WIDTH * (x - min(xs)) / room, MARGIN + HEIGHT * (1 - (value - low) / span))
        for x, value in zip(xs, values, strict=True)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = "".join(
        f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3"/>'
        f'<text x="{px:.1f}" y="{MARGIN + HEIGHT + 16}">{x:g}</text>'
        f'<text x="{px:.1f}" y="{py - 7:.1f}">{value:.3g}</text>'
        for (px, py), x, value in zip(points, xs, values, strict=True)
    )
    middle = left + MARGIN + WIDTH / 2
    return (
        f'<text x="{middle:g}" y="20" font-weight="bold">{escape(name)}</text>'
        f'<text x="{middle:g}" y="{MARGIN + HEIGHT + 36}">{escape(axis)}</text>'
        f'<rect x="{left + MARGIN}" y="{MARGIN}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="gray"/>'
        f'<polyline points="{path}" fill="none" stroke="black"/>{marks}'
    )
