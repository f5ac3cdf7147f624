"""What the console scripts of all packages share: options, inputs and outputs, batches, and how they end.

A command reads files or folders, says in one line what it wrote and how long it took, and ends with exit code 0, 1
(some files of a batch failed) or 2 (bad input). What went wrong is one line on stderr; `--debug` shows the traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from muspy_core.io.files import write_atomically
from muspy_core.pipes import run_in_pipes

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
REPORT = "report.json"


# --- the frame of a program ------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line, and shows examples above the options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """End with one line on stderr and exit code 2."""
        self.exit(EXIT_BAD_INPUT, f"error: {message} (see {self.prog} --help)\n")


def run_program(
    parser: Callable[[], argparse.ArgumentParser],
    arguments: Sequence[str] | None,
    fit: Callable[[Sequence[str]], int] | None = None,
) -> int:
    """Parse arguments (None: the program's), run the `command` that they chose, and return the exit code.

    parser: makes the parser; a command that `add_pipes` was called for takes `-` as a file. fit: what the command `fit`
    runs, if there is one; its arguments are handed over as they are, since LightningCLI parses them, but for `--debug`.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if fit is not None and given[:1] == ["fit"]:
        handed = [argument for argument in given[1:] if argument != "--debug"]
        return run_command(functools.partial(fit, handed), debug=wants_debug(given))
    options = parser().parse_args(given)
    with contextlib.ExitStack() as stack:
        return run_command(functools.partial(run_in_pipes, options, stack), debug=options.debug)


def add_command(
    commands: Any, name: str, function: Callable[[argparse.Namespace], int], purpose: str, example: str
) -> argparse.ArgumentParser:
    """Add a command whose help says what it is for and shows an example; `run_program` runs the function."""
    description = f"{purpose[0].upper()}{purpose[1:]}.\n\n  {example}\n"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=description)
    parser.set_defaults(command=function)
    add_debug_option(parser)
    return parser


def add_debug_option(parser: argparse.ArgumentParser) -> None:
    """Add `--debug`, which every command has."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error, and log messages")


def add_output_options(parser: argparse.ArgumentParser, what: str, *, required: bool = False) -> None:
    """Add `-o`, `-j`, `--overwrite` and `--json`, which mean the same everywhere."""
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", required=required, help=what)
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="files at a time (default: 1)")
    add_overwrite_option(parser)
    add_json_option(parser)


def add_overwrite_option(parser: argparse.ArgumentParser) -> None:
    """Add `--overwrite`."""
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print a JSON report instead of lines")


def add_resume_option(parser: argparse.ArgumentParser) -> None:
    """Add `--resume` for commands whose `run_jobs` is given `is_done`."""
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted batch: keep files that are there already"
    )


def device_of(name: str) -> str:
    """Return a device of torch, if it is there. Raises ValueError, which lists those that are."""
    import torch

    there = ["cpu"]
    if torch.cuda.is_available():
        there += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name not in there:
        raise ValueError(f"--device {name}: there is no such device here; there is {', '.join(there)}")
    return name


def positive(text: str) -> int:
    """Parse a whole number above 0, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def run_command(command: Callable[[], int | None], *, debug: bool = False) -> int:
    """Run a command and return its exit code.

    Bad content (ValueError) and files that cannot be used (OSError), as well as a missing optional dependency
    (ImportError), end in one line on stderr and exit code 2; `debug` shows the traceback as well.
    """
    logging.basicConfig(
        level=logging.INFO if debug else logging.WARNING,
        format="%(name)s: %(message)s" if debug else "note: %(message)s",
    )
    try:
        return command() or EXIT_OK
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); what is still buffered has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except (ValueError, OSError, ImportError) as error:
        if debug:
            traceback.print_exc()
        print(f"error: {one_line(error)}", file=sys.stderr)
        return EXIT_BAD_INPUT


def one_line(error: BaseException) -> str:
    """The message of an error in one line, with the file name that an OSError carries."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return " ".join(str(error).split()) or type(error).__name__


def wants_debug(arguments: Sequence[str]) -> bool:
    """Whether `--debug` stands among the arguments, before they are parsed."""
    return "--debug" in arguments


@contextlib.contextmanager
def step(done: str, *, quiet: bool = False) -> Iterator[None]:
    """Print what was done and how long it took when the block ends without an error: "separated song.mid  0.8 s"."""
    start = time.perf_counter()
    yield
    if not quiet:
        print_step(done, time.perf_counter() - start)


def print_step(done: str, seconds: float) -> None:
    """Print a line of a program's progress with its time."""
    print(f"{done}  ({seconds:.1f} s)", flush=True)


