"""MIDI tables → Arrow arrays: what `write_arrow` makes of the same files, without a `Music` in between (see arrow.py).

The events of all tracks lie one after the other in the tables that the parser fills, and Arrow wants them so; making
tracks of them only to join them again would take longer than parsing. What belongs to whole pieces is little and goes
through `Music`. The tests compare both ways.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.events import Event, Metadata, Tempo
from muspy_core.io._arrow_schema import NOTATION_FIELDS
from muspy_core.io._arrow_writing import (
    Columns,
    batch_of_columns,
    completed,
    container_columns,
    event_array,
    list_array,
    struct_array,
    value_array,
)
from muspy_core.io.files import read_bytes
from muspy_core.io.midi import (
    DRUM_CHANNEL,
    OFF_KIND_NAMES,
    TRACK_LISTS,
    Messages,
    Rows,
    metadata_of,
    music_of,
    tempo_table,
    time_base,
)
from muspy_core.io.midi_tables import GROUP_KINDS, MidiTables, parse_midi
from muspy_core.layout import Table
from muspy_core.music import Music
from muspy_core.track import Track

if TYPE_CHECKING:
    import pyarrow as pa


@dataclasses.dataclass(frozen=True)
class ParsedMidi:
    """A MIDI file as tables, with its name."""

    name: str
    tables: MidiTables

    def music(self) -> Music:
        """Return what `read_midi` would return."""
        return music_of(self.tables, self.name)


def parsed(path: str | os.PathLike[str]) -> ParsedMidi:
    """Parse a MIDI file as `read_midi` does, with the same errors."""
    name = os.path.basename(path)
    return ParsedMidi(name, parse_midi(read_bytes(path), name, "fifo", tolerant=False))


def batch_of_midi(files: Sequence[ParsedMidi]) -> pa.RecordBatch:
    """Return parsed files as a record batch. Raises ValueError for a name or text that Arrow cannot hold."""
    tables = [file.tables for file in files]
    messages = [Messages(table, None) for table in tables]
    bases = [time_base(table.division) for table in tables]
    metadata = [metadata_of(texts, file.name) for file, texts in zip(files, messages, strict=True)]
    columns = {
        "metadata": struct_array(container_columns(Metadata, metadata)),
        "tempos": _events_of_pieces(Tempo, [len(table.tempos) for table in tables], tempo_table(_joined(tables)), {}),
        **_lists_of_pieces(messages),
        "tracks": _tracks(tables, messages),
    }
    values: dict[str, list[Any]] = {
        "resolution": [resolution for _, resolution in bases],
        "midi_format": [table.format for table in tables],
        "smpte_division": [division for division, _ in bases],
        "charset": [texts.charset for texts in messages],
    }
    return batch_of_columns(completed(Music, columns, values, len(files)))


def _joined(tables: Sequence[MidiTables]) -> Table:
    return np.concatenate([table.tempos for table in tables])


def _lists_of_pieces(messages: Sequence[Messages]) -> Columns:
    """The lists that the messages fill, those of all pieces at once."""
    columns = {}
    for name, first in messages[0].lists.items():
        rows = [texts.lists[name].rows for texts in messages]
        joined = Rows(first.event_type, first.names, list(itertools.chain.from_iterable(rows)))
        columns[name] = _events_of_pieces(first.event_type, [len(some) for some in rows], *joined.columns())
    return columns


def _events_of_pieces(
    event_type: type[Event], lengths: Sequence[int], table: Table, side: Mapping[str, list[Any]]
) -> pa.ListArray:
    """The events of each piece, sorted by time; `table` holds those of the first piece, of the second, …"""
    counts = np.array(lengths, np.int64)
    order = np.lexsort((table["time"], np.repeat(np.arange(len(counts)), counts)))
    arrays = {
        field.name: value_array(field, [side[field.name][row] for row in order.tolist()])
        for field in event_type._side_fields
        if any(value is not None for value in side.get(field.name, ()))
    }
    return list_array(counts, event_array(event_type, [table[order]], arrays))


def _tracks(files: Sequence[MidiTables], messages: Sequence[Messages]) -> pa.ListArray:
    counts = np.array([len(tables.groups) for tables in files], np.int64)
    groups = np.concatenate([tables.groups for tables in files])
    columns = {}
    for kind, (attribute, event_type) in enumerate(zip(TRACK_LISTS, GROUP_KINDS, strict=True)):
        tables = [file.kinds[kind] for file in files]
        lengths = _lengths(groups["start"][:, kind], counts, tables)
        columns[attribute] = list_array(lengths, event_array(event_type, tables, unset=NOTATION_FIELDS))
    values = _track_values(groups, counts, messages)
    return list_array(counts, struct_array(completed(Track, columns, values, len(groups))))


def _track_values(groups: Table, counts: NDArray[np.int64], messages: Sequence[Messages]) -> dict[str, list[Any]]:
    midi_tracks, channels = groups["midi_track"].tolist(), groups["channel"].tolist()
    owners = itertools.chain.from_iterable(map(itertools.repeat, messages, counts.tolist()))
    names_and_ports = [
        # The name of the first track is the title.
        (texts.names.get(midi_track) if midi_track else None, texts.ports.get(midi_track))
        for texts, midi_track in zip(owners, midi_tracks, strict=True)
    ]
    return {
        "program": groups["program"].tolist(),
        "is_drum": [channel == DRUM_CHANNEL for channel in channels],
        "name": [name for name, _ in names_and_ports],
        "midi_track": midi_tracks,
        "channel": channels,
        "port": [port for _, port in names_and_ports],
        "bank": [None if bank < 0 else bank for bank in groups["bank"].tolist()],
        "off_kind": [OFF_KIND_NAMES[code] for code in groups["off_kind"].tolist()],
        "off_velocity": [None if velocity < 0 else velocity for velocity in groups["off_velocity"].tolist()],
    }


def _lengths(starts: NDArray[np.int32], counts: NDArray[np.int64], tables: Sequence[Table]) -> NDArray[np.int64]:
    """The number of events in each group: up to the start of the next one, in the last of a file to the table's end."""
    ends = np.empty(len(starts), np.int64)
    ends[:-1] = starts[1:]
    filled = counts > 0
    ends[np.cumsum(counts)[filled] - 1] = np.array([len(table) for table in tables], np.int64)[filled]
    return ends - starts
