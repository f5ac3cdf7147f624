"""MuseScore files → Music: the public readers, and how their stages follow one another.

source (bytes → score) → durations (the unit of time) → header (parts, instruments) → measures → part (rows of notes and
marks); from there on the stages of the MusicXML reader: repeats → timeline → ties → tracks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import IO

from muspy_core.errors import MuseScoreError
from muspy_core.io.files import read_source
from muspy_core.io.musescore.durations import Durations
from muspy_core.io.musescore.header import read_metadata, read_parts
from muspy_core.io.musescore.measures import Measures, lay_out, read_signs
from muspy_core.io.musescore.part import PartReader
from muspy_core.io.musescore.source import Source, parse_source
from muspy_core.io.musicxml.repeats import played_measures
from muspy_core.io.musicxml.score import add_score_events, read_repeats
from muspy_core.io.musicxml.timeline import Timeline
from muspy_core.io.musicxml.tracks import PartTracks, build_tracks
from muspy_core.music import Music


def read_musescore(
    path: str | os.PathLike[str] | IO[bytes],
    resolution: int | None = None,
    compressed: bool | None = None,
    timeout: float | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    part_tracks: PartTracks = "instruments",
) -> Music:
    """Read a MuseScore file of version 2, 3 or 4, plain or compressed.

    Args:
        path: The file (.mscx, .mscz), or a binary file object.
        resolution: Time steps per quarter note. By default the file's own division, 480 in what MuseScore writes, as in
            MusPy; positions that it cannot hold (in septuplets) are rounded to steps.
        compressed: Whether it is a compressed file; by default the bytes decide.
        timeout: Seconds after which reading is given up.
        expand_repeats: Play repeats, endings, da capo, dal segno and codas; otherwise the score is read as it is
            written and the signs stand in `Music.repeats`.
        merge_ties: Join tied notes; otherwise each written note is one, and `Note.tie` tells.
        keep_cue: Keep cue notes (`Note.cue`), which in MuseScore are chords of small notes; otherwise they are left out
            as when MuseScore's MusicXML is read. MusPy keeps them.
        part_tracks: "instruments" makes a track of each instrument that a part changes to; "parts" makes one track of
            each part, as MusPy does.

    Raises MuseScoreError if the content cannot be read, TimeoutError if it takes longer than `timeout`, OSError if the
    file cannot be read. Warns (MuseScoreWarning) of other versions, which are read as far as they are understood.
    """
    name, data = read_source(path, MuseScoreError)
    return read_musescore_bytes(
        data,
        name,
        resolution,
        compressed,
        timeout,
        expand_repeats=expand_repeats,
        merge_ties=merge_ties,
        keep_cue=keep_cue,
        part_tracks=part_tracks,
    )


def read_musescore_bytes(
    data: bytes,
    name: str = "bytes",
    resolution: int | None = None,
    compressed: bool | None = None,
    timeout: float | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    part_tracks: PartTracks = "instruments",
) -> Music:
    """Read the bytes of a MuseScore file; `name` is used in messages and metadata, the rest as in `read_musescore`."""
    if resolution is not None and resolution < 1:
        raise ValueError(f"resolution must be at least 1, got {resolution}")
    check_time = _clock(name, timeout)
    source = parse_source(data, name, compressed)
    try:
        check_time()
        durations = Durations(source.score, source.division)
        parts = read_parts(source.score)
        measures = lay_out([staff for part in parts for staff in part.staves], durations)
        readers = [PartReader(source, part, measures, durations, keep_cue) for part in parts]
        for reader in readers:
            _read_part(reader, check_time)
        _add_signs(readers, source, measures)
        count = len(measures.lengths)
        order = played_measures(readers, count) if expand_repeats else list(range(count))
        timeline = Timeline(measures.lengths, order, durations.ticks_per_quarter, resolution or source.division)
        music = Music(read_metadata(source, name), timeline.resolution)
        if readers:
            add_score_events(music, measures.numbers, readers, timeline, measures.meters, measures.nominal)
            if not expand_repeats:
                music.repeats = read_repeats(readers, timeline)
        for index, (reader, part) in enumerate(zip(readers, parts, strict=True)):
            check_time()
            music.tracks += build_tracks(part.info, reader, timeline, index, merge_ties, part_tracks)
    except (ValueError, OverflowError) as error:
        raise MuseScoreError(f"{name}: {error}") from None
    return music


def _clock(name: str, timeout: float | None) -> Callable[[], None]:
    """Return a function that raises TimeoutError once `timeout` seconds have passed."""
    end = None if timeout is None else time.monotonic() + timeout

    def check() -> None:
        if end is not None and time.monotonic() > end:
            raise TimeoutError(f"{name}: not read within {timeout:g} s")

    return check


def _read_part(reader: PartReader, check_time: Callable[[], None]) -> None:
    """Read all measures of a part. Raises MuseScoreError that says where."""
    try:
        reader.read(check_time)
    except (ValueError, OverflowError) as error:
        raise MuseScoreError(f"{reader.place}: {error}") from None


def _add_signs(readers: list[PartReader], source: Source, measures: Measures) -> None:
    """Give the first part the signs that belong to the whole score; any staff may hold them."""
    for staff in source.score.iterfind("Staff"):
        if readers and id(staff) in measures.staves:
            readers[0].signs += read_signs(measures.of(staff))
