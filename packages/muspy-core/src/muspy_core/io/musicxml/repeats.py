"""Repeat signs → the order in which measures are played (fourth stage of reading MusicXML).

Repeats, endings, da capo, dal segno, to coda and fine, as the MusicXML standard and common practice have them: jumps
are taken after the repeats of their measure, once each; after a jump repeats are not played again (unless the file says
`after-jump`) and of several endings the last is taken.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml.rows import PartRows, Sign

MAX_TIMES = 1000
MAX_ENDINGS = 100
MAX_PLAYED_NOTES = 2_000_000


@dataclasses.dataclass
class _Measure:
    """What the signs say about one measure. endings: the passes in which it is played, empty for all."""

    forward: bool = False
    backward: int = 0  # times the section is played; 0: no sign
    after_jump: bool = False
    endings: frozenset[int] = frozenset()
    group: int = -1  # adjacent endings belong together
    dacapo: bool = False
    dalsegno: str | None = None
    tocoda: str | None = None
    fine: bool = False
    segno: str | None = None
    coda: str | None = None


def played_measures(parts: Sequence[PartRows], measures: int) -> list[int]:
    """Return the indices of the measures in the order that the signs of all parts say.

    Raises MusicXMLError if they would multiply the score to more notes than could be wanted.
    """
    signs = [sign for part in parts for sign in part.signs]
    if not signs:
        return list(range(measures))
    order = playing_order(signs, measures)
    _check_played_notes(parts, order)
    return order


def _check_played_notes(parts: Sequence[PartRows], order: list[int]) -> None:
    most = max(Counter(order).values(), default=0)
    for part in parts:
        if most * len(part.notes) <= MAX_PLAYED_NOTES:
            continue
        per_measure = np.bincount([row[0] for row in part.notes], minlength=len(part.lengths))
        played = int(per_measure[[measure for measure in order if measure < len(per_measure)]].sum())
        if played > MAX_PLAYED_NOTES and played > len(part.notes):
            raise MusicXMLError(f"repeats make {played:,} notes; expand_repeats=False reads them as written")


def playing_order(signs: Iterable[Sign], measures: int) -> list[int]:
    """Return the indices of the measures in the order they are played.

    Raises MusicXMLError if the signs would make the piece many times longer than it is written.
    """
    score = _gather(signs, measures)
    return _Player(score).play(limit=20 * measures + MAX_TIMES)


def _gather(signs: Iterable[Sign], measures: int) -> list[_Measure]:
    """Sort the signs of all parts by measure; what several parts say counts once."""
    score = [_Measure() for _ in range(measures)]
    endings: list[tuple[int, str, frozenset[int]]] = []
    for sign in signs:
        measure = score[sign.measure]
        if sign.kind == "forward":
            measure.forward = True
        elif sign.kind == "backward":
            measure.backward = max(measure.backward, _times(sign.label))
            measure.after_jump = measure.after_jump or sign.words == "after-jump"
        elif sign.kind.startswith("ending-"):
            endings.append((sign.measure, sign.kind, _numbers(sign.label)))
        elif sign.kind == "dacapo":
            measure.dacapo = True
        elif sign.kind == "fine":
            measure.fine = True
        elif getattr(measure, sign.kind) is None:
            setattr(measure, sign.kind, sign.label or "")
    _spread_endings(score, endings)
    return score


def _times(text: str | None) -> int:
    times = int(text) if text else 2
    if not 1 <= times <= MAX_TIMES:
        raise MusicXMLError(f"a section to be played {text} times; at most {MAX_TIMES} are read")
    return times


def _numbers(text: str | None) -> frozenset[int]:
    """Return the passes of an ending ("1, 2"; "1-3" is common too); an unreadable one counts as the first."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", text or ""):
        numbers.update(range(int(first), int(last or first) + 1))
        if len(numbers) > MAX_ENDINGS:
            raise MusicXMLError(f"an ending for more than {MAX_ENDINGS} passes")
    return frozenset(numbers or {1})


