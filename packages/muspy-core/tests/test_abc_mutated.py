"""Damaged ABC: whatever the bytes, reading ends in music or in an `ABCError` of one line that names the file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import ABCError, abc_string, read_abc, read_abc_string

TUNE = """X:1
T:Everything
C:Nobody
M:6/8
L:1/8
Q:"Lively" 3/8=110
P:AB2
K:Ador clef=treble
V:1 name="One" transpose=-2
V:2 name="Two" clef=bass octave=-1
%%MIDI program 40
P:A
[V:1] |: "Am"A>B{/c}d (3efg !trill!a- | a2 (b c'2) .d | [CEG]2 z x2 & A,6 |1 ^f3- f__e=d :|2 [M:3/4] g4 |]
w: one two- three_ four * five~six | se-ven
w: an-o-ther
[V:2] Z2 | A,,3 E,3 | [K:Dmix =c] (5:4:5DEFGA B2 :|
P:B
[V:1] [L:1/16] !segno! c//d/4 e3/2 !<(! f !<)! g !D.S.! | ~H.Tuv a+trill+b "^up" c ::
[V:2] [Q:1/4=90] [P:C] [I:MIDI program 5] D8- | D8 |]
W: words after the tune \\'e &amp; more
"""
ALPHABET = "ABCDEFGabcdefgzxZXy0123456789/<>(){}[]|:-^_=,'\"!+.~&%\\ \n\t*$`;HTuvwMKLQPVIX"


def mutants(count: int, seed: int) -> Iterator[bytes]:
    """Cut, overwrite, insert, double and shuffle pieces of a tune that uses everything."""
    rng = random.Random(seed)
    original = TUNE.encode()
    for _ in range(count):
        data = bytearray(original)
        for _ in range(rng.randint(1, 8)):
            kind = rng.randrange(6)
            start = rng.randrange(len(data) + 1)
            stop = min(len(data), start + rng.randint(1, 40))
            if kind == 0:
                del data[start:]
            elif kind == 1:
                del data[start:stop]
            elif kind == 2:
                data[start:start] = rng.choice(ALPHABET).encode() * rng.choice([1, 2, 9, 300])
            elif kind == 3:
                data[start:start] = data[start:stop] * rng.choice([1, 3, 50])
            elif kind == 4:
                data[start:stop] = bytes(rng.randrange(256) for _ in range(stop - start))
            else:
                data[start:stop] = "".join(rng.choice(ALPHABET) for _ in range(stop - start)).encode()
            if not data:
                break
        yield bytes(data)


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
    results = [try_to_read(data, tmp_path / "tune.abc") for data in mutants(50, seed=1)]
    assert any(results)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_mutants_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    for data in mutants(1000, seed):
        try_to_read(data, tmp_path / "tune.abc")


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
