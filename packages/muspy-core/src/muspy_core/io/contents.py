"""Content → extension: what a file is that has no name, such as one that comes by a pipe (for muspy_core.pipes)."""

from __future__ import annotations

import codecs
import re
import zipfile
import zlib
from pathlib import Path

_LOOKED_AT = 65536  # bytes from the beginning
_MAGIC = (
    (b"MThd", ".mid"),
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"\x1aE\xdf\xa3", ".mkv"),
    (b"\x93NUMPY", ".npy"),
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
)
_CHUNKS = {b"RMID": ".rmi", b"WAVE": ".wav", b"AVI ": ".avi", b"AIFF": ".aiff", b"AIFC": ".aiff"}
_MP3_FRAME = re.compile(rb"\xff[\xe2-\xfb]")
_ROOT = re.compile(r"<(?:\w+:)?(score-partwise|score-timewise|mei|museScore)[\s>]")
_XML = {"mei": ".mei", "museScore": ".mscx"}
_TEXTS = (
    (re.compile(r"\A\s*[{\[]"), ".json"),
    (re.compile(r"\A(?:!.*\s+)*\*\*\w+"), ".krn"),
    (re.compile(r"^(?:%abc|X:\s*\d)", re.M), ".abc"),
    (re.compile(r"^(?:metadata|resolution|tracks):", re.M), ".yaml"),
)


def extension_of(path: Path) -> str | None:
    """Return the extension that a file's content deserves, ".mid" or ".abc.gz"; None if it is none of those known.

    Known are scores (as `read` takes them), sound, videos, pictures and arrays. Raises OSError.
    """
    with open(path, "rb") as file:
        head = file.read(_LOOKED_AT)
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith(b"\x1f\x8b"):
        inner = _of_head(_inflated(head))
        return None if inner is None else f"{inner}.gz"
    return _of_head(head)


def _of_head(head: bytes) -> str | None:
    for magic, extension in _MAGIC:
        if head.startswith(magic):
            return extension
    if head[:4] in (b"RIFF", b"RF64", b"FORM"):
        return _CHUNKS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return ".mp4"
    if _MP3_FRAME.match(head):
        return ".mp3"
    return _of_text(_text(head))


def _of_text(text: str) -> str | None:
    if text.lstrip().startswith("<"):
        root = _ROOT.search(text)
        return ".musicxml" if root is None else _XML.get(root[1], ".musicxml")
    return next((extension for pattern, extension in _TEXTS if pattern.search(text)), None)


def _text(head: bytes) -> str:
    utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return head.decode("utf-16" if utf16 else "utf-8-sig", "replace")


def _archive(path: Path) -> str:
    """A score in a zip file: MuseScore's if there is such a score in it, otherwise (even if damaged) MusicXML's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # the last: zipfile's, of a newer kind of archive
        return ".mxl"
    return ".mscz" if any(name.lower().endswith(".mscx") for name in names) else ".mxl"


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _LOOKED_AT)
    except zlib.error:
        return b""
