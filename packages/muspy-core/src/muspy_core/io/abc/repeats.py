"""Repeat signs and parts → the spans of a tune in playing order (fourth stage of reading ABC).

As the ABC standard 2.1 has it (§4.8–4.9, §3.1.9): a repeat without a start goes back to the last double bar, the end of
the last repeated section or the beginning; an ending lasts to the next double bar, repeat sign or ending.
"""

from __future__ import annotations

from collections.abc import Sequence

from muspy_core.errors import ABCError
from muspy_core.io.abc.rows import Sign

Span = tuple[int, int]  # start and end in ticks, as written

MAX_SPANS = 20_000
JUMPS = ("dacapo", "dalsegno", "tocoda", "fine")


def playing_order(
    signs: Sequence[Sign], end: int, parts: Sequence[tuple[int, str]] = (), order: str = ""
) -> list[Span]:
    """Return the spans to play, one after the other; adjacent ones are joined.

    signs: in written order. end: length of the tune in ticks. parts: (position, name) where parts start. order: their
    names in playing order (see `expand_parts`), empty to play as written. Raises ABCError if spans are absurdly many.
    """
    sections = _sections(parts, order, end)
    spans: list[Span] = []
    for start, stop in sections:
        inside = [sign for sign in signs if start <= sign.position <= stop and _belongs(sign, start, stop, end)]
        spans += _Player(inside, start, stop).play()
        if len(spans) > MAX_SPANS:
            raise ABCError(f"repeats more than {MAX_SPANS:,} times; expand_repeats=False reads it as written")
    return _join(spans)


def expand_parts(text: str) -> str:
    """Return the part names of a P: header field in playing order: "A(BC)2" → "ABCBC". Other characters are ignored.

    Raises ABCError if there are absurdly many.
    """
    stack: list[str] = [""]
    last = ""
    number = ""
    for character in text.partition("%")[0] + ".":
        if character.isdecimal() and len(number) < 4:
            number += character
            continue
        if number:
            stack[-1] += last * (int(number) - 1)
            if len(stack[-1]) > MAX_SPANS:
                raise ABCError(f"plays more than {MAX_SPANS:,} parts")
            number = last = ""
        if character == "(" and len(stack) < 20:
            stack.append("")
        elif character == ")" and len(stack) > 1:
            last = stack.pop()
            stack[-1] += last
        elif character.isalpha() and character.isupper():
            last = character
            stack[-1] += character
    return "".join(stack)


def _sections(parts: Sequence[tuple[int, str]], order: str, end: int) -> list[Span]:
    """Return the parts in playing order; what stands before the first one is played first."""
    if not order or not parts:
        return [(0, end)]
    starts = [position for position, _ in parts]
    known: dict[str, Span] = {}
    for (position, name), stop in zip(parts, [*starts[1:], end], strict=True):
        known.setdefault(name, (position, stop))
    if not all(name in known for name in order):
        return [(0, end)]
    opening = [(0, starts[0])] if starts[0] > 0 else []
    return opening + [known[name] for name in order]


def _belongs(sign: Sign, start: int, stop: int, end: int) -> bool:
    """Whether a sign on the border of two parts is this one's: what closes is the first's, what opens the second's."""
    closes = sign.kind in ("backward", "double", *JUMPS)
    if sign.position == start and start > 0:
        return not closes
    return closes or sign.position != stop or stop == end


