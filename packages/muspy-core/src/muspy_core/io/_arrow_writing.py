"""Columns of music → Arrow arrays (see arrow.py)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, Table
from muspy_core.events import Event, Note
from muspy_core.io._arrow_schema import (
    NOTATION_FIELDS,
    Layout,
    event_fields,
    list_of,
    music_schema,
    stored_fields,
    value_type,
)
from muspy_core.io.json import plain
from muspy_core.layout import dtype_of
from muspy_core.music import Music

if TYPE_CHECKING:
    import pyarrow as pa

# Rows whose columns are taken at once: they stay in the processor's cache meanwhile.
ROWS_AT_ONCE = 4096

Columns = dict[str, "pa.Array"]


def batch_of(pieces: Sequence[Music]) -> pa.RecordBatch:
    """Return pieces as a record batch; its layout is "performance" if no note has any notation."""
    return batch_of_columns(container_columns(Music, pieces))


def batch_of_columns(columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Return the columns of pieces as a record batch of the layout that they have."""
    import pyarrow as pa

    notes = columns["tracks"].type.value_type.field("notes").type.value_type
    layout: Layout = "performance" if notes.get_field_index(NOTATION_FIELDS[0]) < 0 else "notation"
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=music_schema(layout))


def widened(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch in the layout "notation", with nulls for what it leaves out."""
    import pyarrow as pa

    if batch.schema.equals(music_schema("notation")):
        return batch
    tracks = batch.column("tracks")
    parts = tracks.values.type.names
    columns = {name: tracks.values.field(name) for name in parts}
    notes = columns["notes"]
    known = {name: notes.values.field(name) for name in notes.values.type.names}
    fields = {field.name: field for field in event_fields(Note)}
    complete = {
        name: known[name] if name in known else nulls(field, len(notes.values)) for name, field in fields.items()
    }
    columns["notes"] = pa.ListArray.from_arrays(notes.offsets, struct_array(complete))
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    arrays["tracks"] = pa.ListArray.from_arrays(tracks.offsets, struct_array(columns))
    return batch_of_columns(arrays)


def container_columns(owner: type[Base], objects: Sequence[Base]) -> Columns:
    """One Arrow array a stored field of containers (pieces, tracks, metadata) of one class."""
    columns = {}
    for field in stored_fields(owner):
        if not field.holds_objects:
            columns[field.name] = value_array(field, [getattr(item, field.name) for item in objects])
        elif not field.is_list:
            inner = [getattr(item, field.name) for item in objects]
            columns[field.name] = struct_array(container_columns(field.type, inner))
        elif issubclass(field.type, Event):
            columns[field.name] = _event_lists(field.type, [list_of(item, field) for item in objects])
        else:
            lists = [getattr(item, field.name) for item in objects]
            values = container_columns(field.type, list(itertools.chain.from_iterable(lists)))
            columns[field.name] = list_array(lengths_of(lists), struct_array(values))
    return columns


def completed(owner: type[Base], columns: Columns, values: Mapping[str, list[Any]], length: int) -> Columns:
    """Return all columns of containers: those that are made, those whose values are given, the others empty."""
    complete = {}
    for field in stored_fields(owner):
        if field.name in columns:
            complete[field.name] = columns[field.name]
        elif field.name in values:
            complete[field.name] = value_array(field, values[field.name])
        elif field.holds_objects:
            complete[field.name] = list_array(np.zeros(length, np.int64), event_array(field.type, []))
        else:
            complete[field.name] = nulls(field, length)
    return complete


def value_array(field: Field, values: Sequence[Any]) -> pa.Array:
    """Return the values of a field that holds no music objects as an Arrow array."""
    import pyarrow as pa

    if field.type is object:
        values = [None if value is None else _json(value) for value in values]
    return pa.array(values, value_type(field))


def struct_array(columns: Mapping[str, pa.Array]) -> pa.StructArray:
    """Return columns of one length as structs."""
    import pyarrow as pa

    return pa.StructArray.from_arrays(list(columns.values()), names=list(columns))


def list_array(lengths: NDArray[np.int64], values: pa.Array) -> pa.ListArray:
    """Return lists of the given lengths, one after the other in `values`."""
    import pyarrow as pa

    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def lengths_of(lists: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
    """Return the lengths of lists."""
    return np.fromiter(map(len, lists), np.int64, len(lists))


def event_array(
    event_type: type[Event], tables: Sequence[Table], side: Columns | None = None, unset: Sequence[str] = ()
) -> pa.StructArray:
    """Return events in tables, one after the other, as structs.

    side: the side columns that have values, as arrays. unset: numeric columns that are known to have none.
    """
    fields = list(event_fields(event_type))
    numbers = _gathered([f.name for f in fields if f.column and f.name not in unset], event_type, tables)
    length = sum(map(len, tables))
    columns = {}
    for field in fields:
        if field.name in numbers:
            columns[field.name] = number_array(numbers[field.name], field)
        else:
            columns[field.name] = (side or {}).get(field.name)
    if event_type is Note and all(_is_unset(columns[name]) for name in NOTATION_FIELDS):
        for name in NOTATION_FIELDS:
            del columns[name]
    by_name = {field.name: field for field in fields}
    return struct_array(
        {name: nulls(by_name[name], length) if array is None else array for name, array in columns.items()}
    )


def _is_unset(array: pa.Array | None) -> bool:
    return array is None or array.null_count == len(array)


def _event_lists(event_type: type[Event], lists: Sequence[EventList[Any] | tuple[()]]) -> pa.ListArray:
    filled = [cast("EventList[Any]", events) for events in lists if len(events)]
    side = {}
    for field in event_type._side_fields:
        if any(events.has_side(field.name) for events in filled):
            values = itertools.chain.from_iterable(events.side(field.name) for events in filled)
            side[field.name] = value_array(field, list(values))
    return list_array(lengths_of(lists), event_array(event_type, [events.array for events in filled], side))


def _gathered(names: Sequence[str], event_type: type[Event], tables: Sequence[Table]) -> dict[str, NDArray[Any]]:
    """The columns of tables as contiguous arrays."""
    dtype = dtype_of(event_type)
    length = sum(map(len, tables))
    columns = {name: np.empty(length, dtype[name]) for name in names}
    start = 0
    for rows in _joined(tables, dtype):
        for name, column in columns.items():
            column[start : start + len(rows)] = rows[name]
        start += len(rows)
    return columns


def _joined(tables: Sequence[Table], dtype: np.dtype[np.void]) -> Iterator[Table]:
    """The rows of tables, some thousands at once."""
    waiting: list[Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += len(table)
        if count >= ROWS_AT_ONCE:
            yield _concatenated(waiting, dtype)
            waiting, count = [], 0
    if waiting:
        yield _concatenated(waiting, dtype)


def _concatenated(tables: Sequence[Table], dtype: np.dtype[np.void]) -> Table:
    if len(tables) == 1:
        return tables[0]
    # As opaque bytes: NumPy joins those many times faster than fields.
    return np.concatenate([table.view(f"V{dtype.itemsize}") for table in tables]).view(dtype)


def number_array(values: NDArray[Any], field: Field) -> pa.Array | None:
    """Return a numeric column as an Arrow array, its stand-ins for None as nulls; None if there is nothing else."""
    import pyarrow as pa

    mask = None
    if field.none is not None:
        mask = values == field.none
        if mask.all():
            return None
        if not mask.any():
            mask = None
    if field.words:
        codes = pa.array(values.astype(np.int8) - np.int8(1), pa.int8(), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, pa.array(field.words))
    return pa.array(values.astype(bool) if field.type is bool else values, value_type(field), mask=mask)


def nulls(field: Field, length: int) -> pa.Array:
    """Return a column of nulls; of words, with the dictionary that all batches of a file share."""
    import pyarrow as pa

    if field.column and field.words:
        return pa.DictionaryArray.from_arrays(pa.nulls(length, pa.int8()), pa.array(field.words))
    return pa.nulls(length, value_type(field))


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=plain).decode()
