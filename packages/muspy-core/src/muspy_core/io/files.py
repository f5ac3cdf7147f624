"""Bytes in and out of files: bounded reads, and writes that are whole or do not happen."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

# Larger than any score or MIDI file; a claim above it is an accident or an attack.
MAX_FILE_SIZE = 512 * 1024 * 1024


def read_bytes(path: str | os.PathLike[str], limit: int = MAX_FILE_SIZE) -> bytes:
    """Return the content of a file of at most `limit` bytes.

    Raises OSError if it cannot be read, ValueError if it is larger than `limit`.
    """
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"{Path(path).name}: {size:,} bytes are more than the limit of {limit:,}")
        return file.read()


def read_text(path: str | os.PathLike[str], error: type[Exception]) -> str:
    """Return the content of a text file in UTF-8, without a byte order mark.

    Raises OSError if it cannot be read, `error`, naming the file, if it is no text.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(f"{path}: is no text in UTF-8 (byte {reason.start} is none of it)") from None
    if "\0" in text:
        raise error(f"{path}: is no text: it holds a zero byte")
    return text


def read_source(path: str | os.PathLike[str] | IO[bytes], error: type[Exception]) -> tuple[str, bytes]:
    """Return the name, for messages, and the content of a file or of a binary file object.

    Raises OSError if it cannot be read, `error` if it is larger than any score.
    """
    if not isinstance(path, (str, os.PathLike)):
        return Path(str(getattr(path, "name", "stream"))).name, path.read()
    try:
        return Path(path).name, read_bytes(path)
    except OSError:
        raise
    except ValueError as reason:
        raise error(str(reason)) from None


def write_target(path: str | os.PathLike[str] | IO[bytes], data: bytes, overwrite: bool = True) -> None:
    """Write bytes to a file, whole or not at all, or to a binary file object.

    Raises FileExistsError if the file exists and `overwrite` is false, OSError if it cannot be written.
    """
    if isinstance(path, (str, os.PathLike)):
        with write_atomically(path, overwrite) as temporary:
            temporary.write_bytes(data)
    else:
        path.write(data)


@contextlib.contextmanager
def write_atomically(path: str | os.PathLike[str], overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when the block ends without an error.

    The temporary name keeps the extension, since many writers choose the format by it. After an error nothing is left
    behind and an existing file is untouched. Raises FileExistsError if `path` exists and `overwrite` is false.
    """
    target = Path(path)
    if not overwrite and target.exists():
        raise FileExistsError(f"{target}: exists already; choose another name or allow overwriting")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}")
    extension = target.suffix if target.suffix != ".gz" else f"{Path(target.stem).suffix}.gz"
    stem = target.name.removesuffix(extension)
    temporary = target.with_name(f".{stem[:40]}-{secrets.token_hex(8)}{extension}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        # The reader of the message knows the target, not the temporary name.
        raise type(error)(error.errno, error.strerror, str(target)) from None
    try:
        yield temporary
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
