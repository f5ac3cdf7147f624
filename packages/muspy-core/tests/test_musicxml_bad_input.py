"""Files that are no MusicXML, damaged, or made to do harm: one error of ours, with the name of the file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from musicxml_samples import TWO_VOICES_TWO_STAVES
from musicxml_traps import TRAPS
from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml import read_musicxml, read_musicxml_bytes


@pytest.mark.parametrize("name", TRAPS)
def test_hostile_files_end_in_one_error_that_names_them(name: str) -> None:
    with pytest.raises(MusicXMLError, match=r"^song\.xml: ") as caught:
        read_musicxml_bytes(TRAPS[name], "song.xml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["zip bomb", "ratio bomb", "entities in an attribute", "repeat nests", "deep"])
def test_bombs_take_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MusicXMLError):
            read_musicxml_bytes(TRAPS[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50 * 1024 * 1024


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_musicxml(tmp_path / "gone.xml")


def test_a_file_said_to_be_compressed_must_be() -> None:
    with pytest.raises(MusicXMLError, match="zip"):
        read_musicxml_bytes(TWO_VOICES_TWO_STAVES, compressed=True)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MusicXMLError):
        read_musicxml_bytes(data)
