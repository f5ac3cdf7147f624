"""JSON: music saved whole, in MusPy's layout.

A file holds the attributes of `Music` by name; what is missing or empty is left out. MusPy reads these files (it passes
over the keys it does not know), and files written by MusPy load here.
"""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson

from muspy_core.errors import JSONError
from muspy_core.io._json_records import Texts
from muspy_core.io.files import MAX_FILE_SIZE, read_bytes, write_atomically
from muspy_core.io.tables import music_from_dict, music_to_dict
from muspy_core.music import Music

GZIP_MAGIC = b"\x1f\x8b"
# Saved music compresses 10- to 50-fold; what unpacks to far more is made to fill the memory.
MAX_COMPRESSION_RATIO = 200
RATIO_FREE_SIZE = 4 * 1024 * 1024


def load_json(path: str | os.PathLike[str] | IO[Any], compressed: bool | None = None) -> Music:
    """Load music from a JSON file or file object.

    compressed: whether it is gzip-compressed; by default its first bytes decide.
    Raises JSONError if the content is no JSON or no music, OSError if the file cannot be read.
    """
    name, data = read_text_source(path, compressed, JSONError)
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise JSONError(f"{name}: not JSON: {error}") from None
    return checked_music(content, name, JSONError)


def save_json(
    path: str | os.PathLike[str] | IO[Any],
    music: Music,
    skip_missing: bool = True,
    ensure_ascii: bool = False,
    compressed: bool | None = None,
    *,
    overwrite: bool = True,
    **kwargs: Any,
) -> None:
    """Save music to a JSON file or file object.

    Args:
        path: The file, or a file object opened for writing (text or binary).
        music: The music.
        skip_missing: Leave out attributes that are None or empty.
        ensure_ascii: Escape all characters beyond ASCII.
        compressed: Whether to compress with gzip; by default the extension (.gz) decides.
        overwrite: Whether an existing file may be replaced.
        **kwargs: Options of the standard library's `json.dumps` (indent, …).

    Raises JSONError if an annotation has no form in JSON.
    """
    try:
        data = _json_bytes(music, skip_missing, ensure_ascii, kwargs)
    except (TypeError, RecursionError) as error:
        raise JSONError(f"this music has no form in JSON: {error}") from None
    write_text_target(path, data, compressed, overwrite)


def _json_bytes(music: Music, skip_missing: bool, ensure_ascii: bool, options: dict[str, Any]) -> bytes:
    if options or ensure_ascii:
        import json

        content = music_to_dict(music, skip_missing)
        return json.dumps(content, ensure_ascii=ensure_ascii, default=plain, **options).encode()
    content = music_to_dict(music, skip_missing, Texts(skip_missing))
    return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=plain)


def read_text_source(
    path: str | os.PathLike[str] | IO[Any], compressed: bool | None, error: type[Exception]
) -> tuple[str, bytes]:
    """Return the name and the (decompressed) bytes of a saved file or file object."""
    if isinstance(path, (str, os.PathLike)):
        name, data = Path(path).name, read_bytes(path)
    else:
        content = path.read()
        name, data = (
            str(getattr(path, "name", "file object")),
            content.encode() if isinstance(content, str) else content,
        )
    if data.startswith(GZIP_MAGIC) if compressed is None else compressed:
        data = decompress(data, name, error)
    return name, data


def decompress(data: bytes, name: str, error: type[Exception]) -> bytes:
    """Return the content of a gzip file. Raises `error`, naming it, if it is none or unpacks to too much."""
    limit = min(MAX_FILE_SIZE, max(RATIO_FREE_SIZE, MAX_COMPRESSION_RATIO * len(data)))
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        result = decompressor.decompress(data, limit)
    except zlib.error as reason:
        raise error(f"{name}: not a gzip file: {reason}") from None
    if decompressor.unconsumed_tail or not decompressor.eof:
        raise error(f"{name}: the compressed content is cut off or unpacks to more than {limit:,} bytes")
    return result


def write_text_target(
    path: str | os.PathLike[str] | IO[Any], data: bytes, compressed: bool | None, overwrite: bool
) -> None:
    """Write bytes to a file (whole or not at all) or to a file object, compressed if asked for."""
    is_path = isinstance(path, (str, os.PathLike))
    if compressed is None:
        compressed = is_path and str(path).lower().endswith(".gz")
    if compressed:
        data = gzip.compress(data, mtime=0)
    if isinstance(path, (str, os.PathLike)):
        with write_atomically(path, overwrite) as temporary:
            temporary.write_bytes(data)
        return
    try:
        path.write(data)
    except TypeError:
        path.write(data.decode())


def checked_music(content: Any, name: str, error: type[Exception]) -> Music:
    """Return the music that a parsed file holds, or raise `error` with the file's name."""
    if not isinstance(content, dict):
        raise error(f"{name}: expected an object with the attributes of a piece, got {type(content).__name__}")
    try:
        return music_from_dict(content)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as reason:
        raise error(f"{name}: {reason}") from None


def plain(value: Any) -> Any:
    """Return what stands in JSON for a value that has no form there: bytes as hexadecimal digits, sets as lists."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no form in JSON: {value!r}")
