"""Texts with markup → plain lines (used by the other stages of reading MuseScore files)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ELISION = "‿"
ELISIONS = re.compile("[\ue550-\ue552]")  # as characters of a music font
SYMBOL = "\ufffc"  # stands for a music symbol inside a text
# MuseScore puts notes of metronome marks as <sym> or as characters of a music font (private use, musical symbols).
MUSIC_FONT = re.compile("[\ue000-\uf8ff\U0001d100-\U0001d1ff]")
METRONOME = re.compile(rf"[(\[]?\s*(?:{SYMBOL}[\s.]*)+(?:=[^)\]]*)?[)\]]?")


def text_of(element: Element | None) -> str:
    """Return the text of an element with markup; each music symbol in it is one `SYMBOL`."""
    if element is None:
        return ""
    pieces = [element.text or ""]
    for child in element:
        if child.tag == "sym":
            pieces.append(ELISION if (child.text or "").startswith("lyricsElision") else SYMBOL)
        else:
            pieces.append(text_of(child))
        pieces.append(child.tail or "")
    return MUSIC_FONT.sub(SYMBOL, ELISIONS.sub(ELISION, "".join(pieces)))


def line_of_text(element: Element | None) -> str | None:
    """Return the text of an element in one line without music symbols, None if it is missing or empty."""
    return " ".join(text_of(element).replace(SYMBOL, " ").split()) or None


def tempo_words(element: Element | None) -> str | None:
    """Return the words of a tempo mark without its metronome mark ("Allegro" of "Allegro (♩ = 120)")."""
    return " ".join(METRONOME.sub(" ", text_of(element)).split()) or None
