"""Humdrum kern files → Music, through verovio like MEI (see `muspy_core.io.mei`)."""

from __future__ import annotations

import os
from typing import IO

from muspy_core.errors import KernError
from muspy_core.io.files import read_source
from muspy_core.io.mei.normalise import DEFAULT_TIMEOUT
from muspy_core.io.mei.reader import read_through_verovio
from muspy_core.music import Music


def read_kern(
    path: str | os.PathLike[str] | IO[bytes],
    resolution: int | None = None,
    *,
    expand_repeats: bool = True,
    merge_ties: bool = True,
    keep_cue: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
) -> Music:
    """Read a Humdrum file with **kern spines; a spine is a part, two that name no instrument are a piano.

    Args:
        path: The file (.krn), or a binary file object.
        resolution: Time steps per quarter note. By default the smallest number that represents every position exactly;
            else positions are rounded to steps.
        expand_repeats: Play repeats and endings; otherwise the score is read as it is written and the signs stand in
            `Music.repeats`.
        merge_ties: Join tied notes; otherwise each written note is one, and `Note.tie` tells.
        keep_cue: Keep cue notes (`Note.cue`); otherwise they are left out.
        timeout: Seconds after which verovio, which works in a child process, is given up.

    Raises KernError if the content cannot be read, OSError if the file cannot, ModuleNotFoundError without verovio.
    """
    name, data = read_source(path, KernError)
    if b"**" not in data:
        raise KernError(f"{name}: there is no exclusive interpretation (**kern); this is no Humdrum file")
    return read_through_verovio(
        data, name, "humdrum", KernError, resolution, expand_repeats, merge_ties, keep_cue, timeout
    )
