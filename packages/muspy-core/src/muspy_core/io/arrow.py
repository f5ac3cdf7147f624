"""Arrow: many pieces in one memory-mapped file, columns in and columns out.

The layout is that of the JSON files, as an Arrow schema: one row a piece, `tracks` a list of structs, `notes` a list of
structs in each. Any Arrow reader can open it. Here a piece is read by slicing NumPy views of the mapped file: no
parsing, no object for an event; notes at once, other lists when they are first looked at. Values outside the numeric
columns are strings; annotations are JSON.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from muspy_core.errors import ArrowError
from muspy_core.io._arrow_reading import Reader, open_batch, reason_of
from muspy_core.io._arrow_schema import FORMAT_KEY, FORMAT_VERSION, Layout, layout_of, music_schema
from muspy_core.io._arrow_writing import batch_of, widened
from muspy_core.io.files import write_atomically
from muspy_core.music import Music

if TYPE_CHECKING:
    import pyarrow as pa

# A batch is what a reader maps at once; it ends at whichever limit comes first.
SONGS_PER_BATCH = 1024
NOTES_PER_BATCH = 2_000_000
# Open batches are views of the file and small.
BATCHES_KEPT = 4096
MAGIC = b"ARROW1\0\0"


def write_arrow(path: str | os.PathLike[str], musics: Music | Iterable[Music], *, overwrite: bool = True) -> int:
    """Write pieces to an Arrow file, one row each, and return how many.

    musics: pieces, or a single one; an iterator is consumed batch by batch. Raises ArrowError if a value does not fit
    its column, OSError if the file cannot be written.
    """
    import pyarrow as pa

    count = 0
    with write_atomically(path, overwrite) as temporary, ArrowWriter(temporary) as writer:
        for songs in _batches(iter([musics] if isinstance(musics, Music) else musics)):
            try:
                batch = batch_of(songs)
            except (TypeError, ValueError, pa.ArrowException) as error:
                raise ArrowError(f"{Path(path).name}: pieces {count} to {count + len(songs) - 1}: {error}") from None
            writer.write(batch)
            count += len(songs)
    return count


def read_arrow(path: str | os.PathLike[str]) -> ArrowMusic:
    """Open an Arrow file of pieces; they are read when indexed. Raises ArrowError for another kind of file."""
    return ArrowMusic(path)


def join_arrow(
    parts: Iterable[str | os.PathLike[str]], path: str | os.PathLike[str], *, overwrite: bool = True
) -> None:
    """Write the pieces of several Arrow files to one, in order, without decoding them."""
    with write_atomically(path, overwrite) as temporary, ArrowWriter(temporary) as writer:
        for part in parts:
            writer.write_file(part)


class ArrowWriter:
    """A file to which record batches of pieces are written; a context manager.

    It is of the layout "performance" until a batch has notation; what was written by then is written again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open("performance")

    def __enter__(self) -> ArrowWriter:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch of either layout."""
        if batch.schema.equals(self._schema):
            self._writer.write_batch(batch)
        elif self._layout == "notation":
            self._writer.write_batch(widened(batch))
        else:
            self._widen()
            self.write(batch)

    def write_file(self, path: str | os.PathLike[str]) -> int:
        """Write all batches of another file and return how many."""
        import pyarrow as pa

        with pa.OSFile(str(path)) as source:
            reader = pa.ipc.open_file(source)
            for number in range(reader.num_record_batches):
                self.write(reader.get_batch(number))
            return int(reader.num_record_batches)

    def write_first(self, path: str | os.PathLike[str], batches: int) -> None:
        """Write the first batches of another file, which may break off behind them."""
        import pyarrow as pa

        with pa.OSFile(str(path)) as source:
            # Behind its first bytes a file is a stream, to which the footer at the end only adds a table of contents.
            source.seek(len(MAGIC))
            reader = pa.ipc.open_stream(source)
            for _ in range(batches):
                self.write(reader.read_next_batch())

    def _open(self, layout: Layout) -> None:
        import pyarrow as pa

        self._layout, self._schema = layout, music_schema(layout)
        self._sink = pa.OSFile(str(self.path), "wb")
        self._writer = pa.ipc.new_file(self._sink, self._schema)

    def close(self) -> None:
        """Write the table of contents and close the file."""
        self._writer.close()
        self._sink.close()

    def _widen(self) -> None:
        self.close()
        narrow = self.path.with_name(f"{self.path.name}.narrow")
        os.replace(self.path, narrow)
        try:
            self._open("notation")
            self.write_file(narrow)
        finally:
            narrow.unlink()


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


class BatchedMusic(Sequence[Music]):
    """A sequence of pieces in record batches, each read when it is indexed.

    Subclasses set `_starts`, (batches + 1,), and `_batch`, which gives the reader of a batch by number.
    """

    _starts: NDArray[np.int64]
    _batch: Callable[[int], Reader]

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


class ArrowMusic(BatchedMusic):
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
            raise ArrowError(f"{self.path.name}: not an Arrow file: {reason_of(error)}") from None
        if (self._reader.schema.metadata or {}).get(FORMAT_KEY) != FORMAT_VERSION:
            raise ArrowError(f"{self.path.name}: an Arrow file, but not of music written by muspy-core")
        if layout_of(self._reader.schema) is None:
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
