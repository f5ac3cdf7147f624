"""Lists of events with two states: a table of columns, or Python objects (events → columns → music).

A list that a reader has filled is a NumPy structured array with one row an event, and side columns (Python lists) for
strings and values of any type. Touching an element thaws the list into ordinary objects, whose identity is stable from
then on. There is never a third copy.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence, Sequence
from typing import Any, Generic, SupportsIndex, cast, overload

import numpy as np
from numpy.typing import NDArray

from muspy_core.base import Field
from muspy_core.events import Event
from muspy_core.layout import E, Table, dtype_of, new_array, objects_of, order_columns, table_of, with_none
from muspy_core.timing import Rescale
from muspy_core.validation import invalid_rows, wrongly_typed_rows

__all__ = ["E", "EventList", "Table", "dtype_of", "new_array", "order_columns"]


class EventList(MutableSequence[E], Generic[E]):
    """A list of events of one type, stored as a table until an element is touched.

    It behaves as a list; a slice is a plain list, as with MusPy. Two lists are equal if their events are.

    Args:
        event_type: The class of the events.
        events: The initial events.
    """

    __slots__ = ("_array", "_objects", "_side", "event_type")

    def __init__(self, event_type: type[E], events: Iterable[E] = ()) -> None:
        self.event_type = event_type
        self._array: Table | None = None
        self._side: dict[str, list[Any]] = {}
        self._objects: list[E] = list(events)

    @classmethod
    def from_columns(
        cls, event_type: type[E], array: Table, side: Mapping[str, list[Any] | None] | None = None
    ) -> EventList[E]:
        """Return a list in the columnar state, which takes ownership of `array` and the side columns.

        array: (events,), of `dtype_of(event_type)`. side: lists of the same length; a missing or None one is all None.
        Raises TypeError for another dtype, ValueError for another length or an unknown side column.
        """
        if array.dtype != dtype_of(event_type):
            raise TypeError(f"{event_type.__name__} columns: expected {dtype_of(event_type)}, got {array.dtype}")
        known = {field.name for field in event_type._side_fields}
        columns = {name: values for name, values in (side or {}).items() if values is not None}
        for name, values in columns.items():
            if name not in known:
                raise ValueError(f"{event_type.__name__} has no side column `{name}`; it has {sorted(known)}")
            if len(values) != len(array):
                raise ValueError(f"{event_type.__name__}.{name}: {len(values)} values for {len(array)} events")
        return cls.of_columns(event_type, array, columns)

    @classmethod
    def of_columns(cls, event_type: type[E], array: Table, side: dict[str, list[Any]]) -> EventList[E]:
        """The same for readers that made the columns themselves: nothing is checked."""
        made = cls.__new__(cls)
        made.event_type = event_type
        made._array = array
        made._side = side
        made._objects = []
        return made

    # --- the two states --------------------------------------------------------------------------------------------

    @property
    def is_columnar(self) -> bool:
        """Whether the events are stored as columns."""
        return self._array is not None

    @property
    def array(self) -> Table:
        """The numeric columns, (events,) structured.

        In the columnar state this is the store itself: writing to it changes the events. Otherwise it is a read-only
        table made from the objects. Raises TypeError if a value does not fit its column.
        """
        if self._array is not None:
            return self._array
        array = table_of(self.event_type, self._objects)
        array.flags.writeable = False
        return array

    def side(self, name: str) -> list[Any]:
        """Return the values of a side column, one an event; a list to read from, not to change."""
        if self._array is None:
            return [getattr(item, name) for item in self._objects]
        values = self._side.get(name)
        return [None] * len(self._array) if values is None else values

    def optional(self, name: str) -> list[Any]:
        """Return the values of an optional column as Python objects, None where unset."""
        field = self._column_field(name)
        if self._array is None:
            return [getattr(item, name) for item in self._objects]
        return with_none(field, self._array[name])

    def _column_field(self, name: str) -> Field:
        return next(field for field in self.event_type._column_fields if field.name == name)

    def has_side(self, name: str) -> bool:
        """Whether any event has a value in a side column."""
        if self._array is None:
            return any(getattr(item, name) is not None for item in self._objects)
        return name in self._side and any(value is not None for value in self._side[name])

    def thaw(self) -> list[E]:
        """Turn the columns, if it still is columns, into objects and return the list of them."""
        if self._array is not None:
            self._objects = objects_of(self.event_type, self._array, self._side)
            self._array = None
            self._side = {}
        return self._objects

    def peek(self, stop: int | None = None) -> list[E]:
        """Return the first `stop` events (all by default) without changing the state of the list.

        As long as it is columnar, the events returned are copies.
        """
        if self._array is None:
            return self._objects[:stop]
        return objects_of(self.event_type, self._array[:stop], {name: v[:stop] for name, v in self._side.items()})

    def edit(self, name: str, function: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        """Replace a numeric column by a function of it (integers as int64), without changing the state of the list.

        Raises TypeError if a new value does not fit the column.
        """
        if self._array is not None:
            column = self._array[name]
            wide = column.astype(np.int64) if column.dtype.kind in "iu" else column
            _assign(self.event_type, self._array, name, function(wide))
        elif self._objects:
            field = self._column_field(name)
            stored = [field.none if value is None else value for value in (getattr(i, name) for i in self._objects)]
            values = function(np.array(stored))
            for item, value in zip(self._objects, with_none(field, values), strict=True):
                setattr(item, name, value)

    def select(self, chosen: NDArray[Any]) -> None:
        """Keep the events chosen by a boolean mask or an array of indices, in place."""
        indices = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        if self._array is not None:
            self._array = self._array[indices]
            kept = indices.tolist()
            self._side = {name: [values[i] for i in kept] for name, values in self._side.items()}
        else:
            self._objects = [self._objects[i] for i in indices.tolist()]

    def sort_by(self, *names: str) -> None:
        """Sort stably by numeric fields, the first one first, without changing the state of the list."""
        if self._array is None:
            self._objects.sort(key=lambda item: tuple(getattr(item, name) for name in names))
            return
        keys = [self._array[name] for name in names]
        if len(self._array) > 1 and not _is_sorted(keys):
            self.select(np.lexsort(keys[::-1]))

    def adjust_time(self, func: Callable[[int], int]) -> None:
        """Apply a function to all times, and to durations by way of their ends."""
        array = self._array
        if array is None or not len(array):
            for item in self._objects:
                item.adjust_time(func)
            return
        names = cast("tuple[str, ...]", array.dtype.names)
        times = array["time"]
        values, inverse = np.unique(times, return_inverse=True)
        new_times = _map_values(func, values)
        if new_times is None:
            for item in self.thaw():
                item.adjust_time(func)
            return
        if "duration" in names:
            timed = array["duration"] >= 0
            ends, places = np.unique((times + array["duration"])[timed], return_inverse=True)
            new_ends = _map_values(func, ends)
            if new_ends is None:
                raise TypeError("a function of time must return integers for all times or for none")
            array["duration"][timed] = new_ends[places] - new_times[inverse][timed]
        array["time"] = new_times[inverse]

    def end_time(self) -> int:
        """Return the latest time, or end of an event with a duration, in steps; 0 when empty."""
        if self._array is None:
            return max((item.time + (getattr(item, "duration", 0) or 0) for item in self._objects), default=0)
        if not len(self._array):
            return 0
        if "duration" in (self._array.dtype.names or ()):
            return int((self._array["time"] + np.maximum(self._array["duration"], 0)).max())
        return int(self._array["time"].max())

    def trim(self, end: int) -> None:
        """Drop events that start at or after `end` and cut what sounds beyond it, in place."""
        times = self.array["time"]
        kept = times < end
        if not kept.all():
            self.select(kept)
        if len(self) and "duration" in (dtype_of(self.event_type).names or ()):
            # An unknown duration is stored as −1 and stays so.
            self.edit("duration", lambda durations: np.minimum(durations, end - times[kept]))

    def clear_field(self, name: str) -> None:
        """Set an optional string or list field of all events to None, without changing the state of the list."""
        if self._array is not None:
            self._side.pop(name, None)
        for item in self._objects:
            setattr(item, name, None)

    def remove_duplicate(self) -> None:
        """Keep the first of equal events, in place."""
        fields = [field.name for field in self.event_type._column_fields]
        if self._array is None:
            names = [*fields, *(field.name for field in self.event_type._side_fields)]
            keys = [tuple(_hashable(getattr(item, name)) for name in names) for item in self._objects]
            values: list[Any] = self._objects
        else:
            rows = self._array[fields].tolist()
            values = list(zip(*self._side.values(), strict=True)) or [()] * len(rows)
            keys = [(row, _hashable(value)) for row, value in zip(rows, values, strict=True)]
        self.select(np.array(_first_of_equals(keys, values), dtype=np.int64))

    # --- checks ----------------------------------------------------------------------------------------------------

    def validate_type(self) -> None:
        """Raise TypeError if an attribute of an event has the wrong type."""
        if self._array is not None:
            self._raise_for(wrongly_typed_rows(self.event_type, self._array, self._side))
        for item in self._objects:
            item.validate_type()

    def validate(self) -> None:
        """Raise TypeError or ValueError if an attribute of an event is invalid."""
        if self._array is not None:
            self._raise_for(invalid_rows(self.event_type, self._array, self._side))
        for item in self._objects:
            item.validate()

    def remove_invalid(self) -> None:
        """Remove invalid events, in place."""
        if self._array is not None:
            self.select(~invalid_rows(self.event_type, self._array, self._side))
        self._objects = [item for item in self._objects if item.is_valid()]

    def fix_type(self) -> None:
        """Convert values of the wrong type, in place."""
        if self._array is None or wrongly_typed_rows(self.event_type, self._array, self._side).any():
            for item in self.thaw():
                item.fix_type()

    def _raise_for(self, rows: NDArray[np.bool_]) -> None:
        if self._array is not None and rows.any():
            row = int(rows.argmax())
            side = {name: values[row : row + 1] for name, values in self._side.items()}
            objects_of(self.event_type, self._array[row : row + 1], side)[0].validate()

    # --- copies ----------------------------------------------------------------------------------------------------

    def deepcopy(self) -> EventList[E]:
        """Return a copy that shares nothing with this list, in the same state."""
        from copy import deepcopy

        copied: EventList[E] = EventList(self.event_type)
        if self._array is not None:
            copied._array = self._array.copy()
            copied._side = deepcopy(self._side)
        else:
            copied._objects = [item.deepcopy() for item in self._objects]
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> EventList[E]:
        return self.deepcopy()

    def copy(self) -> list[E]:
        """Return a plain list of the same events."""
        return self.thaw().copy()

    # --- the list --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._objects) if self._array is None else len(self._array)

    @overload
    def __getitem__(self, key: SupportsIndex) -> E: ...

    @overload
    def __getitem__(self, key: slice) -> list[E]: ...

    def __getitem__(self, key: Any) -> E | list[E]:
        return cast("E | list[E]", self.thaw()[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.thaw()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.thaw()[key]

    def __iter__(self) -> Iterator[E]:
        return iter(self.thaw())

    def insert(self, index: SupportsIndex, value: E) -> None:
        """Insert an event before an index."""
        self.thaw().insert(index, value)

    def append(self, value: E) -> None:
        """Append an event."""
        self.thaw().append(value)

    def clear(self) -> None:
        """Remove all events."""
        self._array, self._side, self._objects = None, {}, []

    def extend(self, values: Iterable[E]) -> None:
        """Append events."""
        self.thaw().extend(list(values))

    def sort(self, *, key: Callable[[E], Any] | None = None, reverse: bool = False) -> None:
        """Sort in place as a list does."""
        if key is None:
            self.thaw().sort(reverse=reverse)
        else:
            self.thaw().sort(key=key, reverse=reverse)

    def __add__(self, other: Iterable[E]) -> list[E]:
        return [*self, *other]

    def __radd__(self, other: Iterable[E]) -> list[E]:
        return [*other, *self]

    def __iadd__(self, other: Iterable[E]) -> EventList[E]:
        self.extend(other)
        return self

    def __mul__(self, times: int) -> list[E]:
        return self.thaw() * times

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EventList):
            if self._array is not None and other._array is not None and self.event_type is other.event_type:
                return self._equal_columns(other)
            return self.peek() == other.peek()
        if isinstance(other, (list, tuple)):
            return self.peek() == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # a mutable sequence, as a list

    def _equal_columns(self, other: EventList[Any]) -> bool:
        names = [field.name for field in self.event_type._column_fields]
        return (
            len(self) == len(other)
            and all(np.array_equal(self.array[name], other.array[name]) for name in names)
            and all(self.side(field.name) == other.side(field.name) for field in self.event_type._side_fields)
        )

    def __repr__(self) -> str:
        return repr(self.peek())

    def __reduce__(self) -> tuple[Any, ...]:
        if self._array is None:
            return (EventList, (self.event_type, self._objects))
        return (_restore, (self.event_type, self._array, self._side))


def _restore(event_type: type[E], array: Table, side: dict[str, list[Any]]) -> EventList[E]:
    return EventList.from_columns(event_type, array, side)


def _assign(event_type: type[Event], array: Table, name: str, values: NDArray[Any]) -> None:
    target = array.dtype[name]
    if target.kind in "iu" and len(values):
        bounds = np.iinfo(target)
        if values.dtype.kind not in "iu" or values.min() < bounds.min or values.max() > bounds.max:
            raise TypeError(f"{event_type.__name__}.{name}: new values do not fit {target}")
    array[name] = values


def _map_values(func: Callable[[int], int], values: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Apply a function to each value; None if a result is no integer, which only objects can hold."""
    if isinstance(func, Rescale):
        return func(values)
    result = np.array([func(value) for value in values.tolist()])
    if not len(values):
        return result.astype(np.int64)
    return result.astype(np.int64) if result.dtype.kind in "iu" else None


def _hashable(value: Any) -> Any:
    """A key that equal values share, so that only few values need to be compared."""
    if isinstance(value, Mapping):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    return value if isinstance(value, (str, bytes, numbers.Number, np.bool_, type(None))) else None


def _first_of_equals(keys: Sequence[tuple[Any, ...]], values: Sequence[Any]) -> list[int]:
    """Return the index of the first of each set of equal values; equal values have equal keys."""
    kept: dict[tuple[Any, ...], list[int]] = {}
    for index, key in enumerate(keys):
        earlier = kept.setdefault(key, [])
        if not any(values[index] == values[other] for other in earlier):
            earlier.append(index)
    return sorted(index for indices in kept.values() for index in indices)


def _is_sorted(keys: Sequence[NDArray[Any]]) -> bool:
    """Whether rows are in lexicographic order already, which files nearly always are."""
    undecided = np.ones(len(keys[0]) - 1, dtype=bool)
    for key in keys:
        if (undecided & (key[1:] < key[:-1])).any():
            return False
        undecided &= key[1:] == key[:-1]
    return True
