"""MusicXML files made to do harm, and files that are no MusicXML."""

from __future__ import annotations

import io
import zipfile

from musicxml_samples import TIMEWISE, TWO_VOICES_TWO_STAVES, direction, lettered, measure, note, repeat, score
from musicxml_samples import barline as bar

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE score-partwise [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><score-partwise><movement-title{}>&i;</movement-title></score-partwise>"
)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # without the time of day
    return buffer.getvalue()


def container(path: str) -> bytes:
    return f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>'.encode()


TRAPS = {
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
