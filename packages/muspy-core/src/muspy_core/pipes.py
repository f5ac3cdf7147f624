"""`-` in the place of a file: standard input and output of the console scripts (parse → pipes → a command → pipes).

Commands read and write files, so `-` becomes one for them. What comes by standard input is stored whole, with the
extension that its content deserves. What the command wrote goes to standard output after it has ended well: the next
program gets all of it or nothing. Everything that is printed meanwhile goes to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from muspy_core.errors import PipeError
from muspy_core.io.contents import extension_of

PIPE = Path("-")
TEXTS = (".abc", ".csv", ".html", ".json", ".musicxml", ".mxml", ".svg", ".xml", ".yaml", ".yml")
_ELSEWHERE = ("json",)  # where `-` has a meaning of its own: `arranger evaluate --json -`


@dataclass(frozen=True)
class Pipes:
    """What of a command may be `-`.

    inputs: names of its options and arguments. extension: of what it writes by `-o -`, which its options may say; None
    if it writes nothing there.
    """

    inputs: tuple[str, ...]
    extension: Callable[[argparse.Namespace], str] | None


def add_pipes(
    parser: argparse.ArgumentParser, *inputs: str, extension: str | Callable[[argparse.Namespace], str] | None = None
) -> None:
    """Let a command read `-` and write `-o -`; its options then know `to_pipe`.

    inputs, extension: as in `Pipes`; a text stands for the same extension whatever the options are.
    """
    of_options = None if extension is None else extension if callable(extension) else lambda _: str(extension)
    parser.set_defaults(pipes=Pipes(inputs, of_options), to_pipe=False)
    reads = "- as a file reads standard input" if inputs else ""
    writes = "-o - writes to standard output" if extension else ""
    parser.epilog = f"In pipes: {', '.join(filter(None, (reads, writes)))}."


def add_from_option(parser: argparse.ArgumentParser) -> None:
    """Add `--from`, for scores whose format their content does not tell."""
    parser.add_argument(
        "--from", dest="piped_format", metavar="EXT", help="format of standard input (default: its content tells)"
    )


def run_in_pipes(options: argparse.Namespace, stack: contextlib.ExitStack) -> int | None:
    """Run the command of the options, whose `-` become files until the stack is closed.

    What is printed until then names the files as `-`. Raises PipeError for a `-` that the command does not take.
    """
    pipes = vars(options).pop("pipes", Pipes((), None))
    given = _given(options, pipes)
    if not given:
        code: int | None = options.command(options)
        return code
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipes-")))
    names: dict[str, str] = {}
    target = _open_output(options, pipes, folder, names) if "output" in given else None
    out = sys.stdout
    stack.enter_context(contextlib.redirect_stdout(_Shown(sys.stdout if target is None else sys.stderr, names)))
    stack.enter_context(contextlib.redirect_stderr(_Shown(sys.stderr, names)))
    for name in given:
        if name != "output":
            _open_input(options, name, folder, names)
    code = options.command(options)
    if target is not None and not code:
        _send(target, out)
    return code


def _given(options: argparse.Namespace, pipes: Pipes) -> list[str]:
    """The names of options that are `-`, or have it in their list."""
    given = [name for name, value in vars(options).items() if name not in _ELSEWHERE and PIPE in _listed(value)]
    for name in given:
        if name == "output" and pipes.extension is None:
            raise PipeError("-o -: this command writes files and folders, and nothing into a pipe")
        if name not in (*pipes.inputs, "output"):
            raise PipeError(f"{name}: - is a pipe, which is not read here; name a file")
    inputs = [value for name in given if name != "output" for value in _listed(getattr(options, name)) if value == PIPE]
    if len(inputs) > 1:
        raise PipeError("standard input can be read once; name a file in the place of all - but one")
    if not inputs and getattr(options, "piped_format", None):
        raise PipeError("--from is the format of standard input: it goes with - as a file")
    return given


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _open_input(options: argparse.Namespace, name: str, folder: Path, names: dict[str, str]) -> None:
    """Store standard input, and put its file in the place of `-`."""
    unnamed = folder / "stdin"
    names[str(unnamed)] = "standard input"
    with unnamed.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if not unnamed.stat().st_size:
        raise PipeError("standard input is empty; did the program before this one fail?")
    wanted = getattr(options, "piped_format", None)
    extension = f".{wanted.lower().lstrip('.')}" if wanted else extension_of(unnamed)
    if extension is None:
        hint = "; add --from EXT" if hasattr(options, "piped_format") else ""
        raise PipeError(f"standard input: its content is of no format that is known here{hint}")
    path = unnamed.rename(folder / f"stdin{extension}")
    names[str(path)] = str(PIPE)
    value = getattr(options, name)
    setattr(options, name, [path if item == PIPE else item for item in value] if isinstance(value, list) else path)


def _open_output(options: argparse.Namespace, pipes: Pipes, folder: Path, names: dict[str, str]) -> Path:
    """Put a file that is not there yet in the place of `-o -`, and return it."""
    assert pipes.extension is not None
    extension = pipes.extension(options)
    sources = [path for name in pipes.inputs for path in _listed(getattr(options, name)) if isinstance(path, Path)]
    if len(getattr(options, "files", ())) > 1 or any(path.is_dir() for path in sources):
        raise PipeError("-o -: several files become several, and a pipe takes one; name a folder for them")
    if getattr(options, "json", False):
        raise PipeError("--json prints where -o - writes: choose one")
    if sys.stdout.isatty() and extension not in TEXTS:
        raise PipeError(f"-o -: a terminal shows no {extension}; lead it on (… | PROGRAM, … > FILE), or name a file")
    path = folder / f"stdout{extension}"
    names[str(path)] = str(PIPE)
    options.output, options.to_pipe = path, True
    return path


def _send(path: Path, out: IO[str]) -> None:
    """Copy a file to standard output."""
    if not path.is_file():
        raise PipeError("-o -: the result is several files, and a pipe takes one; name a file or folder")
    with path.open("rb") as file:
        try:
            shutil.copyfileobj(file, out.buffer)  # type: ignore[attr-defined]  # text streams of a process have one
            out.flush()
        except OSError as error:
            # What is still buffered has nowhere to go either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            if not isinstance(error, BrokenPipeError):  # of a reader that has had enough (`| head`)
                raise OSError(error.errno, error.strerror, "standard output") from None


class _Shown:
    """A stream that shows paths as the user knows them."""

    def __init__(self, stream: Any, names: Mapping[str, str]) -> None:
        self._stream, self._names = stream, names

    def write(self, text: str) -> int:
        """Write a text in which each path has its name."""
        for path in sorted(self._names, key=len, reverse=True):
            # JSON doubles the backslashes of Windows.
            for written in (path.replace("\\", "\\\\"), path):
                text = text.replace(written, self._names[path])
        self._stream.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
