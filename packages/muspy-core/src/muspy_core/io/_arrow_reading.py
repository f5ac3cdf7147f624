"""Arrow arrays → columns of music, as views of the mapped file where that is possible (see arrow.py).

Opening a batch makes views of its buffers and decodes what is not an event (names, programs, …; a megabyte for 10,000
tracks). The notes of a piece are read when it is asked for, its other lists when they are looked at. A damaged file may
say anything: buffers are only read through NumPy and `memoryview`, which know where they end, and whatever does not fit
is an `ArrowError`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, dtype_of, new_array
from muspy_core.errors import ArrowError
from muspy_core.events import Event, Note
from muspy_core.io._arrow_schema import attribute_of, event_fields, stored_fields
from muspy_core.music import Music

if TYPE_CHECKING:
    import pyarrow as pa

# Gives the items in rows `start` to `stop`; numbers as an array.
Reader = Callable[[int, int], list[Any]]
NumberReader = Callable[[int, int], NDArray[Any]]

# What NumPy, `str` and `zip` raise for buffers that do not fit each other.
DAMAGE = (ValueError, IndexError, TypeError, OverflowError)
LONGEST_REASON = 100


def open_batch(reader: pa.ipc.RecordBatchFileReader, path: Path, number: int) -> Reader:
    """Return the reader of the pieces of one record batch. Raises ArrowError, naming the file, if it is damaged."""
    import pyarrow as pa

    complaint = f"{path.name}: batch {number} is damaged"
    try:
        batch = reader.get_batch(number)
    except (pa.ArrowException, OSError) as error:
        raise ArrowError(f"{complaint}: {reason_of(error)}") from None
    return batch_reader(batch, complaint)


def batch_reader(batch: pa.RecordBatch, complaint: str) -> Reader:
    """Return the reader of the pieces of a record batch of either layout.

    complaint: what to say if it is damaged, which raises ArrowError.
    """
    import pyarrow as pa

    try:
        # That the buffers are there and long enough; what they hold is checked when it is read.
        batch.validate()
        read = _container_reader(Music, batch.to_struct_array(), complaint)
    except (pa.ArrowException, *DAMAGE) as error:
        raise ArrowError(f"{complaint}: {reason_of(error)}") from None
    return functools.partial(_guarded, read, complaint)


def reason_of(error: Exception) -> str:
    """What an error says, in a line: Arrow shows whole schemas and the code it stood in."""
    words = " ".join(str(error).split())
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]} …"


def _guarded(read: Reader, complaint: str, start: int, stop: int) -> list[Any]:
    try:
        return read(start, stop)
    except DAMAGE as error:
        raise ArrowError(f"{complaint}: {error}") from None


# --- containers ------------------------------------------------------------------------------------------------------


def _container_reader(owner: type[Base], struct: pa.StructArray, complaint: str) -> Reader:
    """Return the function that gives the containers in rows `start` to `stop` of a struct array."""
    scalars: dict[str, list[Any]] = {}
    nested: dict[str, Reader] = {}
    later: dict[str, Callable[[], Reader]] = {}
    for field in stored_fields(owner):
        column = struct.field(field.name)
        if not field.holds_objects:
            if field.is_list:
                nested[field.name] = _string_lists_reader(field, column)
            elif column.null_count < len(column):
                scalars[field.name] = _shared(_values_reader(field, column)(0, len(column)))
        elif not field.is_list:
            nested[field.name] = _container_reader(field.type, column, complaint)
        elif not issubclass(field.type, Event):
            inner = _container_reader(field.type, column.values, complaint)
            nested[field.name] = _sublists(_offsets(column, len(column.values)), inner)
        elif len(column.values):
            make = functools.partial(_event_reader, field.type, column)
            if field.type is Note:
                nested[field.name] = make()
            else:
                later[attribute_of(owner, field)] = functools.cache(make)
    # With a place for everything that is to come, so that no dictionary grows.
    blank = {**vars(owner()), **dict.fromkeys([*scalars, *nested]), **({"_unread": None} if later else {})}
    return functools.partial(_make_containers, owner, blank, scalars, nested, later, complaint)


def _shared(values: list[Any]) -> list[Any]:
    """The same values, equal strings being one and the same: tracks are called alike in most pieces."""
    if not isinstance(next((value for value in values if value is not None), None), str):
        return values
    known: dict[Any, Any] = {}
    return [known.setdefault(value, value) for value in values]


def _make_containers(
    owner: type[Base],
    blank: dict[str, Any],
    scalars: dict[str, list[Any]],
    nested: dict[str, Reader],
    later: dict[str, Callable[[], Reader]],
    complaint: str,
    start: int,
    stop: int,
) -> list[Any]:
    # A song has dozens of tracks: copying a dictionary is the fastest way to begin one.
    attributes = [blank.copy() for _ in range(start, stop)]
    for name, column in scalars.items():
        for values, value in zip(attributes, column[start:stop], strict=True):
            values[name] = value
    for name, read in nested.items():
        for values, value in zip(attributes, read(start, stop), strict=True):
            values[name] = value
    made = []
    for row, values in enumerate(attributes, start):
        if later:
            values["_unread"] = functools.partial(_read_list, later, complaint, row)
        item = owner.__new__(owner)
        item.__dict__ = values
        made.append(item)
    return made


def _read_list(later: dict[str, Callable[[], Reader]], complaint: str, row: int, name: str) -> EventList[Any] | None:
    """One list of the container in a row, None if no container of the batch has such events."""
    make = later.get(name)
    if make is None:
        return None
    try:
        return cast("EventList[Any]", make()(row, row + 1)[0])
    except DAMAGE as error:
        raise ArrowError(f"{complaint}: {name}: {error}") from None


def _string_lists_reader(field: Field, column: pa.ListArray) -> Reader:
    """Lists of strings that are never None; each container gets its own."""
    if not len(column.values):
        return lambda start, stop: [[] for _ in range(start, stop)]
    read = _values_reader(field, column)
    return lambda start, stop: [value or [] for value in read(start, stop)]


def _sublists(offsets: Callable[[int, int], list[int]], inner: Reader) -> Reader:
    """Read the lists in rows `start` to `stop` of a list column whose items `inner` reads."""

    def read(start: int, stop: int) -> list[Any]:
        bounds = offsets(start, stop)
        first = bounds[0]
        items = inner(first, bounds[-1])
        return [items[a - first : b - first] for a, b in itertools.pairwise(bounds)]

    return read


# --- events ----------------------------------------------------------------------------------------------------------


def _event_reader(event_type: type[Event], lists: pa.ListArray) -> Reader:
    """Return the function that gives the event lists in rows `start` to `stop`: views of one table they share."""
    struct = lists.values
    offsets = _offsets(lists, len(struct))
    complete: list[tuple[str, NumberReader]] = []
    partial: list[tuple[str, NumberReader, NumberReader]] = []
    side: dict[str, Reader] = {}
    for field in event_fields(event_type):
        index = struct.type.get_field_index(field.name)
        if index < 0 or struct.field(index).null_count == len(struct):
            continue
        column = struct.field(index)
        if not field.column:
            side[field.name] = _values_reader(field, column)
        elif column.null_count:
            valid = _bits(column.buffers()[0], len(column))
            partial.append((field.name, valid, _numbers_reader(field, column)))
        else:
            complete.append((field.name, _numbers_reader(field, column)))
    dtype = dtype_of(event_type)
    fills_rows = len(complete) == len(dtype.names or ())
    of_columns = EventList.of_columns

    def read(start: int, stop: int) -> list[EventList[Any]]:
        bounds = offsets(start, stop)
        first, last = bounds[0], bounds[-1]
        table = np.empty(last - first, dtype) if fills_rows else new_array(event_type, last - first)
        for name, values in complete:
            table[name] = values(first, last)
        for name, valid, values in partial:
            known = valid(first, last)
            if known.any():
                table[name][known] = values(first, last)[known]
        rows = {name: values(first, last) for name, values in side.items()} if side else {}
        return [
            of_columns(event_type, table[a - first : b - first], _side_of(rows, a - first, b - first) if rows else {})
            for a, b in itertools.pairwise(bounds)
        ]

    return read


def _side_of(rows: dict[str, list[Any]], start: int, stop: int) -> dict[str, list[Any]]:
    """The side columns that have any value between two rows."""
    parts = {name: values[start:stop] for name, values in rows.items()}
    return {name: values for name, values in parts.items() if any(value is not None for value in values)}


def _numbers_reader(field: Field, column: pa.Array) -> NumberReader:
    """Return the function that gives a numeric column as its numbers, words as 1, 2, …; nulls are anything."""
    if field.type is bool:
        return _bits(column.buffers()[1], len(column))
    if field.words:
        codes, last = _view(column.indices, "u1"), len(field.words) - 1
        # Codes beyond the words, which only damage can make, become the last one.
        return lambda start, stop: np.minimum(codes[start:stop], last) + 1
    numbers = _view(column, field.column)
    return lambda start, stop: numbers[start:stop]


# --- values ----------------------------------------------------------------------------------------------------------


def _values_reader(field: Field, column: pa.Array) -> Reader:
    """Return the function that gives the values of a column as Python objects."""
    if field.is_list:
        read = _sublists(_offsets(column, len(column.values)), _plain_reader(field, column.values))
    elif field.type in (int, bool):
        read = _plain_reader(field, column)
    else:
        return _plain_reader(field, column)
    if not column.null_count:
        return read
    valid = _bits(column.buffers()[0], len(column))

    def read_known(start: int, stop: int) -> list[Any]:
        known = valid(start, stop).tolist()
        return [value if there else None for value, there in zip(read(start, stop), known, strict=True)]

    return read_known


def _plain_reader(field: Field, column: pa.Array) -> Reader:
    if field.type is int:
        numbers = _view(column, "i8")
        return lambda start, stop: numbers[start:stop].tolist()
    if field.type is bool:
        bits = _bits(column.buffers()[1], len(column))
        return lambda start, stop: bits(start, stop).tolist()
    if field.type is bytes:
        return _pieces_reader(column, bytes)
    if field.type is object:
        return _pieces_reader(column, functools.partial(_restored, field))
    return _pieces_reader(column, _text)


def _pieces_reader(column: pa.Array, make: Callable[[memoryview], Any]) -> Reader:
    """Return the function that gives what `make` makes of the bytes of each row, None for nulls."""
    content = column.buffers()[2]
    data = memoryview(b"" if content is None else content)
    offsets = _offsets(column, len(data))
    valid = _bits(column.buffers()[0], len(column)) if column.null_count else None

    def read(start: int, stop: int) -> list[Any]:
        bounds = offsets(start, stop)
        if valid is None:
            return [make(data[a:b]) for a, b in itertools.pairwise(bounds)]
        known = valid(start, stop).tolist()
        return [
            make(data[a:b]) if there else None for there, (a, b) in zip(known, itertools.pairwise(bounds), strict=True)
        ]

    return read


def _text(data: memoryview) -> str:
    return str(data, "utf-8")


def _restored(field: Field, data: memoryview) -> Any:
    try:
        restored = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ArrowError(f"a value of {field.name!r} is not JSON: {error}") from None
    return tuple(restored) if field.name == "smpte_division" else restored


# --- buffers ---------------------------------------------------------------------------------------------------------


def _offsets(column: pa.Array, limit: int) -> Callable[[int, int], list[int]]:
    """Return the function that gives the offsets of rows `start` to `stop` of a list or text column, and the last end.

    limit: how many items or bytes there are.
    """
    buffer = column.buffers()[1]
    offsets = np.zeros(1, np.int32) if buffer is None or not len(column) else np.frombuffer(buffer, np.int32)

    def read(start: int, stop: int) -> list[int]:
        bounds: list[int] = offsets[start : stop + 1].tolist()
        if len(bounds) != stop - start + 1 or bounds[0] < 0 or bounds[-1] > limit or bounds != sorted(bounds):
            raise ValueError(f"the offsets of rows {start} to {stop} do not rise from 0 to {limit} at most")
        return bounds

    return read


def _view(column: pa.Array, dtype: str) -> NDArray[Any]:
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.zeros(len(column), dtype)
    return np.frombuffer(buffer, dtype, count=len(column))


def _bits(buffer: pa.Buffer | None, length: int) -> NumberReader:
    """Return the function that gives the bits of rows `start` to `stop` of a bitmap as booleans."""
    packed = np.zeros((length + 7) // 8, np.uint8) if buffer is None else np.frombuffer(buffer, np.uint8)

    def read(start: int, stop: int) -> NDArray[Any]:
        bits = np.unpackbits(packed[start >> 3 : (stop + 7) >> 3], bitorder="little").view(bool)
        return bits[start & 7 : (start & 7) + stop - start]

    return read
