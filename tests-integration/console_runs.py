"""The six console scripts run inside the test's own process, and what is wrong with how a run ended.

A process of its own would take seconds to import torch; `main` of each package is what its script calls.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import os
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

COUNTS: Counter[str] = Counter()  # printed at the end of the session (conftest.py)
NOTES = (".journal", ".conversion-plan")  # hidden files of a scan and of a conversion, by which they go on
# libmpg123, inside the wheel of soundfile, says this beside the error that it returns.
BY_LIBRARIES = ("Warning: Xing stream size off", "[src/libmpg123/")
# Python does not show these to users.
SILENT = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a run ended. code: its exit code, None if an exception escaped. errors: lines that a user would see."""

    code: int | None
    out: str
    errors: tuple[str, ...]


def run(program: str, arguments: Sequence[object]) -> Ending:
    """Run a console script with its arguments."""
    main = program_of(program)
    out, err = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(record=True) as warned, redirected_stderr() as from_libraries:
        warnings.simplefilter("always")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = exit_code(main, [str(argument) for argument in arguments])
    shown = [f"{item.category.__name__}: {item.message}" for item in warned if not issubclass(item.category, SILENT)]
    told = [line for line in from_libraries if not line.startswith(BY_LIBRARIES)]
    lines = (*err.getvalue().splitlines(), *told, *shown)
    COUNTS["runs"] += 1
    COUNTS["ended by an exception" if code is None else f"exit code {code}"] += 1
    return Ending(code, out.getvalue(), lines)


def program_of(name: str) -> Callable[[list[str]], int | None]:
    """Return what a console script calls."""
    main: Callable[[list[str]], int | None] = importlib.import_module(f"{name.replace('-', '_')}.cli").main
    return main


def exit_code(main: Callable[[list[str]], int | None], arguments: list[str]) -> int | None:
    """Return what `main` returns or exits with; None, after printing the traceback, for an exception."""
    try:
        return main(arguments) or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception:  # noqa: BLE001 - whatever escapes is what the tests look for
        traceback.print_exc()
        return None


@contextlib.contextmanager
def redirected_stderr() -> Iterator[list[str]]:
    """Collect what C libraries print on stderr by themselves; the list is filled when the block ends."""
    lines: list[str] = []
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            lines += file.read().decode("utf-8", "replace").splitlines()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def faults(
    ending: Ending, before: dict[str, bytes], after: dict[str, bytes], *, refused: bool, named: str
) -> list[str]:
    """Return what is wrong with a run on damaged input, in words.

    refused: whether it had to end with an error. named: what that error must name.
    """
    found = []
    hidden = [name for name in after if Path(name).name.startswith(".")]
    if hidden:
        found.append(f"left behind {', '.join(hidden)}")
    if any(after.get(name) != content for name, content in before.items()):
        found.append("changed what was there")
    if ending.code is None:
        return [*found, f"traceback: {ending.errors[-1] if ending.errors else ''}"]
    if ending.code == 0:
        return [*found, "took it for a whole file"] if refused else found
    if ending.code == 1:
        return found if any("fail" in line for line in ending.errors) else [*found, "exit code 1 names no failure"]
    if ending.code != 2:
        found.append(f"exit code {ending.code}")
    if len(ending.errors) != 1 or not ending.errors[0].startswith("error: "):
        found.append(f"{len(ending.errors)} lines on stderr: {' | '.join(ending.errors)[:300]}")
    elif refused and named not in ending.errors[0]:
        found.append(f"does not name {named}: {ending.errors[0]}")
    if set(after) - set(before):
        found.append(f"exit code 2, yet wrote {', '.join(sorted(set(after) - set(before)))}")
    return found
