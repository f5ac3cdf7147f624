"""Filling in beats and adding instruments, with models that know tasks (beyond the paper; after Huang et al. 2023).

What is given stands before the start of notes as context (`encoding.task_header`), and what is to be found is generated
behind it, within the span of beats and by the instruments that are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from mmt.encoding import decode, encode, task_header
from mmt.formats import NOTES
from mmt.generate import Options, generate
from mmt.instruments import CODE_OF_PROGRAM, NAMES, codes_of_names
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


def infill(
    model: MMT,
    notes: NoteRows,
    start: int,
    stop: int,
    options: Options | None = None,
    names: Iterable[str] | None = None,
) -> NoteRows:
    """Write the notes that begin in beats `start` to `stop` (exclusive) anew, and return the new ones, (any, 5).

    notes: (n, 5); those of the span are not looked at. names: of the instruments whose notes are written anew; None:
    all. Raises EncodingError if no beat of the span or none of the instruments is in the song or the model does not
    know tasks, InstrumentError for an unknown name.
    """
    notes = checked_rows(notes)
    rewritten = rewritten_players(notes, names)
    inside = (
        (notes[:, BEAT] >= start) & (notes[:, BEAT] < stop) & np.isin(CODE_OF_PROGRAM[notes[:, PROGRAM]], rewritten)
    )
    return write_span(model, notes, notes[~inside], (start, stop), rewritten, options)


def rewritten_players(notes: NoteRows, names: Iterable[str] | None) -> tuple[int, ...]:
    """Return the codes of the instruments of a song that are named, or of all. Raises as `infill`."""
    there = players_of(notes)
    if names is None:
        return there
    wanted = codes_of_names(names)
    missing = [NAMES[code - 1] for code in wanted if code not in there]
    if missing or not wanted:
        playing = ", ".join(NAMES[code - 1] for code in there) or "no instrument that the model knows"
        raise EncodingError(f"{', '.join(missing) or 'nobody'} does not play in the song; it has {playing}")
    return tuple(wanted)


def write_span(
    model: MMT,
    notes: NoteRows,
    given: NoteRows,
    span: tuple[int, int],
    players: tuple[int, ...],
    options: Options | None = None,
) -> NoteRows:
    """Write notes for a span of beats beside those that are given, and return them, (any, 5).

    notes: (n, 5) of the song as it was, which has the instruments and the last beat. given: (any, 5), which stay.
    players: codes of the instruments that play the new notes. A note belongs to the beat in which it begins: given ones
    may sound into the span, and no new one begins while a given one of its pitch and program sounds; new ones end with
    the span, so that nothing sounds behind it that was not given. Raises EncodingError as `infill`.
    """
    start, stop = span
    last = int(notes[:, BEAT].max()) if len(notes) else -1
    if not 0 <= start < stop or start > last:
        raise EncodingError(f"beats {start} to {stop} cannot be filled in: the song has beats 0 to {last}")
    options = options or Options()
    new = given[:0]
    for number, first in enumerate(range(start, min(stop, last + 1), BEATS_AT_ONCE)):
        part = replace(options, seed=options.seed + number, bans=replace(options.bans, players=players))
        ends = min(first + BEATS_AT_ONCE, stop)
        new = _together(new, _solve(model, _together(given, new), players_of(notes), (first, ends), part))
    new[:, DURATION] = np.minimum(new[:, DURATION], stop * RESOLUTION - new[:, BEAT] * RESOLUTION - new[:, POSITION])
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
    players = tuple(sorted({*players_of(notes), *added}))
    new = notes[:0]
    for number, start in enumerate(range(int(notes[:, BEAT].min()), int(notes[:, BEAT].max()) + 1, BEATS_AT_ONCE)):
        part = replace(options, seed=options.seed + number, bans=replace(options.bans, players=added))
        new = _together(new, _solve(model, _together(notes, new), players, (start, start + BEATS_AT_ONCE), part))
    return new


def _together(first: NoteRows, second: NoteRows) -> NoteRows:
    return unique_rows(np.concatenate([first, second]))


def players_of(notes: NoteRows) -> tuple[int, ...]:
    """Return the codes of the instruments that play, ascending."""
    return NOTES.players_of(notes)


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
    bans = replace(options.bans, min_beat=span[0] - shift, max_beat=min(span[1] - shift, beats), past="forbidden")
    prompt = task_header(list(players), encode(context))
    found = decode(generate(model, [prompt], replace(options, bans=bans))[0])
    found[:, BEAT] += shift
    return _beside(with_programs_of(given, found), given)


def _nearest(notes: NoteRows, span: tuple[int, int], count: int) -> NoteRows:
    """Return the notes nearest to a span of beats, `count` at most, in their order."""
    beat = notes[:, BEAT]
    distance = np.maximum(np.maximum(span[0] - beat, beat - span[1] + 1), 0)
    return notes[np.sort(np.argsort(distance, kind="stable")[:count])]


def with_programs_of(given: NoteRows, found: NoteRows) -> NoteRows:
    """Give new notes the program that their instrument has in the song, where it plays there."""
    program_of = np.arange(129)  # 128: drums of whole music, which stay as they are
    pitched = given[given[:, PROGRAM] < len(CODE_OF_PROGRAM), PROGRAM]
    for program in np.unique(pitched)[::-1]:
        code = CODE_OF_PROGRAM[program]
        program_of[:-1][(code == CODE_OF_PROGRAM) & (code > 0)] = program
    found = found.copy()
    found[:, PROGRAM] = program_of[found[:, PROGRAM]]
    return found


def _beside(found: NoteRows, given: NoteRows) -> NoteRows:
    """Leave out new notes that begin while a given one of their pitch and program sounds; end those that meet one.

    Where two notes of one pitch overlap, a MIDI file does not say which of them ends first.
    """
    found = found.copy()
    kept = np.ones(len(found), bool)
    onsets = given[:, BEAT] * RESOLUTION + given[:, POSITION]
    ends = onsets + given[:, DURATION]
    for index, (beat, position, pitch, duration, program) in enumerate(found.tolist()):
        same = (given[:, PITCH] == pitch) & (given[:, PROGRAM] == program)
        onset = beat * RESOLUTION + position
        kept[index] = not (same & (onsets <= onset) & (ends > onset)).any()
        later = onsets[same & (onsets > onset)]
        if len(later):
            found[index, DURATION] = min(duration, int(later.min()) - onset)
    return found[kept]
