"""Rows of all parts → what belongs to the whole piece: tempi, signatures, bar lines, beats, texts, chord symbols."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList
from muspy_core.events import Barline, Beat, ChordSymbol, KeySignature, Repeat, Tempo, Text, TimeSignature
from muspy_core.io.musicxml.directions import JUMPS
from muspy_core.io.musicxml.marks import Meter
from muspy_core.io.musicxml.rows import PartRows, Sign
from muspy_core.io.musicxml.spelling import key_root
from muspy_core.io.musicxml.timeline import Timeline, beat_ticks, make_events
from muspy_core.music import Music

OPENING = ("forward", "ending-start", "segno", "coda")


def add_score_events(
    music: Music,
    numbers: list[str | None],
    readers: Sequence[PartRows],
    timeline: Timeline,
    meters: list[tuple[int, int, Meter]],
    nominal: list[int],
) -> None:
    """Fill the lists that belong to the whole piece. numbers: of the written measures, as printed."""
    music.tempos = _tempos(readers, timeline)
    music.key_signatures = _key_signatures(readers, timeline)
    placed = timeline.with_restatements(meters, lambda row: row[2])
    music.time_signatures = make_events(
        TimeSignature,
        _steps(timeline, [time for time, _ in placed]),
        numerator=[row[2].numerator for _, row in placed],
        denominator=[row[2].denominator for _, row in placed],
        symbol=[row[2].symbol for _, row in placed],
        beats=[row[2].beats for _, row in placed],
    )
    music.barlines = _barlines(numbers, readers, timeline)
    music.beats = make_events(Beat, timeline.to_steps(beat_ticks(timeline, meters, nominal)))
    music.chord_symbols = _chord_symbols(readers, timeline)
    music.texts = _texts(readers, timeline)


def _steps(timeline: Timeline, ticks: list[int]) -> NDArray[np.int64]:
    return timeline.to_steps(np.array(ticks, dtype=np.int64))


def _tempos(readers: Sequence[PartRows], timeline: Timeline) -> EventList[Tempo]:
    """Return the tempi of all parts; of simultaneous ones the last in the first part that states any counts."""
    chosen: dict[int, tuple[int, tuple[int, int, float, str | None]]] = {}
    for index, reader in enumerate(readers):
        for measure, position, qpm, words in reader.tempos:
            time = int(timeline.written[measure]) + position
            part, known = chosen.get(time, (index, (measure, position, qpm, None)))
            if part == index:
                chosen[time] = part, (measure, position, qpm, words or known[3])
            elif known[3] is None:
                chosen[time] = part, (*known[:3], words)
    placed = timeline.with_restatements([row for _, row in chosen.values()], lambda row: row[2])
    return make_events(
        Tempo,
        _steps(timeline, [time for time, _ in placed]),
        qpm=[row[2] for _, row in placed],
        text=[row[3] for _, row in placed],
    )


def _key_signatures(readers: Sequence[PartRows], timeline: Timeline) -> EventList[KeySignature]:
    """Return the sounding keys of the first part that is written as it sounds, else of the first that has any."""
    with_keys = [reader for reader in readers if reader.keys]
    as_sounding = [reader for reader in with_keys if reader.transposition is None]
    rows = (as_sounding or with_keys)[0].keys if with_keys else []
    placed = timeline.with_restatements(rows, lambda row: row[2:])
    roots = [key_root(row[2], row[3]) for _, row in placed]
    return make_events(
        KeySignature,
        _steps(timeline, [time for time, _ in placed]),
        root=[-1 if root is None else root[0] for root in roots],
        root_str=[None if root is None else root[1] for root in roots],
        mode=[row[3] for _, row in placed],
        fifths=[row[2] for _, row in placed],
    )


def _barlines(numbers: list[str | None], readers: Sequence[PartRows], timeline: Timeline) -> EventList[Barline]:
    """Return one bar line at the start of each measure; its style may be written at the end of the one before."""
    styles: dict[tuple[int, str], str] = {}
    for reader in readers:
        styles = {**reader.styles, **styles}
    order = timeline.order.tolist()
    before = [-1, *order[:-1]]
    return make_events(
        Barline,
        timeline.to_steps(timeline.starts),
        number=[numbers[m] if m < len(numbers) else None for m in order],
        style=[styles.get((m, "left")) or styles.get((b, "right")) for m, b in zip(order, before, strict=True)],
    )


def _chord_symbols(readers: Sequence[PartRows], timeline: Timeline) -> EventList[ChordSymbol]:
    """Return the chord symbols of all parts; what several parts repeat is kept once."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for reader in readers:
        for measure, position, symbol, staff in reader.symbols:
            key = (measure, position, *symbol[:4], tuple(symbol.degrees or ()))
            rows.setdefault(key, (measure, position, symbol, staff))
    times, placed = timeline.place(rows.values())
    symbols = [row[2] for row in placed]
    return make_events(
        ChordSymbol,
        times,
        root=[symbol.root for symbol in symbols],
        kind=[symbol.kind for symbol in symbols],
        text=[symbol.text for symbol in symbols],
        bass=[symbol.bass for symbol in symbols],
        degrees=[symbol.degrees for symbol in symbols],
        staff=[row[3] for row in placed],
    )


def _texts(readers: Sequence[PartRows], timeline: Timeline) -> EventList[Text]:
    """Return the words and rehearsal marks of all parts; `midi_track` is the index of the part."""
    rows = [(*row, index) for index, reader in enumerate(readers) for row in reader.texts]
    times, placed = timeline.place(rows)
    return make_events(
        Text,
        times,
        text=[row[2] for row in placed],
        kind=[row[3] for row in placed],
        staff=[row[4] for row in placed],
        midi_track=[row[5] for row in placed],
    )


def read_repeats(readers: Sequence[PartRows], timeline: Timeline) -> EventList[Repeat]:
    """Return the repeat signs as written; what several parts state is kept once.

    Signs that open something stand at the start of their measure, those that close something or jump at its end.
    """
    signs: dict[tuple[int, str], Sign] = {}
    for reader in readers:
        for sign in reader.signs:
            known = signs.setdefault((sign.measure, sign.kind), sign)
            if known.words is None and sign.words is not None and known.kind in JUMPS:
                signs[sign.measure, sign.kind] = sign
    lengths = timeline.lengths.tolist()
    in_order = sorted(signs.values(), key=lambda sign: sign.kind)
    rows = [(sign.measure, 0 if sign.kind in OPENING else lengths[sign.measure], sign) for sign in in_order]
    times, placed = timeline.place(rows)
    return make_events(
        Repeat,
        times,
        kind=[sign.kind for _, _, sign in placed],
        text=[_text_of(sign) for _, _, sign in placed],
    )


def _text_of(sign: Sign) -> str | None:
    """Return what Repeat.text holds: words of jumps, passes of endings ("1,2"), else label or number of times."""
    if sign.kind in JUMPS:
        return sign.words
    if sign.kind.startswith("ending-"):
        return ",".join(re.findall(r"[1-9]\d*", sign.label or "")) or "1"
    return sign.label
