"""Sources: pieces to convert or to count, with names, read by number in any process (data sets, before conversion)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from muspy_core.music import Music

if TYPE_CHECKING:
    from muspy_core.datasets.base import Pieces

MIDI_ENDINGS = (".mid", ".midi", ".rmi", ".kar")


class Source(Protocol):
    """Pieces that can be counted, named and read by number, and sent to other processes."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return what to call a piece in the report."""

    def music(self, index: int) -> Music:
        """Read a piece."""


@runtime_checkable
class Divisible(Source, Protocol):
    """A source that can be cut into parts that are light to send."""

    def part(self, run: range) -> Source:
        """Return the pieces of a run as a source of their own."""


@runtime_checkable
class MidiFiles(Source, Protocol):
    """A source that may consist of MIDI files: these can be converted without making `Music` of them."""

    def midi(self, index: int) -> Path | None:
        """Return the file of a piece if `music` does nothing but read it as MIDI, else None."""


@dataclasses.dataclass
class Indexed:
    """A source made of any sequence of pieces, named by number or by `names`."""

    pieces: Pieces
    names: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.pieces)

    def name(self, index: int) -> str:
        """Return the name of the piece."""
        return str(index) if self.names is None else self.names[index]

    def music(self, index: int) -> Music:
        """Read a piece."""
        return self.pieces[index]


@dataclasses.dataclass
class _Part:
    """Some pieces of a source that cannot be divided; all of it is sent."""

    source: Source
    run: range

    def __len__(self) -> int:
        return len(self.run)

    def name(self, index: int) -> str:
        return self.source.name(self.run[index])

    def music(self, index: int) -> Music:
        return self.source.music(self.run[index])


def part_of(source: Source, run: range) -> Source:
    """Return the pieces of a run of a source as a source of their own."""
    return source.part(run) if isinstance(source, Divisible) else _Part(source, run)


def is_midi(filename: Any) -> bool:
    """Whether a raw file is one that `muspy_core.read` reads as MIDI."""
    return isinstance(filename, Path) and filename.name.lower().endswith(MIDI_ENDINGS)
