"""Arrow arrays → columns of music, as views of the mapped file where that is possible (see arrow.py)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, dtype_of, new_array
from muspy_core.errors import ArrowError
from muspy_core.events import Annotation, Event, Note
from muspy_core.io._arrow_schema import stored_fields
from muspy_core.music import Music
from muspy_core.track import Track

if TYPE_CHECKING:
    import pyarrow as pa

# Gives the items in rows `start` to `stop`.
Reader = Callable[[int, int], list[Any]]


def open_batch(reader: pa.ipc.RecordBatchFileReader, path: Path, number: int) -> Reader:
    """Return the reader of the pieces of one record batch. Raises ArrowError, naming the file, if it is damaged."""
    import pyarrow as pa

    try:
        batch = reader.get_batch(number)
        # Offsets that point beyond their buffers would otherwise be followed.
        batch.validate(full=True)
        return _container_reader(Music, batch.to_struct_array())
    except (pa.ArrowException, OSError) as error:
        raise ArrowError(f"{path.name}: batch {number} is damaged: {error}") from None


def _container_reader(owner: type[Base], struct: pa.StructArray) -> Reader:
    """Return the function that gives the containers in rows `start` to `stop` of a struct array."""
    defaults = vars(owner())
    scalars: dict[str, list[Any]] = {}
    nested: list[tuple[str, Reader]] = []
    later: dict[str, Reader] = {}
    for field in stored_fields(owner):
        column = struct.field(field.name)
        if isinstance(field.type, type) and issubclass(field.type, Base):
            if not field.is_list:
                nested.append((field.name, _container_reader(field.type, column)))
                continue
            offsets = column.offsets.to_numpy()
            if issubclass(field.type, Event):
                if offsets[-1] > offsets[0]:
                    split = _event_reader(field.type, column.values, offsets)
                    name = "_other_annotations" if owner is Track and field.type is Annotation else field.name
                    if field.type is Note:
                        nested.append((name, split))
                    else:
                        later[name] = split
            else:
                inner = _container_reader(field.type, column.values)
                nested.append((field.name, _sublists(offsets, inner)))
        elif field.is_list:
            nested.append((field.name, functools.partial(_fresh_lists, column.to_pylist())))
        elif column.null_count < len(column):
            default = defaults.get(field.name)
            scalars[field.name] = [
                default if value is None else _restored(field, value) for value in column.to_pylist()
            ]
    return functools.partial(_make_containers, owner, defaults, scalars, nested, later)


def _fresh_lists(values: list[list[Any] | None], start: int, stop: int) -> list[list[Any]]:
    return [list(value or ()) for value in values[start:stop]]


def _sublists(offsets: Any, inner: Reader) -> Reader:
    """Read the lists in rows `start` to `stop` of a list column whose items `inner` reads."""

    def read(start: int, stop: int) -> list[Any]:
        bounds = offsets[start : stop + 1].tolist()
        items = inner(bounds[0], bounds[-1])
        return [items[a - bounds[0] : b - bounds[0]] for a, b in itertools.pairwise(bounds)]

    return read


def _make_containers(
    owner: type[Base],
    defaults: dict[str, Any],
    scalars: dict[str, list[Any]],
    nested: list[tuple[str, Reader]],
    later: dict[str, Reader],
    start: int,
    stop: int,
) -> list[Any]:
    made = []
    columns = [values[start:stop] for values in scalars.values()]
    rows = zip(*columns, strict=True) if columns else itertools.repeat(())
    for row, values in zip(range(start, stop), rows, strict=False):
        item = owner.__new__(owner)
        # The defaults that can be changed (lists, metadata) are all replaced below.
        item.__dict__.update(defaults)
        item.__dict__.update(zip(scalars, values, strict=True))
        if later:
            item.__dict__["_unread"] = functools.partial(_read_list, later, row)
        made.append(item)
    for name, read in nested:
        for item, value in zip(made, read(start, stop), strict=True):
            item.__dict__[name] = value
    return made


def _read_list(readers: dict[str, Reader], row: int, name: str) -> EventList[Any] | None:
    """One list of the container in a row, None if no container of the batch has such events."""
    read = readers.get(name)
    return None if read is None else cast("EventList[Any]", read(row, row + 1)[0])


def _event_reader(event_type: type[Event], struct: pa.StructArray, offsets: Any) -> Reader:
    """Return the function that gives the event lists in rows `start` to `stop`: views of one table they share."""
    fields = {field.name: field for field in event_type._fields}
    columns: list[tuple[str, Any]] = []
    side: dict[str, Any] = {}
    for inner in struct.type:
        column = struct.field(inner.name)
        field = fields.get(inner.name, Field(int, "i4", none=-1, name=inner.name))
        if column.null_count == len(column):
            continue
        if field.column:
            columns.append((inner.name, _numpy_view(column, field)))
        else:
            side[inner.name] = (column, field)
    dtype = dtype_of(event_type)
    is_complete = len(columns) == len(dtype.names or ())

    def read(start: int, stop: int) -> list[EventList[Any]]:
        bounds = offsets[start : stop + 1].tolist()
        first, last = bounds[0], bounds[-1]
        table = np.empty(last - first, dtype) if is_complete else new_array(event_type, last - first)
        for name, values in columns:
            table[name] = values[first:last]
        rows = _side_values(side, first, last)
        return [
            EventList.of_columns(
                event_type,
                table[a - first : b - first],
                {name: values[a - first : b - first] for name, values in rows.items()} if rows else {},
            )
            for a, b in itertools.pairwise(bounds)
        ]

    return read


def _side_values(side: dict[str, Any], first: int, last: int) -> dict[str, list[Any]]:
    """The side columns that have any value between two rows."""
    rows = {}
    for name, (column, field) in side.items():
        part = column.slice(first, last - first)
        if part.null_count < len(part):
            values = part.to_pylist()
            rows[name] = [_restored(field, value) for value in values] if field.type is object else values
    return rows


def _numpy_view(column: pa.Array, field: Field) -> Any:
    """The values of a column with None as the field's own number; no copy where nothing is null."""
    if field.words:
        return (column.indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1).astype(np.uint8)
    if field.type is bool:
        return column.fill_null(False).to_numpy(zero_copy_only=False).astype(np.uint8)
    return (column.fill_null(field.none) if column.null_count else column).to_numpy()


def _restored(field: Field, value: Any) -> Any:
    if value is None or field.type is not object:
        return value
    try:
        restored = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise ArrowError(f"a value of {field.name!r} is not JSON: {error}") from None
    return tuple(restored) if field.name == "smpte_division" else restored
