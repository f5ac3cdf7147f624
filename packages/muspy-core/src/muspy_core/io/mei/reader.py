"""MEI → Music: the public reader, and the stages that it shares with kern.

normalise (any score → MEI of one form, by verovio) → header (parts) → measures → part (rows of notes and marks); from
there on the stages of the MusicXML reader: repeats → timeline → ties → tracks.
"""

from __future__ import annotations

import os
from typing import IO, Literal

import numpy as np

from muspy_core.errors import MEIError, MuspyError
from muspy_core.io.files import read_source
from muspy_core.io.mei.header import read_metadata, read_parts
from muspy_core.io.mei.measures import read_columns, ticks_per_quarter
from muspy_core.io.mei.normalise import DEFAULT_TIMEOUT, normalise
from muspy_core.io.mei.part import PartReader
from muspy_core.io.musicxml.repeats import played_measures
from muspy_core.io.musicxml.score import add_score_events, read_repeats
from muspy_core.io.musicxml.timeline import Timeline
from muspy_core.io.musicxml.tracks import build_tracks
from muspy_core.music import Music

SourceFormat = Literal["mei", "humdrum"]


def read_mei(
    path: str | os.PathLike[str] | IO[bytes],
    resolution: int | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
) -> Music:
    """Read an MEI file (Music Encoding Initiative) of any version that verovio knows.

    Args:
        path: The file (.mei), or a binary file object.
        resolution: Time steps per quarter note. By default the smallest number that represents every position exactly;
            else positions are rounded to steps.
        expand_repeats: Play repeats, endings, da capo, dal segno and codas; otherwise the score is read as it is
            written and the signs stand in `Music.repeats`.
        merge_ties: Join tied notes; otherwise each written note is one, and `Note.tie` tells.
        keep_cue: Keep cue notes (`Note.cue`); otherwise they are left out.
        timeout: Seconds after which verovio, which works in a child process, is given up.

    Raises MEIError if the content cannot be read, OSError if the file cannot, ModuleNotFoundError without verovio.
    """
    name, data = read_source(path, MEIError)
    return read_mei_bytes(
        data,
        name,
        resolution,
        expand_repeats=expand_repeats,
        merge_ties=merge_ties,
        keep_cue=keep_cue,
        timeout=timeout,
    )


def read_mei_bytes(
    data: bytes,
    name: str = "bytes",
    resolution: int | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
) -> Music:
    """Read the bytes of an MEI file; `name` is used in messages and metadata, the rest as in `read_mei`."""
    return read_through_verovio(data, name, "mei", MEIError, resolution, expand_repeats, merge_ties, keep_cue, timeout)


def read_through_verovio(
    data: bytes,
    name: str,
    source_format: SourceFormat,
    error: type[MuspyError],
    resolution: int | None,
    expand_repeats: bool,
    merge_ties: bool,
    keep_cue: bool,
    timeout: float,
) -> Music:
    """Read a score in one of the formats that verovio turns into MEI. Raises `error`, naming the file."""
    if resolution is not None and resolution < 1:
        raise ValueError(f"resolution must be at least 1, got {resolution}")
    root = normalise(data, name, source_format, timeout, error)
    try:
        parts = read_parts(root)
        columns = read_columns(root)
        if not columns.measures:
            raise ValueError("holds no measure")
        ticks = ticks_per_quarter(root)
        readers = [PartReader(part, columns, ticks, keep_cue) for part in parts]
        for reader in readers:
            _read_part(reader)
        if readers:
            readers[0].signs += columns.signs
        count = len(columns.measures)
        nominal = [1] * count if not readers else readers[0].nominal
        filled = np.max([reader.lengths for reader in readers], axis=0).tolist() if readers else [0] * count
        lengths = [length or usual for length, usual in zip(filled, nominal, strict=True)]
        order = played_measures(readers, count) if expand_repeats else list(range(count))
        timeline = Timeline(lengths, order, ticks, resolution or ticks)
        music = Music(read_metadata(root, name, "kern" if source_format == "humdrum" else "mei"), timeline.resolution)
        if readers:
            numbers = [column.element.get("n") for column in columns.measures]
            add_score_events(music, numbers, readers, timeline, columns.meters, nominal)
            if not expand_repeats:
                music.repeats = read_repeats(readers, timeline)
        for index, (reader, part) in enumerate(zip(readers, parts, strict=True)):
            music.tracks += build_tracks(part.info, reader, timeline, index, merge_ties, "parts")
    except (ValueError, OverflowError) as reason:
        raise error(f"{name}: {reason}") from None
    return music


def _read_part(reader: PartReader) -> None:
    """Read all measures of a part. Raises MEIError that says where."""
    try:
        reader.read()
    except (ValueError, OverflowError) as error:
        raise MEIError(f"{reader.place}: {error}") from None