class _Player:
    """Walks through a section as a player does."""

    def __init__(self, signs: Sequence[Sign], start: int, end: int) -> None:
        self._signs = signs
        self._end = end
        self._spans: list[Span] = []
        self._position = start
        self._begin = start
        self._restart = (start, 0)  # where a repeat goes back to: position, index of the next sign
        self._is_open = False  # whether a forward repeat waits for its end
        self._pass = 1
        self._passes: frozenset[int] = frozenset()  # of the ending we are in
        self._last_pass = 0  # of the endings of this section
        self._has_jumped = False

    def play(self) -> list[Span]:
        index: int | None = 0
        while index is not None and index < len(self._signs):
            if len(self._spans) > MAX_SPANS:
                raise ABCError(f"repeats more than {MAX_SPANS:,} times; expand_repeats=False reads it as written")
            index = self._follow(index, self._signs[index])
        if index is not None:
            self._emit(self._end)
        return self._spans

    def _emit(self, position: int) -> None:
        if position > self._position:
            self._spans.append((self._position, position))
        self._position = position

    def _follow(self, index: int, sign: Sign) -> int | None:
        """Act on a sign; return the index of the next one, None at the end."""
        if sign.kind == "ending":
            return self._enter_ending(index, sign)
        if sign.kind == "backward":
            return self._go_back(index, sign)
        if sign.kind == "forward":
            self._set_restart(sign.position, index + 1)
            self._is_open = True
        elif sign.kind == "double":
            self._passes = frozenset()
            if not self._is_open:
                self._set_restart(sign.position, index + 1)
        elif sign.kind in JUMPS:
            return self._jump(index, sign)
        return index + 1

    def _set_restart(self, position: int, index: int) -> None:
        if self._restart != (position, index):
            self._restart = (position, index)
            self._pass = 1
            self._last_pass = 0
        self._passes = frozenset()

    def _enter_ending(self, index: int, sign: Sign) -> int:
        """Play an ending of this pass, skip another one."""
        group = self._endings_from(index)
        last = self._last_pass = max(self._last_pass, *(max(passes, default=1) for passes in group))
        if self._has_jumped:
            self._pass = last
        self._emit(sign.position)
        before = self._signs[index - 1] if index else None
        is_over = before is not None and before.kind == "backward" and before.position == sign.position
        is_orphan = not is_over and not any(self._pass in passes for passes in group)
        if self._pass in sign.passes or not sign.passes or is_orphan:
            self._passes = sign.passes
            if self._pass >= last and not self._has_jumped:
                self._is_open = False
            return index + 1
        stop = self._end_of_ending(index)
        if stop is None:
            self._position = self._end
            return len(self._signs)
        self._position = self._signs[stop].position
        return stop if self._signs[stop].kind != "backward" else stop + 1

    def _endings_from(self, index: int) -> list[frozenset[int]]:
        """Return the passes of this ending and of those that follow it in the same group."""
        found = [self._signs[index].passes]
        for sign in self._signs[index + 1 :][:200]:
            if sign.kind == "forward" or (
                sign.kind == "ending" and min(sign.passes, default=0) <= min(found[-1], default=0)
            ):
                break
            if sign.kind == "ending":
                found.append(sign.passes)
        return found

    def _end_of_ending(self, index: int) -> int | None:
        """Return the index of the sign that ends an ending, None if it lasts to the end."""
        for stop in range(index + 1, len(self._signs)):
            if self._signs[stop].kind in ("backward", "double", "ending", "forward"):
                return stop
        return None

    def _go_back(self, index: int, sign: Sign) -> int:
        """Repeat the section if it is not yet done."""
        self._emit(sign.position)
        times = max(sign.passes, default=2)
        if self._passes:
            times = self._last_pass
        if self._pass < times and not self._has_jumped:
            self._pass += 1
            self._passes = frozenset()
            self._position, restart = self._restart
            return restart
        self._is_open = False
        self._set_restart(sign.position, index + 1)
        return index + 1

    def _jump(self, index: int, sign: Sign) -> int | None:
        """Follow da capo, dal segno, to coda and fine; after a jump repeats are not played again."""
        if sign.kind in ("dacapo", "dalsegno"):
            if self._has_jumped:
                return index + 1
            self._emit(sign.position)
            self._has_jumped = True
            target = self._find("segno", range(index, -1, -1)) if sign.kind == "dalsegno" else 0
            if target is None:
                return index + 1
            self._position = self._signs[target].position if sign.kind == "dalsegno" else self._begin
            return target
        if not self._has_jumped:
            return index + 1
        self._emit(sign.position)
        if sign.kind == "fine":
            return None
        coda = self._find("coda", range(index + 1, len(self._signs)))
        if coda is None:
            return index + 1
        self._position = self._signs[coda].position
        return coda

    def _find(self, kind: str, places: range) -> int | None:
        return next((index for index in places if self._signs[index].kind == kind), None)


def _join(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        elif end > start:
            joined.append((start, end))
    return joined
