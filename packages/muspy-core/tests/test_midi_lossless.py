"""Reading and writing a MIDI file keeps every message, as mido sees it, with either parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from midi_samples import END, as_mido_sees, chunk, every_message, meta, midi_file, midi_files
from muspy_core import EventList, Music
from muspy_core.io.midi import backend, midi_bytes, read_midi_bytes

FAST_FILES = 6


@pytest.fixture(params=["c", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the compiled parser and with its twin."""
    monkeypatch.setenv("MUSPY_CORE_EXTENSION", "0" if request.param == "python" else "auto")
    if backend() != request.param:
        pytest.skip("the compiled parser was not built")
    return str(request.param)


def corpus(shared_data: Path) -> list[Path]:
    """All MIDI files of Freedoom and 100 of POP909."""
    freedoom = sorted((shared_data / "freedoom-midi").rglob("*.mid"))
    pop909 = sorted((shared_data / "pop909").rglob("*.mid"))[:100]
    return [*freedoom, *pop909]


def thaw(music: Music) -> Music:
    """Turn every list of events into objects."""
    for part in (music, *music.tracks):
        for events in vars(part).values():
            if isinstance(events, EventList):
                events.thaw()
    return music


def assert_kept(data: bytes, written: bytes) -> int:
    """Compare two files in mido's eyes; return the number of messages."""
    header, sequences, multiset = as_mido_sees(data)
    assert as_mido_sees(written) == (header, sequences, multiset)
    return int(sum(multiset.values()))


@pytest.mark.parametrize("mode", ["fifo", "lifo", "all"])
@pytest.mark.parametrize("title", [b"Every message", "Größe".encode(), b"Gr\xf6\xdfe"])
def test_every_kind_of_message_survives(parser: str, mode: str, title: bytes) -> None:
    data = every_message(title)
    assert assert_kept(data, midi_bytes(read_midi_bytes(data, mode))) == 80
    assert_kept(data, midi_bytes(thaw(read_midi_bytes(data, mode))))


@given(midi_files())
def test_every_message_of_a_random_file_survives(data: bytes) -> None:
    assert_kept(data, midi_bytes(read_midi_bytes(data)))


@given(midi_files())
@settings(max_examples=30)
def test_every_message_survives_in_objects_and_in_every_mode(data: bytes) -> None:
    for mode in ("fifo", "lifo", "all"):
        assert_kept(data, midi_bytes(thaw(read_midi_bytes(data, mode))))


def test_writing_again_gives_the_same_bytes() -> None:
    written = midi_bytes(read_midi_bytes(every_message()))
    assert midi_bytes(read_midi_bytes(written)) == written


def test_copyrights_and_names_survive_in_any_order() -> None:
    late = chunk((10, meta(0x02, b"late")), (0, meta(0x03, b"A")), (5, meta(0x03, b"B")), (0, END))
    early = chunk((0, meta(0x02, b"early")), (0, meta(0x03, b"C")), (0, b"\x90\x3c\x40"), (5, b"\x3c\x00"), (0, END))
    data = midi_file(late, early)
    assert read_midi_bytes(data).metadata.copyright == "late early"
    assert_kept(data, midi_bytes(read_midi_bytes(data)))


def test_a_track_without_an_end_gets_one() -> None:
    damaged = midi_file(chunk((0, b"\x90\x3c\x40"), (5, b"\x3c\x00")))
    whole = midi_file(chunk((0, b"\x90\x3c\x40"), (5, b"\x3c\x00"), (0, END)))
    assert as_mido_sees(midi_bytes(read_midi_bytes(damaged))) == as_mido_sees(whole)


def test_some_files_of_the_corpora_survive(shared_data: Path, parser: str) -> None:
    files = corpus(shared_data)
    for path in files[:: len(files) // FAST_FILES]:
        data = path.read_bytes()
        assert_kept(data, midi_bytes(read_midi_bytes(data)))


@pytest.mark.slow
def test_all_files_of_the_corpora_survive(shared_data: Path, parser: str, record_property: Any) -> None:
    files = corpus(shared_data)
    messages = sum(assert_kept(path.read_bytes(), midi_bytes(read_midi_bytes(path.read_bytes()))) for path in files)
    record_property("files", len(files))
    record_property("messages", messages)
    print(f"{parser}: {len(files)} files, {messages:,} messages kept")
    assert len(files) == 212


@pytest.mark.slow
def test_files_of_the_corpora_survive_in_objects(shared_data: Path) -> None:
    for path in corpus(shared_data)[::8]:
        data = path.read_bytes()
        assert_kept(data, midi_bytes(thaw(read_midi_bytes(data))))
