"""MIDI ports by their names, for programs that play or listen in time; needs mido and python-rtmidi.

Both come with the extra `live` of the package that opens a port, whose name errors tell. Where python-rtmidi has no
wheels, or a machine has no MIDI at all, one line says so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from muspy_core.errors import MuspyError, install_hint

PERCUSSION_CHANNEL = 9
CHANNELS = tuple(channel for channel in range(16) if channel != PERCUSSION_CHANNEL)
VIRTUAL = "virtual"


class PortError(MuspyError):
    """A MIDI port that is not there, or MIDI that cannot be used on this machine."""


class Output(Protocol):
    """Where messages go: a port of mido."""

    def send(self, message: Any) -> None:
        """Send a message."""


def open_port(name: str, kind: Literal["input", "output"], package: str) -> Any:
    """Open a port of mido by its name or the beginning of it; "virtual" makes one that is called like the package.

    Raises PortError, with the names that there are, for one that does not exist or cannot be opened.
    """
    mido = import_mido(package)
    inputs, outputs = port_names(package)
    there = inputs if kind == "input" else outputs
    opener = mido.open_input if kind == "input" else mido.open_output
    try:
        if name == VIRTUAL:
            return opener(package, virtual=True)
        fitting = [port for port in there if port == name] or [p for p in there if p.lower().startswith(name.lower())]
        if fitting:
            return opener(fitting[0])
    except OSError as error:
        raise PortError(f"the MIDI {kind} {name!r} cannot be opened: {error}") from None
    listed = ", ".join(repr(port) for port in there) or "none"
    raise PortError(f"no file and no MIDI {kind} {name!r}; {kind}s: {listed}; {VIRTUAL!r} makes one")


def port_names(package: str) -> tuple[list[str], list[str]]:
    """Return the names of the inputs and of the outputs; raises PortError where there is no MIDI at all."""
    mido = import_mido(package)
    try:
        with _quiet():
            return mido.get_input_names(), mido.get_output_names()
    except ImportError:
        wanted = install_hint(package, "live")
        raise ImportError(f"MIDI ports need python-rtmidi; install the extra: {wanted}") from None
    except OSError as error:
        raise PortError(f"this machine has no MIDI ports ({error}); a file can be played instead") from None


def import_mido(package: str) -> Any:
    """Return the module mido. Raises ImportError, naming the extra of the package, where it is missing."""
    try:
        import mido
    except ModuleNotFoundError:
        wanted = install_hint(package, "live")
        raise ImportError(f"MIDI in time needs mido; install the extra: {wanted}") from None
    return mido


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what C libraries print: ALSA complains on stderr by itself, beside the error that it returns."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
