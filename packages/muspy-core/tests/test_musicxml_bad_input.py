"""Files that are no MusicXML, damaged, or made to do harm: one error of ours, with the name of the file."""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from musicxml_samples import TIMEWISE, TWO_VOICES_TWO_STAVES, direction, lettered, measure, note, repeat, score
from musicxml_samples import barline as bar
from muspy_core.errors import MusicXMLError
from muspy_core.io.musicxml import read_musicxml, read_musicxml_bytes

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE score-partwise [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><score-partwise><movement-title{}>&i;</movement-title></score-partwise>"
)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def container(path: str) -> bytes:
    return f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>'.encode()


HOSTILE = {
    "empty": b"",
    "blank": b"  \n ",
    "text": b"MThd is no XML",
    "other XML": b"<svg/>",
    "truncated": TWO_VOICES_TWO_STAVES[:-300],
    "zeros": bytes(1000),
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><score-partwise/>',
    "entities": BOMB.format("").encode(),
    "entities in an attribute": BOMB.format(' x="&i;"').encode(),
    "one entity": b'<!DOCTYPE score-partwise [<!ENTITY x SYSTEM "file:///etc/passwd">]><score-partwise>&x;</score-partwise>',
    "deep": b"<score-partwise>" + b"<a>" * 10_000,
    "not a zip": b"PK\x03\x04 but not really",
    "zip without a score": archive({"readme.txt": b"nothing"}),
    "zip with two scores": archive({"a.xml": TIMEWISE, "b.xml": TIMEWISE}),
    "container that points nowhere": archive({"META-INF/container.xml": container("gone.xml"), "a.xml": TIMEWISE}),
    "container that points outside": archive(
        {"META-INF/container.xml": container("../../etc/passwd"), "a.xml": TIMEWISE}
    ),
    "zip bomb": archive({"META-INF/container.xml": container("a.xml"), "a.xml": bytes(20 * 1024 * 1024)}),
    "ratio bomb": archive({"META-INF/container.xml": container("a.xml"), "a.xml": b"<a>" + b" " * (20 * 1024 * 1024)}),
    "divisions of nothing": score(measure(note("C4"), divisions=0)),
    "endless divisions": score(measure(note("C4"), divisions="9" * 5000)),
    "divisions without common measure": score(*(measure(note("C4"), divisions=n) for n in (10007, 10009, 10037))),
    "exponents": score(measure(note("C4", "1e999999999"), divisions=1)),
    "an endless note": score(measure(note("C4", 10**17), divisions=1)),
    "a long piece of long notes": score("".join(measure(note("C4", 150_000)) for _ in range(5))),
    "negative durations": score(measure(note("C4", -4), divisions=1)),
    "no duration": score(measure(note("C4", None))),
    "no pitch": score(measure("<note><duration>1</duration></note>")),
    "step H": score(measure(note("H4"))),
    "octave 99": score(measure(note("C4").replace("<octave>4", "<octave>99"))),
    "alteration": score(measure(note("C#4").replace("<alter>1", "<alter>1e9"))),
    "beats of nothing": score(measure(note("C4"), attributes="<time><beats>0</beats><beat-type>4</beat-type></time>")),
    "beat type": score(measure(note("C4"), attributes="<time><beats>1</beats><beat-type>10000000</beat-type></time>")),
    "transposition": score(measure(note("C4"), attributes="<transpose><chromatic>999</chromatic></transpose>")),
    "loudness": score(measure(direction("", sound='dynamics="nan"'), note("C4"))),
    "repeat times": lettered(("C4", "", bar("right", repeat("backward", times=10**9)))),
    "repeat direction": lettered(("C4", "", bar("right", repeat("sideways")))),
    "endings": lettered(("C4", bar("left", '<ending number="1-9999" type="start"/>'), "")),
    "repeat nests": lettered(*(("C4", "", bar("right", repeat("backward", times=999))) for _ in range(100))),
    "unknown part": score(measure(note("C4")), measure(note("C4")), part_list='<score-part id="X"/>'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_one_error_that_names_them(name: str) -> None:
    with pytest.raises(MusicXMLError, match=r"^song\.xml: ") as caught:
        read_musicxml_bytes(HOSTILE[name], "song.xml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["zip bomb", "ratio bomb", "entities in an attribute", "repeat nests", "deep"])
def test_bombs_take_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MusicXMLError):
            read_musicxml_bytes(HOSTILE[name])
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


def mutants(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Damaged copies: bytes changed, removed, repeated, numbers blown up, the end cut off."""
    rng = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            place, length = rng.randrange(len(damaged)), rng.randint(1, 60)
            kind = rng.randrange(5)
            if kind == 0:
                damaged[place] = rng.randrange(256)
            elif kind == 1:
                del damaged[place : place + length]
            elif kind == 2:
                damaged[place:place] = damaged[place : place + length]
            elif kind == 3:
                digits = [index for index, byte in enumerate(damaged) if 48 <= byte < 58]
                damaged[(at := rng.choice(digits)) : at + 1] = rng.choice([b"-1", b"0", b"99999999", b"1.5", b"", b"x"])
            elif rng.randrange(4) == 0:
                del damaged[place:]
            if len(damaged) < 50:
                break
        yield bytes(damaged)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_mutated_files_raise_nothing_but_our_error(seed: int) -> None:
    samples = [TWO_VOICES_TWO_STAVES, TIMEWISE, FULL]
    refused = 0
    for data in mutants(samples[seed % len(samples)], 400, seed):
        try:
            read_musicxml_bytes(data)
        except MusicXMLError:
            refused += 1
    assert 0 < refused < 400


FULL = lettered(
    (
        "C4",
        "<attributes><key><fifths>3</fifths></key></attributes><harmony><root><root-step>C</root-step></root></harmony>",
        "",
    ),
    ("D4", bar("left", '<ending number="1" type="start"/>'), bar("right", repeat("backward", times=2))),
    ("E4", direction("<metronome><beat-unit>half</beat-unit><per-minute>60</per-minute></metronome>"), ""),
    ("F4", direction("<dynamics><f/></dynamics>", offset="2"), direction('<wedge type="crescendo"/>')),
)
