"""Colours of parts: one for light backgrounds and one for dark, told apart also by most colour-blind eyes."""

from __future__ import annotations

LIGHT = (
    "#1f6feb",
    "#d9480f",
    "#0b7a5b",
    "#8e3bb8",
    "#a97900",
    "#c2255c",
    "#0e7c9a",
    "#5c8a00",
    "#6741d9",
    "#9c5221",
    "#52606d",
    "#b5179e",
)
DARK = (
    "#7ab3ff",
    "#ff9b63",
    "#56d6ab",
    "#d795f5",
    "#f0c454",
    "#ff86ac",
    "#63d0ea",
    "#b4e05a",
    "#b09cff",
    "#dca67c",
    "#c3ccd6",
    "#ff8ae6",
)


def color_of(part: int) -> str:
    """Return the colour of a part on a light background; the colours repeat after twelve parts."""
    return LIGHT[part % len(LIGHT)]
