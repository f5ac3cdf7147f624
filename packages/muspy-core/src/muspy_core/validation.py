"""Which rows of a table hold values that are not allowed, found without making objects of them (tables → checks)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.base import Field, check_range, check_type
from muspy_core.events import Event
from muspy_core.layout import Table

Mask = NDArray[np.bool_]
Check = Callable[[str, Field, Any], None]


def wrongly_typed_rows(event_type: type[Event], array: Table, side: Mapping[str, list[Any]]) -> Mask:
    """Return which rows hold a value of the wrong type, (rows,) bool: only side columns can."""
    wrong = np.zeros(len(array), dtype=bool)
    for field in event_type._side_fields:
        if field.name in side:
            wrong |= _fails(check_type, event_type, field, side[field.name])
        elif not field.optional and field.type is not object:
            wrong[:] = True
    return wrong


def invalid_rows(event_type: type[Event], array: Table, side: Mapping[str, list[Any]]) -> Mask:
    """Return which rows hold a value of the wrong type or out of its range, (rows,) bool."""
    invalid = wrongly_typed_rows(event_type, array, side)
    for field in event_type._column_fields:
        column = array[field.name]
        outside = np.zeros(len(array), dtype=bool)
        if field.words:
            outside |= column > len(field.words)
        if field.low is not None:
            outside |= column < field.low
        if field.high is not None:
            outside |= column > field.high
        if field.above is not None:
            outside |= ~(column > field.above)
        invalid |= outside if field.none is None else outside & (column != field.none)
    for field in event_type._side_fields:
        if field.name in side and (field.low is not None or field.words):
            invalid |= _fails(check_range, event_type, field, side[field.name])
    return invalid


def _fails(check: Check, event_type: type[Event], field: Field, values: list[Any]) -> Mask:
    if field.type is object or (field.type is str and not field.is_list and set(map(type, values)) <= {str}):
        return np.zeros(len(values), dtype=bool)
    return np.array([_fails_one(check, event_type, field, value) for value in values], dtype=bool)


def _fails_one(check: Check, event_type: type[Event], field: Field, value: Any) -> bool:
    if value is None and field.optional:
        return False
    try:
        check(event_type.__name__, field, value)
    except (TypeError, ValueError):
        return True
    return False
