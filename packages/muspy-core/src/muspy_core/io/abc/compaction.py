"""Measures that follow twice → repeated sections, for the ABC writer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

MIN_MEASURES = 2
MAX_MEASURES = 64


class Section(NamedTuple):
    """Measures start … stop − 1 as written, played `times` times."""

    start: int
    stop: int
    times: int


def fold_repeats(measures: Sequence[Hashable]) -> list[Section]:
    """Return sections that cover all measures; equal measures must be equal in all that is heard.

    From left to right, the longest run of 2 to 64 measures that follows again at once becomes a section played twice.
    """
    numbers: dict[Hashable, int] = {}
    ids = [numbers.setdefault(measure, len(numbers)) for measure in measures]
    sections: list[Section] = []
    index = plain = 0
    while index < len(ids):
        length = _longest_repeat(ids, index)
        if not length:
            index += 1
            continue
        if plain < index:
            sections.append(Section(plain, index, 1))
        sections.append(Section(index, index + length, 2))
        index = plain = index + 2 * length
    if plain < len(ids):
        sections.append(Section(plain, len(ids), 1))
    return sections


def _longest_repeat(ids: list[int], start: int) -> int:
    """Return the length of the longest run from `start` that follows again at once, 0 if there is none."""
    for length in range(min(MAX_MEASURES, (len(ids) - start) // 2), MIN_MEASURES - 1, -1):
        if (
            ids[start] == ids[start + length]
            and ids[start : start + length] == ids[start + length : start + 2 * length]
        ):
            return length
    return 0
