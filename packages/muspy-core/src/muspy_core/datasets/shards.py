"""Shards: Arrow files of some hundred pieces, made by workers and moved into one (conversion to Arrow).

A shard is named by the number of its first piece and that behind its last, and is closed after a second of work, so
that a kill loses no more than that. Shards are moved as soon as those before them are, so that they need little space.
MIDI files go from the parser's tables to Arrow without a `Music` in between.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from muspy_core.datasets.sources import MidiFiles, Source
from muspy_core.errors import ArrowError, MuspyError
from muspy_core.io.files import write_atomically
from muspy_core.music import Music

if TYPE_CHECKING:
    from muspy_core.io._arrow_midi import ParsedMidi

ARROW_NAME = "music.arrow"
SHARD_FOLDER = "shards"
# A shard becomes a batch of the file; it ends at whichever limit comes first.
SHARD = 512
SECONDS = 1.0
NOTES = 2_000_000

Failures = list[tuple[int, str]]
Pieces = dict[int, "Music | ParsedMidi"]


@dataclasses.dataclass(frozen=True)
class Shards:
    """The work of converting runs of pieces to shards in a folder."""

    folder: Path

    def __call__(self, source: Source, run: range, ignore_exceptions: bool) -> Failures:
        """Convert the pieces of a run, which are those of `source`, and return what failed of them.

        Those that an earlier conversion has put into shards stay there.
        """
        (self.folder / SHARD_FOLDER).mkdir(exist_ok=True)
        failures: Failures = []
        position = run.start
        for done in [*shards_of(self.folder, run), range(run.stop, run.stop)]:
            while position < done.start:
                with _collector_paused():
                    made = self._convert(source, run.start, range(position, done.start), ignore_exceptions)
                failures += _failures_of(self.folder, made)
                position = made.stop
            if done:
                failures += _failures_of(self.folder, done)
            position = done.stop
        return failures

    def _convert(self, source: Source, first: int, gap: range, ignore_exceptions: bool) -> range:
        """Make a shard of as many of the next pieces as a second allows, and return which they are."""
        failures: Failures = []
        pieces: Pieces = {}
        parse = _parser(source)
        began, notes, stop = time.monotonic(), 0, gap.start
        while stop < gap.stop and notes < NOTES and (stop == gap.start or time.monotonic() - began < SECONDS):
            piece = parse(stop - first) or read_piece(source, stop - first, stop, ignore_exceptions, failures)
            if piece is not None:
                pieces[stop] = piece
                notes += _count_notes(piece)
            stop += 1
        made = range(gap.start, stop)
        path, failures_path = _paths(self.folder, made)
        # The shard takes its name last: it says that both files are whole.
        with write_atomically(path) as temporary:
            failures += _write_shard(temporary, pieces, ignore_exceptions)
            with write_atomically(failures_path) as temporary_list:
                temporary_list.write_text(json.dumps(sorted(failures)))
        return made


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the search for reference cycles: a shard makes hundreds of thousands of tuples and none of these."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class JoinedFile:
    """The file that the shards of run after run are moved to; a context manager.

    It takes its name when the block ends without an error; what it leaves beside it is of use until the report is
    written. What was moved by a conversion that was killed is moved again first: pieces is the number of pieces that
    this was, failures what failed of them.
    """

    def __init__(self, folder: Path) -> None:
        from muspy_core.io.arrow import ArrowWriter

        self.folder = folder
        self.pieces, self.batches = 0, 0
        self.failures: Failures = []
        shards = folder / SHARD_FOLDER
        shards.mkdir(exist_ok=True)
        self._path, self._old, self._progress = (
            shards / name for name in ("joined.arrow", "interrupted.arrow", "joined.json")
        )
        # Killed while it was moving or at the very end, the last conversion has left all of it under another name.
        narrow = self._path.with_name(f"{self._path.name}.narrow")
        left = [path for path in (self._old, narrow, self._path, folder / ARROW_NAME) if path.exists()]
        if self._progress.exists() and left:
            progress = json.loads(self._progress.read_text())
            self.pieces, self.batches = progress["pieces"], progress["batches"]
            self.failures = [(index, reason) for index, reason in progress["failures"]]
            os.replace(left[0], self._old)
        self._writer = ArrowWriter(self._path)
        if self.batches:
            self._writer.write_first(self._old, self.batches)
        self._old.unlink(missing_ok=True)

    def __enter__(self) -> JoinedFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *reason: object) -> None:
        self._writer.close()
        if kind is None:
            os.replace(self._path, self.folder / ARROW_NAME)

    def move(self, run: range, failures: Failures) -> None:
        """Move the shards of a run, which are whole, to the file. failures: what failed of the run."""
        paths = [path for shard in shards_of(self.folder, run) for path in _paths(self.folder, shard)]
        for path in paths[::2]:
            self.batches += self._writer.write_file(path)
        self.pieces = run.stop
        self.failures += failures
        with write_atomically(self._progress) as temporary:
            progress = {"pieces": self.pieces, "batches": self.batches, "failures": self.failures}
            temporary.write_text(json.dumps(progress))
        for path in paths:
            path.unlink()


def shards_of(folder: Path, run: range) -> list[range]:
    """Return the shards of a run that are whole, in order."""
    found = (re.fullmatch(r"(\d+)-(\d+)\.arrow", name) for name in os.listdir(folder / SHARD_FOLDER))
    shards = (range(int(match[1]), int(match[2])) for match in found if match)
    return sorted((shard for shard in shards if run.start <= shard.start < run.stop), key=lambda shard: shard.start)


def _paths(folder: Path, shard: range) -> tuple[Path, Path]:
    stem = folder / SHARD_FOLDER / f"{shard.start:09d}-{shard.stop:09d}"
    return stem.with_suffix(".arrow"), stem.with_suffix(".failed.json")


def _failures_of(folder: Path, shard: range) -> Failures:
    return [(index, reason) for index, reason in json.loads(_paths(folder, shard)[1].read_text())]


def read_piece(source: Source, place: int, index: int, ignore_exceptions: bool, failures: Failures) -> Music | None:
    """Read the piece at a place of a source; None, and a failure under its index, if that cannot be."""
    try:
        return source.music(place)
    except (MuspyError, OSError) as error:
        if not ignore_exceptions:
            raise
        failures.append((index, " ".join(str(error).split())))
        return None


def _parser(source: Source) -> Callable[[int], ParsedMidi | None]:
    """Return the function that gives the piece at a place of a source as parsed MIDI, None if it is anything else."""
    if not isinstance(source, MidiFiles):
        return lambda place: None
    from muspy_core.io._arrow_midi import parsed

    def parse(place: int) -> ParsedMidi | None:
        path = source.midi(place)
        try:
            return None if path is None else parsed(path)
        except (MuspyError, OSError):
            # It is read again for the error that this ends in.
            return None

    return parse


def _count_notes(piece: Music | ParsedMidi) -> int:
    return sum(len(track.notes) for track in piece.tracks) if isinstance(piece, Music) else len(piece.tables.kinds[0])


def _write_shard(path: Path, pieces: Pieces, ignore_exceptions: bool) -> Failures:
    """Write pieces to an Arrow file; return those that it cannot hold."""
    from muspy_core.io._arrow_midi import ParsedMidi, batch_of_midi
    from muspy_core.io.arrow import ArrowWriter, write_arrow

    parsed = [piece for piece in pieces.values() if isinstance(piece, ParsedMidi)]
    if pieces and len(parsed) == len(pieces):
        with contextlib.suppress(ValueError), ArrowWriter(path) as writer:
            writer.write(batch_of_midi(parsed))
            return []
    read = {index: piece.music() if isinstance(piece, ParsedMidi) else piece for index, piece in pieces.items()}
    try:
        write_arrow(path, read.values())
    except ArrowError:
        if not ignore_exceptions:
            raise
        fitting, failures = _fitting(read, path)
        write_arrow(path, fitting)
        return failures
    return []


def _fitting(pieces: Mapping[int, Music], scratch: Path) -> tuple[list[Music], Failures]:
    """The pieces that an Arrow file can hold, found by writing each alone to a scratch file; the others fail."""
    from muspy_core.io.arrow import write_arrow

    fitting: list[Music] = []
    failures: Failures = []
    for index, piece in pieces.items():
        try:
            write_arrow(scratch, piece)
            fitting.append(piece)
        except ArrowError as error:
            failures.append((index, str(error).partition(": pieces 0 to 0: ")[2] or str(error)))
    return fitting, failures
