"""Conversion: many pieces to JSON, YAML or Arrow, in parallel, resumable (data sets, third step).

Work is done in runs of pieces by `joblib` (processes by default; the same call runs on a Dask or Ray cluster within
`joblib.parallel_config`). JSON and YAML pieces are files of their own, Arrow runs shards that are joined at the end.
Whatever has its name is whole, so that a conversion that was killed goes on where it stopped; a fingerprint of what is
converted, beside the pieces, tells whether they belong to it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tqdm.auto import tqdm

from muspy_core.errors import ArrowError, MuspyError
from muspy_core.io import save
from muspy_core.io.files import write_atomically
from muspy_core.music import Music

if TYPE_CHECKING:
    from muspy_core.datasets.base import Pieces

logger = logging.getLogger(__name__)

ARROW_NAME = "music.arrow"
REPORT_NAME = "conversion.json"
# Hidden, since it is of no use to people.
PLAN_NAME = ".conversion-plan"
SHARD_FOLDER = "shards"
KINDS = ("json", "yaml", "arrow")
# Pieces in a run: enough to make starting a job cheap, few enough to lose little when one is killed.
RUN = 64
SHARD = 512
# Enough to keep all workers busy to the end, few enough: each job carries the list of all pieces with it.
JOBS_PER_WORKER = 8


class Source(Protocol):
    """Pieces to convert: they can be counted, named and read by number, and sent to other processes."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return what to call a piece in the report."""

    def music(self, index: int) -> Music:
        """Read a piece."""


@dataclasses.dataclass
class Indexed:
    """A source made of any sequence of pieces, named by number."""

    pieces: Pieces

    def __len__(self) -> int:
        return len(self.pieces)

    def name(self, index: int) -> str:
        """Return the number of the piece."""
        return str(index)

    def music(self, index: int) -> Music:
        """Read a piece."""
        return self.pieces[index]


@dataclasses.dataclass
class ConversionReport:
    """What a conversion did. names: pieces converted, in the order of their numbers. failed: (name, reason)."""

    kind: str
    names: list[str] = dataclasses.field(default_factory=list)
    failed: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write the report beside the converted pieces."""
        with write_atomically(folder / REPORT_NAME) as temporary:
            temporary.write_text(json.dumps(dataclasses.asdict(self), indent=1))


def convert(
    source: Source,
    folder: str | os.PathLike[str],
    kind: str = "json",
    n_jobs: int = 1,
    *,
    ignore_exceptions: bool = True,
    progress: bool | None = None,
    **options: Any,
) -> ConversionReport:
    """Convert all pieces of a source into a folder and return what was done.

    Args:
        source: The pieces.
        folder: Where to: one numbered file a piece for "json" and "yaml", `music.arrow` for "arrow". What an earlier
            conversion left there is replaced; one of the same pieces that was interrupted is continued.
        kind: "json", "yaml" or "arrow".
        n_jobs: Number of processes, −1 for all cores.
        ignore_exceptions: Go on after a piece that cannot be read or saved (it is listed as failed), else raise its
            error.
        progress: Show a progress bar; None: on terminals only.
        **options: Options of `save` for JSON and YAML.

    A piece fails with a MuspyError or OSError, as every reader promises; any other error is a bug and is raised.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    work = (
        _ArrowWork(folder) if kind == "arrow" else _FileWork(folder, kind, len(str(max(len(source) - 1, 0))), options)
    )
    runs = [range(start, min(start + work.run, len(source))) for start in range(0, len(source), work.run)]
    report = ConversionReport(kind)
    _prepare(folder, _fingerprint(source, kind, work.run, options))
    for run, failures in zip(runs, _run_all(work, source, runs, n_jobs, ignore_exceptions, progress), strict=True):
        failed = dict(failures)
        report.names += [source.name(index) for index in run if index not in failed]
        report.failed += [(source.name(index), reason) for index, reason in failures]
    work.finish(len(runs))
    report.write(folder)
    for name, reason in report.failed:
        logger.warning("not converted: %s: %s", name, reason)
    return report


def _fingerprint(source: Source, kind: str, run: int, options: dict[str, Any]) -> str:
    digest = hashlib.sha256(repr((kind, run, sorted(options.items()))).encode())
    for index in range(len(source)):
        digest.update(os.fsencode(source.name(index)) + b"\0")
    return digest.hexdigest()


def _prepare(folder: Path, fingerprint: str) -> None:
    """Leave only what an interrupted conversion of the same pieces made."""
    plan, report = folder / PLAN_NAME, folder / REPORT_NAME
    if plan.exists() and plan.read_text() == fingerprint and not report.exists():
        return
    if plan.exists():
        report.unlink(missing_ok=True)
        (folder / ARROW_NAME).unlink(missing_ok=True)
        for path in folder.iterdir():
            if re.fullmatch(r"\d+\.(json|yaml)", path.name):
                path.unlink()
    if (folder / SHARD_FOLDER).is_dir():
        shutil.rmtree(folder / SHARD_FOLDER)
    with write_atomically(plan) as temporary:
        temporary.write_text(fingerprint)


