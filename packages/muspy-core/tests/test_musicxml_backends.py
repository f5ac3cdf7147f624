"""The compiled XML parser and lxml give the same elements, the same music, the same errors; damage is declined."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from musicxml_samples import DOCTYPE, TIMEWISE, TWO_VOICES_TWO_STAVES, lettered, measure, note, score
from muspy_core import MusicXMLError, save_json
from muspy_core.io.musicxml import read_musicxml_bytes, tree
from muspy_core.io.musicxml.source import unzip_score
from muspy_core.io.xml import parse_xml
from mutations import mutants

try:
    from muspy_core.io.musicxml import _tree
except ImportError:
    _tree = None  # type: ignore[assignment] # the tests that need it are skipped

needs_c = pytest.mark.skipif(_tree is None, reason="the compiled parser was not built")

ODD_NOTES = score(
    measure(
        note("C4", before="<grace slash='yes'/>", duration=None),
        note("D4", ties="start", middle="<type>half</type>"),
        note("D4", before="<chord/>", attributes=' dynamics="120"'),
        note(
            "D4",
            ties="stop start",
            after="<notations><slur type='start'/></notations><notations><fermata/></notations>",
        ),
        note("E4", before="<cue/>", after="<lyric number='2'><text>g&#252;t &amp; b&apos;s</text></lyric>"),
        "<note><unpitched/><duration>1</duration><instrument id='none'/><voice> 1 </voice></note>",
        "<note><rest/><duration>2\r\n</duration></note><sound tempo='90'/>",
        divisions=2,
    )
)
SCORES = {
    "plain": TWO_VOICES_TWO_STAVES,
    "odd notes": ODD_NOTES,
    "lines end in CR LF": TWO_VOICES_TWO_STAVES.replace(b"><", b">\r\n  <"),
    "with a byte order mark": b"\xef\xbb\xbf" + TWO_VOICES_TWO_STAVES,
    "with comments": TWO_VOICES_TWO_STAVES.replace(b"<note>", b"<!-- a - b --><?page break?>\n<note>"),
    "without a DOCTYPE": TWO_VOICES_TWO_STAVES[len(DOCTYPE) :],
}
PLAIN = {
    "blanks in an element without children": b"<a> \n </a>",
    "blanks between elements": b"<a> <b/>\n<b> x </b> </a>",
    "text before and after children": b"<a>x <b/> y</a>",
    "a comment between blanks": b"<a> <!-- x --> </a>",
    "a comment after a text": b"<a>x<!-- y --></a>",
    "references": b"<a b='&lt;&#x1D11E;&#65;'>&quot;&#9;&#13;\xc3\xa9</a>",
    "white space in attributes": b"<a b=' x\ty\r\nz\n' c = \"'\" />",
    "attributes of XML itself": b"<a xml:lang='de'><b xml:space='preserve'> </b></a>",
    "the declaration of links": b"<a xmlns:xlink='http://www.w3.org/1999/xlink'/>",
    "a system identifier": b'<!DOCTYPE a SYSTEM "a.dtd" ><a/><!-- the end -->\n<?x?>',
    "a declaration": b"<?xml version='1.0' encoding='utf-8' standalone='no' ?><a/>",
}
DECLINED = {
    "nothing": b"",
    "no element": b"<!-- a -->",
    "two roots": b"<a/><a/>",
    "text after the root": b"<a/>x",
    "an open element": b"<a><b></b>",
    "crossed elements": b"<a><b></a></b>",
    "no space between attributes": b"<a b='1'c='2'/>",
    "an attribute twice": b"<a b='1' b='2'/>",
    "an attribute without quotes": b"<a b=1/>",
    "a less-than sign in an attribute": b"<a b='<'/>",
    "an entity of its own": b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    "an unknown entity": b"<a>&eacute;</a>",
    "a lone ampersand": b"<a>Simon & Garfunkel</a>",
    "a character that XML has not": b"<a>&#11;</a>",
    "a control character": b"<a>\x0b</a>",
    "bytes that are no UTF-8": b"<a>\xe9</a>",
    "an overlong form": b"<a>\xc0\xbc</a>",
    "half of a surrogate pair": b"<a>\xed\xa0\x80</a>",
    "another encoding": "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>".encode("latin-1"),
    "UTF-16": "<a/>".encode("utf-16"),
    "a namespace": b"<a xmlns='urn:x'/>",
    "a prefix": b"<a xlink:href='x'/>",
    "blanks before a carriage return": b"<a> \r\nx</a>",
    "the end of a CDATA section": b"<a>]]></a>",
    "a CDATA section": b"<a><![CDATA[x]]></a>",
    "two hyphens in a comment": b"<a><!-- -- --></a>",
    "a text with a comment in it": b"<a>x<!-- y -->z</a>",
    "blanks that count": b"<a xml:space='preserve'> <b/></a>",
    "a name with a digit first": b"<1a/>",
    "a declaration in the middle": b"<a><?xml version='1.0'?></a>",
    "too deep": b"<a>" * 200 + b"</a>" * 200,
    "too many names": b"<a>" + b"".join(b"<a%d/>" % i for i in range(2000)) + b"</a>",
    "a name too long": b"<%b/>" % (b"a" * 100),
    "too many attributes": b"<a " + b" ".join(b"b%d=''" % i for i in range(100)) + b"/>",
}


def assert_same_elements(data: bytes) -> None:
    """What both parsers make of a document that the compiled one accepts."""
    pairs: list[tuple[Any, Any]] = [(_tree.parse(data), parse_xml(data, "score", MusicXMLError))]
    while pairs:
        ours, theirs = pairs.pop()
        assert (ours.tag, ours.text, ours.attrib) == (theirs.tag, theirs.text, dict(theirs.attrib))
        assert len(ours) == len(list(ours)) == len(theirs)
        pairs += zip(ours, theirs, strict=True)


def outcome(data: bytes, **options: Any) -> str:
    """The music of a score as text, or the message of its error."""
    try:
        music = read_musicxml_bytes(data, "score.xml", **options)
    except MusicXMLError as error:
        return str(error)
    file = io.StringIO()
    save_json(file, music)
    return file.getvalue()


def outcomes(monkeypatch: pytest.MonkeyPatch, data: bytes, **options: Any) -> list[str]:
    """The outcome with each parser."""
    found = []
    for setting in ("auto", "0"):
        monkeypatch.setenv("MUSPY_CORE_EXTENSION", setting)
        found.append(outcome(data, **options))
    return found


@needs_c
@pytest.mark.parametrize("data", [*PLAIN.values(), *SCORES.values()], ids=[*PLAIN, *SCORES])
def test_the_elements_are_those_of_lxml(data: bytes) -> None:
    assert _tree.parse(data) is not None
    assert_same_elements(data)


@needs_c
@pytest.mark.parametrize("data", DECLINED.values(), ids=DECLINED)
def test_what_is_not_plain_is_left_to_lxml(data: bytes) -> None:
    assert _tree.parse(data) is None


BLANKS_AND_RETURN = re.compile(rb">[ \n\t\r][^<]*\r|>\r")
TEXTS = st.text(st.sampled_from("ab &<>\"'\n\r\té♯𝄞"), max_size=6)


@needs_c
@given(st.recursive(TEXTS, lambda inside: st.lists(inside, max_size=4), max_leaves=12), TEXTS)
def test_the_elements_of_any_document_are_those_of_lxml(content: Any, value: str) -> None:
    from xml.sax.saxutils import escape, quoteattr

    def written(item: Any) -> str:
        return escape(item) if isinstance(item, str) else f"<a b={quoteattr(value)}>{''.join(map(written, item))}</a>"

    data = f"<a>{written(content)}</a>".encode()
    if _tree.parse(data) is not None:
        assert_same_elements(data)
    else:
        assert BLANKS_AND_RETURN.search(data)


@needs_c
@pytest.mark.parametrize("data", [*SCORES.values(), TIMEWISE], ids=[*SCORES, "time-wise"])
def test_the_music_is_that_of_lxml(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    for options in ({}, {"keep_cue": True, "merge_ties": False, "expand_repeats": False}):
        compiled, of_lxml = outcomes(monkeypatch, data, **options)
        assert compiled == of_lxml
        assert compiled.startswith("{")


@needs_c
def test_what_stands_between_the_measures_of_a_part_is_left_to_lxml(monkeypatch: pytest.MonkeyPatch) -> None:
    data = score(measure(note("C4")) + "<note><rest/><duration>9</duration></note>" + measure(note("D4"), number=2))
    assert len(set(outcomes(monkeypatch, data))) == 1
    assert not tree._is_plain(_tree.parse(data))


def damaged(originals: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Mutants, and mutants of text only, most of which are still well-formed."""
    yield from mutants(originals, count=count, seed=seed)
    texts = [data.split(b">") for data in originals]
    for number, data in enumerate(mutants([b"4", b"start", b"12", b"-1"], count=count, seed=seed + 1)):
        pieces = texts[number % len(texts)].copy()
        place = (number * 7919) % (len(pieces) - 1)
        inside, bracket, rest = pieces[place].partition(b"<")
        pieces[place] = data.replace(b"<", b"").replace(b"&", b"") + bracket + rest if bracket else inside
        yield b">".join(pieces)


