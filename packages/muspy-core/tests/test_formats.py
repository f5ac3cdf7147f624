"""`read` and `write`: the format by extension or `kind`, file objects, compression."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from muspy_core import Music, MuspyError, Note, Tempo, TimeSignature, Track, load, read, save, write
from muspy_core.cli import main
from muspy_core.io import READABLE, WRITABLE

WRITTEN = ("mid", "musicxml", "mxl", "abc", "json", "yaml")


def song() -> Music:
    return Music(
        resolution=12,
        tempos=[Tempo(0, 120)],
        time_signatures=[TimeSignature(0, 4, 4)],
        tracks=[Track(name="Melody", notes=[Note(0, 60, 12), Note(12, 64, 24)])],
    )


def pitches_of(found: object) -> list[int]:
    music = found[0] if isinstance(found, list) else found
    assert isinstance(music, Music)
    return [note.pitch for note in music.tracks[0].notes]


@pytest.mark.parametrize("extension", [*WRITTEN, *(f"{extension}.gz" for extension in WRITTEN)])
def test_what_is_written_under_an_extension_is_read_under_it(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"song.{extension}"
    write(path, song())
    assert path.read_bytes().startswith(b"\x1f\x8b") == extension.endswith(".gz")
    assert pitches_of(read(path)) == [60, 64]


@pytest.mark.parametrize("kind", ["midi", "musicxml", "abc", "json", "yaml"])
def test_file_objects_are_written_and_read(kind: str) -> None:
    stream = io.BytesIO()
    write(stream, song(), kind=kind)
    stream.seek(0)
    assert pitches_of(read(stream, kind=kind)) == [60, 64]


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_saved_music_goes_through_text_files_too(kind: str) -> None:
    stream = io.StringIO()
    save(stream, song(), kind=kind)
    stream.seek(0)
    assert load(stream, kind=kind) == song()


def test_a_file_object_needs_a_kind() -> None:
    with pytest.raises(ValueError, match="`kind`"):
        read(io.BytesIO(b""))
    with pytest.raises(ValueError, match="`kind`"):
        write(io.BytesIO(), song())


def test_unknown_kinds_and_extensions_are_named() -> None:
    with pytest.raises(ValueError, match=r"`kind` must be one of midi, .*, got 'tape'"):
        read("song.mid", kind="tape")
    with pytest.raises(ValueError, match=r"song\.tape: the extension '\.tape' is none of \.mid"):
        read("song.tape")
    with pytest.raises(ValueError, match="is none of"):
        write("song.mscx", song())


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.mid.gz"
    path.write_bytes(gzip.compress(b"MThd")[:-6])
    with pytest.raises(MuspyError, match=r"^song\.mid\.gz: "):
        read(path)


def test_the_name_inside_a_compressed_file_is_without_gz(tmp_path: Path) -> None:
    write(tmp_path / "song.musicxml.gz", song())
    assert read(tmp_path / "song.musicxml.gz").metadata.source_filename == "song.musicxml"


def test_an_existing_file_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    write(tmp_path / "song.mid.gz", song())
    with pytest.raises(FileExistsError):
        write(tmp_path / "song.mid.gz", song(), overwrite=False)


def test_what_can_only_be_read_is_not_offered_for_writing() -> None:
    assert {".mscx", ".mscz", ".krn", ".mei"} <= set(READABLE)
    assert not {".mscx", ".mscz", ".krn", ".mei"} & set(WRITABLE)


def test_the_command_converts_to_compressed_files(tmp_path: Path) -> None:
    write(tmp_path / "song.mid", song())
    assert main(["convert", str(tmp_path / "song.mid"), "-o", str(tmp_path / "song.musicxml.gz")]) == 0
    assert pitches_of(read(tmp_path / "song.musicxml.gz")) == [60, 64]
