"""Music ⇄ Arrow tables in memory: the way to Parquet, Hugging Face `datasets` and everything else that speaks Arrow.

A table has the columns of an Arrow file (arrow.py). Other libraries give them back in types of their own: words as
plain strings, offsets of 64 bits, columns in another order, unset ones left out. `from_arrow` takes them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from muspy_core.errors import ArrowError
from muspy_core.events import GRACES, OFF_KINDS, TIES
from muspy_core.io._arrow_reading import batch_reader, reason_of
from muspy_core.io._arrow_schema import music_schema
from muspy_core.io._arrow_writing import batch_of, widened
from muspy_core.io.arrow import BatchedMusic
from muspy_core.music import Music

if TYPE_CHECKING:
    import pyarrow as pa

# The fields that are kept as numbers of words.
WORDS = {"off_kind": OFF_KINDS, "tie": TIES, "grace": GRACES}


def to_arrow(musics: Music | Iterable[Music]) -> pa.Table:
    """Return pieces as an Arrow table, one row each. Raises ArrowError if a value does not fit its column."""
    import pyarrow as pa

    pieces = [musics] if isinstance(musics, Music) else list(musics)
    try:
        return pa.Table.from_batches([widened(batch_of(pieces))])
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise ArrowError(f"not all of the {len(pieces)} pieces fit an Arrow table: {error}") from None


def from_arrow(table: pa.Table) -> TableMusic:
    """Return the pieces in a table that `to_arrow` or `write_arrow` made, also by way of other libraries.

    They are read when indexed. Raises ArrowError for a table of anything else.
    """
    return TableMusic(table)


class TableMusic(BatchedMusic):
    """The pieces of an Arrow table: a sequence that reads a piece when it is indexed."""

    def __init__(self, table: pa.Table) -> None:
        import pyarrow as pa

        unknown = set(table.column_names) - set(music_schema("notation").names)
        if "tracks" not in table.column_names or unknown:
            raise ArrowError(f"not a table of music: its columns are {', '.join(table.column_names) or 'none'}")
        try:
            batches = [_fitted_batch(batch) for batch in table.combine_chunks().to_batches()]
        except (pa.ArrowException, ValueError) as error:
            raise ArrowError(f"not a table of music: {reason_of(error)}") from None
        self._batch = [batch_reader(batch, "the table is damaged") for batch in batches].__getitem__
        self._starts = np.concatenate([[0], np.cumsum([len(batch) for batch in batches])]).astype(np.int64)


def _fitted_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    schema = music_schema("notation")
    # Slices have offsets; copied, they begin at their buffers' beginnings.
    batch = pa.RecordBatch.from_arrays(
        [pa.concat_arrays([column]) for column in batch.columns], names=batch.schema.names
    )
    columns = [
        _fitted(batch.column(field.name), field.type, field.name)
        if field.name in batch.schema.names
        else _absent(field.type, len(batch), field.name)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _fitted(array: pa.Array, target: pa.DataType, name: str) -> pa.Array:
    """Return an array in the type that it has in our files."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.type.equals(target):
        return array
    if pa.types.is_struct(target):
        known = {field.name for field in array.type}
        columns = [
            _fitted(pc.struct_field(array, field.name), field.type, field.name)
            if field.name in known
            else _absent(field.type, len(array), field.name)
            for field in target
        ]
        return pa.StructArray.from_arrays(columns, fields=list(target))
    if pa.types.is_list(target):
        # A list that is null has no items, and so it is the same as an empty one here.
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy().astype(np.int64)
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        values = _fitted(array.flatten(), target.value_type, name)
        mask = array.is_null() if array.null_count else None
        return pa.ListArray.from_arrays(offsets, values, type=target, mask=mask)
    if pa.types.is_dictionary(target):
        words = pa.array(WORDS[name], pa.string())
        codes = pc.index_in(array.cast(pa.string()), value_set=words).cast(pa.int8())
        return pa.DictionaryArray.from_arrays(codes, words)
    return array.cast(target)


def _absent(target: pa.DataType, length: int, name: str) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_struct(target):
        columns = [_absent(field.type, length, field.name) for field in target]
        return pa.StructArray.from_arrays(columns, fields=list(target))
    if pa.types.is_list(target) and pa.types.is_struct(target.value_type):
        offsets = pa.array(np.zeros(length + 1), pa.int32())
        return pa.ListArray.from_arrays(offsets, _absent(target.value_type, 0, name), type=target)
    if pa.types.is_dictionary(target):
        return pa.DictionaryArray.from_arrays(pa.nulls(length, pa.int8()), pa.array(WORDS[name], pa.string()))
    return pa.nulls(length, target)