def assert_damage_makes_no_difference(monkeypatch: pytest.MonkeyPatch, originals: list[bytes], count: int) -> None:
    accepted = 0
    for data in damaged(originals, count, seed=1):
        if _tree.parse(data) is not None:
            accepted += 1
            assert_same_elements(data)
        compiled, of_lxml = outcomes(monkeypatch, data)
        assert compiled == of_lxml
    assert accepted > count / 4


@needs_c
def test_damaged_scores_have_the_same_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_damage_makes_no_difference(monkeypatch, [ODD_NOTES, lettered(("C4", "", ""), ("D4", "", ""))], 150)


@needs_c
@pytest.mark.slow
def test_thousands_of_damaged_scores_have_the_same_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_damage_makes_no_difference(monkeypatch, [*SCORES.values(), TIMEWISE], 3000)


@needs_c
def test_a_parser_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tree._choose.cache_clear()
    monkeypatch.setattr(_tree, "ABI", 0)
    try:
        assert tree._choose("auto") is None
    finally:
        tree._choose.cache_clear()


@needs_c
def test_elements_outlive_their_document() -> None:
    inner = next(iter(_tree.parse(b"<a><b c='d'>e</b></a>")))
    assert (inner.tag, inner.text, inner.get("c"), inner.getparent().tag) == ("b", "e", "d", "a")
    assert inner.getparent().getparent() is None
    assert (inner.get("x"), inner.get("x", "y"), inner.find("x"), inner.findtext("x")) == (None, "y", None, None)
    with pytest.raises(IndexError):
        inner[0]


