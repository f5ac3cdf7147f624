"""Music → ABC: the public writers, and the lines of a tune."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import IO

from muspy_core.io.abc.assembly import ANNOTATION_GROUPS
from muspy_core.io.abc.compaction import Section, fold_repeats
from muspy_core.io.abc.measures import Measures
from muspy_core.io.abc.notation import field_text, key_text
from muspy_core.io.abc.staves import Bar, StaffWriter
from muspy_core.io.files import write_target
from muspy_core.music import Music

MAX_ENDS = 9


def write_abc(
    path: str | os.PathLike[str] | IO[bytes],
    music: Music | Sequence[Music],
    compact_repeats: bool = True,
    bars_per_line: int = 4,
    *,
    overwrite: bool = True,
) -> None:
    """Write music as an ABC file (UTF-8).

    Args:
        path: The file to write, or a binary file object.
        music: The music, or several pieces, which make a tune book.
        compact_repeats: Write measures that follow twice as a repeated section. Where `Music.repeats` holds signs,
            these are written instead.
        bars_per_line: Measures on each line.
        overwrite: Whether to replace an existing file.

    Every track becomes a voice, notes that overlap become voices overlaid on its staff. Velocities, control changes and
    notes without duration are not part of ABC and left out.

    Raises ABCError for music that ABC cannot hold, FileExistsError, or OSError if the file cannot be written.
    """
    pieces = [music] if isinstance(music, Music) else list(music)
    text = "\n".join(
        _tune_text(piece, compact_repeats, bars_per_line, number) for number, piece in enumerate(pieces, 1)
    )
    write_target(path, text.encode(), overwrite)


def abc_string(music: Music, compact_repeats: bool = True, bars_per_line: int = 4) -> str:
    """Return music as ABC text; see `write_abc`."""
    return _tune_text(music, compact_repeats, bars_per_line, 1)


def _tune_text(music: Music, compact_repeats: bool, bars_per_line: int, number: int) -> str:
    """Return the text of a tune. number: reference number if the music does not bring its own."""
    if bars_per_line < 1:
        raise ValueError(f"bars_per_line must be at least 1, got {bars_per_line}")
    measures = Measures(music)
    staves = [
        StaffWriter(track, music if index == 0 else None, measures).write() for index, track in enumerate(music.tracks)
    ]
    if compact_repeats and not measures.signs:
        sections = fold_repeats([_content(measures, staves, index) for index in range(measures.count)])
    else:
        sections = [Section(0, measures.count, 1)]
    lines = [*_header(music, measures, number), *_voices(music)]
    lines += [f"K:{_first_key(music)}", *_programs(music)]
    lines += _body(music, measures, staves, sections, bars_per_line)
    return "\n".join(lines) + "\n"


def _content(measures: Measures, staves: list[list[Bar]], index: int) -> tuple[object, ...]:
    """Return what must be equal for two measures to be the same, signatures and tempo around them included."""
    return (measures.context(index), measures.length(index), *(staff[index] for staff in staves))


# --- header ----------------------------------------------------------------------------------------------------------


def _header(music: Music, measures: Measures, number: int) -> list[str]:
    metadata = music.metadata
    annotations = [(item.group, item.annotation) for item in music.annotations]
    own = [
        value for group, value in annotations if group == "reference_number" and isinstance(value, int) and value >= 0
    ]
    lines = [f"X:{own[0] if own else number}", f"T:{field_text(metadata.title or '')}"]
    lines += [f"T:{field_text(metadata.subtitle)}"] if metadata.subtitle else []
    lines += [f"C:{field_text(name)}" for name in metadata.creators]
    lines += [f"B:{field_text(metadata.collection)}"] if metadata.collection else []
    lines += [f"Z:{field_text(name)}" for name in metadata.encoders]
    for letter, group in ANNOTATION_GROUPS.items():
        lines += [f"{letter}:{field_text(str(value))}" for found, value in annotations if found == group]
    if metadata.copyright:
        lines.append(f"%%abc-copyright {field_text(metadata.copyright)}")
    lines += [f"M:{measures.first_meter}", f"L:1/{measures.unit}"]
    if measures.first_tempo:
        lines.append(f"Q:{measures.first_tempo}")
    return lines


def _first_key(music: Music) -> str:
    keys = sorted(music.key_signatures, key=lambda key: key.time)
    if keys and keys[0].time == 0:
        last = [key for key in keys if key.time == 0][-1]
        return key_text(last.root, last.mode, last.fifths, last.root_str)
    return "none"


def _voices(music: Music) -> list[str]:
    """Return the V: fields, none for a single plain track."""
    lines = []
    for number, track in enumerate(music.tracks, 1):
        attributes = StaffWriter.attributes(track)
        if track.name:
            attributes = f' name="{_quotable(track.name)}"{attributes}'
        if track.abbreviation:
            attributes += f' subname="{_quotable(track.abbreviation)}"'
        if attributes or len(music.tracks) > 1:
            lines.append(f"V:{number}{attributes}")
    return lines


def _quotable(text: str) -> str:
    return field_text(text).replace('"', "&quot;").replace("=", "&equals;")


def _programs(music: Music) -> list[str]:
    """Return the MIDI directives of a tune with one voice."""
    return _track_directives(music, 0) if len(music.tracks) == 1 else []


def _track_directives(music: Music, index: int) -> list[str]:
    track = music.tracks[index]
    lines = ["%%MIDI channel 10"] if track.is_drum else []
    return [*lines, f"%%MIDI program {track.program}"] if track.program else lines


# --- body ------------------------------------------------------------------------------------------------------------


def _body(
    music: Music, measures: Measures, staves: list[list[Bar]], sections: list[Section], bars_per_line: int
) -> Iterable[str]:
    several = len(staves) > 1
    if several:
        for index in range(len(staves)):
            directives = _track_directives(music, index)
            if directives:
                yield f"V:{index + 1}"
                yield from directives
    for section in sections:
        for first in range(section.start, section.stop, bars_per_line):
            chosen = range(first, min(first + bars_per_line, section.stop))
            for number, staff in enumerate(staves, 1):
                yield (f"[V:{number}] " if several else "") + _line(measures, staff, chosen, section)
                yield from _lyric_lines([staff[index] for index in chosen])


def _line(measures: Measures, staff: list[Bar], chosen: range, section: Section) -> str:
    """Return the measures of a line with their bar lines."""
    words = []
    for index in chosen:
        opens = measures.opening(index)
        if section.times > 1 and index == section.start:
            opens = "|:"
        if opens:
            words.append(opens)
        words.append(staff[index].text)
        closes = measures.closing(index)
        if section.times > 1 and index == section.stop - 1:
            closes = ":" * (section.times - 1) + "|"
        words.append(closes)
    return " ".join(word for word in words if word)


def _lyric_lines(bars: list[Bar]) -> list[str]:
    verses = max((len(bar.lyrics) for bar in bars), default=0)
    lines = []
    for verse in range(verses):
        words: list[str] = []
        for bar in bars:
            words += bar.lyrics[verse] if verse < len(bar.lyrics) else ["*"] * bar.notes
        while words and words[-1] == "*":
            words.pop()
        lines.append(f"w: {' '.join(words) or '*'}")
    while lines and lines[-1] == "w: *":
        lines.pop()
    return lines
