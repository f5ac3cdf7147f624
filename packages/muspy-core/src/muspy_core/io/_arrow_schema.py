"""The Arrow schema of music: the fields of the data model, nested as in the JSON files (see arrow.py)."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, order_columns
from muspy_core.events import Annotation, ControlChange, Event
from muspy_core.music import Music
from muspy_core.track import Track

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_KEY = b"muspy_core"
FORMAT_VERSION = b"1"

_NUMPY_TO_ARROW = {"i8": "int64", "i4": "int32", "i2": "int16", "i1": "int8", "u1": "uint8", "f8": "float64"}


def stored_fields(owner: type[Base]) -> Iterator[Field]:
    """The fields of a class as they are stored: a track's control changes beside its other annotations."""
    for field in owner._fields:
        if owner is Track and field.name == "annotations":
            yield Field(ControlChange, name="control_changes", is_list=True)
        yield field


def list_of(owner: Base, field: Field) -> EventList[Any] | tuple[()]:
    """A list of a container; those that nobody has looked at are empty, and most are: they are not made for this."""
    name = "_other_annotations" if isinstance(owner, Track) and field.type is Annotation else field.name
    if name in vars(owner) or "_unread" in vars(owner):
        return cast("EventList[Any]", getattr(owner, name))
    return ()


@functools.lru_cache(maxsize=1)
def music_schema() -> pa.Schema:
    """Return the schema of a file of pieces."""
    import pyarrow as pa

    fields = [pa.field(field.name, _arrow_type(field)) for field in stored_fields(Music)]
    return pa.schema(fields, metadata={FORMAT_KEY: FORMAT_VERSION})


def _arrow_type(field: Field) -> pa.DataType:
    import pyarrow as pa

    if isinstance(field.type, type) and issubclass(field.type, Base):
        nested = [pa.field(inner.name, _arrow_type(inner)) for inner in stored_fields(field.type)]
        if issubclass(field.type, Event):
            nested += [pa.field(name, pa.int32()) for name in order_columns(field.type)]
        struct = pa.struct(nested)
        return pa.list_(struct) if field.is_list else struct
    if field.column:
        if field.words:
            return pa.dictionary(pa.int8(), pa.string())
        return pa.bool_() if field.type is bool else getattr(pa, _NUMPY_TO_ARROW[field.column])()
    simple = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), bytes: pa.binary()}.get(field.type, pa.string())
    return pa.list_(simple) if field.is_list else simple
