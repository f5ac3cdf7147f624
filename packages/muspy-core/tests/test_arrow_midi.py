"""MIDI files become Arrow columns without a `Music` in between, and the columns are the same."""

from __future__ import annotations

from pathlib import Path

import muspy_core as m
import pytest
from dataset_samples import Midis, Renamed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from midi_samples import END, chunk, every_message, meta, midi_file, midi_files
from muspy_core.datasets.sources import MIDI_ENDINGS

pytest.importorskip("pyarrow")

from muspy_core.io._arrow_midi import batch_of_midi, parsed
from muspy_core.io._arrow_writing import batch_of


def assert_both_ways_agree(paths: list[Path]) -> None:
    direct, through_music = batch_of_midi(list(map(parsed, paths))), batch_of(list(map(m.read_midi, paths)))
    assert direct.schema.equals(through_music.schema, check_metadata=True)
    assert direct.equals(through_music)


def written(folder: Path, contents: list[bytes]) -> list[Path]:
    paths = [folder / f"{number}.mid" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


@given(contents=st.lists(midi_files(), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_files_become_the_same_columns(tmp_path: Path, contents: list[bytes]) -> None:
    assert_both_ways_agree(written(tmp_path, contents))


def test_files_with_every_message_in_one_batch_with_empty_ones(tmp_path: Path) -> None:
    empty = midi_file(chunk((0, END)))
    smpte = midi_file(chunk((0, meta(0x03, "Glück".encode("latin-1"))), (0, END)), division=-6360)
    # Tempi and texts of later tracks that come before those of earlier ones.
    late = midi_file(
        chunk((50, meta(0x51, b"\x07\xa1\x20")), (0, meta(0x06, b"second")), (0, END)),
        chunk((10, meta(0x51, b"\x06\x00\x00")), (0, meta(0x06, b"first")), (0, END)),
    )
    assert_both_ways_agree(written(tmp_path, [empty, every_message(), smpte, late, empty]))
    assert_both_ways_agree(written(tmp_path, [empty]))


def test_files_of_the_freedoom_corpus_become_the_same_columns(shared_data: Path) -> None:
    assert_both_ways_agree(sorted((shared_data / "freedoom-midi").rglob("*.mid"))[::4])


def test_a_folder_is_converted_as_it_is_read(tmp_path: Path) -> None:
    written(tmp_path, [every_message(b"0"), b"MThd and no more", every_message(b"2")])
    (tmp_path / "3.kar").write_bytes(every_message(b"3"))
    dataset = Midis(tmp_path)
    on_the_fly = [dataset[0], *(dataset[number] for number in (2, 3))]
    with pytest.raises(m.MIDIError) as error:
        dataset[1]
    dataset.convert("arrow", verbose=False)
    assert list(dataset) == on_the_fly
    assert dataset.report.failed == [("1.mid", str(error.value))]
    with pytest.raises(m.MIDIError):
        dataset.convert("arrow", ignore_exceptions=False, verbose=False)


def test_names_that_arrow_cannot_hold_are_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    try:
        (tmp_path / "caf\udce9.mid").write_bytes(every_message())
    except (OSError, UnicodeError):
        pytest.skip("this file system has no names that are not UTF-8")
    written(tmp_path, [every_message()])
    dataset = Midis(tmp_path, convert=True, kind="arrow")
    assert len(dataset) == 1
    assert len(dataset.report.failed) == 1


def test_a_reader_of_its_own_is_not_passed_over(tmp_path: Path) -> None:
    written(tmp_path, [every_message()])
    dataset = Renamed(tmp_path, convert=True, kind="arrow")
    assert [music.metadata.title for music in dataset] == ["renamed"]
    assert dataset.midi(tmp_path / "0.mid") is None
    assert Midis(tmp_path).midi(tmp_path / "0.mid") == tmp_path / "0.mid"


@pytest.mark.parametrize("ending", MIDI_ENDINGS)
def test_files_that_pass_for_midi_are_read_as_midi(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"song{ending.upper()}").write_bytes(every_message())
    assert m.read(tmp_path / f"song{ending.upper()}").metadata.source_format == "midi"


def test_performances_and_notation_share_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from muspy_core.io.arrow import join_arrow

    monkeypatch.setattr("muspy_core.io.arrow.SONGS_PER_BATCH", 2)
    played = [m.Music(tracks=[m.Track(notes=[m.Note(i, 60, 1)])]) for i in range(5)]
    notated = [
        m.Music(tracks=[m.Track(notes=[m.Note(i, 60, 1, voice=2, tie="stop", articulations=["accent"])])])
        for i in range(3)
    ]
    for name, pieces in {"played": played, "notated": notated, "both": [*played, *notated, *played]}.items():
        m.write_arrow(tmp_path / f"{name}.arrow", pieces)
        assert list(m.read_arrow(tmp_path / f"{name}.arrow")) == pieces
    join_arrow([tmp_path / f"{name}.arrow" for name in ("played", "notated", "played")], tmp_path / "joined.arrow")
    assert list(m.read_arrow(tmp_path / "joined.arrow")) == [*played, *notated, *played]
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".arrow"]
    sizes = {name: (tmp_path / f"{name}.arrow").stat().st_size for name in ("played", "both")}
    assert sizes["played"] < sizes["both"]


def test_pieces_without_tracks_share_a_file_with_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muspy_core.io.arrow.SONGS_PER_BATCH", 1)
    pieces = [m.Music(), m.Music(tracks=[m.Track(notes=[m.Note(0, 60, 1, off_kind="open")])]), m.Music()]
    m.write_arrow(tmp_path / "songs.arrow", pieces)
    assert list(m.read_arrow(tmp_path / "songs.arrow")) == pieces
