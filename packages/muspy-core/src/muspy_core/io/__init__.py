"""Files: `read` and `write` choose the format by the extension or by `kind`; one module (or folder) a format."""

from __future__ import annotations

import gzip
import importlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from muspy_core.errors import MuspyError
from muspy_core.io.files import read_bytes, write_target

if TYPE_CHECKING:
    from muspy_core.music import Music

_SCORES = {
    ".mid": "midi",
    ".midi": "midi",
    ".rmi": "midi",
    ".kar": "midi",
    ".mxl": "musicxml",
    ".xml": "musicxml",
    ".mxml": "musicxml",
    ".musicxml": "musicxml",
    ".mscx": "musescore",
    ".mscz": "musescore",
    ".abc": "abc",
    ".krn": "kern",
    ".mei": "mei",
}
_SAVED = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
_AUDIO = (".wav", ".aiff", ".flac", ".oga", ".ogg", ".mp3")
_ONLY_READ = ("musescore", "kern", "mei")

_READERS = {
    "midi": ("muspy_core.io.midi", "read_midi"),
    "musicxml": ("muspy_core.io.musicxml", "read_musicxml"),
    "musescore": ("muspy_core.io.musescore", "read_musescore"),
    "abc": ("muspy_core.io.abc", "read_abc"),
    "kern": ("muspy_core.io.kern", "read_kern"),
    "mei": ("muspy_core.io.mei", "read_mei"),
    "json": ("muspy_core.io.json", "load_json"),
    "yaml": ("muspy_core.io.yaml", "load_yaml"),
}
_WRITERS = {
    "midi": ("muspy_core.io.midi", "write_midi"),
    "musicxml": ("muspy_core.io.musicxml", "write_musicxml"),
    "abc": ("muspy_core.io.abc", "write_abc"),
    "json": ("muspy_core.io.json", "save_json"),
    "yaml": ("muspy_core.io.yaml", "save_yaml"),
    "audio": ("muspy_core.rendering", "write_audio"),
}

_WRITTEN = tuple(extension for extension, kind in _SCORES.items() if kind not in _ONLY_READ)
_COMPRESSED = tuple(f"{extension}.gz" for extension in (*_SCORES, *_SAVED))
READABLE = (*_SCORES, *_SAVED, *_COMPRESSED)
WRITABLE = (*_WRITTEN, *_SAVED, *(f"{extension}.gz" for extension in (*_WRITTEN, *_SAVED)), *_AUDIO)


def read(path: str | os.PathLike[str] | IO[bytes], kind: str | None = None, **kwargs: Any) -> Music | Any:
    """Read a MIDI, MusicXML, MuseScore, ABC, kern, MEI, JSON or YAML file.

    Args:
        path: The file, or a binary file object, which needs `kind`. A path that ends in .gz is decompressed.
        kind: "midi", "musicxml", "musescore", "abc", "kern", "mei", "json" or "yaml"; by default the extension decides.
        **kwargs: Options of the format's own reader (`read_midi`, `read_musicxml`, …).

    Returns the music; of an ABC file with several tunes a list of them.
    Raises ValueError for an unknown extension or bad content, OSError if the file cannot be read.
    """
    kind = kind or _kind_of(path, READABLE)
    reader = _function(_READERS, kind)
    if isinstance(path, (str, os.PathLike)) and _is_gzip(path) and kind not in _SAVED.values():
        return reader(_decompressed(path), **kwargs)
    return reader(path, **kwargs)


def write(path: str | os.PathLike[str] | IO[bytes], music: Music, kind: str | None = None, **kwargs: Any) -> None:
    """Write a MIDI, MusicXML, ABC, JSON, YAML or audio file.

    Args:
        path: The file to write, or a binary file object, which needs `kind` (not for audio). A path that ends in .gz is
            compressed.
        music: The music.
        kind: "midi", "musicxml", "abc", "json", "yaml" or "audio"; by default the extension decides.
        **kwargs: Options of the format's own writer.

    Raises ValueError for an unknown extension or for music that the format cannot hold.
    """
    kind = kind or _kind_of(path, WRITABLE)
    writer = _function(_WRITERS, kind)
    if isinstance(path, (str, os.PathLike)) and _is_gzip(path) and kind not in _SAVED.values():
        stream = io.BytesIO()
        overwrite = kwargs.pop("overwrite", True)
        writer(stream, music, **kwargs)
        write_target(path, gzip.compress(stream.getvalue(), mtime=0), overwrite)
    else:
        writer(path, music, **kwargs)


def load(path: str | os.PathLike[str] | IO[Any], kind: str | None = None, **kwargs: Any) -> Music:
    """Load music saved as JSON or YAML.

    Args:
        path: The file (compressed if it ends in .gz), or a file object, which needs `kind`.
        kind: "json" or "yaml"; by default the extension decides.
    """
    music: Music = _function(_READERS, _saved_kind(path, kind))(path, **kwargs)
    return music


def save(path: str | os.PathLike[str] | IO[Any], music: Music, kind: str | None = None, **kwargs: Any) -> None:
    """Save music as JSON or YAML; the counterpart of `load`."""
    _function(_WRITERS, _saved_kind(path, kind))(path, music, **kwargs)


def _kind_of(path: str | os.PathLike[str] | IO[Any], known: tuple[str, ...]) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError("a file object has no extension: name the format by `kind`")
    name = Path(path).name.lower()
    extension = Path(name.removesuffix(".gz")).suffix
    if extension in known and (not name.endswith(".gz") or f"{extension}.gz" in known):
        return _SAVED.get(extension) or _SCORES.get(extension) or "audio"
    shown = ", ".join(item for item in known if not item.endswith(".gz"))
    raise ValueError(f"{Path(path).name}: the extension {extension!r} is none of {shown}; name the format by `kind`")


def _saved_kind(path: str | os.PathLike[str] | IO[Any], kind: str | None) -> str:
    if kind is None and not isinstance(path, (str, os.PathLike)):
        raise ValueError('a file object needs `kind`: "json" or "yaml"')
    kind = kind or _kind_of(path, READABLE)
    if kind not in _SAVED.values():
        raise ValueError(f'music is saved as "json" or "yaml", not {kind!r}; use `read` and `write` for scores')
    return kind


def _is_gzip(path: str | os.PathLike[str]) -> bool:
    return os.fspath(path).lower().endswith(".gz")


def _decompressed(path: str | os.PathLike[str]) -> IO[bytes]:
    """Return the content of a .gz file as a file object that has its name without .gz."""
    from muspy_core.io.json import decompress

    name = Path(path).name
    stream = _NamedBytes(decompress(read_bytes(path), name, MuspyError))
    stream.name = name[: -len(".gz")]
    return stream


class _NamedBytes(io.BytesIO):
    """Bytes with the name of the file that they stand for, which readers use in messages and metadata."""

    name: str


def _function(functions: dict[str, tuple[str, str]], kind: str) -> Callable[..., Any]:
    """Return the reader or writer of a format, importing its module only now."""
    if kind not in functions:
        raise ValueError(f"`kind` must be one of {', '.join(functions)}, got {kind!r}")
    module, name = functions[kind]
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function
