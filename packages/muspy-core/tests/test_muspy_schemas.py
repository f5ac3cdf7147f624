"""The schemas accept exactly the files whose music is valid, MusPy's files too, and MusicXML that is MusicXML."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core
import pytest
import yaml
from hypothesis import given, settings
from muspy_core import JSONError, Music, MusicXMLError, MuspyError, Note, Tempo, Track, YAMLError
from muspy_core.base import Base, Field
from muspy_core.schemas.description import json_schema_text, yaml_schema_text
from strategies import music, muspy_music

CHECKS = {"json": (muspy_core.validate_json, JSONError), "yaml": (muspy_core.validate_yaml, YAMLError)}
NEEDS = {"json": "jsonschema", "yaml": "yamale"}


@pytest.fixture(params=["json", "yaml"])
def kind(request: pytest.FixtureRequest) -> str:
    """The format of a file whose check can be run here."""
    name: str = request.param
    pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} comes with the extra [schema]")
    return name


@pytest.fixture
def musicxml_schema() -> None:
    pytest.importorskip("musicxml", reason="musicxml comes with the extra [schema], from Python 3.11 on")


def accepted(kind: str, content: Any, path: Path) -> bool:
    path.write_text(json.dumps(content) if kind == "json" else yaml.safe_dump(content))
    check, error = CHECKS[kind]
    try:
        check(path)
    except error:
        return False
    return True


def loads_as_valid_music(kind: str, path: Path) -> bool:
    try:
        return muspy_core.load(path, kind).is_valid()
    except MuspyError:
        return False


def minimal(cls: type[Base]) -> dict[str, Any]:
    """A dictionary that has what a class requires, and nothing else."""
    values: dict[Any, Any] = {int: 1, float: 1.0, str: "x", bool: True, bytes: "f0", object: 1}
    required = [field for field in cls._fields if not field.optional or field.name in ("velocity", "value")]
    if cls is Music:
        return {}
    found = {}
    for field in required:
        value = values[field.type[0] if isinstance(field.type, tuple) else field.type]
        found[field.name] = [value] if field.is_list else value
    return found


def whole(owner: str, name: str, item: dict[str, Any]) -> dict[str, Any]:
    """A piece that holds an item in one of its lists, or in one of a track's."""
    if owner == "Music":
        return {name: [item]}
    return {"tracks": [{"program": 0, "is_drum": False, name: [item]}]}


def wrong_values(field: Field) -> Iterator[Any]:
    """Values outside the type, range or vocabulary of a field."""
    if field.type is object:
        return
    wrong: list[Any] = ["x"] if field.type is not str else [1]
    # A tempo makes a float of whatever it gets.
    if field.type is not bool and not isinstance(field.type, tuple):
        wrong.append(True)
    wrong += [field.low - 1] if field.low is not None else []
    wrong += [field.high + 1] if field.high is not None else []
    wrong += [field.above] if field.above is not None else []
    wrong += ["nonsense"] if field.words else []
    if field.type is bytes:
        wrong = [1, "xyz"]
    yield from ([value] for value in wrong) if field.is_list else wrong


def places() -> Iterator[tuple[str, Field]]:
    """Every list of events: its owner and its field."""
    for owner in (Music, Track):
        for listed in owner._fields:
            if listed.holds_objects and listed.is_list and listed.type is not Track:
                yield owner.__name__, listed


def test_the_files_are_those_that_the_data_model_gives() -> None:
    assert Path(muspy_core.get_json_schema_path()).read_text(encoding="utf-8") == json_schema_text()
    assert Path(muspy_core.get_yaml_schema_path()).read_text(encoding="utf-8") == yaml_schema_text()


def test_the_schema_is_a_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema comes with the extra [schema]")
    jsonschema.Draft7Validator.check_schema(json.loads(json_schema_text()))


