"""The formats whose readers are given damaged files: how each is read, whole files to damage, and traps.

`read` reads a file and whatever a caller would look at; it may raise the format's own error and nothing else.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import muspy_core
from abc_samples import TUNE
from midi_samples import END, chunk, every_message, midi_file
from musescore_samples import FULL as MUSESCORE_3
from musescore_samples import VERSION_2, mscz
from musescore_traps import TRAPS as MUSESCORE_TRAPS
from musicxml_samples import FULL, TIMEWISE, TWO_VOICES_TWO_STAVES
from musicxml_traps import TRAPS as MUSICXML_TRAPS
from musicxml_traps import archive, container
from muspy_core import Music, Track
from muspy_core.io.abc import abc_string, read_abc
from muspy_core.io.midi import midi_bytes, read_midi, read_midi_bytes
from muspy_core.io.musescore import read_musescore
from muspy_core.io.musicxml import read_musicxml, read_musicxml_bytes


@dataclasses.dataclass(frozen=True)
class Format:
    """A format. originals: whole files. traps: files made to do harm, by name."""

    suffix: str
    error: type[muspy_core.MuspyError]
    read: Callable[[Path], object]
    originals: tuple[bytes, ...]
    traps: dict[str, bytes]


# --- how each format is read -----------------------------------------------------------------------------------------


def _read_midi(path: Path) -> None:
    """Read a file, and salvage a damaged one; what was read can be written."""
    try:
        music = read_midi(path)
    except muspy_core.MIDIError:
        music = read_midi(path, tolerant=True)
        midi_bytes(music)
        raise
    midi_bytes(music)


def _read_abc(path: Path) -> None:
    """Read a file, as played or as written; some of what was read is written too, which takes longer than reading."""
    size = path.stat().st_size
    found = read_abc(path, expand_repeats=size % 2 == 0)
    for tune in [] if size % 4 else found if isinstance(found, list) else [found]:
        abc_string(tune)


def _read_arrow(path: Path) -> None:
    for music in muspy_core.read_arrow(path):
        music.deepcopy()  # looks at every list


# --- whole files -----------------------------------------------------------------------------------------------------


def _songs() -> list[Music]:
    """Small pieces that use most of the data model."""
    midi = read_midi_bytes(every_message())
    score = read_musicxml_bytes(TWO_VOICES_TWO_STAVES)
    return [midi, score, Music(tracks=[Track(40, True, "drums")])]


def _saved(suffix: str, music: Music) -> bytes:
    buffer = io.BytesIO()
    muspy_core.save(buffer, music, suffix)
    return buffer.getvalue()


def _arrow(folder: Path, songs: list[Music]) -> bytes:
    muspy_core.write_arrow(folder / "songs.arrow", songs)
    return (folder / "songs.arrow").read_bytes()


# --- traps -----------------------------------------------------------------------------------------------------------

_HUGE = b"\xff\xff\xff\xff"
MIDI_TRAPS = {
    "empty": b"",
    "a track of 4 GiB": midi_file(b"MTrk" + _HUGE + END),
    "65,535 tracks": b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x01\xe0",
    "a header of 4 GiB": b"MThd" + _HUGE + b"\x00\x01\x00\x01\x01\xe0",
    "a text of 256 MiB": midi_file(chunk((0, b"\xff\x01\xff\xff\xff\x7f"))),
    "no division": midi_file(chunk((0, END)), division=0),
    "late notes": midi_file(chunk(*[(0x0FFFFFFF, b"\x90\x3c\x40"), (0x0FFFFFFF, b"\x80\x3c\x40")] * 30, (0, END))),
    "20,000 empty tracks": midi_file(*[chunk((0, END))] * 20_000),
    "20,000 broken tracks": midi_file(*[chunk((0, b"\x90"))] * 20_000),
    "50,000 open notes": midi_file(chunk(*[(0, b"\x90\x3c\x40")] * 50_000)),
}
ABC_TRAPS = {
    "empty": b"",
    "a long rest": b"X:1\nK:C\nZ9999 Z9999 Z9999|\n",
    "a long note": b"X:1\nL:1/8\nK:C\nC999999999|\n",
    "a thin note": b"X:1\nL:1/8\nK:C\nC/999999999|\n",
    "nested repeats": b"X:1\nK:C\n" + b"|:C:::::::::|" * 200,
    "parts of parts": b"X:1\nP:" + b"(" * 15 + b"AB" + b")9" * 15 + b"\nK:C\nP:A\nC|\nP:B\nD|\n",
    "endings": b"X:1\nK:C\n|: C |[1-9999 D :|",
    "many voices": b"X:1\nK:C\n" + b"".join(b"[V:%d] C|\n" % number for number in range(5000)),
    "many unreadable lengths": b"X:1\n" + b"L:?\n" * 5000 + b"K:C\nC|\n",
    "many tunes": b"X:1\nK:C\nC|\n\n" * 1000,
}


def _gzip_bomb() -> bytes:
    """Some 300 kB that unpack to 300 MB."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(300)) + packer.flush()


