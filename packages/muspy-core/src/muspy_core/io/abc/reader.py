"""ABC → Music: the public readers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from muspy_core.errors import ABCError
from muspy_core.io.abc.assembly import make_music
from muspy_core.io.abc.book import Tune, decode, split_book
from muspy_core.io.abc.tune import TuneReader
from muspy_core.io.files import read_bytes
from muspy_core.music import Music
from muspy_core.timing import DEFAULT_RESOLUTION

MAX_RESOLUTION = 100_000


def read_abc(
    path: str | os.PathLike[str] | IO[bytes],
    number: int | None = None,
    resolution: int = DEFAULT_RESOLUTION,
    *,
    expand_repeats: bool = True,
) -> Music | list[Music]:
    """Read an ABC file.

    Args:
        path: The file, or a binary file object.
        number: Reference number (X:) of the tune to read; by default all tunes are.
        resolution: Time steps per quarter note; times are rounded to the nearest step.
        expand_repeats: Play repeats, endings, parts (P:) and da capo; otherwise the tune is read as it is written and
            the signs stand in `Music.repeats`.

    Returns a `Music`, or a list of them if the file holds several tunes and no `number` is given, as MusPy does.
    Raises ABCError for content that cannot be read or an unknown number, OSError if the file cannot be read.
    """
    if isinstance(path, (str, os.PathLike)):
        name = Path(path).name
        try:
            data = read_bytes(path)
        except OSError:
            raise
        except ValueError as error:
            raise ABCError(str(error)) from None
    else:
        name = Path(str(getattr(path, "name", "stream"))).name
        data = path.read()
    try:
        text = decode(data)
    except ABCError as error:
        raise ABCError(f"{name}: {error}") from None
    return _read(text, name, number, resolution, expand_repeats)


def read_abc_string(
    data_str: str,
    number: int | None = None,
    resolution: int = DEFAULT_RESOLUTION,
    *,
    expand_repeats: bool = True,
) -> Music | list[Music]:
    """Read ABC text; see `read_abc`. Raises ABCError for content that cannot be read."""
    return _read(data_str, None, number, resolution, expand_repeats)


def _read(
    text: str, name: str | None, number: int | None, resolution: int, expand_repeats: bool
) -> Music | list[Music]:
    if not 1 <= resolution <= MAX_RESOLUTION:
        raise ValueError(f"resolution must be 1 to {MAX_RESOLUTION:,} time steps per quarter note, got {resolution}")
    label = name or "ABC text"
    try:
        header, tunes = split_book(text)
    except ABCError as error:
        raise ABCError(f"{label}: {error}") from None
    if number is not None:
        found = [tune for tune in tunes if tune.number == number]
        if not found and len(tunes) > 1:
            raise ABCError(f"{label}: no tune X:{number}; there are {_summarise(tunes)}")
        tunes = (found or tunes)[:1]
    music = [_read_tune(tune, header, label, name, resolution, expand_repeats) for tune in tunes]
    return music[0] if len(music) == 1 else music


def _read_tune(
    tune: Tune, header: list[str], label: str, name: str | None, resolution: int, expand_repeats: bool
) -> Music:
    where = label if tune.number is None else f"{label}: tune X:{tune.number}"
    reader = TuneReader(tune)
    try:
        reader.read(header)
    except ABCError as error:
        raise ABCError(f"{where}, line {reader.line}: {error}") from None
    try:
        return make_music(reader, resolution, expand_repeats, name)
    except ABCError as error:
        raise ABCError(f"{where}: {error}") from None


def _summarise(tunes: list[Tune]) -> str:
    numbers = [str(tune.number) for tune in tunes if tune.number is not None]
    shown = ", ".join(numbers[:8])
    return f"X: {shown}, … ({len(numbers)} tunes)" if len(numbers) > 8 else f"X: {shown}"