Failures = list[tuple[int, str]]


def _run_all(
    work: Any, source: Source, runs: Sequence[range], n_jobs: int, ignore_exceptions: bool, progress: bool | None
) -> list[Failures]:
    hidden = None if progress is None else not progress
    if n_jobs == 1:
        return [
            work(source, number, run, ignore_exceptions)
            for number, run in enumerate(tqdm(runs, desc="converting", disable=hidden))
        ]
    import joblib

    numbered = list(enumerate(runs))
    size = max(len(runs) // (JOBS_PER_WORKER * joblib.effective_n_jobs(n_jobs)), 1)
    jobs = [numbered[start : start + size] for start in range(0, len(runs), size)]
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_run_some)(work, source, job, ignore_exceptions) for job in jobs
    )
    progress_bar = tqdm(results, total=len(jobs), desc="converting", disable=hidden)
    return [failures for some in progress_bar for failures in some]


def _run_some(work: Any, source: Source, runs: Sequence[tuple[int, range]], ignore_exceptions: bool) -> list[Failures]:
    return [work(source, number, run, ignore_exceptions) for number, run in runs]


def _read(source: Source, index: int, ignore_exceptions: bool, failures: Failures) -> Music | None:
    try:
        return source.music(index)
    except (MuspyError, OSError) as error:
        if not ignore_exceptions:
            raise
        failures.append((index, " ".join(str(error).split())))
        return None


@dataclasses.dataclass
class _FileWork:
    """One JSON or YAML file a piece; a file that is there already is one of this conversion and kept."""

    folder: Path
    kind: str
    digits: int
    options: dict[str, Any]
    run: int = RUN

    def __call__(self, source: Source, number: int, run: range, ignore_exceptions: bool) -> Failures:
        failures: Failures = []
        for index in run:
            path = self.folder / f"{index:0{self.digits}d}.{self.kind}"
            if not path.exists():
                music = _read(source, index, ignore_exceptions, failures)
                if music is not None:
                    self._save(path, music, index, ignore_exceptions, failures)
        return failures

    def _save(self, path: Path, music: Music, index: int, ignore_exceptions: bool, failures: Failures) -> None:
        try:
            save(path, music, self.kind, **self.options)
        except MuspyError as error:
            if not ignore_exceptions:
                raise
            failures.append((index, str(error)))

    def finish(self, count: int) -> None:
        """Nothing is left to do: every file is whole."""


@dataclasses.dataclass
class _ArrowWork:
    """One Arrow shard a run, with a list of what failed in it; all shards are joined at the end."""

    folder: Path
    run: int = SHARD

    def __call__(self, source: Source, number: int, run: range, ignore_exceptions: bool) -> Failures:
        from muspy_core.io.arrow import write_arrow

        shard, failures_path = self._paths(number)
        if shard.exists():
            return [(index, reason) for index, reason in json.loads(failures_path.read_text())]
        shard.parent.mkdir(exist_ok=True)
        failures: Failures = []
        read = {index: _read(source, index, ignore_exceptions, failures) for index in run}
        pieces = {index: piece for index, piece in read.items() if piece is not None}
        # The shard takes its name last: it says that both files are whole.
        with write_atomically(shard) as temporary:
            try:
                write_arrow(temporary, pieces.values())
            except ArrowError:
                if not ignore_exceptions:
                    raise
                fitting = _writable_pieces(pieces, temporary, failures)
                write_arrow(temporary, fitting)
            with write_atomically(failures_path) as temporary_list:
                temporary_list.write_text(json.dumps(failures))
        return failures

    def finish(self, count: int) -> None:
        """Join the shards to one file and remove them."""
        from muspy_core.io.arrow import join_arrow

        join_arrow([self._paths(number)[0] for number in range(count)], self.folder / ARROW_NAME)
        shutil.rmtree(self.folder / SHARD_FOLDER, ignore_errors=True)

    def _paths(self, number: int) -> tuple[Path, Path]:
        stem = self.folder / SHARD_FOLDER / f"{number:06d}"
        return stem.with_suffix(".arrow"), stem.with_suffix(".failed.json")


def _writable_pieces(pieces: Mapping[int, Music], scratch: Path, failures: Failures) -> list[Music]:
    """The pieces that an Arrow file can hold, found by writing each alone to a scratch file; the others fail."""
    from muspy_core.io.arrow import write_arrow

    writable = []
    for index, piece in pieces.items():
        try:
            write_arrow(scratch, piece)
            writable.append(piece)
        except ArrowError as error:
            failures.append((index, str(error).partition(": pieces 0 to 0: ")[2] or str(error)))
    return writable