def _aliases() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines).encode()


_NOTE = {"time": 0, "pitch": 60, "duration": 1}


def _note(**values: object) -> bytes:
    return json.dumps({"tracks": [{"program": 0, "is_drum": False, "notes": [_NOTE | values]}]}).encode()


SAVED_TRAPS = {
    "empty": b"",
    "a number": b"3",
    "a note at a huge time": _note(time=10**300),
    "a note that is a list": _note(pitch=[60]),
    "a resolution of 0": b'{"resolution": 0}',
    "not a number": b'{"tempos": [{"time": NaN, "qpm": Infinity}]}',
}
JSON_TRAPS = SAVED_TRAPS | {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep annotation": b'{"annotations": [{"time": 0, "annotation": ' + b"[" * 900 + b"]" * 900 + b"}]}",
}
YAML_TRAPS = SAVED_TRAPS | {
    "aliases": _aliases(),
    "an alias of itself": b"a: &a [*a]",
    "deep lists": b"[" * 100_000,
    "deep mappings": b"{a: " * 100_000,
    "deep dashes": b"- " * 100_000,
    "deep indents": b"\n".join(b" " * depth + b"a:" for depth in range(2_000)),
    "an object of Python": b"metadata: !!python/object/apply:os.getcwd []",
}


def make_format(name: str, folder: Path) -> Format:
    """Return a format by name; `folder` is where files are made that have to be."""
    if name == "midi":
        whole: tuple[bytes, ...] = (every_message(), every_message("Größe".encode()), midi_file(chunk((0, END))))
        return Format(".mid", muspy_core.MIDIError, _read_midi, whole, MIDI_TRAPS)
    if name == "musicxml":
        packed = archive({"META-INF/container.xml": container("score.xml"), "score.xml": FULL})
        whole = (TWO_VOICES_TWO_STAVES, TIMEWISE, FULL, packed)
        return Format(".musicxml", muspy_core.MusicXMLError, read_musicxml, whole, MUSICXML_TRAPS)
    if name == "musescore":
        whole = (MUSESCORE_3, VERSION_2, MUSESCORE_3.replace(b'"3.02"', b'"4.20"'), mscz(MUSESCORE_3))
        return Format(".mscx", muspy_core.MuseScoreError, read_musescore, whole, MUSESCORE_TRAPS)
    if name == "abc":
        return Format(".abc", muspy_core.ABCError, _read_abc, (TUNE.encode(), TUNE.encode("utf-16")), ABC_TRAPS)
    songs = _songs()
    if name in ("json", "yaml"):
        plain = [_saved(name, music) for music in songs]
        whole = (*plain, gzip.compress(plain[1], mtime=0))
        bomb = {"gzip bomb": _gzip_bomb()}
        if name == "json":
            return Format(".json", muspy_core.JSONError, muspy_core.load_json, whole, JSON_TRAPS | bomb)
        return Format(".yaml", muspy_core.YAMLError, muspy_core.load_yaml, whole, YAML_TRAPS | bomb)
    if name == "arrow":
        whole = (_arrow(folder, songs), _arrow(folder, songs[1:2]), _arrow(folder, []))
        return Format(".arrow", muspy_core.ArrowError, _read_arrow, whole, {"empty": b""})
    raise ValueError(f"unknown format {name!r}")


FORMATS = ("midi", "musicxml", "musescore", "abc", "json", "yaml", "arrow")


def foreign_files(name: str) -> tuple[bytes, ...]:
    """Return whole files of other formats, which come under the extension of this one."""
    files = {
        "midi": every_message(),
        "musicxml": FULL,
        "abc": TUNE.encode(),
        "json": _saved("json", Music()),
        "zip": archive({"readme.txt": b"nothing"}),
        "gzip": gzip.compress(b"nothing", mtime=0),
        "zeros": bytes(200),
        "text": "Text, that is no music – ♪".encode(),
        "empty": b"",
    }
    return tuple(data for kind, data in files.items() if kind != name)
