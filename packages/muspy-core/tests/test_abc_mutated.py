"""Damaged ABC: whatever the bytes, reading ends in music or in an `ABCError` of one line that names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from abc_samples import TUNE
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import ABCError, abc_string, read_abc, read_abc_string
from mutations import mutants

ALPHABET = "ABCDEFGabcdefgzxZXy0123456789/<>(){}[]|:-^_=,'\"!+.~&%\\ \n\t*$`;HTuvwMKLQPVIX"


def refusal(read: Callable[[], object]) -> str | None:
    """What an `ABCError` says, None if there was none; any other error is a failure."""
    try:
        read()
    except ABCError as error:
        return str(error)
    return None


def read_and_write(path: Path, expand_repeats: bool) -> None:
    """Read a file, check what was read, write it and read that."""
    music = read_abc(path, expand_repeats=expand_repeats)
    for tune in music if isinstance(music, list) else [music]:
        tune.validate()
        read_abc_string(abc_string(tune, compact_repeats=expand_repeats))


def try_to_read(data: bytes, path: Path) -> bool:
    """Read bytes as a file, as played and as written; return whether it could be read."""
    path.write_bytes(data)
    messages = [refusal(lambda: read_and_write(path, True)), refusal(lambda: read_and_write(path, False))]
    for message in messages:
        assert message is None or ("\n" not in message and len(message) < 300)
    return None in messages


def test_the_whole_tune_is_read(tmp_path: Path) -> None:
    assert try_to_read(TUNE.encode(), tmp_path / "tune.abc")


def test_every_truncation_is_read_or_refused(tmp_path: Path) -> None:
    data = TUNE.encode()
    for length in range(0, len(data), 19):
        try_to_read(data[:length], tmp_path / "tune.abc")


def test_mutants_are_read_or_refused(tmp_path: Path) -> None:
    results = [try_to_read(data, tmp_path / "tune.abc") for data in mutants([TUNE.encode()], count=60, seed=1)]
    assert any(results)


@given(st.text(ALPHABET, max_size=60))
def test_any_line_of_music_is_read_or_refused(line: str) -> None:
    message = refusal(lambda: read_abc_string(f"X:1\nL:1/8\nK:C\nCDE|\n{line}\n"))
    assert message is None or message.startswith("ABC text: tune X:1")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    try_to_read(data, tmp_path_factory.getbasetemp() / "any.abc")


@pytest.mark.parametrize(
    "token",
    ["(", "[", "{", '"', "!", "[V:1", "[V:1]", "|:", ":", "&", "(3", "-", "^", "A/", "'", "1", "<", "\\'", "|1"],
)
def test_long_runs_take_linear_time(token: str) -> None:
    """20,000 times the same token is read (or refused) as any line is; a quadratic step would take minutes."""
    run = token * 20_000
    message = refusal(lambda: read_abc_string(f"X:1\nT:{run}\nK:C\nA{run}\nw:{run}\nB"))
    assert message is None or message.startswith("ABC text: tune X:1")
