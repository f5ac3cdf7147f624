"""Slurs → starts and stops on written notes, with numbers that tell overlapping ones apart (used by the writer)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from muspy_core.events import Slur
from muspy_core.io.musicxml.layout import Page
from muspy_core.io.musicxml.voices import Layer, Piece

Place = tuple[Layer, Piece]


def number_slurs(slurs: Iterable[Slur], pieces: list[Place], page: Page) -> Iterator[tuple[Piece, str, int]]:
    """Yield (piece, "start" or "stop", number) for the ends of each slur; one whose notes are missing is left out.

    Layers of a measure are written one after the other, so slurs may share a number only if they share no measure, or
    follow each other in one layer.
    """
    found: dict[int, list[Place]] = defaultdict(list)
    for layer, piece in pieces:
        found[piece.start].append((layer, piece))
    busy: list[list[tuple[Place, Place]]] = []
    for slur in sorted(slurs, key=lambda item: (item.time, item.duration)):
        ends = _ends(slur, found, page)
        if ends is None:
            continue
        number = next(
            (index for index, others in enumerate(busy) if all(_are_apart(other, ends, page) for other in others)),
            len(busy),
        )
        if number == len(busy):
            busy.append([])
        # Slurs come by time, so only those that may still reach into later measures matter.
        start = page.measure_index(ends[0][1].start)
        busy[number] = [other for other in busy[number] if page.measure_index(other[1][1].start) >= start] + [ends]
        yield ends[0][1], "start", number + 1
        yield ends[1][1], "stop", number + 1


def _ends(slur: Slur, found: dict[int, list[Place]], page: Page) -> tuple[Place, Place] | None:
    """Return the written notes on which a slur starts and stops."""
    start, end = page.position(slur.time), page.position(slur.time + slur.duration)
    starts = [place for place in found.get(start, []) if place[1].number == 1]
    stops = found.get(end, [])
    wants_grace = slur.duration == 0
    first = _choose(starts, slur.voice, slur.staff, None, wants_grace)
    if first is None:
        return None
    last = _choose(stops, slur.voice, None, first[0], False)
    return None if last is None or last[1] is first[1] else (first, last)


def _choose(
    places: list[Place], voice: int | None, staff: int | None, layer: Layer | None, grace: bool
) -> Place | None:
    """Return the place that fits best: in the layer, in the voice, on the staff, grace note or not."""

    def fitness(place: Place) -> tuple[bool, bool, bool, bool]:
        own_staff = place[1].chord.heads[0].staff
        return (place[0] is layer, place[0].voice == voice, own_staff == staff, place[1].chord.is_grace == grace)

    return max(places, key=fitness, default=None)


def _are_apart(first: tuple[Place, Place], second: tuple[Place, Place], page: Page) -> bool:
    if page.measure_index(first[1][1].start) < page.measure_index(second[0][1].start):
        return True
    layers = {id(place[0]) for place in (*first, *second)}
    if len(layers) > 1:
        return False
    return first[1][1].start <= second[0][1].start and first[1][1] is not second[1][1]
