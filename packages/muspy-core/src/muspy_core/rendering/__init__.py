"""Music → sound, pictures and pages.

`render` plays (soundfont.py), `show_pianoroll` and `show_spectrogram` plot (pianoroll.py, spectrogram.py), `engrave`
sets a score (score.py), `view` makes a page of these (html.py). What needs an optional dependency imports it when it is
called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muspy_core.rendering.html import page_of, view
    from muspy_core.rendering.index import write_index
    from muspy_core.rendering.page import (
        Facts,
        Link,
        Links,
        Page,
        Picture,
        Player,
        Roll,
        RollPart,
        Score,
        Sound,
        Table,
        Text,
    )
    from muspy_core.rendering.pianoroll import show_pianoroll, show_tracks
    from muspy_core.rendering.score import Engraving, engrave
    from muspy_core.rendering.soundfont import render, render_stems, synthesize, write_audio
    from muspy_core.rendering.spectrogram import show_spectrogram

_MODULES = {
    "html": ("page_of", "view"),
    "index": ("write_index",),
    "page": (
        "Facts",
        "Link",
        "Links",
        "Page",
        "Picture",
        "Player",
        "Roll",
        "RollPart",
        "Score",
        "Sound",
        "Table",
        "Text",
    ),
    "pianoroll": ("show_pianoroll", "show_tracks"),
    "score": ("Engraving", "engrave"),
    "soundfont": ("render", "render_stems", "synthesize", "write_audio"),
    "spectrogram": ("show_spectrogram",),
}
_NAMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Engraving",
    "Facts",
    "Link",
    "Links",
    "Page",
    "Picture",
    "Player",
    "Roll",
    "RollPart",
    "Score",
    "Sound",
    "Table",
    "Text",
    "engrave",
    "page_of",
    "render",
    "render_stems",
    "show_pianoroll",
    "show_spectrogram",
    "show_tracks",
    "synthesize",
    "view",
    "write_audio",
    "write_index",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
