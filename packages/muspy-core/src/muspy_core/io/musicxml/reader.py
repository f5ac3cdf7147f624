"""MusicXML → Music: the public readers, and how their stages follow one another.

source (bytes → measures) → header (parts, instruments) → part (rows of notes and marks) → repeats (playing order) →
timeline (time steps) → ties → tracks.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import IO

import numpy as np

from muspy_core.errors import MusicXMLError
from muspy_core.io.files import read_bytes
from muspy_core.io.musicxml.header import read_metadata, read_part_list
from muspy_core.io.musicxml.marks import Meter
from muspy_core.io.musicxml.part import PartReader
from muspy_core.io.musicxml.repeats import played_measures
from muspy_core.io.musicxml.rows import Meanings, read_divisions
from muspy_core.io.musicxml.score import add_score_events, read_repeats
from muspy_core.io.musicxml.source import Part, Source, divisions_texts, parse_source
from muspy_core.io.musicxml.timeline import Timeline, nominal_lengths
from muspy_core.io.musicxml.tracks import PartTracks, build_tracks
from muspy_core.music import Music

MAX_TICKS_PER_QUARTER = 10**8


def read_musicxml(
    path: str | os.PathLike[str] | IO[bytes],
    resolution: int | None = None,
    compressed: bool | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    part_tracks: PartTracks = "instruments",
) -> Music:
    """Read a MusicXML file, plain or compressed, part-wise or time-wise.

    Args:
        path: The file (.musicxml, .xml, .mxl), or a binary file object.
        resolution: Time steps per quarter note. By default the least common multiple of all divisions in the score
            (1 if there are none), which represents every position exactly; else positions are rounded to steps.
        compressed: Whether it is a compressed file; by default the bytes decide.
        expand_repeats: Play repeats, endings, da capo, dal segno and codas; otherwise the score is read as it is
            written and the signs stand in `Music.repeats`.
        merge_ties: Join tied notes; otherwise each written note is one, and `Note.tie` tells.
        keep_cue: Keep cue notes (`Note.cue`); otherwise they are left out, as in MusPy.
        part_tracks: "instruments" makes a track of each instrument of a part, as MusPy does, except that the keys of a
            drum kit share a track; "parts" makes one track of each part.

    Raises MusicXMLError if the content cannot be read, OSError if the file cannot.
    """
    if isinstance(path, (str, os.PathLike)):
        name = Path(path).name
        try:
            data = read_bytes(path)
        except OSError:
            raise
        except ValueError as error:
            raise MusicXMLError(str(error)) from None
    else:
        name = Path(str(getattr(path, "name", "stream"))).name
        data = path.read()
    return read_musicxml_bytes(
        data,
        name,
        resolution,
        compressed,
        expand_repeats=expand_repeats,
        merge_ties=merge_ties,
        keep_cue=keep_cue,
        part_tracks=part_tracks,
    )


def read_musicxml_bytes(
    data: bytes,
    name: str = "bytes",
    resolution: int | None = None,
    compressed: bool | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    part_tracks: PartTracks = "instruments",
) -> Music:
    """Read the bytes of a MusicXML file; `name` is used in messages and metadata, the rest as in `read_musicxml`."""
    if resolution is not None and resolution < 1:
        raise ValueError(f"resolution must be at least 1, got {resolution}")
    source = parse_source(data, name, compressed)
    try:
        infos = read_part_list(source.root, [part.identifier for part in source.parts])
        ticks = _ticks_per_quarter(source)
        meanings = Meanings()
        readers = [
            _read_part(name, part, PartReader(infos[part.identifier].instruments, ticks, meanings, keep_cue))
            for part in source.parts
        ]
        timeline, meters, nominal = _make_timeline(readers, ticks, resolution or ticks, expand_repeats)
        music = Music(read_metadata(source.root, name), timeline.resolution)
        if readers:
            numbers = [measure.get("number") for measure in source.parts[0].content]
            add_score_events(music, numbers, readers, timeline, meters, nominal)
            if not expand_repeats:
                music.repeats = read_repeats(readers, timeline)
        for index, (reader, part) in enumerate(zip(readers, source.parts, strict=True)):
            music.tracks += build_tracks(infos[part.identifier], reader, timeline, index, merge_ties, part_tracks)
    except (ValueError, OverflowError) as error:
        if isinstance(error, MusicXMLError) and str(error).startswith(f"{name}: "):
            raise
        raise MusicXMLError(f"{name}: {error}") from None
    return music


def _ticks_per_quarter(source: Source) -> int:
    """Return the smallest number of ticks that makes all positions whole: the LCM of the divisions."""
    texts = {text for part in source.parts for text in divisions_texts(part)}
    divisions = {read_divisions(text).numerator for text in texts}
    ticks = math.lcm(*divisions)
    if ticks > MAX_TICKS_PER_QUARTER:
        raise MusicXMLError(
            f"the least common multiple of its divisions is {ticks:,}; at most {MAX_TICKS_PER_QUARTER:,} can be read"
        )
    return ticks


def _read_part(name: str, part: Part, reader: PartReader) -> PartReader:
    """Read all measures of a part. Raises MusicXMLError that says where."""
    try:
        reader.read(part.content)
    except (ValueError, OverflowError) as error:
        number = part.measure_number(len(reader.lengths))
        raise MusicXMLError(f"{name}: part {part.identifier}, measure {number}: {error}") from None
    return reader


def _make_timeline(
    readers: list[PartReader], ticks: int, resolution: int, expand_repeats: bool
) -> tuple[Timeline, list[tuple[int, int, Meter]], list[int]]:
    """Lay out the measures: each is as long as its fullest part, an empty one as its time signature says."""
    count = max((len(reader.lengths) for reader in readers), default=0)
    meters = next((reader.meters for reader in readers if reader.meters), [])
    nominal = nominal_lengths(meters, count, ticks)
    filled = np.zeros(count, dtype=np.int64)
    for reader in readers:
        np.maximum(filled[: len(reader.lengths)], reader.lengths, out=filled[: len(reader.lengths)])
    lengths = [length or usual for length, usual in zip(filled.tolist(), nominal, strict=True)]
    order = played_measures(readers, count) if expand_repeats else list(range(count))
    meters = [_measured(row, lengths, ticks) for row in meters]
    return Timeline(lengths, order, ticks, resolution), meters, nominal


def _measured(row: tuple[int, int, Meter], lengths: list[int], ticks: int) -> tuple[int, int, Meter]:
    """Give an unmeasured (senza misura) passage the signature of its first measure's length."""
    measure, position, meter = row
    if meter.numerator:
        return row
    common = math.gcd(lengths[measure], 4 * ticks)
    numerator, denominator = lengths[measure] // common, 4 * ticks // common
    if denominator < 4:
        numerator, denominator = numerator * (4 // denominator), 4
    if denominator > 64 or numerator > 1024 or denominator & (denominator - 1):
        numerator, denominator = 4, 4
    return measure, position, meter._replace(numerator=numerator, denominator=denominator)
