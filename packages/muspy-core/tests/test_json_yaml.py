"""JSON and YAML hold all there is, are exchanged with MusPy both ways, and bad files end in our own errors."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import (
    Annotation,
    JSONError,
    Lyric,
    Metadata,
    Music,
    Note,
    Tempo,
    Track,
    YAMLError,
    load,
    load_json,
    load_yaml,
    save,
    save_json,
    save_yaml,
)
from strategies import columnar, music, muspy_music

FORMATS = {"json": (save_json, load_json, JSONError), "yaml": (save_yaml, load_yaml, YAMLError)}


@pytest.fixture
def song() -> Music:
    return Music(
        metadata=Metadata(title="Ünïcode ♯"),
        tempos=[Tempo(0, 90)],
        lyrics=[Lyric(0, "là")],
        tracks=[
            Track(notes=[Note(0, 60, 4)], annotations=[Annotation(0, {"number": 64, "value": 1}, "control_change")])
        ],
    )


def written(kind: str, whole: Music, **options: Any) -> bytes:
    buffer = io.BytesIO()
    FORMATS[kind][0](buffer, whole, **options)
    return buffer.getvalue()


def read_back(kind: str, data: bytes) -> Music:
    return FORMATS[kind][1](io.BytesIO(data))


# --- round trips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_everything_survives(kind: str) -> None:
    @settings(max_examples=15 if kind == "yaml" else 40)  # PyYAML is a hundred times slower
    @given(music)
    def check(whole: Music) -> None:
        assert read_back(kind, written(kind, whole)) == whole
        assert read_back(kind, written(kind, whole, skip_missing=False)) == whole

    check()


def test_a_file_is_read_into_columns(song: Music) -> None:
    again = read_back("json", written("json", song))
    assert again.tracks[0].notes.is_columnar
    assert again.tracks[0].control_changes.is_columnar
    assert again.tempos.is_columnar


def test_columns_and_objects_are_written_alike() -> None:
    @settings(max_examples=20)
    @given(
        st.lists(
            st.builds(Note, st.integers(0, 9), st.integers(0, 127), st.integers(0, 9), tie=st.just("start")), max_size=4
        )
    )
    def check(notes: list[Note]) -> None:
        objects = written("json", Music(tracks=[Track(notes=notes)]))
        assert written("json", Music(tracks=[Track(notes=columnar(Note, notes))])) == objects

    check()


def test_text_made_of_columns_is_that_of_dictionaries() -> None:
    @settings(max_examples=20)
    @given(st.one_of(music, muspy_music), st.booleans())
    def check(whole: Music, skip_missing: bool) -> None:
        for track in whole.tracks:
            track.notes = columnar(Note, list(track.notes))
        assert json.loads(written("json", whole, skip_missing=skip_missing)) == json.loads(
            written("json", whole, skip_missing=skip_missing, indent=1)  # the standard library's, of dictionaries
        )

    check()


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.yml", "a.json.gz", "a.yaml.gz"])
def test_the_extension_names_the_format(song: Music, tmp_path: Path, name: str) -> None:
    save(tmp_path / name, song)
    assert load(tmp_path / name) == song
    assert muspy_core.read(str(tmp_path / name)) == song
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_methods_do_the_same(song: Music, tmp_path: Path) -> None:
    song.save(tmp_path / "a.json")
    song.save_json(tmp_path / "b.json")
    song.save_yaml(tmp_path / "c.yaml")
    assert load(tmp_path / "a.json") == load(tmp_path / "b.json") == load(tmp_path / "c.yaml") == song


@pytest.mark.parametrize("kind", FORMATS)
def test_file_objects_are_written_and_read(song: Music, kind: str) -> None:
    for buffer in (io.StringIO(), io.BytesIO()):
        save(buffer, song, kind=kind)
        buffer.seek(0)
        assert load(buffer, kind=kind) == song
    with pytest.raises(ValueError, match="needs `kind`"):
        save(io.BytesIO(), song)


@pytest.mark.parametrize("kind", FORMATS)
def test_compression_is_by_choice_or_by_extension(song: Music, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    save(path, song, kind, compressed=True)
    assert gzip.decompress(path.read_bytes())
    assert load(path, kind) == song
    save(path, song, kind, compressed=False)
    assert load(path, kind, compressed=False) == song


def test_an_existing_file_is_kept_if_told_so(song: Music, tmp_path: Path) -> None:
    save(tmp_path / "a.json", song)
    with pytest.raises(FileExistsError, match=r"a\.json"):
        save_json(tmp_path / "a.json", Music(), overwrite=False)
    assert load(tmp_path / "a.json") == song


def test_a_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    unsavable = Music(annotations=[Annotation(0, object())])
    for name in ("a.json", "a.yaml"):
        with pytest.raises((JSONError, YAMLError), match="no form in"):
            save(tmp_path / name, unsavable)
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="no folder"):
        save(tmp_path / "missing" / "a.json", Music())


def test_text_is_readable_unless_ascii_is_asked_for(song: Music) -> None:
    assert "Ünïcode ♯".encode() in written("json", song)
    assert "Ünïcode ♯".encode() in written("yaml", song)
    assert written("json", song, ensure_ascii=True).isascii()
    assert written("json", song, indent=2).startswith(b'{\n  "metadata"')
    assert read_back("json", written("json", song, ensure_ascii=True)) == song


def test_shared_values_are_written_out() -> None:
    marks = ["staccato"]
    whole = Music(tracks=[Track(notes=[Note(0, 60, 1, articulations=marks), Note(1, 60, 1, articulations=marks)])])
    assert read_back("yaml", written("yaml", whole)) == whole


def test_values_of_numpy_are_written_as_numbers() -> None:
    whole = Music(annotations=[Annotation(0, {"x": np.float32(0.5), "y": np.arange(2), "z": (1, 2)})])
    expected = Music(annotations=[Annotation(0, {"x": 0.5, "y": [0, 1], "z": [1, 2]})])
    assert read_back("json", written("json", whole)) == expected
    assert read_back("json", written("json", whole, indent=1)) == expected


# --- MusPy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_files_are_exchanged_with_muspy(muspy: ModuleType, tmp_path: Path, kind: str) -> None:
    @settings(max_examples=20)
    @given(muspy_music)
    def check(whole: Music) -> None:
        theirs = muspy.Music.from_dict(whole.to_ordered_dict())
        ours_path, their_path = tmp_path / f"ours.{kind}", tmp_path / f"theirs.{kind}"
        muspy.save(their_path, theirs)
        assert load(their_path) == whole
        save(ours_path, whole)
        assert muspy.load(ours_path).to_ordered_dict() == theirs.to_ordered_dict()

    check()


def test_music_without_new_fields_is_saved_with_the_keys_of_muspy(muspy: ModuleType) -> None:
    @settings(max_examples=20)
    @given(muspy_music)
    def check(whole: Music) -> None:
        theirs = muspy.Music.from_dict(whole.to_ordered_dict())
        assert json.loads(written("json", whole)) == json.loads(json.dumps(theirs.to_ordered_dict()))
        assert yaml.safe_load(written("yaml", whole)) == json.loads(json.dumps(theirs.to_ordered_dict()))

    check()


def test_muspy_reads_files_with_new_fields(muspy: ModuleType, tmp_path: Path) -> None:
    @settings(max_examples=20)
    @given(music)
    def check(whole: Music) -> None:
        save(tmp_path / "new.json", whole)
        theirs = muspy.load(tmp_path / "new.json")
        assert [len(track.notes) for track in theirs.tracks] == [len(track.notes) for track in whole.tracks]

    check()


# --- bad input ------------------------------------------------------------------------------------------------------

NO_MUSIC = [
    [],
    3,
    "text",
    None,
    {"tracks": 3},
    {"tracks": [3]},
    {"tracks": {"notes": []}},
    {"tracks": [{"program": 0}]},
    {"tracks": [{"program": 0, "is_drum": False, "notes": "abc"}]},
    {"tracks": [{"program": 0, "is_drum": False, "notes": [1, 2]}]},
    {"tracks": [{"program": 0, "is_drum": False, "notes": [{"time": 0}]}]},
    {"tracks": [{"program": 0, "is_drum": False, "annotations": [4]}]},
    {"tempos": [{"time": 0}]},
    {"tempos": [None]},
    {"metadata": 4},
    {"metadata": []},
    {"smpte_division": 4},
    {"midi_messages": [{"time": 0, "data": "xyz"}]},
    {"midi_messages": [{"time": 0, "data": 4}]},
]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("content", NO_MUSIC, ids=repr)
def test_what_is_no_music_is_refused(tmp_path: Path, kind: str, content: Any) -> None:
    path = tmp_path / f"bad.{kind}"
    path.write_text(json.dumps(content))
    with pytest.raises(FORMATS[kind][2], match="bad"):
        load(path)


@pytest.mark.parametrize("value", ["60", 60.5, 10**9, -(10**30), True, [60], None], ids=repr)
def test_odd_values_load_as_they_stand_and_are_found_by_validate(value: Any) -> None:
    content = {"tracks": [{"program": 0, "is_drum": False, "notes": [{"time": 0, "pitch": value, "duration": 1}]}]}
    if value is None:
        with pytest.raises(JSONError, match="`pitch` is missing"):
            read_back("json", json.dumps(content).encode())
        return
    whole = read_back("json", json.dumps(content).encode())
    assert not whole.is_valid()
    assert whole.tracks[0].notes[0].pitch == pytest.approx(value)


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_files_are_refused_or_shorter_music(song: Music, kind: str) -> None:
    data = written(kind, song)
    compressed = gzip.compress(data)
    error = FORMATS[kind][2]
    for length in range(len(data)):
        try:
            assert isinstance(read_back(kind, data[:length]), Music)
        except error:
            pass
    for length in range(3, len(compressed), 7):
        with pytest.raises(error):
            read_back(kind, compressed[:length])


@pytest.mark.parametrize("kind", FORMATS)
def test_random_bytes_are_refused(kind: str) -> None:
    @settings(max_examples=150)
    @given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
    def check(data: bytes) -> None:
        try:
            read_back(kind, data)
        except FORMATS[kind][2]:
            pass

    check()


def test_alias_bombs_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    with pytest.raises(YAMLError, match=r"bomb\.yaml.*aliases"):
        load_yaml(tmp_path / "bomb.yaml")


def test_yaml_makes_no_python_objects(tmp_path: Path) -> None:
    (tmp_path / "evil.yaml").write_text("metadata: !!python/object/apply:os.getcwd []")
    with pytest.raises(YAMLError, match=r"evil\.yaml"):
        load_yaml(tmp_path / "evil.yaml")


def test_deep_nesting_is_refused() -> None:
    for kind, data in (("json", b"[" * 100_000), ("yaml", b"[" * 20_000)):
        with pytest.raises(FORMATS[kind][2]):
            read_back(kind, data)


def test_gzip_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muspy_core.io.json.MAX_FILE_SIZE", 1000)
    with pytest.raises(JSONError, match=r"more than 1,000"):
        read_back("json", gzip.compress(b" " * 5000))


def test_missing_files_and_unknown_kinds() -> None:
    with pytest.raises(FileNotFoundError):
        load("nothing.json")
    with pytest.raises(ValueError, match=r"\.txt"):
        load("music.txt")
    with pytest.raises(ValueError, match='"json" or "yaml"'):
        load("music.mid")
    with pytest.raises(ValueError, match="kind"):
        muspy_core.read("music.json", kind="text")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"{a: " * 100_000,
        b"- " * 100_000,
        b"\n".join(b" " * i + b"a:" for i in range(2_000)),
        b"metadata: &a {title: x}\nb: *a\n".decode().encode("utf-16"),
    ],
    ids=["lists", "mappings", "dashes", "indents", "aliases in UTF-16"],
)
def test_yaml_that_is_nested_too_deeply_or_refers_to_itself_is_refused(content: bytes) -> None:
    with pytest.raises(muspy_core.YAMLError, match=r"nested|alias|not YAML"):
        muspy_core.load_yaml(io.BytesIO(content))
