"""What the console scripts of all packages share: how they end, and how they say what went wrong."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def run_command(command: Callable[[], int | None], *, debug: bool = False) -> int:
    """Run a command and return its exit code.

    Bad content (ValueError) and files that cannot be used (OSError), as well as a missing optional dependency
    (ImportError), end in one line on stderr and exit code 2; `debug` shows the traceback as well.
    """
    try:
        return command() or EXIT_OK
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
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