# --- inputs and outputs ----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Job:
    """One file to make of another."""

    input: Path
    output: Path


def expand_inputs(paths: Sequence[Path], extensions: Sequence[str]) -> list[Path]:
    """Return the files that are meant: files as they are, of folders all files with one of the extensions, sorted.

    Raises FileNotFoundError for a path that does not exist, ValueError for a folder without such files.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.name.lower().endswith(tuple(extensions)))
            found = [file for file in found if file.is_file() and not file.name.startswith(".")]
            if not found:
                raise ValueError(f"{path}: no file in this folder ends in {', '.join(extensions)}")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(2, "no such file or folder", str(path))
    return files


def plan(
    inputs: Sequence[Path], output: Path | None, extensions: Sequence[str], suffix: str, *, overwrite: bool
) -> list[Job]:
    """Pair inputs with outputs, and find out before any work whether they can be written.

    inputs: files and folders. One input file: `output` is the file to write, or a folder that exists; None: the same
    name with `suffix` in the current folder. Several files or a folder: `output` is a folder, made if needed, in which
    the names and sub-folders of the inputs are kept. Raises OSError or ValueError if this is not possible.
    """
    files = expand_inputs(inputs, extensions)
    many = len(files) > 1 or any(path.is_dir() for path in inputs)
    if not many:
        target = Path(named(files[0], suffix).name) if output is None else output
        target = target / named(files[0], suffix).name if target.is_dir() else target
        check_writable(target, overwrite=overwrite)
        if target.exists() and target.samefile(files[0]):
            raise ValueError(f"{target}: input and output are the same file")
        return [Job(files[0], target)]
    if output is None:
        raise ValueError("several files need a folder for the output: add -o FOLDER")
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(20, "several files need a folder for the output, and this is a file", str(output))
    jobs = []
    for path in inputs:
        for file in expand_inputs([path], extensions):
            inside = file.relative_to(path) if path.is_dir() else Path(file.name)
            jobs.append(Job(file, output / named(inside, suffix)))
    _check_unique(jobs)
    output.mkdir(parents=True, exist_ok=True)
    _check_folder(output)
    return jobs


def named(path: Path, suffix: str) -> Path:
    """Return the path with another extension; ".json.gz" and the like count as one."""
    return path.with_name(path.name.removesuffix(".gz")).with_suffix(suffix)


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Raise OSError if a file exists and must not be replaced, or cannot be written where it is wanted."""
    if path.exists() and not overwrite:
        raise FileExistsError(17, "exists already; add --overwrite to replace it, or choose another name", str(path))
    _check_folder(path.parent)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "this folder cannot be written to", str(folder))


def _check_unique(jobs: Sequence[Job]) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.output in seen:
            raise ValueError(f"{job.input} and {seen[job.output]} would both become {job.output}")
        seen[job.output] = job.input


# --- many files ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How the work on one file ended: error is None if it went well; details go into the report."""

    job: Job
    seconds: float
    error: str | None = None
    details: dict[str, Any] = dataclasses.field(default_factory=dict)


