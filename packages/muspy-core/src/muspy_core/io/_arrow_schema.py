"""The Arrow schema of music: the fields of the data model, nested as in the JSON files (see arrow.py).

Most fields of a note are notation (voice, staff, tie, …), which performances do not have. A file of pieces without any
is of the layout "performance", which leaves these columns out and takes a third less space; all others are of the
layout "notation".
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, order_columns
from muspy_core.events import Annotation, ControlChange, Event, Note
from muspy_core.music import Music
from muspy_core.track import Track

if TYPE_CHECKING:
    import pyarrow as pa

Layout = Literal["performance", "notation"]

FORMAT_KEY = b"muspy_core"
FORMAT_VERSION = b"1"
LAYOUTS: tuple[Layout, ...] = ("performance", "notation")
NOTATION_FIELDS = ("pitch_str", "voice", "staff", "channel", "tie", "grace", "cue", "articulations", "ornaments")

_NUMPY_TO_ARROW = {"i8": "int64", "i4": "int32", "i2": "int16", "i1": "int8", "u1": "uint8", "f8": "float64"}


def stored_fields(owner: type[Base]) -> Iterator[Field]:
    """The fields of a class as they are stored: a track's control changes beside its other annotations."""
    for field in owner._fields:
        if owner is Track and field.name == "annotations":
            yield Field(ControlChange, name="control_changes", is_list=True)
        yield field


def event_fields(event_type: type[Event]) -> Iterator[Field]:
    """The fields of an event as they are stored: with its positions in the file."""
    yield from event_type._fields
    for name in order_columns(event_type):
        yield Field(int, "i4", none=-1, name=name)


def attribute_of(owner: type[Base], field: Field) -> str:
    """The attribute that holds a stored field: a track's annotations without its control changes have their own."""
    return "_other_annotations" if owner is Track and field.type is Annotation else field.name


def list_of(owner: Base, field: Field) -> EventList[Any] | tuple[()]:
    """A list of a container; those that nobody has looked at are empty, and most are: they are not made for this."""
    name = attribute_of(type(owner), field)
    if name in vars(owner) or "_unread" in vars(owner):
        return cast("EventList[Any]", getattr(owner, name))
    return ()


@functools.cache
def music_schema(layout: Layout) -> pa.Schema:
    """Return the schema of a file of pieces."""
    import pyarrow as pa

    fields = [pa.field(field.name, _nested_type(field, layout)) for field in stored_fields(Music)]
    return pa.schema(fields, metadata={FORMAT_KEY: FORMAT_VERSION})


def layout_of(schema: pa.Schema) -> Layout | None:
    """Return the layout of a file, None if it has a schema of another version."""
    return next((layout for layout in LAYOUTS if schema.equals(music_schema(layout))), None)


def _nested_type(field: Field, layout: Layout) -> pa.DataType:
    import pyarrow as pa

    if not field.holds_objects:
        return value_type(field)
    inner = event_fields(field.type) if issubclass(field.type, Event) else stored_fields(field.type)
    left_out = NOTATION_FIELDS if field.type is Note and layout == "performance" else ()
    struct = pa.struct([pa.field(f.name, _nested_type(f, layout)) for f in inner if f.name not in left_out])
    return pa.list_(struct) if field.is_list else struct


def value_type(field: Field) -> pa.DataType:
    """The Arrow type of a field that holds no music objects."""
    import pyarrow as pa

    if field.column:
        if field.words:
            return pa.dictionary(pa.int8(), pa.string())
        return pa.bool_() if field.type is bool else getattr(pa, _NUMPY_TO_ARROW[field.column])()
    simple = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), bytes: pa.binary()}.get(field.type, pa.string())
    return pa.list_(simple) if field.is_list else simple
