"""Notes of a track → layers of symbols that do not overlap, for the ABC writer."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

from muspy_core.music import Track


class Pitch(NamedTuple):
    """A pitch to write. spelling: as in the data model, None if unknown."""

    pitch: int
    spelling: str | None


class Symbol(NamedTuple):
    """A note, chord or (without pitches) rest, in time steps. marks: decorations. tied: goes on after `end`;
    continued: began before `start`."""

    start: int
    end: int
    pitches: tuple[Pitch, ...]
    marks: tuple[str, ...] = ()
    tied: bool = False
    continued: bool = False


class Grace(NamedTuple):
    """A grace note before the symbol at its time. duration: nominal, in steps."""

    time: int
    duration: int
    pitch: Pitch
    slashed: bool


class _Row(NamedTuple):
    time: int
    duration: int
    voice: int
    pitch: Pitch
    marks: tuple[str, ...]


def make_layers(track: Track, names: dict[str, str]) -> tuple[list[list[Symbol]], list[Grace]]:
    """Return layers of symbols, each in time order, and the grace notes.

    Notes with the same onset, duration and voice make a chord. A voice whose notes overlap takes several layers; other
    notes share as few as possible. names: decorations by name of the articulation or ornament. Notes without duration
    are left out: ABC has none.
    """
    rows, graces = _read_rows(track, names)
    layers: list[list[Symbol]] = []
    voices: list[int] = []
    for symbol, voice in _make_chords(rows):
        for index, layer in enumerate(layers):
            if voices[index] == voice and layer[-1].end <= symbol.start:
                layer.append(symbol)
                break
        else:
            layers.append([symbol])
            voices.append(voice)
    order = sorted(range(len(layers)), key=lambda index: voices[index])
    return [layers[index] for index in order] or [[]], graces


def _read_rows(track: Track, names: dict[str, str]) -> tuple[list[_Row], list[Grace]]:
    array = track.notes.array
    rows: list[_Row] = []
    graces: list[Grace] = []
    columns = [array[name].tolist() for name in ("time", "duration", "pitch", "voice", "grace")]
    sides = [track.notes.side(name) for name in ("pitch_str", "articulations", "ornaments")]
    for time, duration, number, voice, grace, spelling, articulations, ornaments in zip(*columns, *sides, strict=True):
        pitch = Pitch(number, spelling)
        if grace:
            graces.append(Grace(time, max(duration, 1), pitch, grace == 2))
        elif duration > 0:
            marks = tuple(names[name] for name in (*(articulations or ()), *(ornaments or ())) if name in names)
            rows.append(_Row(time, duration, voice, pitch, marks))
    for chord in track.chords:
        spellings: list[str | None] = [*(chord.pitches_str or ()), *([None] * len(chord.pitches))]
        for number, spelling in zip(chord.pitches, spellings, strict=False):
            if chord.duration > 0:
                rows.append(_Row(chord.time, chord.duration, chord.voice or -1, Pitch(number, spelling), ()))
    return rows, sorted(graces, key=lambda grace: grace.time)


def _make_chords(rows: Iterable[_Row]) -> list[tuple[Symbol, int]]:
    """Return (symbol, voice), by time; longer ones first, so that the first layer holds what lasts."""
    groups: dict[tuple[int, int, int], list[_Row]] = {}
    for row in rows:
        groups.setdefault((row.time, -row.duration, row.voice), []).append(row)
    made = []
    for (time, duration, voice), members in sorted(groups.items(), key=lambda item: item[0]):
        members.sort(key=lambda row: row.pitch.pitch)
        marks = tuple(dict.fromkeys(mark for row in members for mark in row.marks))
        made.append((Symbol(time, time - duration, tuple(row.pitch for row in members), marks), voice))
    return made


def cut(layer: list[Symbol], places: list[int]) -> list[list[Symbol]]:
    """Fill a layer with rests and cut it at places; return the symbols of each interval between two places.

    places: increasing, from the start of the piece to its end.
    """
    filled: list[Symbol] = []
    position = places[0]
    for symbol in layer:
        if symbol.start > position:
            filled.append(Symbol(position, symbol.start, ()))
        filled.append(symbol)
        position = symbol.end
    if position < places[-1]:
        filled.append(Symbol(position, places[-1], ()))
    pieces: list[list[Symbol]] = []
    index = 0
    for start, stop in itertools.pairwise(places):
        inside: list[Symbol] = []
        while index < len(filled) and filled[index].start < stop:
            symbol = filled[index]
            piece = symbol._replace(
                start=max(symbol.start, start),
                end=min(symbol.end, stop),
                tied=bool(symbol.pitches) and symbol.end > stop,
                continued=symbol.start < start,
                marks=symbol.marks if symbol.start >= start else (),
            )
            inside.append(piece)
            if symbol.end > stop:
                break
            index += 1
        pieces.append(inside)
    return pieces