def test_whatever_is_saved_here_is_accepted(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"music.{kind}.gz"

    @settings(max_examples=8)
    @given(music)
    def check(piece: Music) -> None:
        for skip_missing in (True, False):
            muspy_core.save(path, piece, skip_missing=skip_missing)
            CHECKS[kind][0](path)

    check()


def test_whatever_muspy_saves_is_accepted(kind: str, muspy: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / f"music.{kind}"

    @settings(max_examples=8)
    @given(muspy_music)
    def check(piece: Music) -> None:
        for skip_missing in (True, False):
            muspy.save(path, muspy.Music.from_dict(piece.to_ordered_dict()), skip_missing=skip_missing)
            CHECKS[kind][0](path)

    check()


def test_one_wrong_value_anywhere_is_refused_as_by_the_music_itself(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"music.{kind}"
    tried = 0
    for owner, listed in places():
        name, good = listed.name, minimal(listed.type)
        assert accepted(kind, whole(owner, name, good), path), (name, good)
        assert loads_as_valid_music(kind, path), (name, good)
        for field in listed.type._fields:
            for value in wrong_values(field):
                tried += 1
                place = (name, field.name, value)
                assert not accepted(kind, whole(owner, name, {**good, field.name: value}), path), place
                if value != field.none:  # a column stores "unset" so, and reads it as that
                    assert not loads_as_valid_music(kind, path), place
    assert tried > 200


@pytest.mark.parametrize(
    "content",
    [
        [],
        "music",
        {"resolution": 0},
        {"resolution": None},
        {"metadata": {"title": 1}},
        {"tracks": [{"program": 0}]},
        {"tracks": [{"is_drum": False}]},
        {"tracks": [{"program": 128, "is_drum": False}]},
        {"tracks": [{"program": 0, "is_drum": False, "notes": [{"time": 0, "pitch": 60, "velocity": 64}]}]},
        {"tracks": [{"program": 0, "is_drum": False, "notes": [{"time": 0, "pitch": 60, "duration": 1}]}]},
    ],
)
def test_what_is_no_music_is_refused(kind: str, content: Any, tmp_path: Path) -> None:
    assert not accepted(kind, content, tmp_path / f"music.{kind}")


def test_unknown_keys_and_missing_ones_with_a_default_are_accepted(kind: str, tmp_path: Path) -> None:
    note = {"time": 0, "pitch": 60, "duration": 1, "velocity": 64, "mood": "calm"}
    content = {"composer": 1, "tracks": [{"program": 0, "is_drum": False, "notes": [note], "color": None}]}
    for found in ({}, content):
        assert accepted(kind, found, tmp_path / f"music.{kind}")


def test_the_message_names_the_file_the_place_and_the_value(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"song.{kind}"
    muspy_core.save(path, Music(tracks=[Track(notes=[Note(0, 60, 1), Note(0, 200, 1)])]))
    with pytest.raises(CHECKS[kind][1], match=rf"^song.{kind}: tracks\W0\W+notes\W1\W+pitch: 200 is greater"):
        CHECKS[kind][0](path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", gzip.compress(b"{", mtime=0)[:-4]])
def test_broken_files_are_refused(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"song.{kind}"
    path.write_bytes(content)
    with pytest.raises(CHECKS[kind][1], match=r"^song\."):
        CHECKS[kind][0](path)


def test_a_file_that_is_not_there_is_an_os_error(kind: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CHECKS[kind][0](tmp_path / "none")


# --- MusicXML -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("musicxml_schema")
def test_music_is_written_as_valid_musicxml(tmp_path: Path) -> None:
    piece = Music(
        tempos=[Tempo(0, 90)],
        tracks=[Track(name="Flute", program=73, notes=[Note(0, 61, 30), Note(30, 64, 8), Note(100, 67, 300)])],
    )
    for name in ("song.musicxml", "song.mxl"):
        muspy_core.write(tmp_path / name, piece)
        muspy_core.validate_musicxml(tmp_path / name)


@pytest.mark.usefixtures("musicxml_schema")
def test_musicxml_that_is_none_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "song.musicxml"
    muspy_core.write(path, Music(tracks=[Track(notes=[Note(0, 60, 24)])]))
    text = path.read_text(encoding="utf-8")
    line = text[: text.index("<step>")].count("\n") + 1
    path.write_text(text.replace("<step>C<", "<step>H<"), encoding="utf-8")
    with pytest.raises(MusicXMLError, match=rf"^song.musicxml: line {line}: .*'H' is not an element of the set"):
        muspy_core.validate_musicxml(path)
    path.write_text(text.replace("<step>C</step>", ""), encoding="utf-8")
    with pytest.raises(MusicXMLError, match="Expected is"):
        muspy_core.validate_musicxml(path)


@pytest.mark.usefixtures("musicxml_schema")
def test_scores_of_others_are_checked_without_a_network(tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21", reason="the scores are in the music21 wheel")
    folder = Path(music21.__file__).parent / "corpus"
    for score in (folder / "schubert/Lindenbaum.xml", folder / "bach/bwv66.6.mxl"):
        muspy_core.validate_musicxml(score)
    linked = '<link xlink:href="http://x.org" xlink:show="%s"/>'
    start = '<score-partwise xmlns:xlink="http://www.w3.org/1999/xlink">'
    parts = '<part-list><score-part id="P1"><part-name/></score-part></part-list>'
    end = f'{parts}<part id="P1"><measure number="1"/></part>'
    for show, valid in (("new", True), ("old", False)):
        path = tmp_path / "linked.musicxml"
        credit = f"<credit>{linked % show}<credit-words xml:lang='de'>x</credit-words></credit>"
        path.write_text(f"{start}{credit}{end}</score-partwise>")
        if valid:
            muspy_core.validate_musicxml(path)
        else:
            with pytest.raises(MusicXMLError, match="show"):
                muspy_core.validate_musicxml(path)


@pytest.mark.usefixtures("musicxml_schema")
def test_entities_and_bombs_are_refused_before_they_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.musicxml"
    path.write_text('<!DOCTYPE s [<!ENTITY a "x">]><score-partwise>&a;</score-partwise>')
    with pytest.raises(MusicXMLError, match="entit"):
        muspy_core.validate_musicxml(path)
    with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * (8 << 20))
    with pytest.raises(MusicXMLError, match=r"bomb\.mxl"):
        muspy_core.validate_musicxml(tmp_path / "bomb.mxl")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"muspy-core\[schema\]"):
        muspy_core.get_musicxml_schema_path()


@pytest.mark.slow
@pytest.mark.usefixtures("musicxml_schema")
def test_scores_written_here_are_valid_musicxml(tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21", reason="the scores are in the music21 wheel")
    scores = sorted((Path(music21.__file__).parent / "corpus").rglob("*.mxl"))[::20]
    assert len(scores) > 20
    for score in scores:
        piece = muspy_core.read_musicxml(score, expand_repeats=False)
        muspy_core.write_musicxml(tmp_path / "again.musicxml", piece)
        muspy_core.validate_musicxml(tmp_path / "again.musicxml")
