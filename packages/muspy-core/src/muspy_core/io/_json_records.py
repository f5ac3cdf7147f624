"""Event lists → JSON text, straight from their columns (used by json.py; the same text as of tables.Dictionaries).

A list of numbers is turned into text as a whole, and the texts of the columns are put between the names of the
attributes: no dictionary is made for an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from muspy_core.annotations import CONTROL_CHANGE, AnnotationView
from muspy_core.columns import EventList
from muspy_core.io.tables import Dictionaries


class Texts(Dictionaries):
    """Event lists as finished JSON, where all that is set in them are numbers; else as dictionaries."""

    def events(self, events: EventList[Any]) -> Any:
        """Return an event list as it is to be written."""
        columns = self._numbers(events)
        if not columns:
            return super().events(events)
        names = [f'"{name}":' for name in columns]
        return orjson.Fragment(records_text(names, list(columns.values()), "}"))

    def annotations(self, view: AnnotationView) -> Any:
        """Return annotations as they are to be written, control changes before the others."""
        table = view.controls.array
        if not len(table) or len(view.others):
            return super().annotations(view)
        names = ['"time":', '"annotation":{"number":', '"value":']
        columns = [table[name] for name in ("time", "number", "value")]
        return orjson.Fragment(records_text(names, columns, f'}},"group":"{CONTROL_CHANGE}"}}'))

    def _numbers(self, events: EventList[Any]) -> dict[str, NDArray[Any]]:
        """Return the columns that are set, by name; none if something else is to be written."""
        if not events.is_columnar:
            return {}
        columns = {}
        required = () if self.skip_missing else events.event_type._muspy_attributes()
        for field in events.event_type._fields:
            is_set = True
            if not field.column:
                is_set = events.has_side(field.name)
            elif field.none is not None:
                unset = int((events.array[field.name] == field.none).sum())
                is_set = unset < len(events)
                if is_set and (unset or field.words):
                    return {}
            if not is_set and field.name in required:
                return {}
            if is_set:
                if not field.column or field.type is bool:
                    return {}
                columns[field.name] = events.array[field.name]
        return columns


def records_text(names: Sequence[str], columns: Sequence[NDArray[Any]], end: str) -> bytes:
    """Return a JSON list of one object a row.

    names: what stands before each value, such as `"time":`. columns: (rows,) numbers each, at least one row. end: what
    closes an object.
    """
    n, width = len(columns[0]), 2 * len(names)
    parts = [b""] * (n * width)
    leads = [f"{end},{{{names[0]}", *(f",{name}" for name in names[1:])]
    for place, (lead, column) in enumerate(zip(leads, columns, strict=True)):
        text = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
        parts[2 * place :: width] = [lead.encode()] * n
        parts[2 * place + 1 :: width] = text[1:-1].split(b",")
    parts[0] = f"[{{{names[0]}".encode()
    return b"".join([*parts, end.encode(), b"]"])
