"""Columns of music → Arrow arrays (see arrow.py)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, Table, dtype_of
from muspy_core.events import Event
from muspy_core.io._arrow_schema import list_of, stored_fields
from muspy_core.io.json import plain

if TYPE_CHECKING:
    import pyarrow as pa


def struct_columns(objects: Sequence[Base], schema: pa.Schema) -> list[pa.Array]:
    """One Arrow array a stored field of containers (pieces, tracks, metadata) of one class."""
    import pyarrow as pa

    columns = []
    for field in stored_fields(type(objects[0])):
        arrow_type = schema.field(field.name).type
        nested = isinstance(field.type, type) and issubclass(field.type, Base)
        if nested and field.is_list and issubclass(field.type, Event):
            columns.append(_event_column([list_of(item, field) for item in objects], field.type, arrow_type))
        elif nested and field.is_list:
            lists = [getattr(item, field.name) for item in objects]
            columns.append(_list_column(lists, arrow_type))
        elif nested:
            columns.append(_struct([getattr(item, field.name) for item in objects], arrow_type))
        else:
            values = [_storable(field, getattr(item, field.name)) for item in objects]
            columns.append(pa.array(values, arrow_type))
    return columns


def _struct(objects: Sequence[Base], arrow_type: pa.StructType) -> pa.Array:
    import pyarrow as pa

    if not objects:
        return pa.array([], arrow_type)
    schema = pa.schema(list(arrow_type))
    return pa.StructArray.from_arrays(struct_columns(objects, schema), fields=list(arrow_type))


def _list_column(lists: Sequence[Sequence[Base]], arrow_type: pa.ListType) -> pa.Array:
    import pyarrow as pa

    values = _struct(list(itertools.chain.from_iterable(lists)), arrow_type.value_type)
    return pa.ListArray.from_arrays(_offsets(lists), values, type=arrow_type)


def _event_column(
    lists: Sequence[EventList[Any] | tuple[()]], event_type: type[Event], arrow_type: pa.ListType
) -> pa.Array:
    import pyarrow as pa

    filled = [events for events in lists if isinstance(events, EventList) and len(events)]
    table = _joined(event_type, [events.array for events in filled])
    columns = []
    for inner in arrow_type.value_type:
        field = next((f for f in event_type._fields if f.name == inner.name), Field(int, "i4", none=-1))
        if field.column:
            columns.append(_numeric_column(table[inner.name], field, inner.type))
        elif any(events.has_side(inner.name) for events in filled):
            values = itertools.chain.from_iterable(events.side(inner.name) for events in filled)
            columns.append(pa.array([_storable(field, value) for value in values], inner.type))
        else:
            columns.append(pa.nulls(len(table), inner.type))
    struct = pa.StructArray.from_arrays(columns, fields=list(arrow_type.value_type))
    return pa.ListArray.from_arrays(_offsets(lists), struct, type=arrow_type)


def _joined(event_type: type[Event], tables: Sequence[Table]) -> Table:
    dtype = dtype_of(event_type)
    if not tables:
        return np.empty(0, dtype)
    # As opaque bytes: NumPy joins those many times faster than fields.
    return np.concatenate([table.view(f"V{dtype.itemsize}") for table in tables]).view(dtype)


def _numeric_column(values: Any, field: Field, arrow_type: pa.DataType) -> pa.Array:
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    mask = None if field.none is None else values == field.none
    if field.words:
        codes = pa.array(values.astype(np.int8) - 1, pa.int8(), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, pa.array(field.words))
    return pa.array(values.astype(bool) if field.type is bool else values, arrow_type, mask=mask)


def _offsets(lists: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.concatenate([[0], np.cumsum([len(items) for items in lists])]), pa.int32())


def _storable(field: Field, value: Any) -> Any:
    """A value as Arrow holds it: anything without a type of its own as JSON."""
    if value is None or field.type is not object:
        return value
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=plain).decode()
