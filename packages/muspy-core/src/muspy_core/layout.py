"""The table of each event class, and its rows as objects and back (events → tables → columns).

Numeric fields are columns of a structured array; strings, bytes and values of any type are side columns (Python lists).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from muspy_core.base import Field
from muspy_core.events import Event, Note

E = TypeVar("E", bound=Event)
Table = NDArray[np.void]

ORDER_COLUMNS = ("order", "off_order")

_DTYPES: dict[type[Event], np.dtype[np.void]] = {}
# Blank rows to copy: a song of an orchestra has some thousand notes.
BLANK_ROWS = 8192
_BLANKS: dict[type[Event], Table] = {}


def dtype_of(event_type: type[Event]) -> np.dtype[np.void]:
    """Return the structured dtype of a table of events: the numeric fields in order, then the file positions."""
    known = _DTYPES.get(event_type)
    if known is None:
        columns = [(field.name, field.column) for field in event_type._column_fields]
        columns += [(name, "i4") for name in order_columns(event_type)]
        known = _DTYPES[event_type] = np.dtype(columns)
    return known


def order_columns(event_type: type[Event]) -> tuple[str, ...]:
    """Return the names of the columns of file positions: one, and for notes a second for their ends."""
    return ORDER_COLUMNS if issubclass(event_type, Note) else ORDER_COLUMNS[:1]


def new_array(event_type: type[Event], length: int) -> Table:
    """Return a table of `length` rows with zeros in required columns and None in optional ones."""
    blank = _BLANKS.get(event_type)
    if blank is None or len(blank) < min(length, BLANK_ROWS):
        blank = _BLANKS[event_type] = _blank_rows(event_type, BLANK_ROWS if length > 1 else 1)
    if length <= len(blank):
        # As plain bytes: NumPy would copy rows field by field.
        size = length * blank.dtype.itemsize
        copied: Table = blank.view(np.uint8)[:size].copy().view(blank.dtype)
        return copied
    return _blank_rows(event_type, length)


def _blank_rows(event_type: type[Event], length: int) -> Table:
    row = np.zeros((), dtype_of(event_type))
    for field in event_type._column_fields:
        if field.none:
            row[field.name] = field.none
    for name in order_columns(event_type):
        row[name] = -1
    rows = np.empty(length, row.dtype)
    # As opaque bytes: NumPy copies them 15 times faster than it copies rows field by field.
    opaque = f"V{row.dtype.itemsize}"
    rows.view(opaque)[...] = row.view(opaque)
    return rows


def objects_of(event_type: type[E], array: Table, side: Mapping[str, list[Any]]) -> list[E]:
    """Make one object a row; optional fields that are None everywhere are left to the class's defaults."""
    columns: dict[str, Sequence[Any]] = {}
    for field in event_type._column_fields:
        column = array[field.name]
        if field.none is None:
            columns[field.name] = column.tolist()
        elif (column != field.none).any():
            columns[field.name] = with_none(field, column)
    for name in order_columns(event_type):
        if (array[name] != -1).any():
            columns[f"_{name}"] = array[name].tolist()
    columns.update({field.name: [None] * len(array) for field in event_type._side_fields if not field.optional})
    columns.update(side)
    names = tuple(columns)
    objects = []
    for values in zip(*columns.values(), strict=True):
        item = event_type.__new__(event_type)
        item.__dict__.update(zip(names, values, strict=True))
        objects.append(item)
    return objects


def with_none(field: Field, column: NDArray[Any]) -> list[Any]:
    """Return the values of a column as Python objects, None where an optional one is unset."""
    if field.none is None:
        return column.tolist()  # type: ignore[no-any-return] # NumPy types tolist as Any
    if field.words:
        words = (None, *field.words)
        return [words[code] for code in column.tolist()]
    if field.type is bool:
        return [True if code else None for code in column.tolist()]
    return [None if value == field.none else value for value in column.tolist()]


def table_of(event_type: type[Event], objects: Sequence[Event]) -> Table:
    """Make one row an object; raises TypeError, naming the event, if a value does not fit its column."""
    array = new_array(event_type, len(objects))
    if not objects:
        return array
    for field in event_type._column_fields:
        values = [_value(field, item) for item in objects]
        if field.none is not None:
            if all(value is None for value in values):
                continue
            values = [_code(field, value) for value in values]
        _fill(event_type, array, field, values, objects)
    for name in order_columns(event_type):
        array[name] = [getattr(item, f"_{name}", -1) for item in objects]
    return array


def _value(field: Field, item: Event) -> Any:
    try:
        return getattr(item, field.name)
    except AttributeError:
        raise TypeError(f"{item!r} has no `{field.name}`, so it has no place in this table") from None


def _code(field: Field, value: Any) -> Any:
    if value is None:
        return field.none
    if field.words:
        if value not in field.words:
            raise TypeError(f"{field.name}={value!r} is not one of {', '.join(field.words)}")
        return field.words.index(value) + 1
    return value


def _fill(event_type: type[Event], array: Table, field: Field, values: list[Any], objects: Sequence[Event]) -> None:
    exact = np.array(values, dtype=object)
    try:
        array[field.name] = exact
        # NaN, unlike everything else, is stored well and yet differs from itself.
        fits = bool(((array[field.name] == exact) | (exact != exact)).all())
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        bounds = np.dtype(field.column)
        for item, value in zip(objects, values, strict=True):
            if not _fits(bounds, value):
                raise TypeError(f"{event_type.__name__}.{field.name}={value!r} does not fit {bounds}: {item!r}")


def _fits(column: np.dtype[Any], value: Any) -> bool:
    try:
        stored = np.zeros(1, column)
        stored[0] = value
        return bool(stored[0] == value or value != value)
    except (TypeError, ValueError, OverflowError):
        return False
