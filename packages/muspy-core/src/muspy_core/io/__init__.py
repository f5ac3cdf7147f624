"""Files: `read` and `write` choose the format by the extension or by `kind`; one module (or folder) a format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

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
    ".abc": "abc",
}
_SAVED = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
_AUDIO = (".wav", ".aiff", ".flac", ".oga", ".ogg", ".mp3")

READABLE = (*_SCORES, *_SAVED, ".json.gz", ".yaml.gz", ".yml.gz")
WRITABLE = (*READABLE, *_AUDIO)


def read(path: str | os.PathLike[str], kind: str | None = None, **kwargs: Any) -> Music | Any:
    """Read a MIDI, MusicXML, ABC, JSON or YAML file.

    Args:
        path: The file.
        kind: "midi", "musicxml", "abc", "json" or "yaml"; by default the extension decides.
        **kwargs: Options of the format's own reader (`read_midi`, `read_musicxml`, …).

    Returns the music; of an ABC file with several tunes a list of them.
    Raises ValueError for an unknown extension or bad content, OSError if the file cannot be read.
    """
    return _reader(kind or _kind_of(path))(path, **kwargs)


def write(path: str | os.PathLike[str], music: Music, kind: str | None = None, **kwargs: Any) -> None:
    """Write a MIDI, MusicXML, ABC, JSON, YAML or audio file.

    Args:
        path: The file to write.
        music: The music.
        kind: "midi", "musicxml", "abc", "json", "yaml" or "audio"; by default the extension decides.
        **kwargs: Options of the format's own writer.

    Raises ValueError for an unknown extension or for music that the format cannot hold.
    """
    _writer(kind or _kind_of(path, audio=True))(path, music, **kwargs)


def load(path: str | os.PathLike[str] | IO[Any], kind: str | None = None, **kwargs: Any) -> Music:
    """Load music saved as JSON or YAML.

    Args:
        path: The file (compressed if it ends in .gz), or a file object, which needs `kind`.
        kind: "json" or "yaml"; by default the extension decides.
    """
    music: Music = _reader(_saved_kind(path, kind))(path, **kwargs)
    return music


def save(path: str | os.PathLike[str] | IO[Any], music: Music, kind: str | None = None, **kwargs: Any) -> None:
    """Save music as JSON or YAML; the counterpart of `load`."""
    _writer(_saved_kind(path, kind))(path, music, **kwargs)


def _kind_of(path: str | os.PathLike[str], audio: bool = False) -> str:
    name = Path(path).name.lower()
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix in _SAVED:
        return _SAVED[suffix]
    if suffix in _SCORES and not name.endswith(".gz"):
        return _SCORES[suffix]
    if audio and suffix in _AUDIO:
        return "audio"
    known = ", ".join(WRITABLE if audio else READABLE)
    raise ValueError(f"{Path(path).name}: the extension {suffix!r} is none of {known}; name the format by `kind`")


def _saved_kind(path: Any, kind: str | None) -> str:
    if kind is None and not isinstance(path, (str, os.PathLike)):
        raise ValueError('a file object needs `kind`: "json" or "yaml"')
    kind = kind or _kind_of(path)
    if kind not in ("json", "yaml"):
        raise ValueError(f'music is saved as "json" or "yaml", not {kind!r}; use `read` and `write` for scores')
    return kind


def _reader(kind: str) -> Callable[..., Any]:
    if kind == "midi":
        from muspy_core.io.midi import read_midi

        return read_midi
    if kind == "musicxml":
        from muspy_core.io.musicxml import read_musicxml

        return read_musicxml
    if kind == "abc":
        from muspy_core.io.abc import read_abc

        return read_abc
    if kind == "json":
        from muspy_core.io.json import load_json

        return load_json
    if kind == "yaml":
        from muspy_core.io.yaml import load_yaml

        return load_yaml
    raise ValueError(f'`kind` must be "midi", "musicxml", "abc", "json" or "yaml", got {kind!r}')


def _writer(kind: str) -> Callable[..., None]:
    if kind == "midi":
        from muspy_core.io.midi import write_midi

        return write_midi
    if kind == "musicxml":
        from muspy_core.io.musicxml import write_musicxml

        return write_musicxml
    if kind == "abc":
        from muspy_core.io.abc import write_abc

        return write_abc
    if kind == "json":
        from muspy_core.io.json import save_json

        return save_json
    if kind == "yaml":
        from muspy_core.io.yaml import save_yaml

        return save_yaml
    if kind == "audio":
        from muspy_core.rendering import write_audio

        return write_audio
    raise ValueError(f'`kind` must be "midi", "musicxml", "abc", "json", "yaml" or "audio", got {kind!r}')
