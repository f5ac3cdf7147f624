"""Arrow files: many pieces, read one at a time, unchanged."""

from __future__ import annotations

import gc
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path

import muspy_core as m
import numpy as np
import pytest

pytest.importorskip("pyarrow")


def song(title: str) -> m.Music:
    notes = [
        m.Note(0, 60, 24, tie="start", voice=1, articulations=["staccato", "accent"]),
        m.Note(24, 62, 12, 90, pitch_str="D", cue=True, off_kind="open"),
    ]
    track = m.Track(
        40,
        False,
        "Violin",
        notes,
        [m.Chord(0, [60, 64], 24)],
        annotations=[
            m.Annotation(0, {"number": 64, "value": 127}, "control_change"),
            m.Annotation(5, {"any": [1, "x"]}),
        ],
        pitch_bends=[m.PitchBend(3, -200)],
        midi_track=2,
    )
    return m.Music(
        m.Metadata(title=title, creators=["A", "B"]),
        480,
        [m.Tempo(0, 93.5, text="Andante")],
        [m.KeySignature(0, 3, "major", -3)],
        tracks=[track, m.Track(is_drum=True)],
        smpte_division=(25, 40),
        midi_messages=[m.MidiMessage(7, b"\xf0\x01\xf7")],
    )


def test_pieces_come_back_equal(tmp_path: Path) -> None:
    songs = [song("a"), m.Music(), song("b")]
    assert m.write_arrow(tmp_path / "songs.arrow", iter(songs)) == 3
    read = m.read_arrow(tmp_path / "songs.arrow")
    assert len(read) == 3
    assert list(read) == songs
    assert read[-1] == songs[2]
    assert read[1:] == songs[1:]


def test_reading_creates_no_event_objects_and_keeps_file_positions(tmp_path: Path) -> None:
    music = song("a")
    music.tracks[0].notes[0]._order = 17
    m.write_arrow(tmp_path / "songs.arrow", music)
    notes = m.read_arrow(tmp_path / "songs.arrow")[0].tracks[0].notes
    assert notes.is_columnar
    assert notes.array["order"].tolist() == [17, -1]


def test_many_batches_are_one_sequence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muspy_core.io.arrow.SONGS_PER_BATCH", 3)
    songs = [m.Music(resolution=1 + i, tracks=[m.Track(notes=[m.Note(i, 60, 1)])]) for i in range(10)]
    m.write_arrow(tmp_path / "songs.arrow", songs)
    read = pickle.loads(pickle.dumps(m.read_arrow(tmp_path / "songs.arrow")))
    assert [read[i].tracks[0].notes.array["time"][0] for i in np.array([9, 0, 4])] == [9, 0, 4]
    with pytest.raises(IndexError):
        read[10]


def test_an_empty_collection_is_a_file_too(tmp_path: Path) -> None:
    assert m.write_arrow(tmp_path / "none.arrow", []) == 0
    assert list(m.read_arrow(tmp_path / "none.arrow")) == []


def test_other_libraries_see_the_structure(tmp_path: Path) -> None:
    import pyarrow as pa

    m.write_arrow(tmp_path / "songs.arrow", song("a"))
    row = pa.ipc.open_file(str(tmp_path / "songs.arrow")).read_all().to_pylist()[0]
    assert row["metadata"]["title"] == "a"
    assert row["tracks"][0]["notes"][0]["tie"] == "start"
    assert row["tracks"][0]["notes"][1]["voice"] is None


@pytest.mark.parametrize("content", [b"", b"ARROW1\0\0 and no more", bytes(range(256)) * 4])
def test_other_files_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.arrow"
    path.write_bytes(content)
    with pytest.raises(m.ArrowError, match=r"broken\.arrow"):
        m.read_arrow(path)


def test_foreign_tables_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa

    table = pa.table({"x": [1]})
    with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(m.ArrowError, match="not of music"):
        m.read_arrow(tmp_path / "x.arrow")


def test_a_value_that_does_not_fit_leaves_no_file(tmp_path: Path) -> None:
    music = m.Music(tracks=[m.Track(notes=[m.Note(0, 70_000, 1)])])
    with pytest.raises(m.ArrowError, match="70000"):
        m.write_arrow(tmp_path / "songs.arrow", [music])
    assert list(tmp_path.iterdir()) == []


def test_pieces_read_twice_share_nothing(tmp_path: Path) -> None:
    m.write_arrow(tmp_path / "songs.arrow", [song("a"), m.Music()])
    read = m.read_arrow(tmp_path / "songs.arrow")
    first = read[0]
    first.metadata.creators.append("C")
    first.tracks[0].notes.array["pitch"] = 1
    first.tempos.array["qpm"] = 1
    read[1].tracks.append(m.Track())
    assert list(read) == [song("a"), m.Music()]


@pytest.mark.parametrize("copied", [m.Music.deepcopy, m.Music.copy, lambda music: pickle.loads(pickle.dumps(music))])
def test_copies_hold_the_lists_that_were_not_looked_at(tmp_path: Path, copied: Callable[[m.Music], m.Music]) -> None:
    m.write_arrow(tmp_path / "songs.arrow", song("a"))
    copy = copied(m.read_arrow(tmp_path / "songs.arrow")[0])
    assert not any("_unread" in vars(container) for container in (copy, *copy.tracks) if copied is not m.Music.copy)
    assert copy == song("a")


def test_a_list_set_to_none_is_empty_and_stays_so(tmp_path: Path) -> None:
    m.write_arrow(tmp_path / "songs.arrow", song("a"))
    music = m.read_arrow(tmp_path / "songs.arrow")[0]
    music.tempos = None  # type: ignore[assignment] # as a constructor would be given
    assert music.tempos == []


def test_a_file_lets_go_when_it_is_no_longer_used(tmp_path: Path) -> None:
    m.write_arrow(tmp_path / "songs.arrow", song("a"))
    read = m.read_arrow(tmp_path / "songs.arrow")
    assert read[0] == song("a")
    reference = weakref.ref(read)
    gc.disable()
    try:
        del read
        assert reference() is None
    finally:
        gc.enable()


def test_damaged_files_end_in_our_own_error(tmp_path: Path) -> None:
    path = tmp_path / "songs.arrow"
    m.write_arrow(path, [song("a"), song("b")])
    content, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[random.integers(0, len(damaged), 3)] = random.choice([0, 127, 255, random.integers(256)])
        path.write_bytes(damaged[: len(damaged) if random.random() < 0.9 else random.integers(len(damaged))].tobytes())
        try:
            copies = [music.deepcopy() for music in m.read_arrow(path)]
        except m.ArrowError:
            continue
        assert len(copies) == 2


def test_annotations_are_stored_as_in_json(tmp_path: Path) -> None:
    music = m.Music(annotations=[m.Annotation(0, {"bytes": b"\x01", "set": {1}, "array": np.arange(2)})])
    m.write_arrow(tmp_path / "songs.arrow", music)
    m.save_json(tmp_path / "song.json", music)
    assert m.read_arrow(tmp_path / "songs.arrow")[0] == m.load_json(tmp_path / "song.json")
