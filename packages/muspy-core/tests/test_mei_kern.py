"""MEI and Humdrum kern files → Music, through verovio in a child process."""

from __future__ import annotations

import builtins
import importlib.util
import io
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from muspy_core import KernError, MEIError, Music, MuspyError, read, read_kern, read_mei
from muspy_core.io.mei import read_mei_bytes
from mutations import mutants

pytest.importorskip("verovio", reason="verovio is not installed; it reads MEI and kern")

KERN = b"""!!!COM: Anon.
**kern\t**kern
*I"Cello\t*I"Violin
*clefF4\t*clefG2
*k[f#]\t*k[f#]
*M4/4\t*M4/4
*MM90\t*MM90
=1\t=1
4GG\t[4g
4A\t8g]L
.\t8f#J
2B\t6a
.\t6b
.\t6cc
=2:|!\t=2:|!
1D;\t1r
==\t==
*-\t*-
"""
MEI = b"""<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="5.0">
<meiHead><fileDesc><titleStmt><title>Small</title><respStmt><persName role="composer">Anon.</persName></respStmt>
</titleStmt><pubStmt/></fileDesc></meiHead>
<music><body><mdiv><score>
<scoreDef><staffGrp><staffDef n="1" lines="5" trans.diat="-1" trans.semi="-2">
<label>Clarinet</label><instrDef midi.instrnum="71"/><clef shape="G" line="2"/><keySig sig="2s"/>
<meterSig count="3" unit="4"/></staffDef></staffGrp></scoreDef>
<section>
<measure n="0" metcon="false"><staff n="1"><layer n="1"><note xml:id="a" dur="4" pname="d" oct="5"><verse n="1">
<syl con="d" wordpos="i">a</syl></verse></note></layer></staff>
<tempo tstamp="1" staff="1" midi.bpm="72">Lento</tempo><dynam tstamp="1" staff="1">p</dynam></measure>
<measure n="1" left="rptstart">
<staff n="1"><layer n="1"><tuplet num="3" numbase="2">
<note xml:id="b" dur="8" pname="f" oct="5" accid.ges="s"/>
<note dur="8" pname="e" oct="5"/><note xml:id="c" dur="8" pname="d" oct="5"/></tuplet>
<chord dur="2" artic="stacc"><note xml:id="d" pname="a" oct="4"/><note pname="c" oct="5" accid.ges="s"/></chord></layer>
<layer n="2"><note dur="2" dots="1" pname="g" oct="4"/></layer></staff>
<slur startid="#b" endid="#c"/><tie startid="#d" endid="#e"/><fermata startid="#d"/></measure>
<ending n="1"><measure n="2" right="rptend">
<staff n="1"><layer n="1"><note xml:id="e" dur="2" dots="1" pname="a" oct="4"/></layer></staff>
</measure></ending>
<ending n="2"><measure n="3" right="end">
<staff n="1"><layer n="1"><note dur="8" grace="unacc" pname="e" oct="5"/>
<note dur="2" dots="1" pname="d" oct="5"/></layer></staff>
<harm tstamp="1" staff="1">Dm7</harm></measure></ending>
</section></score></mdiv></body></music></mei>
"""


def notes_of(music: Music, track: int = 0) -> list[tuple[int, int, int]]:
    return [(n.time, n.pitch, n.duration) for n in music.tracks[track].notes]


def test_kern_spines_are_parts(tmp_path: Path) -> None:
    (tmp_path / "duo.krn").write_bytes(KERN)
    music = read(tmp_path / "duo.krn", resolution=12, expand_repeats=False)
    assert [track.name for track in music.tracks] == ["Violin", "Cello"]
    assert notes_of(music, 0) == [(0, 67, 18), (18, 66, 6), (24, 69, 8), (32, 71, 8), (40, 72, 8)]
    assert notes_of(music, 1) == [(0, 43, 12), (12, 57, 12), (24, 59, 24), (48, 50, 48)]
    assert [n.pitch_str for n in music.tracks[0].notes] == ["G", "F#", "A", "B", "C"]
    assert [k.fifths for k in music.key_signatures] == [1]
    assert [t.qpm for t in music.tempos] == [90]
    assert [(t.numerator, t.denominator) for t in music.time_signatures] == [(4, 4)]
    assert music.tracks[1].notes[3].articulations == ["fermata"]
    assert (music.metadata.source_format, music.metadata.source_filename) == ("kern", "duo.krn")


def test_kern_repeats_are_played() -> None:
    music = read_kern(io.BytesIO(KERN), resolution=12)
    assert [b.number for b in music.barlines] == ["1", "1", "2"]


