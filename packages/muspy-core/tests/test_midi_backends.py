"""The compiled parser and its twin give the same tables, the same errors, and survive damaged files."""

from __future__ import annotations

import array
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_samples import every_message, midi_file, midi_files
from muspy_core import MIDIError
from muspy_core.io import _midi_twin, midi_tables
from muspy_core.io.midi import backend, midi_bytes, read_midi_bytes
from mutations import mutants

try:
    from muspy_core.io import _midi
except ImportError:
    _midi = None  # type: ignore[assignment] # the tests that need it are skipped

needs_c = pytest.mark.skipif(_midi is None, reason="the compiled parser was not built")
TABLES = (
    "notes",
    "controls",
    "bends",
    "aftertouches",
    "programs",
    "note-offs",
    "groups",
    "tempos",
    "messages",
    "faults",
)
SECONDS_FOR_A_BAD_FILE = 1.0


def spans_of(data: bytes) -> tuple[bytes, bytes] | None:
    """The bytes and the places of track bodies; None for a file without a frame."""
    try:
        frame = midi_tables._Frame(data, "file", tolerant=True)
    except MIDIError:
        return None
    return frame.data, array.array("I", frame.spans).tobytes()


def assert_parsers_agree(data: bytes) -> None:
    framed = spans_of(data)
    if framed is None:
        return
    for mode in range(3):
        for tolerant in (False, True):
            compiled = _midi.parse(*framed, mode, tolerant)
            twin = _midi_twin.parse(*framed, mode, tolerant)
            for name, expected, table in zip(TABLES, compiled, twin, strict=True):
                assert bytes(expected) == table.tobytes(), (name, mode, tolerant)


def originals(shared_data: Path | None = None) -> list[bytes]:
    files = [every_message(), every_message(b"Gr\xf6\xdfe")]
    if shared_data is not None:
        files += [path.read_bytes() for path in sorted((shared_data / "freedoom-midi").rglob("*.mid"))[:12]]
        files += [path.read_bytes() for path in sorted((shared_data / "pop909").rglob("*.mid"))[:12]]
    return files


@needs_c
def test_the_parsers_agree_on_every_kind_of_message() -> None:
    assert_parsers_agree(every_message())


@needs_c
@given(midi_files())
def test_the_parsers_agree_on_random_files(data: bytes) -> None:
    assert_parsers_agree(data)


@needs_c
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_the_parsers_agree_on_random_bytes(bodies: list[bytes]) -> None:
    assert_parsers_agree(midi_file(*(b"MTrk" + len(body).to_bytes(4, "big") + body for body in bodies)))


@needs_c
@pytest.mark.parametrize("size", [10, 17, 3000])
def test_the_parsers_agree_on_the_order_of_chords(size: int) -> None:
    rng = np.random.default_rng(size)
    notes = [bytes((0, 0x90, *values)) for values in rng.integers((0, 0), (128, 20), (size, 2)).tolist()]
    body = b"".join(notes) + b"\x05\x80\x3c\x40" * 20 + b"\x00\xff\x2f\x00"
    assert_parsers_agree(midi_file(b"MTrk" + len(body).to_bytes(4, "big") + body))


@needs_c
def test_the_parsers_agree_on_damaged_files() -> None:
    for data in mutants(originals(), count=150, seed=1):
        assert_parsers_agree(data)


@needs_c
@pytest.mark.slow
def test_the_parsers_agree_on_corpora_and_their_damaged_files(shared_data: Path) -> None:
    files = originals(shared_data)
    for data in (*files, *mutants(files, count=600, seed=2)):
        assert_parsers_agree(data)


def read_or_refuse(data: bytes, **kwargs: Any) -> bool:
    """Read and write a file that may be damaged: nothing but a MIDIError may come, and in time.

    The limit is one of processor time, which does not pass while a busy machine does something else.
    """
    start = time.process_time()
    refusal = None
    try:
        midi_bytes(read_midi_bytes(data, name="bad.mid", **kwargs))
    except MIDIError as error:
        refusal = str(error)
    assert time.process_time() - start < SECONDS_FOR_A_BAD_FILE
    assert refusal is None or refusal.startswith("bad.mid: ")
    return refusal is None


