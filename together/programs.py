"""The console scripts of the six packages, run from a program above them (the first step of chain.py and of app.py).

Packages never depend on each other, so what joins them stands outside: it hands files from one command to the next, as
a person would in a shell. Nothing here imports a model package.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROGRAMS = ("muspy-core", "mmt", "arranger", "deepperformer", "clipsep", "clipsonic")


class ProgramError(ValueError):
    """A command is not installed, failed, or took too long; the message is the last line that it wrote."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A command that ended well.

    command: as in a shell. report: its JSON. seconds, cpu_seconds: by the clock, and of processors (0 where the system
    does not say).
    """

    command: str
    report: dict[str, Any]
    seconds: float
    cpu_seconds: float


def run(
    program: str,
    *arguments: object,
    folder: Path,
    limit_s: float = 600.0,
    threads: int | None = None,
    started: Callable[[subprocess.Popen[str]], None] = lambda process: None,
) -> Run:
    """Run a console script of this environment with `--json` in a folder, and return what it reports.

    arguments: as in a shell, file names relative to the folder. threads: of numerical libraries; None: as they like.
    started: is given the process, so that somebody else may end it. Raises ProgramError.
    """
    words = [program, *map(str, arguments)]
    settings = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    start, before = time.perf_counter(), _children_cpu_seconds()
    process = subprocess.Popen(
        [path_of(program), *words[1:], "--json"],
        cwd=folder,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    started(process)
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{program}: not ready after {limit_s:g} s, and stopped") from None
    finally:
        if process.poll() is None:  # too slow, or we are interrupted: no command outlives its caller
            process.kill()
            process.communicate()
    if process.returncode:
        lines = [line.strip() for line in err.splitlines() if line.strip()]
        said = lines[-1].removeprefix("error: ") if lines else f"ended with exit code {process.returncode}"
        raise ProgramError(f"{program}: {said}")
    seconds, cpu_seconds = time.perf_counter() - start, _children_cpu_seconds() - before
    return Run(shlex.join(words), _report(program, out), seconds, cpu_seconds)


def path_of(program: str) -> str:
    """Return where a console script of this environment lies. Raises ProgramError if it is not installed."""
    found = shutil.which(program, path=sysconfig.get_path("scripts"))
    if program not in PROGRAMS or found is None:
        raise ProgramError(f"{program}: not installed in this environment")
    return found


def missing(programs: Sequence[str] = PROGRAMS) -> list[str]:
    """Return the programs that are not installed in this environment."""
    scripts = sysconfig.get_path("scripts")
    return [program for program in programs if shutil.which(program, path=scripts) is None]


def _report(program: str, text: str) -> dict[str, Any]:
    try:
        report = json.loads(text)
    except ValueError:
        raise ProgramError(f"{program}: its report is not JSON: {text[:200]!r}") from None
    return report if isinstance(report, dict) else {"results": report}


def _children_cpu_seconds() -> float:
    times = os.times()  # of children: 0 on Windows
    return times.children_user + times.children_system
