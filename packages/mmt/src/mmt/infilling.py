"""Filling in beats and adding instruments, with models that know tasks (beyond the paper; after Huang et al. 2023).

What is given stands before the start of notes as context (`encoding.task_header`), and what is to be found is generated
behind it, within the span of beats and by the instruments that are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from mmt.encoding import decode, encode, task_header
from mmt.generate import Options, generate
from mmt.instruments import CODE_OF_PROGRAM, codes_of_names
from mmt.model import MMT
from mmt.notes import (
    BEAT,
    DURATION,
    PITCH,
    POSITION,
    PROGRAM,
    RESOLUTION,
    EncodingError,
    NoteRows,
    checked_rows,
    unique_rows,
)

BEATS_AT_ONCE = 16


def infill(model: MMT, notes: NoteRows, start: int, stop: int, options: Options | None = None) -> NoteRows:
    """Write the notes that begin in beats `start` to `stop` (exclusive) anew, and return the new ones, (any, 5).

    notes: (n, 5); those of the span are not looked at. New notes end where the same pitch of the same instrument begins
    again. Raises EncodingError if no beat of the span is in the song or the model does not know tasks.
    """
    notes = checked_rows(notes)
    last = int(notes[:, BEAT].max()) if len(notes) else -1
    if not 0 <= start < stop or start > last:
        raise EncodingError(f"beats {start} to {stop} cannot be filled in: the song has beats 0 to {last}")
    inside = (notes[:, BEAT] >= start) & (notes[:, BEAT] < stop)
    players = _players(notes)
    options = options or Options()
    given, new = notes[~inside], notes[:0]
    for number, first in enumerate(range(start, min(stop, last + 1), BEATS_AT_ONCE)):
        part = replace(options, seed=options.seed + number)
        span = (first, min(first + BEATS_AT_ONCE, stop))
        new = _together(new, _solve(model, _together(given, new), players, span, part))
    return new


def accompany(model: MMT, notes: NoteRows, names: Iterable[str], options: Options | None = None) -> NoteRows:
    """Add instruments to a song, and return their notes, (any, 5).

    notes: (n, 5) of the song. names: of the instruments to add. The song is gone through by 16 beats, with what was
    written before in view. Raises InstrumentError for an unknown name, EncodingError if the song has no note
    or the model does not know tasks.
    """
    notes = checked_rows(notes)
    if not len(notes):
        raise EncodingError("a song without notes cannot be accompanied")
    options = options or Options()
    added = tuple(codes_of_names(names))
    players = tuple(sorted({*_players(notes), *added}))
    new = notes[:0]
    for number, start in enumerate(range(int(notes[:, BEAT].min()), int(notes[:, BEAT].max()) + 1, BEATS_AT_ONCE)):
        part = replace(options, seed=options.seed + number, bans=replace(options.bans, players=added))
        new = _together(new, _solve(model, _together(notes, new), players, (start, start + BEATS_AT_ONCE), part))
    return new


def _together(first: NoteRows, second: NoteRows) -> NoteRows:
    return unique_rows(np.concatenate([first, second]))


def _players(notes: NoteRows) -> tuple[int, ...]:
    codes = np.unique(CODE_OF_PROGRAM[notes[:, PROGRAM]])
    return tuple(codes[codes > 0].tolist())


def _solve(model: MMT, given: NoteRows, players: tuple[int, ...], span: tuple[int, int], options: Options) -> NoteRows:
    """Find the notes of a span of beats, (any, 5)."""
    if not model.config.tasks:
        raise EncodingError("this model was trained without tasks: it can neither fill in nor accompany")
    if not players:
        raise EncodingError("the song has no instrument that the model knows")
    beats = model.config.max_beat
    shift = max(span[0] - beats // 2, 0)  # the model knows so many beats; the span lies in their middle
    context = _nearest(given, span, model.config.max_length // 2)
    context = context[(context[:, BEAT] >= shift) & (context[:, BEAT] < shift + beats)]
    context[:, BEAT] -= shift
    bans = replace(options.bans, min_beat=span[0] - shift, max_beat=min(span[1] - shift, beats))
    prompt = task_header(list(players), encode(context))
    found = decode(generate(model, [prompt], replace(options, bans=bans))[0])
    found[:, BEAT] += shift
    return _beside(_with_programs_of(given, found), given)


def _nearest(notes: NoteRows, span: tuple[int, int], count: int) -> NoteRows:
    """Return the notes nearest to a span of beats, `count` at most, in their order."""
    beat = notes[:, BEAT]
    distance = np.maximum(np.maximum(span[0] - beat, beat - span[1] + 1), 0)
    return notes[np.sort(np.argsort(distance, kind="stable")[:count])]


def _with_programs_of(given: NoteRows, found: NoteRows) -> NoteRows:
    """Give new notes the program that their instrument has in the song, where it plays there."""
    program_of = np.arange(128)
    for program in np.unique(given[:, PROGRAM])[::-1]:
        code = CODE_OF_PROGRAM[program]
        program_of[(code == CODE_OF_PROGRAM) & (code > 0)] = program
    found = found.copy()
    found[:, PROGRAM] = program_of[found[:, PROGRAM]]
    return found


def _beside(found: NoteRows, given: NoteRows) -> NoteRows:
    """Leave out new notes that begin with a given one of their pitch and program; end those that would cover one."""
    found = found.copy()
    kept = np.ones(len(found), bool)
    onsets = given[:, BEAT] * RESOLUTION + given[:, POSITION]
    for index, (beat, position, pitch, duration, program) in enumerate(found.tolist()):
        same = onsets[(given[:, PITCH] == pitch) & (given[:, PROGRAM] == program)]
        onset = beat * RESOLUTION + position
        kept[index] = onset not in same
        later = same[same > onset]
        if len(later):
            found[index, DURATION] = min(duration, int(later.min()) - onset)
    return found[kept]
