"""Confusion matrices → one SVG figure (figures → page)."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

CELL, GAP, TOP = 34, 26, 44
COLUMNS = 4


def confusion_figure(matrices: Sequence[tuple[str, Sequence[Sequence[int]]]], parts: Sequence[str]) -> str:
    """Return an SVG of named matrices side by side.

    matrices: notes by true part (rows) and predicted part (columns). A cell shows the percentage of all notes; its
    shade is the share of the row.
    """
    side = CELL * len(parts)
    width = COLUMNS * (side + GAP) + GAP
    lines = -(-len(matrices) // COLUMNS)
    height = lines * (side + TOP + GAP) + GAP
    body = []
    for index, (name, matrix) in enumerate(matrices):
        x = GAP + (index % COLUMNS) * (side + GAP)
        y = TOP + (index // COLUMNS) * (side + TOP + GAP)
        body.append(_matrix(name, matrix, parts, x, y))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="10" text-anchor="middle"><rect width="100%" height="100%" fill="white"/>{"".join(body)}</svg>\n'
    )


def _matrix(name: str, matrix: Sequence[Sequence[int]], parts: Sequence[str], x: int, y: int) -> str:
    total = sum(map(sum, matrix))
    middle = x + CELL * len(parts) / 2
    drawn = [f'<text x="{middle:g}" y="{y - 20}">{escape(name)}</text>']
    for row, counts in enumerate(matrix):
        drawn.append(f'<text x="{x - 8}" y="{y + CELL * row + CELL / 2 + 4:g}">{escape(_initial(parts[row]))}</text>')
        drawn.append(f'<text x="{x + CELL * row + CELL / 2:g}" y="{y - 5}">{escape(_initial(parts[row]))}</text>')
        for column, count in enumerate(counts):
            share = count / max(sum(counts), 1)
            shade = round(255 * (1 - share))
            ink = "white" if share > 0.5 else "black"
            left, top = x + CELL * column, y + CELL * row
            drawn.append(
                f'<rect x="{left}" y="{top}" width="{CELL}" height="{CELL}" fill="rgb({shade},{shade},255)" '
                f'stroke="gray"/><text x="{left + CELL / 2:g}" y="{top + CELL / 2 + 4:g}" fill="{ink}">'
                f"{100 * count / max(total, 1):.1f}</text>"
            )
    return "".join(drawn)


def _initial(part: str) -> str:
    """A part's short name: its initial, with its number if it has one (`Violin II` → `V2`)."""
    first, _, number = part.partition(" ")
    return first[0] + {"": "", "I": "1", "II": "2"}.get(number, number[:1])
