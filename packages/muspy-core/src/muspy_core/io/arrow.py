"""Arrow: many pieces in one memory-mapped file, columns in and columns out.

The layout is that of the JSON files, as an Arrow schema: one row a piece, `tracks` a list of structs, `notes` a list of
structs in each. Any Arrow reader can open it. Here a piece is read by slicing NumPy views of the mapped file: no
parsing, no object for an event; notes at once, other lists when they are first looked at. Values outside the numeric
columns are strings; annotations are JSON.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from muspy_core.errors import ArrowError
from muspy_core.io._arrow_reading import open_batch
from muspy_core.io._arrow_schema import FORMAT_KEY, FORMAT_VERSION, music_schema
from muspy_core.io._arrow_writing import struct_columns
from muspy_core.io.files import write_atomically
from muspy_core.music import Music

if TYPE_CHECKING:
    import pyarrow as pa

# A batch is what a reader maps at once; it ends at whichever limit comes first.
SONGS_PER_BATCH = 1024
NOTES_PER_BATCH = 2_000_000
BATCHES_KEPT = 64


def write_arrow(path: str | os.PathLike[str], musics: Music | Iterable[Music], *, overwrite: bool = True) -> int:
    """Write pieces to an Arrow file, one row each, and return how many.

    musics: pieces, or a single one; an iterator is consumed batch by batch. Raises ArrowError if a value does not fit
    its column, OSError if the file cannot be written.
    """
    import pyarrow as pa

    songs = iter([musics] if isinstance(musics, Music) else musics)
    schema = music_schema()
    count = 0
    with (
        write_atomically(path, overwrite) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for batch in _batches(songs):
            try:
                columns = struct_columns(batch, schema)
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
        pa.ipc.new_file(sink, music_schema()) as writer,
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
        if not self._reader.schema.equals(music_schema()):
            raise ArrowError(f"{self.path.name}: written by another version of muspy-core; convert the data again")
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        # A partial of the reader, not a method: an object that refers to itself would keep the file open.
        self._batch = functools.lru_cache(maxsize=BATCHES_KEPT)(functools.partial(open_batch, self._reader, self.path))

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
