"""Arrow: many pieces in one memory-mapped file, columns in and columns out.

The layout is that of the JSON files, as an Arrow schema: one row a piece, `tracks` a list of structs, `notes` a list of
structs in each. Any Arrow reader can open it. Here a piece is read by slicing NumPy views of the mapped file: no
parsing, no object for an event; notes at once, other lists when they are first looked at. Values outside the numeric
columns are strings; annotations are JSON.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np
import orjson

from muspy_core.base import Base, Field
from muspy_core.columns import EventList, Table, dtype_of, new_array, order_columns
from muspy_core.errors import ArrowError
from muspy_core.events import Annotation, ControlChange, Event, Note
from muspy_core.io.files import write_atomically
from muspy_core.io.json import plain
from muspy_core.music import Music
from muspy_core.track import Track

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_KEY = b"muspy_core"
FORMAT_VERSION = b"1"
# A batch is what a reader maps at once; it ends at whichever limit comes first.
SONGS_PER_BATCH = 1024
NOTES_PER_BATCH = 2_000_000
BATCHES_KEPT = 64

_NUMPY_TO_ARROW = {"i8": "int64", "i4": "int32", "i2": "int16", "i1": "int8", "u1": "uint8", "f8": "float64"}


def write_arrow(path: str | os.PathLike[str], musics: Music | Iterable[Music], *, overwrite: bool = True) -> int:
    """Write pieces to an Arrow file, one row each, and return how many.

    musics: pieces, or a single one; an iterator is consumed batch by batch. Raises ArrowError if a value does not fit
    its column, OSError if the file cannot be written.
    """
    import pyarrow as pa

    songs = iter([musics] if isinstance(musics, Music) else musics)
    schema = _schema()
    count = 0
    with (
        write_atomically(path, overwrite) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for batch in _batches(songs):
            try:
                columns = _struct_columns(batch, schema)
            except (TypeError, pa.ArrowException) as error:
                raise ArrowError(f"{Path(path).name}: pieces {count} to {count + len(batch) - 1}: {error}") from None
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            count += len(batch)
    return count


def read_arrow(path: str | os.PathLike[str]) -> ArrowMusic:
    """Open an Arrow file of pieces; they are read when indexed. Raises ArrowError for another kind of file."""
    return ArrowMusic(path)


def join_arrow(
    parts: Iterable[str | os.PathLike[str]], path: str | os.PathLike[str], *, overwrite: bool = True
) -> None:
    """Write the pieces of several Arrow files to one, in order, without decoding them."""
    import pyarrow as pa

    with (
        write_atomically(path, overwrite) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, _schema()) as writer,
    ):
        for part in parts:
            with pa.memory_map(str(part)) as source:
                reader = pa.ipc.open_file(source)
                for number in range(reader.num_record_batches):
                    writer.write_batch(reader.get_batch(number))
                # The mapping is closed only when nothing refers to it, and only then can Windows remove the file.
                del reader


def _batches(songs: Iterator[Music]) -> Iterator[list[Music]]:
    for first in songs:
        batch, notes = [first], sum(len(track.notes) for track in first.tracks)
        while len(batch) < SONGS_PER_BATCH and notes < NOTES_PER_BATCH:
            song = next(songs, None)
            if song is None:
                break
            batch.append(song)
            notes += sum(len(track.notes) for track in song.tracks)
        yield batch


# --- schema --------------------------------------------------------------------------------------------------------


def _stored_fields(owner: type[Base]) -> Iterator[Field]:
    """The fields of a class as they are stored: a track's control changes beside its other annotations."""
    for field in owner._fields:
        if owner is Track and field.name == "annotations":
            yield Field(ControlChange, name="control_changes", is_list=True)
        yield field


def _list_of(owner: Base, field: Field) -> EventList[Any] | tuple[()]:
    """A list of a container; those that nobody has looked at are empty, and most are: they are not made for this."""
    name = "_other_annotations" if isinstance(owner, Track) and field.type is Annotation else field.name
    if name in vars(owner) or "_unread" in vars(owner):
        return cast("EventList[Any]", getattr(owner, name))
    return ()


@functools.lru_cache(maxsize=1)
def _schema() -> pa.Schema:
    import pyarrow as pa

    fields = [pa.field(field.name, _arrow_type(field)) for field in _stored_fields(Music)]
    return pa.schema(fields, metadata={FORMAT_KEY: FORMAT_VERSION})


def _arrow_type(field: Field) -> pa.DataType:
    import pyarrow as pa

    if isinstance(field.type, type) and issubclass(field.type, Base):
        nested = [pa.field(inner.name, _arrow_type(inner)) for inner in _stored_fields(field.type)]
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


# --- writing -------------------------------------------------------------------------------------------------------


def _struct_columns(objects: Sequence[Base], schema: pa.Schema) -> list[pa.Array]:
    """One Arrow array a stored field of containers (pieces, tracks, metadata) of one class."""
    import pyarrow as pa

    columns = []
    for field in _stored_fields(type(objects[0])):
        arrow_type = schema.field(field.name).type
        nested = isinstance(field.type, type) and issubclass(field.type, Base)
        if nested and field.is_list and issubclass(field.type, Event):
            columns.append(_event_column([_list_of(item, field) for item in objects], field.type, arrow_type))
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
    return pa.StructArray.from_arrays(_struct_columns(objects, schema), fields=list(arrow_type))


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


# --- reading -------------------------------------------------------------------------------------------------------


class ArrowMusic(Sequence[Music]):
    """The pieces of an Arrow file: a sequence that reads a piece when it is indexed.

    The file is memory-mapped and may be larger than memory. Instances can be pickled: a process opens the file anew.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import pyarrow as pa

        self.path = Path(path)
        self._source = pa.memory_map(str(self.path))
        try:
            self._reader = pa.ipc.open_file(self._source)
            counts = [self._reader.get_batch(i).num_rows for i in range(self._reader.num_record_batches)]
        except (pa.ArrowException, OSError) as error:
            raise ArrowError(f"{self.path.name}: not an Arrow file: {error}") from None
        if (self._reader.schema.metadata or {}).get(FORMAT_KEY) != FORMAT_VERSION:
            raise ArrowError(f"{self.path.name}: an Arrow file, but not of music written by muspy-core")
        if not self._reader.schema.equals(_schema()):
            raise ArrowError(f"{self.path.name}: written by another version of muspy-core; convert the data again")
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        # A partial of the reader, not a method: an object that refers to itself would keep the file open.
        self._batch = functools.lru_cache(maxsize=BATCHES_KEPT)(functools.partial(_open_batch, self._reader, self.path))

    @property
    def batches(self) -> pa.ipc.RecordBatchFileReader:
        """The Arrow reader itself."""
        return self._reader

    def __reduce__(self) -> tuple[Any, ...]:
        return (ArrowMusic, (self.path,))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> Music: ...

    @overload
    def __getitem__(self, index: slice) -> list[Music]: ...

    def __getitem__(self, index: int | slice) -> Music | list[Music]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        batch = int(np.searchsorted(self._starts, position, side="right")) - 1
        row = position - int(self._starts[batch])
        music: Music = self._batch(batch)(row, row + 1)[0]
        return music


Reader = Callable[[int, int], list[Any]]


def _open_batch(reader: pa.ipc.RecordBatchFileReader, path: Path, number: int) -> Reader:
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
    for field in _stored_fields(owner):
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
