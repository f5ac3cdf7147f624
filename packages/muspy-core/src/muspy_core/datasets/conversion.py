"""Conversion: many pieces to JSON, YAML or Arrow, in parallel, resumable (data sets, third step).

Work is done in runs of pieces by `joblib` (processes by default; the same call runs on a Dask cluster within
`joblib.parallel_config`). JSON and YAML pieces are files of their own, Arrow runs become shards (shards.py), which are
moved into one file while others are still being made. Whatever has its name is whole, so that a conversion that was
killed goes on where it stopped; a fingerprint of what is converted, beside the pieces, tells whether they belong to it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from muspy_core.datasets.shards import ARROW_NAME, SHARD, SHARD_FOLDER, Failures, JoinedFile, Shards, read_piece
from muspy_core.datasets.sources import Source, part_of
from muspy_core.errors import MuspyError
from muspy_core.io import save
from muspy_core.io.files import write_atomically
from muspy_core.music import Music

__all__ = ["ARROW_NAME", "KINDS", "REPORT_NAME", "ConversionReport", "convert"]

logger = logging.getLogger(__name__)

REPORT_NAME = "conversion.json"
# Hidden, since it is of no use to people.
PLAN_NAME = ".conversion-plan"
KINDS = ("json", "yaml", "arrow")
# Pieces in a run: enough to make starting a job cheap, few enough to keep all workers busy to the end.
RUN = 64
RUNS_PER_WORKER = 4


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
    size = _run_length(len(source), SHARD if kind == "arrow" else RUN, n_jobs)
    runs = [range(start, min(start + size, len(source))) for start in range(0, len(source), size)]
    names = [source.name(index) for index in range(len(source))]
    _prepare(folder, _fingerprint(names, kind, options))
    hidden = None if progress is None else not progress
    with tqdm(total=len(source), desc="converting", unit="piece", disable=hidden) as bar:
        if kind == "arrow":
            failures = _convert_to_arrow(folder, source, runs, n_jobs, ignore_exceptions, bar)
        else:
            work = _Files(folder, kind, len(source), options)
            failures = []
            for run, failed in zip(runs, _run_all(work, source, runs, n_jobs, ignore_exceptions), strict=True):
                failures += failed
                bar.update(len(run))
    missing = {index for index, _ in failures}
    report = ConversionReport(
        kind,
        [name for index, name in enumerate(names) if index not in missing],
        [(names[index], reason) for index, reason in failures],
    )
    report.write(folder)
    shutil.rmtree(folder / SHARD_FOLDER, ignore_errors=True)
    for name, reason in report.failed:
        logger.warning("not converted: %s: %s", name, reason)
    return report


def _run_length(count: int, most: int, n_jobs: int) -> int:
    """How many pieces a run has: fewer than it could where all workers would not have some runs each."""
    if n_jobs == 1:
        return most
    import joblib

    workers: int = joblib.effective_n_jobs(n_jobs)
    return max(1, min(most, -(-count // (RUNS_PER_WORKER * workers))))


def _convert_to_arrow(
    folder: Path, source: Source, runs: Sequence[range], n_jobs: int, ignore_exceptions: bool, bar: Any
) -> Failures:
    with JoinedFile(folder) as joined:
        bar.update(joined.pieces)
        runs = [run for run in runs if run.start >= joined.pieces]
        for run, failures in zip(runs, _run_all(Shards(folder), source, runs, n_jobs, ignore_exceptions), strict=True):
            joined.move(run, failures)
            bar.update(len(run))
    return joined.failures


def _fingerprint(names: Sequence[str], kind: str, options: dict[str, Any]) -> str:
    digest = hashlib.sha256(repr((kind, sorted(options.items()))).encode())
    for name in names:
        digest.update(os.fsencode(name) + b"\0")
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


def _run_all(
    work: Shards | _Files, source: Source, runs: Sequence[range], n_jobs: int, ignore_exceptions: bool
) -> Iterator[Failures]:
    """Do the work of all runs and give the failures of each, in order."""
    if n_jobs == 1:
        for run in runs:
            yield work(part_of(source, run), run, ignore_exceptions)
        return
    import joblib

    jobs = (joblib.delayed(_run)(work, part_of(source, run), run, ignore_exceptions) for run in runs)
    yield from joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)


def _run(work: Shards | _Files, source: Source, run: range, ignore_exceptions: bool) -> Failures:
    """Do the work of one run; a function, since Dask hashes what it calls."""
    return work(source, run, ignore_exceptions)


@dataclasses.dataclass(frozen=True)
class _Files:
    """The work of saving each piece as a file; one that is there already is of this conversion and kept."""

    folder: Path
    kind: str
    count: int
    options: dict[str, Any]

    def __call__(self, source: Source, run: range, ignore_exceptions: bool) -> Failures:
        failures: Failures = []
        digits = len(str(max(self.count - 1, 0)))
        for place, index in enumerate(run):
            path = self.folder / f"{index:0{digits}d}.{self.kind}"
            if not path.exists():
                music = read_piece(source, place, index, ignore_exceptions, failures)
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
