"""Columns ⇄ plain dictionaries: what JSON, YAML and other record formats hold.

The same content as `Music.to_ordered_dict` and `Music.from_dict`, made from and into columns without creating an object
for each event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from muspy_core.annotations import CONTROL_CHANGE, AnnotationView
from muspy_core.base import Base, Field
from muspy_core.columns import EventList, new_array
from muspy_core.containers import ComplexBase
from muspy_core.events import Annotation, ControlChange, Event, MidiMessage
from muspy_core.music import Music, Track


class Dictionaries:
    """How events are written: one dictionary an event, of the attributes that are set.

    skip_missing: leave out attributes that are None or empty.
    """

    def __init__(self, skip_missing: bool = True) -> None:
        self.skip_missing = skip_missing

    def events(self, events: EventList[Any]) -> Any:
        """Return an event list as it is to be written."""
        return events_to_dicts(events, self.skip_missing)

    def annotations(self, view: AnnotationView) -> Any:
        """Return annotations as they are to be written, control changes before the others."""
        table = view.controls.array
        controls = [
            {"time": time, "annotation": {"number": number, "value": value}, "group": CONTROL_CHANGE}
            for time, number, value in zip(
                table["time"].tolist(), table["number"].tolist(), table["value"].tolist(), strict=True
            )
        ]
        return controls + events_to_dicts(view.others, self.skip_missing)


def music_to_dict(music: Music, skip_missing: bool = True, form: Dictionaries | None = None) -> dict[str, Any]:
    """Return music as plain dictionaries, lists and scalars in the layout of MusPy's JSON files.

    skip_missing: leave out attributes that are None or empty. form: how event lists are written.
    """
    return _container_to_dict(music, form or Dictionaries(skip_missing))


def _container_to_dict(container: Base, form: Dictionaries) -> dict[str, Any]:
    skip_missing = form.skip_missing
    result: dict[str, Any] = {}
    for field in container._fields:
        value = getattr(container, field.name)
        if value is None or (field.is_list and not len(value)):
            if not skip_missing and field.name in container._muspy_attributes():
                result[field.name] = value if value is None else []
        elif isinstance(value, EventList):
            result[field.name] = form.events(value)
        elif isinstance(value, AnnotationView):
            result[field.name] = form.annotations(value)
        elif isinstance(value, Base):
            result[field.name] = _container_to_dict(value, form)
        elif field.is_list and isinstance(value[0], Base):
            result[field.name] = [_container_to_dict(item, form) for item in value]
        else:
            result[field.name] = list(value) if isinstance(value, tuple) else value
    return result


def events_to_dicts(events: EventList[Any], skip_missing: bool = True) -> list[dict[str, Any]]:
    """Return one dictionary an event, of the attributes that are set."""
    if not events.is_columnar:
        return [dict(item.to_ordered_dict(skip_missing, deepcopy=False)) for item in events]
    names, columns = [], []
    partial = False
    muspy_names = events.event_type._muspy_attributes()
    for field in events.event_type._fields:
        values = _values_of(events, field)
        if values is None:
            if skip_missing or field.name not in muspy_names:
                continue
            values = [None] * len(events)
        elif field.optional and None in values:
            partial = True
        names.append(field.name)
        columns.append(values)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if partial:
        kept = () if skip_missing else muspy_names
        rows = [{key: value for key, value in row.items() if value is not None or key in kept} for row in rows]
    return rows


def _values_of(events: EventList[Any], field: Field) -> list[Any] | None:
    """The values of a field as plain Python objects, None if it is unset everywhere."""
    if not field.column:
        if not events.has_side(field.name):
            return None
        values = events.side(field.name)
        return [None if v is None else v.hex() for v in values] if field.type is bytes else values
    column = events.array[field.name]
    if field.none is None:
        return column.tolist()  # type: ignore[no-any-return] # NumPy types tolist as Any
    if (column == field.none).all():
        return None
    return events.optional(field.name)


def music_from_dict(content: Mapping[str, Any]) -> Music:
    """Return the music that dictionaries in the layout of MusPy's JSON files describe; unknown keys are passed over.

    Raises TypeError or ValueError, naming the attribute, for content that is no music.
    """
    values = _container_values(Music, content)
    values["tracks"] = [_track_from_dict(track) for track in content.get("tracks") or ()]
    return Music(**values)


def _track_from_dict(content: Mapping[str, Any]) -> Track:
    values = _container_values(Track, content)
    annotations = values.pop("annotations", None) or ()
    controls: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for item in annotations:
        (controls if _is_control_change(item) else others).append(item)
    track = Track(**values)
    track.control_changes = events_from_dicts(
        ControlChange, [{"time": item["time"], **item["annotation"]} for item in controls]
    )
    track.annotations.others.extend(events_from_dicts(Annotation, others))
    return track


def _is_control_change(item: Mapping[str, Any]) -> bool:
    values = item.get("annotation")
    return item.get("group") == CONTROL_CHANGE and isinstance(values, Mapping) and set(values) == {"number", "value"}


def _container_values(owner: type[ComplexBase], content: Mapping[str, Any]) -> dict[str, Any]:
    """Constructor arguments of a container: event lists as columns, everything else as it stands."""
    if not isinstance(content, Mapping):
        raise TypeError(f"{owner.__name__}: expected an object, got {type(content).__name__}")
    values: dict[str, Any] = {}
    for field in owner._fields:
        value = content.get(field.name)
        if value is None:
            # The constructor of Music fills in metadata and resolution; a track must say what it is.
            if owner is Track and not field.optional:
                raise TypeError(f"Track: the required attribute `{field.name}` is missing")
            continue
        if field.is_list and (isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence)):
            raise TypeError(f"{owner.__name__}.{field.name}: expected a list, got {type(value).__name__}")
        if not isinstance(field.type, type) or not issubclass(field.type, Base):
            values[field.name] = value
        elif not field.is_list:
            values[field.name] = field.type.from_dict(value)
        elif owner is Track and field.name == "annotations":
            values[field.name] = value
        elif issubclass(field.type, Event):
            values[field.name] = events_from_dicts(field.type, value)
    return values


def events_from_dicts(event_type: type[Any], rows: Sequence[Mapping[str, Any]]) -> EventList[Any]:
    """Return an event list in the columnar state made of one mapping an event; unknown keys are passed over.

    Values that no column can hold (which MusPy allows) give a list of objects instead. Raises TypeError if a required
    attribute is missing.
    """
    if not rows:
        return EventList(event_type)
    if event_type is MidiMessage:
        return EventList(event_type, [MidiMessage.from_dict(row) for row in rows])
    if not all(issubclass(kind, Mapping) for kind in set(map(type, rows))):
        raise TypeError(f"{event_type.__name__}: expected objects with named attributes")
    array = new_array(event_type, len(rows))
    side: dict[str, list[Any] | None] = {}
    present = set[str]().union(*rows)
    for field in event_type._fields:
        if field.name not in present and field.optional and (not field.column or field.none is not None):
            continue
        values = [row.get(field.name) for row in rows]
        if not _store(event_type, array, side, field, values):
            return EventList(event_type, [event_type.from_dict(row) for row in rows])
    return EventList.from_columns(event_type, array, side)


def _store(
    event_type: type[Event], array: Any, side: dict[str, list[Any] | None], field: Field, values: list[Any]
) -> bool:
    """Put the values of a field into its column; False if they do not fit."""
    if field.column and not field.words:
        column = np.array(values)
        if column.dtype != object:  # nothing is missing
            return _store_column(array, field, column)
    missing = None in values
    if missing and not field.optional:
        raise TypeError(f"{event_type.__name__}: the required attribute `{field.name}` is missing")
    if not field.column:
        side[field.name] = None if values.count(None) == len(values) else values
        return True
    if missing and field.none is None:
        default = getattr(event_type, field.name)
        values = [default if value is None else value for value in values]
    if field.none is not None:
        if missing and values.count(None) == len(values):
            return True
        if missing:
            values = [field.none if value is None else value for value in values]
        if field.words:
            codes = {word: code for code, word in enumerate(field.words, 1)} | {field.none: field.none}
            if any(value not in codes for value in values):
                return False
            values = [codes[value] for value in values]
    return _store_column(array, field, np.array(values))


def _store_column(array: Any, field: Field, column: Any) -> bool:
    allowed = "iuf" if field.column == "f8" else "iub" if field.type is bool else "iu"
    if column.ndim != 1 or column.dtype.kind not in allowed:
        return False
    stored = column.astype(field.column)
    if not np.array_equal(stored, column):
        return False
    array[field.name] = stored
    return True