@pytest.mark.parametrize("setting", ["auto", "0"])
def test_damaged_files_are_read_or_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("MUSPY_CORE_EXTENSION", setting)
    verdicts = [read_or_refuse(data) for data in mutants(originals(), count=200, seed=3)]
    assert 0 < sum(verdicts) < len(verdicts)


@given(st.binary(max_size=80))
@settings(max_examples=40)
def test_random_bytes_are_refused(data: bytes) -> None:
    assert not read_or_refuse(data)


@pytest.mark.timeout(120)  # it takes a tenth of a second; quadratic time would be many minutes
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x00\x90\x3c\x40" * 150_000, id="one pitch struck again and again"),
        pytest.param(b"".join(b"\x00\x90%c\x40" % (i % 128) for i in range(150_000)), id="a chord of all notes"),
        pytest.param(b"\x00\xc0\x01\x00\xc0\x02" * 100_000, id="program changes"),
        pytest.param(b"\x00\xff\x01\x00" * 60_000, id="empty texts"),
        pytest.param(b"\x00\xff\x51\x03\x07\xa1\x20" * 60_000, id="tempi"),
    ],
)
def test_no_content_takes_quadratic_time(body: bytes) -> None:
    chunk = b"MTrk" + (len(body) + 4).to_bytes(4, "big") + body + b"\x00\xff\x2f\x00"
    midi_tables.parse_midi(midi_file(chunk), "dense.mid", "fifo", False)


def test_claims_of_size_cost_nothing() -> None:
    for data in (
        midi_file(b"MTrk\xff\xff\xff\xff\x00\xff\x2f\x00"),
        b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x01\xe0",
        b"MThd\xff\xff\xff\xff\x00\x01\x00\x01\x01\xe0",
        midi_file(b"MTrk\x00\x00\x00\x08\x00\xff\x01\xff\xff\xff\x7f\x00"),
    ):
        assert not read_or_refuse(data)


def test_too_many_tracks_are_refused() -> None:
    body = b"".join(b"\x00\xc0%c\x00\xb0\x07\x40" % program for program in range(128))
    chunk = b"MTrk" + len(body).to_bytes(4, "big") + body
    with pytest.raises(MIDIError, match="10,240 tracks"):
        read_midi_bytes(midi_file(*[chunk] * 80), name="many.mid")


def test_too_many_messages_are_refused() -> None:
    body = b"\x00\xc0\x01" * 200_001
    with pytest.raises(MIDIError, match="200,001 messages that are no notes or controls"):
        read_midi_bytes(midi_file(b"MTrk" + len(body).to_bytes(4, "big") + body), name="many.mid")


def test_the_environment_chooses_the_parser() -> None:
    program = "from muspy_core.io.midi import backend; print(backend())"
    chosen = subprocess.run(
        [sys.executable, "-c", program], env={"MUSPY_CORE_EXTENSION": "0"}, capture_output=True, text=True, check=True
    )
    assert chosen.stdout.strip() == "python"


@needs_c
def test_a_parser_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    midi_tables._choose.cache_clear()
    monkeypatch.setattr(_midi, "ABI", 0)
    try:
        assert backend() == "python"
    finally:
        midi_tables._choose.cache_clear()


@needs_c
def test_the_compiled_parser_refuses_spans_outside_the_data() -> None:
    for span in ((0, 9), (3, 2)):
        with pytest.raises(ValueError, match="span"):
            _midi.parse(b"12345678", array.array("I", span).tobytes(), 0, False)


@pytest.mark.slow
@pytest.mark.compiler
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_the_compiled_parser_is_clean_under_sanitizers(tmp_path: Path) -> None:
    program, samples = tmp_path / "fuzz_midi", []
    source = Path(__file__).with_name("fuzz_midi.c")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["gcc", "-g", "-O1", "-std=c11", *warnings, *sanitizers, source, "-o", program], check=True)
    for i, data in enumerate([*originals(), *mutants(originals(), count=60, seed=6)]):
        samples.append(tmp_path / f"{i}.mid")
        samples[-1].write_bytes(data)
    done = subprocess.run([program, "200", *samples], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "parsed" in done.stdout
