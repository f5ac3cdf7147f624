"""Commands on pieces of music: how their inputs are read, and how many of them become outputs (used by cli.py and
rendering_commands.py)."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, Job, Outcome, plan, positive, run_jobs
from muspy_core.errors import MIDIError
from muspy_core.io import READABLE, read
from muspy_core.music import Music
from muspy_core.pipes import add_from_option

MIDI_EXTENSIONS = (".mid", ".midi", ".rmi", ".kar")


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the files and how they are read."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files or folders")
    parser.add_argument("--tolerant", action="store_true", help="keep what can be read of a damaged MIDI file")
    add_from_option(parser)
    parser.add_argument("--tune", type=positive, metavar="N", help="which tune of an ABC file with several (from 1)")


def is_batch(options: argparse.Namespace) -> bool:
    """Whether the output is a folder."""
    return len(options.files) > 1 or options.files[0].is_dir()


def suffix_of(extension: str | None) -> str:
    """Return ".mid" of "mid", ".MID" or ".mid"; "" of None."""
    return f".{extension.lower().lstrip('.')}" if extension else ""


def run_batch(
    options: argparse.Namespace,
    suffix: str,
    work: Callable[[Job], dict[str, Any] | None],
    verb: str,
    next_step: str,
    is_done: Callable[[Job], bool] = lambda job: job.output.exists(),
    finish: Callable[[Sequence[Outcome], Sequence[Job]], None] | None = None,
) -> int:
    """Do the work on all inputs and return the exit code.

    next_step: what to try next, with {input} and {output} for the first of them. is_done: whether a job needs no work
    under `--resume`. finish: as in `run_jobs`.
    """
    if options.resume and options.overwrite:
        raise ValueError("--resume keeps files that are there, --overwrite replaces them; choose one")
    jobs = plan(options.files, options.output, READABLE, suffix, overwrite=options.overwrite or options.resume)
    code = run_jobs(
        jobs,
        work,
        verb=verb,
        workers=options.jobs,
        overwrite=options.overwrite,
        as_json=options.json,
        report_folder=options.output if is_batch(options) else None,
        debug=options.debug,
        is_done=is_done if options.resume else None,
        finish=finish,
    )
    if code == EXIT_OK and not options.json and not options.to_pipe:
        print(f"next: {next_step.format(input=jobs[0].input, output=jobs[0].output)}")
    return code


@dataclasses.dataclass(frozen=True)
class Reading:
    """How inputs are read: which tune of several, and whether damaged MIDI files are."""

    tune: int | None
    tolerant: bool


def reading_of(options: argparse.Namespace) -> Reading:
    """Return what the options say."""
    return Reading(options.tune, options.tolerant)


def read_piece(path: Path, reading: Reading) -> Music:
    """Read one piece; of a file with several tunes the chosen one."""
    tune = reading.tune
    found = read_tolerantly(path) if reading.tolerant and path.suffix.lower() in MIDI_EXTENSIONS else read_file(path)
    tunes = [found] if isinstance(found, Music) else list(found)
    if tune is None and len(tunes) > 1:
        raise ValueError(f"{path}: {len(tunes)} tunes; choose one by --tune 1 to {len(tunes)}")
    if tune is not None and tune > len(tunes):
        raise ValueError(f"{path}: there is no tune {tune}; the file holds {len(tunes)}")
    if not tunes:
        raise ValueError(f"{path}: no tune in this file")
    return tunes[(tune or 1) - 1]


def read_file(path: Path) -> Any:
    """Read a file: a piece, or the tunes of an ABC file."""
    try:
        return read(path)
    except MIDIError as error:
        # What the library calls an argument is an option here.
        raise MIDIError(str(error).replace("use tolerant=True", "add --tolerant")) from error


def read_tolerantly(path: Path) -> Music:
    """Read what can be read of a MIDI file, and say on stderr what was dropped."""
    from muspy_core.io.midi import read_midi_report

    music, dropped = read_midi_report(path)
    for reason in dropped:
        print(f"{path}: {reason}; the rest was read", file=sys.stderr)
    return music
