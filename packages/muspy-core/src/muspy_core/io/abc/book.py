"""Tune books: bytes → text → tunes (first stage of reading ABC)."""

from __future__ import annotations

import re
from typing import NamedTuple

from muspy_core.errors import ABCError

# Fields that stand for the whole book when they come before the first tune (ABC standard 2.1, §3).
FILE_HEADER_FIELDS = "ABCDFGHILMmNORrSUZ"

_TUNE_START = re.compile(r"X:\s*(\d{0,9})")
_FIELD = re.compile(r"[A-Za-z+]:")
_CHARSET = re.compile(rb"^%%(?:abc-)?charset\s+([A-Za-z0-9_-]{1,30})", re.MULTILINE)


class Tune(NamedTuple):
    """One tune. number: its reference number (X:), None without. line: number of its first line in the book."""

    number: int | None
    line: int
    lines: list[str]


def decode(data: bytes) -> str:
    """Return the text of an ABC file: UTF-8 or UTF-16 if it is, else the charset it names, else Latin-1.

    Raises ABCError for binary data.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise ABCError("starts as UTF-16 text but is not") from None
    if b"\0" in data:
        raise ABCError("holds binary data, no ABC text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    named = _CHARSET.search(data)
    try:
        return data.decode(named.group(1).decode("ascii") if named else "latin-1")
    except (LookupError, UnicodeDecodeError):
        return data.decode("latin-1")


def split_book(text: str) -> tuple[list[str], list[Tune]]:
    """Return the file header (field and directive lines before the first tune) and the tunes.

    A tune starts at a line `X:` and ends at an empty line after its key field or where the next one starts. Text
    without any `X:` is one tune, if it has a field or a bar line at all. Raises ABCError if there is no tune.
    """
    lines = re.split(r"\r\n?|\n", text)
    starts = [index for index, line in enumerate(lines) if _TUNE_START.match(line)]
    if not starts:
        if not any(re.match(r"[KTMLV]:", line) or "|" in line for line in lines):
            raise ABCError("holds no tune: there is neither a reference number (a line X:1) nor a field or bar line")
        return [], [Tune(None, 1, lines)]
    header = [line for line in lines[: starts[0]] if line.startswith("%%") or _is_file_field(line)]
    tunes = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = _TUNE_START.match(lines[start])
        digits = match.group(1) if match else ""
        tunes.append(Tune(int(digits) if digits else None, start + 1, _without_free_text(lines[start:end])))
    return header, tunes


def split_tunes(text: str) -> list[tuple[int | None, str]]:
    """Return (reference number, ABC text) of every tune of a book; each text stands alone, with the file header.

    Raises ABCError if there is no tune.
    """
    header, tunes = split_book(text)
    return [
        (
            tune.number,
            "\n".join([tune.lines[0], *header, *tune.lines[1:], ""]) if header else "\n".join([*tune.lines, ""]),
        )
        for tune in tunes
    ]


def _is_file_field(line: str) -> bool:
    return _FIELD.match(line) is not None and line[0] in FILE_HEADER_FIELDS


def _without_free_text(lines: list[str]) -> list[str]:
    """Cut a tune at the first empty line after its key; what follows is text between tunes."""
    has_key = False
    for index, line in enumerate(lines):
        has_key = has_key or line.startswith("K:")
        if has_key and not line.strip():
            return lines[:index]
    return lines
