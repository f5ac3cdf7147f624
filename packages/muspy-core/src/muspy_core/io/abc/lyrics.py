"""Lyrics under a line of music: syllables → the notes they are sung on."""

from __future__ import annotations

import re

from muspy_core.io.abc.fields import plain_text

_SYLLABLE = re.compile(r"[\s]+|\||_|\*|-|(?:\\-|[^\s|_*\-])+")


def align(text: str, sung: list[int], divided: bool = False) -> list[tuple[int, str]]:
    """Return (onset, syllable) of the words of a `w:` field.

    sung: onsets of the notes of the music line, −1 for a bar line. `-` divides a word, `_` prolongs a syllable by a
    note, `*` skips a note, `~` is a space inside a syllable, `|` goes on to the next measure. Parts of a divided word
    are marked with hyphens as in MusPy ("x -", "- x -", "- x"). divided: whether the line before ends inside a word.
    """
    syllables: list[tuple[int, str]] = []
    index = 0
    spaced = False
    for match in _SYLLABLE.finditer(text):
        piece = match.group()
        if piece.isspace():
            spaced = True
            continue
        if piece == "-" and syllables and not divided and not spaced:
            divided = True
            onset, syllable = syllables[-1]
            syllables[-1] = (onset, f"{syllable} -")
            continue
        if piece == "|":
            while index < len(sung) and sung[index] >= 0:
                index += 1
            index += 1
            spaced = False
            continue
        while index < len(sung) and sung[index] < 0:
            index += 1
        if index >= len(sung):
            break
        if piece not in ("_", "*", "-"):
            syllable = plain_text(piece.replace("\\-", "-").replace("~", " ")).strip()
            syllables.append((sung[index], f"- {syllable}" if divided else syllable))
        divided = divided and piece in ("_", "*", "-")
        spaced = False
        index += 1
    return [(onset, syllable) for onset, syllable in syllables if syllable.strip(" -")]