def scores_in(folder: Path, stride: int) -> Iterator[bytes]:
    """Every so many scores of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".mxl", ".xml", ".musicxml"))
    for path in paths[::stride]:
        data = path.read_bytes()
        yield unzip_score(data, path.name) if data.startswith(b"PK") else data


def assert_real_scores_agree(
    monkeypatch: pytest.MonkeyPatch, folder: Path, stride: int, expected: int, declined_at_most: float = 0.02
) -> None:
    """All but a share of the scores, which are left to lxml, are plain; their elements and their music are the same."""
    count = declined = 0
    for data in scores_in(folder, stride):
        count += 1
        if _tree.parse(data) is None:
            declined += 1
            continue
        assert_same_elements(data)
        compiled, of_lxml = outcomes(monkeypatch, data)
        assert compiled == of_lxml
    assert count >= expected
    assert declined <= count * declined_at_most


@needs_c
@pytest.mark.slow
@pytest.mark.parametrize(
    ("corpus", "stride", "expected"), [("openscore-lieder", 7, 200), ("openscore-quartets", 2, 60)]
)
def test_openscore_reads_the_same(
    monkeypatch: pytest.MonkeyPatch, shared_data: Path, corpus: str, stride: int, expected: int
) -> None:
    assert_real_scores_agree(monkeypatch, shared_data / corpus, stride, expected)


@needs_c
@pytest.mark.slow
def test_the_corpus_of_music21_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    music21 = pytest.importorskip("music21", reason="music21 brings scores")
    assert_real_scores_agree(monkeypatch, Path(music21.__file__).parent / "corpus", 5, 60, declined_at_most=0.125)


@pytest.mark.slow
@pytest.mark.compiler
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_the_compiled_parser_is_clean_under_sanitizers(tmp_path: Path) -> None:
    program, samples = tmp_path / "fuzz_tree", []
    source = Path(__file__).with_name("fuzz_tree.c")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["gcc", "-g", "-O1", "-std=c11", *warnings, *sanitizers, source, "-o", program], check=True)
    for number, data in enumerate([*SCORES.values(), *PLAIN.values(), *DECLINED.values()]):
        samples.append(tmp_path / f"{number}.xml")
        samples[-1].write_bytes(data)
    done = subprocess.run([program, "1000", *samples], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "accepted" in done.stdout
