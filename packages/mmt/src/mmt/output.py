"""Generated songs → files: MIDI, JSON, sound, and a page that shows and plays them."""

from __future__ import annotations

from pathlib import Path

from muspy_core import Music, write
from muspy_core.io.files import write_atomically


def song_files(folder: Path, index: int, count: int, *, wav: bool = False) -> dict[str, Path]:
    """Return the files of a song by their kind: `mid`, `json`, and `wav` if wanted. index: from 0, of `count` songs."""
    digits = max(2, len(str(count)))
    return {kind: folder / f"song-{index + 1:0{digits}}.{kind}" for kind in ("mid", "json", *(("wav",) if wav else ()))}


def write_song(paths: dict[str, Path], music: Music, *, overwrite: bool = False) -> None:
    """Write a song into each of its files. Raises FileExistsError where one exists and must not be replaced."""
    for kind, path in paths.items():
        with write_atomically(path, overwrite) as temporary:
            if kind == "json":
                music.save(temporary)
            else:
                write(temporary, music)