def test_an_mei_file_is_read_whole() -> None:
    music = read_mei(io.BytesIO(MEI), resolution=12, expand_repeats=False)
    track = music.tracks[0]
    assert (track.name, track.program, track.transposition) == ("Clarinet", 71, -2)
    assert (music.metadata.title, music.metadata.creators) == ("Small", ["Anon."])
    assert notes_of(music) == [
        (0, 72, 12),
        (12, 65, 36),
        (12, 76, 4),
        (16, 74, 4),
        (20, 72, 4),
        (24, 67, 60),
        (24, 71, 24),
        (84, 72, 36),
        (84, 74, 6),
    ]
    assert [n.pitch_str for n in track.notes][:3] == ["C", "F", "E"]
    assert [n.voice for n in track.notes][:3] == [1, 2, 1]
    assert [k.fifths for k in music.key_signatures] == [0]
    assert [(s.time, s.duration) for s in track.slurs] == [(12, 8)]
    assert track.notes[5].articulations == ["staccato", "fermata"]
    assert track.notes[8].grace == "acciaccatura"
    assert [(item.time, item.lyric) for item in track.lyrics] == [(0, "a -")]
    assert [(t.qpm, t.text) for t in music.tempos] == [(72, "Lento")]
    assert {n.velocity for n in track.notes} == {48}
    assert [(s.time, s.root, s.kind) for s in music.chord_symbols] == [(84, "C", "minor-seventh")]
    assert [b.time for b in music.barlines] == [0, 12, 48, 84]


def test_endings_of_mei_are_played() -> None:
    assert [b.number for b in read_mei_bytes(MEI).barlines] == ["0", "1", "2", "1", "3"]


@pytest.mark.parametrize(
    ("reader", "error", "data"),
    [
        (read_kern, KernError, b""),
        (read_kern, KernError, b"no spines at all"),
        (read_mei, MEIError, b""),
        (read_mei, MEIError, b"<mei><music/></mei>"),
        (read_mei, MEIError, MEI[:-200]),
        (read_mei, MEIError, b'<!DOCTYPE mei [<!ENTITY a "b">]><mei>&a;</mei>'),
        (read_mei, MEIError, MEI.replace(b'pname="g" oct="4"', b'pname="b" oct="9"')),
    ],
)
def test_bad_files_end_in_one_error_that_names_them(
    reader: Callable[..., Music], error: type[MuspyError], data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "song.bad"
    path.write_bytes(data)
    with pytest.raises(error, match=r"^song\.bad: ") as caught:
        reader(path)
    assert "\n" not in str(caught.value)


def test_marks_on_a_note_that_is_not_read_are_dropped() -> None:
    """The fermata stands on a cue note, the last one of the piece."""
    last = b'<note dur="2" dots="1" pname="d" oct="5"/>'
    cue = b'<note xml:id="z" dur="2" dots="1" pname="d" oct="5" cue="true"/>'
    fermata = b'<fermata startid="#z"/><harm tstamp="1"'
    music = read_mei_bytes(MEI.replace(last, cue).replace(b'<harm tstamp="1"', fermata), expand_repeats=False)
    assert [n.articulations for n in music.tracks[0].notes if n.articulations] == [["staccato", "fermata"]]


def test_a_slow_file_is_given_up() -> None:
    with pytest.raises(MEIError, match=r"did not read it within 0\.001 s"):
        read_mei_bytes(MEI, "slow.mei", timeout=0.001)


def test_without_verovio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "verovio" else found(name, *rest)
    )
    with pytest.raises(ModuleNotFoundError, match=r"muspy-core\[scores\]"):
        read_mei_bytes(MEI)


def test_verovio_is_not_loaded_into_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        assert name != "verovio"
        return imported(name, *rest)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert len(read_mei_bytes(MEI).tracks) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reader", "error", "original"), [(read_kern, KernError, KERN), (read_mei, MEIError, MEI)], ids=["kern", "mei"]
)
def test_three_hundred_damaged_files_are_read_or_refused(
    reader: Callable[..., Music], error: type[MuspyError], original: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "bad.score"
    refused = 0
    for data in mutants([original], count=300, seed=1):
        path.write_bytes(data)
        try:
            reader(path, timeout=30)
        except error as reason:
            refused += 1
            assert str(reason).startswith("bad.score: "), reason  # noqa: PT017 # most files are no errors
            assert "\n" not in str(reason)  # noqa: PT017 # as above
    assert 0 < refused < 300


@pytest.mark.slow
def test_kern_files_of_music21_keep_every_note() -> None:
    """Each data token of a spine that is no rest, no continuation of a tie and no grace is one note."""
    corpus = pytest.importorskip("music21", reason="music21 is not installed; its corpus is read").common
    files = sorted(Path(corpus.getCorpusFilePath(), "palestrina").glob("*.krn"))
    for path in random.Random(1).sample(files, 20):
        music = read_kern(path, expand_repeats=False)
        assert sum(len(track.notes) for track in music.tracks) == _notes_in_spines(path.read_text("latin-1")), path.name


def _notes_in_spines(text: str) -> int:
    lines = [line for line in text.splitlines() if line and line[0] not in "!*="]
    tokens = [token for line in lines for cell in line.split("\t") for token in cell.split(" ")]
    return sum(bool(re.search("[a-gA-G]", token)) and not re.search(r"[\]_qr]", token) for token in tokens)