def run_jobs(
    jobs: Sequence[Job],
    work: Callable[[Job], dict[str, Any] | None],
    *,
    verb: str,
    workers: int = 1,
    overwrite: bool = False,
    as_json: bool = False,
    report_folder: Path | None = None,
    debug: bool = False,
    is_done: Callable[[Job], bool] | None = None,
    finish: Callable[[Sequence[Outcome], Sequence[Job]], None] | None = None,
) -> int:
    """Do the work on each file, say so in one line each, and return the exit code.

    One job without `report_folder`: an error is raised. Several: a failed file does not stop the others; the failures
    are listed at the end and in a report, which `as_json` prints and which is written as report.json into
    `report_folder` if something failed. work: a function of a module (other processes call it), which writes
    job.output; what it returns goes into the report. verb: "converted" and the like. is_done: jobs for which it is true
    are left as they are (`--resume`: files appear whole, so one that is there is done). finish: is called before the
    report with all outcomes and the jobs that were left.
    """
    kept = [job for job in jobs if is_done is not None and is_done(job)]
    if kept:
        jobs = [job for job in jobs if job not in kept]
        report_folder = report_folder if report_folder is not None else kept[0].output.parent
        print(f"{len(kept)} of {len(kept) + len(jobs)} files are there already", file=sys.stderr, flush=True)
    alone = len(jobs) == 1 and report_folder is None
    outcomes = []
    attempt = _Attempt(os.getcwd(), work, overwrite, debug, raises=alone)
    for outcome in _outcomes(jobs, attempt, workers):
        outcomes.append(outcome)
        if outcome.error is None and not as_json:
            print_step(f"{verb} {outcome.job.input} → {outcome.job.output}", outcome.seconds)
        elif outcome.error is not None:
            print(f"failed: {outcome.error}", file=sys.stderr, flush=True)
    if finish is not None:
        finish(outcomes, kept)
    return _conclude(outcomes, as_json, report_folder, verb, kept)


@dataclasses.dataclass(frozen=True)
class _Attempt:
    """Work on one file whose errors are kept, in the folder that paths are relative to.

    Processes of joblib live on, in the folder in which they were begun.
    """

    folder: str
    work: Callable[[Job], dict[str, Any] | None]
    overwrite: bool
    debug: bool
    raises: bool

    def __call__(self, job: Job) -> Outcome:
        start = time.perf_counter()
        os.chdir(self.folder)
        try:
            job.output.parent.mkdir(parents=True, exist_ok=True)
            check_writable(job.output, overwrite=self.overwrite)
            details = self.work(job)
        except (ValueError, OSError, ImportError) as error:
            if self.raises:
                raise
            if self.debug:
                traceback.print_exc()
            return Outcome(job, time.perf_counter() - start, with_path(one_line(error), job.input))
        return Outcome(job, time.perf_counter() - start, None, details or {})


def with_path(message: str, path: Path) -> str:
    """Name the file by its whole path, which readers of files know only by name."""
    if str(path) in message:
        return message
    return f"{path}: {message.removeprefix(f'{path.name}: ')}"


def _outcomes(jobs: Sequence[Job], attempt: _Attempt, workers: int) -> Iterator[Outcome]:
    """Give the outcomes in the order of the jobs."""
    if workers == 1 or len(jobs) == 1:
        yield from map(attempt, jobs)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    finished = 0
    try:
        for outcome in Parallel(n_jobs=workers, return_as="generator")(delayed(attempt)(job) for job in jobs):
            yield outcome
            finished += 1
    except TerminatedWorkerError:
        for job in jobs[finished:]:
            yield Outcome(job, 0.0, f"{job.input}: not done, a worker process died (out of memory?)")


def _conclude(
    outcomes: Sequence[Outcome], as_json: bool, report_folder: Path | None, verb: str, kept: Sequence[Job]
) -> int:
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    report: dict[str, Any] = {
        "done": [_entry(outcome) for outcome in outcomes if outcome.error is None],
        "failed": [_entry(outcome) for outcome in failed],
    }
    if kept:
        report["kept"] = [{"input": str(job.input), "output": str(job.output)} for job in kept]
    text = json.dumps(report, indent=2, ensure_ascii=False)
    if as_json:
        print(text)
    elif len(outcomes) > 1:
        print(f"{verb} {len(outcomes) - len(failed)} of {len(outcomes)} files")
    if not failed:
        return EXIT_OK
    print(f"{len(failed)} of {len(outcomes)} files failed:", file=sys.stderr)
    for outcome in failed:
        print(f"  {outcome.error}", file=sys.stderr)
    if report_folder is not None:
        with write_atomically(report_folder / REPORT) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        print(f"report: {report_folder / REPORT}", file=sys.stderr)
    return EXIT_SOME_FAILED


def _entry(outcome: Outcome) -> dict[str, Any]:
    entry: dict[str, Any] = {"input": str(outcome.job.input)}
    if outcome.error is None:
        entry.update(output=str(outcome.job.output), seconds=round(outcome.seconds, 3), **outcome.details)
    else:
        entry["error"] = outcome.error
    return entry