def _spread_endings(score: list[_Measure], endings: list[tuple[int, str, frozenset[int]]]) -> None:
    """Mark every measure under an ending bracket, and number the groups of adjacent brackets."""
    started = {measure: numbers for measure, kind, numbers in endings if kind == "ending-start"}
    stopped = {measure for measure, kind, _ in endings if kind != "ending-start"}
    current: frozenset[int] = frozenset()
    group, seen = 0, frozenset[int]()
    for index, measure in enumerate(score):
        current = started.get(index, current)
        if current:
            if index in started and current & seen:
                group, seen = group + 1, frozenset()  # "1." after "2." opens the endings of the next section
            seen |= current
            measure.endings, measure.group = current, group
        elif seen:
            group, seen = group + 1, frozenset()
        if index in stopped:
            current = frozenset()


class _Player:
    """Walks through a score as a player does."""

    def __init__(self, score: list[_Measure]) -> None:
        self._score = score
        self._last_pass: dict[int, int] = {}
        for measure in score:
            if measure.endings:
                known = self._last_pass.get(measure.group, 1)
                self._last_pass[measure.group] = max(known, *measure.endings)
        self._start = 0  # first measure of the section
        self._pass = 1
        self._group = -1  # the endings we are in
        self._has_jumped = False
        self._jumps_done: set[int] = set()

    def play(self, limit: int) -> list[int]:
        order: list[int] = []
        index = 0
        steps = 0
        while index < len(self._score):
            steps += 1
            if steps > limit:
                raise MusicXMLError(
                    f"repeats make more than {limit:,} of {len(self._score):,} measures; "
                    "expand_repeats=False reads them as written"
                )
            measure = self._score[index]
            self._enter(index, measure)
            if measure.endings and not self._is_due(measure):
                index += 1
                continue
            order.append(index)
            following = self._next(index, measure)
            if following is None:
                break
            index = following
        return order

    def _enter(self, index: int, measure: _Measure) -> None:
        """Open a new section where a forward repeat stands or the endings of the last section are over."""
        has_left_endings = measure.group != self._group and self._group >= 0
        if has_left_endings or (measure.forward and index != self._start):
            self._start, self._pass = index, 1
        self._group = measure.group

    def _is_due(self, measure: _Measure) -> bool:
        if self._has_jumped and not measure.after_jump:
            return self._last_pass[measure.group] in measure.endings
        return self._pass in measure.endings

    def _next(self, index: int, measure: _Measure) -> int | None:
        """Return the measure to play after this one, None at the end."""
        if self._has_jumped:
            if measure.fine:
                return None
            if measure.tocoda is not None:
                coda = self._find(measure.tocoda, "coda", range(index + 1, len(self._score)))
                if coda is not None:
                    return self._jump(coda)
        if measure.backward and (not self._has_jumped or measure.after_jump):
            times = max(measure.backward, self._last_pass.get(measure.group, 0))
            if self._pass < times:
                self._pass += 1
                self._group = -1
                return self._start
            if not measure.endings:
                self._start, self._pass = index + 1, 1
        if index not in self._jumps_done and (measure.dacapo or measure.dalsegno is not None):
            self._jumps_done.add(index)
            target: int | None = 0
            if measure.dalsegno is not None and not measure.dacapo:
                target = self._find(measure.dalsegno, "segno", range(index, -1, -1))
            if target is not None:
                self._has_jumped = True
                return self._jump(target)
        return index + 1

    def _jump(self, target: int) -> int:
        self._start, self._pass, self._group = target, 1, -1
        return target

    def _find(self, label: str, kind: str, places: range) -> int | None:
        """Return the nearest place with a sign, one with the same label before any other."""
        found = [index for index in places if getattr(self._score[index], kind) is not None]
        named = [index for index in found if label and getattr(self._score[index], kind) == label]
        return next(iter(named or found), None)
