"""MuseScore files made to do harm, and files that are no MuseScore files."""

from __future__ import annotations

from musescore_samples import FULL, VERSION_2, chord, measure, note, rest, score, spanner, tuplet
from musicxml_traps import archive, container

TIME = "<TimeSig><sigN>{}</sigN><sigD>{}</sigD></TimeSig>"


def _nested(depth: int) -> str:
    return chord(60) if depth == 0 else tuplet(997, 1, _nested(depth - 1))


TRAPS = {
    "empty": b"",
    "other XML": b"<score-partwise/>",
    "truncated": FULL[:-200],
    "no score": b'<museScore version="3.02"/>',
    "entities": b'<!DOCTYPE museScore [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><museScore>&b;</museScore>',
    "deep": b'<museScore version="3.02">' + b"<Score>" * 10_000,
    "not a zip": b"PK\x03\x04 but not really",
    "zip without a score": archive({"readme.txt": b"nothing"}),
    "container that points outside": archive(
        {"META-INF/container.xml": container("../../etc/passwd.mscx"), "a.mscx": FULL}
    ),
    "zip bomb": archive({"META-INF/container.xml": container("a.mscx"), "a.mscx": bytes(20 * 1024 * 1024)}),
    "division of nothing": score(measure(chord(60)), division=0),
    "huge division": score(measure(chord(60)), division=10**30),
    "unknown value": score(measure(chord(60, value="klingon"))),
    "dots without end": score(measure(chord(60, inside="<dots>99999</dots>"))),
    "nested tuplets": score(measure(_nested(7))),
    "tuplets in depth": score(measure(_nested(120))),
    "a tuplet of nothing": score(measure(tuplet(0, 0, chord(60)))),
    "lengths without common measure": score("".join(measure(rest(), length=f"1/{n}") for n in (10007, 10009, 10037))),
    "a long measure": score(measure(chord(60), length="999999999/1")),
    "a measure of nothing": score(measure(chord(60), length="0/4")),
    "negative time": score(measure("<location><fractions>-999999999/1</fractions></location>" + chord(60))),
    "far away": score(measure("<location><fractions>999999999/1</fractions></location>" + chord(60))),
    "huge meter": score(measure(TIME.format("9" * 400, 4) + chord(60))),
    "beats of nothing": score(measure(TIME.format(4, 0) + chord(60))),
    "pitch 300": score(measure(chord(300))),
    "no pitch": score(measure(chord("<Note/>"))),
    "huge pitch": score(measure(chord("<Note><pitch>" + "9" * 5000 + "</pitch></Note>"))),
    "endless tempo": score(measure("<Tempo><tempo>1e999</tempo></Tempo>" + chord(60))),
    "key without end": score(measure(f"<KeySig><accidental>{'9' * 40}</accidental></KeySig>" + chord(60))),
    "tick without end": VERSION_2.replace(b"<tick>960<", b"<tick>" + b"9" * 30 + b"<"),
    "repeats without end": score(measure(chord(60), before="<startRepeat/><endRepeat>999999</endRepeat>")),
    "repeat nests": score(
        "".join(measure(chord(60), before="<startRepeat/><endRepeat>900</endRepeat>") for _ in range(99))
    ),
    "endings without end": score(measure(spanner("Volta", "<endings>1-9999</endings>", measures=1) + chord(60))),
    "a staff that is missing": score(
        measure(chord(60)), parts='<Part><Staff id="1"/><Staff id="7"/><Staff id="9"/></Part>'
    ),
    "transposed beyond reason": score(
        measure(chord(60)),
        parts='<Part><Staff id="1"/><Instrument><transposeDiatonic>-1000000</transposeDiatonic></Instrument></Part>',
    ),
    "a line that is a path": score(measure('<Spanner type="//["><next/></Spanner>' + chord(60))),
    "many ottavas": score(measure(spanner("Ottava", "<subtype>22ma</subtype>", measures=1) * 300 + chord(60) * 300)),
    "many instruments": score(measure("<InstrumentChange><Instrument/></InstrumentChange>" * 2000 + chord(60))),
    "many voices": score(measure(*[chord(60)] * 3000)),
    "many graces": score(measure(chord(60, inside="<grace4/>") * 3000)),
    "a tie to nowhere": score(measure(chord(note(60, '<endSpanner id="x"/><Tie id="y"/>')))),
}
