"""Damage to files, and files made to do harm: what every reader must survive (see test_mutated_files.py)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

MAX_GROWTH = 16_000  # bytes that one step of damage may add

_NUMBER = re.compile(rb"\d+")
_WORD = re.compile(rb"[A-Za-z0-9.]+")
_ELEMENT = re.compile(rb"<([a-z]+)[^<>]*>[^<>]*</\1>|\{[^{}]*\}|\n[^\n]+")
_CLAIMS_IN_TEXT = (b"-1", b"0", b"1.5", b"", b"x", b"1e9", b"99999999", b"2147483648", b"9" * 30, b"\xe2\x99\xaf")
_CLAIMS_IN_BYTES = (
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\x00",
    b"\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\xff" * 8,
)
_SEPARATORS = b" \n\t\0<>&[](){}:;,.|\"'\\/-+*^_=%#!~$"


def mutants(originals: Sequence[bytes], foreign: Sequence[bytes] = (b"",), *, count: int, seed: int) -> Iterator[bytes]:
    """Damaged copies of files: each kind of damage in turn, a third of the time on top of another one.

    originals: files of the format. foreign: files of other formats, which come under a wrong extension.
    """
    rng = random.Random(seed)
    for number in range(count):
        data = bytearray(rng.choice(originals))
        KINDS[number % len(KINDS)](data, rng, originals, foreign)
        while rng.randrange(3) == 0:
            rng.choice(KINDS)(data, rng, originals, foreign)
        yield bytes(data)


def _truncate(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _randomise(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    for _ in range(min(rng.choice([1, 1, 2, 12]), len(data))):
        data[rng.randrange(len(data))] = rng.randrange(256)


def _randomise_start(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    for _ in range(min(rng.choice([1, 1, 2, 6]), len(data))):
        data[rng.randrange(min(len(data), 60))] = rng.randrange(256)


def _randomise_rest(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    data[begin:] = rng.randbytes(min(len(data) - begin, 2000))


def _move_block(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    begin, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    block = data[begin:end]
    del data[begin:end]
    target = rng.randrange(len(data) + 1)
    data[target:target] = block


def _repeat_block(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    block = data[begin : begin + rng.choice([1, 4, 30, 200])]
    data[begin:begin] = (block * rng.choice([1, 3, 50]))[:MAX_GROWTH]


def _delete_block(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    del data[begin : begin + rng.choice([1, 2, 4, 30, 200])]


def _insert_separators(
    data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]
) -> None:
    begin = rng.randrange(len(data) + 1)
    data[begin:begin] = bytes([rng.choice(_SEPARATORS)]) * rng.choice([1, 2, 9, 300])


def _claim_number(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    numbers = list(_NUMBER.finditer(data))
    if numbers:
        begin, end = rng.choice(numbers).span()
        data[begin:end] = rng.choice(_CLAIMS_IN_TEXT)


def _claim_bytes(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    claim = rng.choice(_CLAIMS_IN_BYTES)
    begin = rng.randrange(len(data) + 1)
    data[begin : begin + len(claim)] = claim


def _swap_words(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    """Put one word or number of a text in the place of another: it often stays well-formed."""
    words = list(_WORD.finditer(data))
    for _ in range(rng.choice([1, 2, 5]) if words else 0):
        begin, end = rng.choice(words).span()
        data[begin:end] = rng.choice(words).group()
        words = list(_WORD.finditer(data))


def _move_element(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    """Remove, repeat or move a whole element: of XML, of JSON, or a line."""
    elements = list(_ELEMENT.finditer(data))
    if not elements:
        return
    begin, end = rng.choice(elements).span()
    element = bytes(data[begin:end])
    target = rng.choice(elements).start()
    kind = rng.randrange(3)
    if kind == 0:
        del data[begin:end]
    else:
        data[target:target] = element * rng.choice([1, 1, 20])


def _splice(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    other = rng.choice(originals)
    data[rng.randrange(len(data) + 1) :] = other[rng.randrange(len(other) + 1) :]


def _wrong_format(data: bytearray, rng: random.Random, originals: Sequence[bytes], foreign: Sequence[bytes]) -> None:
    data[:] = rng.choice(foreign)
    if rng.randrange(2):
        _randomise(data, rng, originals, foreign)


KINDS = (
    _truncate,
    _randomise,
    _randomise_start,
    _randomise_rest,
    _move_block,
    _repeat_block,
    _delete_block,
    _insert_separators,
    _claim_number,
    _claim_number,
    _claim_bytes,
    _swap_words,
    _swap_words,
    _move_element,
    _move_element,
    _splice,
    _wrong_format,
)
