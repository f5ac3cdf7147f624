"""Separated sound → files, block by block: stems, residual, report (separate → files; the work behind the console)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from muspy_core.audio import Audio
from muspy_core.audio_blocks import AudioWriter
from muspy_core.console import check_writable
from muspy_core.media import probe, stream_audio
from tqdm.auto import tqdm

from clipsep.query import Query
from clipsep.remix import Fader, remix
from clipsep.report import Overview, excerpt_for_page, page_of
from clipsep.separate import Band, Presence, Separator, Shown


@dataclasses.dataclass(frozen=True)
class Targets:
    """Where results go. stems: one file for each query. residual, report: or None."""

    stems: tuple[Path, ...]
    residual: Path | None = None
    report: Path | None = None

    @property
    def all(self) -> list[Path]:
        """Every file that will be written."""
        return [*self.stems, *(path for path in (self.residual, self.report) if path is not None)]

    def check(self, source: Path, *, overwrite: bool) -> None:
        """Raise OSError or ValueError, before any work, if a file cannot be written or is the input."""
        if len(set(self.all)) < len(self.all):
            raise ValueError(f"two results would be the same file: {', '.join(map(str, self.all))}")
        for path in self.all:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_writable(path, overwrite=overwrite)
            if path.exists() and path.samefile(source):
                raise ValueError(f"{path}: input and output are the same file")


def separate_file(
    separator: Separator,
    source: Path,
    queries: Sequence[Query],
    targets: Targets,
    *,
    band: Band = "cut",
    shown: Shown = "queries",
    overwrite: bool = False,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Separate a sound or video file into files; return what a JSON report holds: files and presence in decibels.

    shown: which masks are on the page. Only a window of the sound is in memory. After an error there is no file. Raises
    MediaError, QueryError, OSError.
    """
    targets.check(source, overwrite=overwrite)
    names = [query.name for query in separator.encoded(queries)]
    presence, overview = Presence(len(names)), Overview()
    blocks = separator.stream(
        _with_progress(source, progress),
        queries,
        band=band,
        watch=overview if targets.report is not None else None,
        shown=shown,
    )
    first = next(blocks)
    frames = 0
    with contextlib.ExitStack() as stack:
        paths = [*targets.stems, *([targets.residual] if targets.residual is not None else [])]
        kind = (first.residual.sample_rate, first.residual.channels)
        writers = [stack.enter_context(AudioWriter(path, *kind, overwrite=overwrite)) for path in paths]
        for block in _chain(first, blocks):
            presence.add(block)
            frames += block.residual.frames
            for writer, sound in zip(writers, [*block.stems, block.residual], strict=False):
                writer.write(sound)
    seconds = frames / first.residual.sample_rate
    levels = dict(zip(names, (round(value, 2) for value in presence.decibels), strict=True))
    details: dict[str, Any] = {"seconds_of_sound": round(seconds, 3), "presence_db": levels}
    details["files"] = {name: str(path) for name, path in zip(names, targets.stems, strict=True)}
    if targets.residual is not None:
        details["residual"] = str(targets.residual)
    if targets.report is not None:
        sounds = [(name, excerpt_for_page(path, seconds)) for name, path in zip(names, targets.stems, strict=True)]
        mixture = excerpt_for_page_of(source, seconds)
        players = [(name, audio) for name, audio in [("mixture", mixture), *sounds] if audio is not None]
        page_of(source.name, names, overview, presence.decibels, players, seconds).write(targets.report)
        details["report"] = str(targets.report)
    return details


def remix_file(
    separator: Separator,
    source: Path,
    faders: Sequence[Fader],
    target: Path,
    *,
    rest_db: float = 0.0,
    band: Band = "cut",
    overwrite: bool = False,
    progress: bool | None = None,
) -> float:
    """Write a sound or video file's sound with its parts at other levels; return its length in seconds."""
    Targets((target,)).check(source, overwrite=overwrite)
    blocks = remix(separator, _with_progress(source, progress), faders, rest_db=rest_db, band=band)
    first = next(blocks)
    with AudioWriter(target, first.sample_rate, first.channels, overwrite=overwrite) as writer:
        for block in _chain(first, blocks):
            writer.write(block)
    return writer.frames / writer.sample_rate


def excerpt_for_page_of(source: Path, duration_s: float) -> Audio | None:
    """Return the input's sound for the page, None if it is too long."""
    from muspy_core.media import read_audio

    from clipsep.report import PLAYED_SECONDS

    return read_audio(source) if duration_s <= PLAYED_SECONDS else None


def _with_progress(source: Path, progress: bool | None) -> Iterator[Audio]:
    """The sound of a file in blocks, with a bar in seconds of sound for files above half a minute."""
    blocks = stream_audio(source)
    total = probe(source).duration_s or 0.0
    hide = total < 30 if progress is None else not progress
    with tqdm(total=round(total), desc=source.name, unit="s", disable=True if hide else None) as bar:
        for block in blocks:
            yield block
            bar.update(block.duration)


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
