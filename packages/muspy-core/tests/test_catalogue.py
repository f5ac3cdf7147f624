"""Data sets by name: what they say of themselves, and that each reads the files of its archive."""

from __future__ import annotations

import hashlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import muspy_core as m
import pytest
from catalogue_samples import LAYOUTS, archive, extracted, sample
from hostile_server import serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from muspy_core import EventList
from muspy_core.datasets import Remote, Subset
from muspy_core.datasets.base import Dataset
from muspy_core.datasets.catalogue import CATALOGUE, OfficialSplit
from muspy_core.datasets.catalogue.counts import count_pieces
from muspy_core.datasets.catalogue.extracted import DatasetFilesError, piece_names
from muspy_core.datasets.catalogue.sources import open_dataset, source_of
from muspy_core.datasets.catalogue.table import COUNTED, UNVERIFIED, markdown, rows
from muspy_core.datasets.corpus import CorpusDataset
from muspy_core.datasets.folder import FolderDataset, MusicDataset
from muspy_core.datasets.remote import RemoteDataset, RemoteFolderDataset

DOCS = Path(__file__).resolve().parents[3] / "docs/muspy-core/catalogue.md"
KINDS = ("json", "yaml", "arrow")
# Pieces in the small copies, where they are not the number of files.
SIZES = {"asap": 2, "emopia": 2, "essen": 3, "nmd": 2, "openscore-lieder": 1, "pop909": 2}
SIZES |= dict.fromkeys(("maestro", "maestro-v1", "maestro-v2"), 3)


def opened(key: str, root: Path, **options: object) -> FolderDataset:
    dataset = m.get_dataset(key)
    assert issubclass(dataset, FolderDataset)
    if key == "haydn":
        pytest.importorskip("music21", reason="music21 reads Humdrum files")
    return dataset(root, **options)  # type: ignore[arg-type] # options of any data set


# --- the catalogue --------------------------------------------------------------------------------------------------


def test_every_data_set_of_muspy_is_there_with_its_arguments(muspy: ModuleType) -> None:
    for theirs in muspy.list_datasets():
        ours = getattr(m, theirs.__name__)
        assert ours in m.list_datasets()
        expected = [*inspect.signature(theirs.__init__).parameters.values()]
        found = [*inspect.signature(ours.__init__).parameters.values()]
        assert [(item.name, item.default) for item in found[: len(expected)]] == [
            (item.name, item.default) for item in expected
        ], theirs.__name__


@pytest.mark.parametrize(
    "key",
    [
        *("emopia", "essen", "haydn", "hymnal", "hymnal-tune", "jsb", "lmd", "lmd-full", "lmd-matched", "lmd-aligned"),
        *("maestro", "maestro-v1", "maestro-v2", "maestro-v3", "music21", "musicnet", "nes", "nmd", "wikifonia"),
    ],
)
def test_keys_of_muspy_mean_the_same(muspy: ModuleType, key: str) -> None:
    assert m.get_dataset(key.upper()).__name__ == muspy.get_dataset(key).__name__


def test_sources_and_checksums_are_those_of_muspy(muspy: ModuleType) -> None:
    compared = 0
    for theirs in muspy.list_datasets():
        ours = getattr(m, theirs.__name__)
        for mine, known in zip(
            ours.remotes() if issubclass(ours, RemoteDataset) else (),
            getattr(theirs, "_sources", {}).values(),
            strict=True,
        ):
            assert mine.url == known["url"] or theirs.__name__ == "EMOPIADataset"
            for name in ("size", "sha256", "md5"):
                assert getattr(mine, name) == known.get(name), (theirs.__name__, name)
            compared += 1
    assert compared >= 12


def test_unknown_keys_name_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'lmdd'.*lmd-matched"):
        m.get_dataset("lmdd")


@pytest.mark.parametrize("key", CATALOGUE)
def test_every_row_says_what_the_data_set_is(key: str) -> None:
    (row,) = (row for row in rows() if row["key"] == key)
    assert all(row[name] for name in ("name", "description", "homepage", "citation", "genre", "format"))
    assert row["citation"].count("{") == row["citation"].count("}")
    assert row["citation"].startswith("@")
    for file in row["files"]:
        assert file["url"].startswith(("https://", "http://"))
        assert (file["checksum"] == UNVERIFIED) == (file["sha256"] is None and file["md5"] is None)
    if row["source"] == "by hand":
        assert row["note"].startswith("by hand")


def test_counts_are_those_of_table_2_2() -> None:
    published = {
        "lmd": (174533, 9000),
        "maestro-v2": (1282, 201.21),
        "wikifonia": (6405, 198.40),
        "essen": (9034, 56.62),
        "nes": (5278, 46.11),
        "hymnal-tune": (1756, 18.74),
        "hymnal": (1723, 17.50),
        "music21": (613, 16.86),
        "nmd": (1036, 10.54),
        "music21-jsb": (410, 3.46),
        "jsb": (382, 3.21),
    }
    for key, counts in published.items():
        info = m.get_dataset(key).info()
        assert (info.songs, info.hours) == counts


def test_counts_of_our_own_can_be_counted_again() -> None:
    music21 = pytest.importorskip("music21", reason="the scores are in the music21 wheel")
    if music21.__version__ != "10.5.1":
        pytest.skip("the counts are those of music21 10.5.1; other versions may hold other scores")
    counts = count_pieces(source_of(open_dataset("ryans")), progress=False)
    assert (counts.songs, round(counts.hours, 2)) == COUNTED["ryans"]
    assert counts.failed == []


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    if not DOCS.parent.is_dir():
        pytest.skip("the documentation is part of a checkout, not of the package")
    assert DOCS.read_text(encoding="utf-8") == markdown()


def test_the_page_is_printed_by_a_command() -> None:
    command = [sys.executable, "-m", "muspy_core.datasets.catalogue"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.decode() == markdown()


# --- reading --------------------------------------------------------------------------------------------------------


def test_every_data_set_with_files_has_a_small_copy() -> None:
    assert set(LAYOUTS) == {key for key, dataset in CATALOGUE.items() if not issubclass(dataset, CorpusDataset)}


@pytest.mark.parametrize("key", LAYOUTS)
def test_converted_pieces_equal_those_read_on_the_fly(key: str, tmp_path: Path) -> None:
    dataset = opened(key, extracted(key, tmp_path))
    on_the_fly = list(dataset)
    assert len(on_the_fly) == SIZES.get(key, len(LAYOUTS[key]))
    assert all(len(track.notes) for music in on_the_fly for track in music.tracks)
    for kind in KINDS:
        folder = tmp_path / f"as-{kind}"
        report = dataset.save(folder, kind, verbose=False)
        assert report.failed == []
        assert list(MusicDataset(folder)) == on_the_fly
    converted = dataset.convert("arrow", verbose=False)
    assert list(converted) == on_the_fly
    assert dataset.report.failed == []


# Rests and notes of whole sixteenths, which every format can hold: (rest, duration, pitch, velocity).
MELODIES = st.lists(
    st.tuples(
        *(st.sampled_from((0, 6, 24)), st.sampled_from((6, 12, 24, 96)), st.integers(21, 108), st.integers(1, 127))
    ),
    min_size=1,
    max_size=6,
)
WITH_PIECES = [key for key, files in LAYOUTS.items() if {"midi", "mxl", "musicxml"} & set(files.values())]


@pytest.mark.parametrize("key", WITH_PIECES)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_pieces_converted_equal_those_read_on_the_fly(
    key: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def make(number: int) -> m.Music:
        notes, time = [], 0
        for rest, duration, pitch, velocity in data.draw(MELODIES, f"piece {number}"):
            notes.append(m.Note(time + rest, pitch, duration, velocity))
            time += rest + duration
        music = sample(number)
        music.tracks[0].notes = EventList(m.Note, notes)
        return music

    folder = tmp_path_factory.mktemp(key)
    dataset = opened(key, extracted(key, folder / "raw", make))
    on_the_fly = list(dataset)
    assert all(len(track.notes) for music in on_the_fly for track in music.tracks)
    for kind in KINDS:
        assert list(dataset.convert(kind, verbose=False)) == on_the_fly
        dataset.on_the_fly()


@pytest.mark.parametrize("key", [key for key, dataset in CATALOGUE.items() if issubclass(dataset, CorpusDataset)])
def test_converted_pieces_of_the_corpus_equal_those_read_on_the_fly(key: str, tmp_path: Path) -> None:
    pytest.importorskip("music21", reason="the scores are in the music21 wheel")
    dataset: Dataset = m.get_dataset(key)()
    some = Subset(dataset, [0, len(dataset) // 2, len(dataset) - 1])
    on_the_fly = list(some)
    for kind in KINDS:
        some.save(tmp_path / kind, kind, ignore_exceptions=False, verbose=False)
        assert list(MusicDataset(tmp_path / kind)) == on_the_fly


def test_emopia_labels_come_from_the_names_of_files(tmp_path: Path) -> None:
    first, second = opened("emopia", extracted("emopia", tmp_path))
    assert first.annotations[0].annotation == {"emo_class": "1", "YouTube_ID": "0vLPYiPN7qY", "seg_id": "0"}
    assert second.annotations[0].annotation == {"emo_class": "4", "YouTube_ID": "a_b-c_d-e_f", "seg_id": "12"}


def test_chorales_have_120_steps_a_quarter_note(tmp_path: Path) -> None:
    assert {music.resolution for music in opened("jsb", extracted("jsb", tmp_path))} == {120}


def test_haydn_has_its_notes_and_roman_numerals(tmp_path: Path) -> None:
    music = opened("haydn", extracted("haydn", tmp_path))[0]
    assert sorted((note.time, note.pitch) for track in music.tracks for note in track.notes) == [
        *((0, 48), (0, 64), (24, 55), (24, 62), (48, 48), (48, 60))
    ]
    assert [(item.time, item.annotation["figure"]) for item in music.annotations] == [(0, "I"), (24, "V"), (48, "I")]
    assert music.annotations[1].annotation == {"key": "C", "figure": "V", "chord": "G-major triad"}


def test_places_that_the_analyst_left_open_have_no_annotation(tmp_path: Path) -> None:
    root = extracted("haydn", tmp_path)
    path = sorted(root.rglob("*.hrm"))[0]
    path.write_text(path.read_text().replace("\nV\t", "\n?\t"))
    assert [item.time for item in opened("haydn", root)[0].annotations] == [0, 48]


def test_what_music21_cannot_read_fails_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = extracted("haydn", tmp_path)
    (root / "broken.hrm").write_text("no humdrum")
    dataset = opened("haydn", root, convert=True)
    assert [name for name, _ in dataset.report.failed] == ["broken.hrm"]
    assert len(dataset) == 2


def test_pop909_comes_with_beats_chords_and_keys(tmp_path: Path) -> None:
    dataset = opened("pop909", extracted("pop909", tmp_path))
    assert [name.rsplit("/", 1)[1] for name in piece_names(dataset)] == ["001.mid", "909.mid"]
    music = dataset[0]
    # 120 quarter notes a minute, 24 steps each: half a second is 24 steps.
    assert [beat.time for beat in music.beats] == [0, 24, 48]
    chords = [(item.time, item.annotation) for item in music.annotations if item.group == "chord"]
    assert chords == [(0, "N"), (24, "F#:maj7/5")]
    assert [item.annotation for item in music.annotations if item.group == "key"] == ["Gb:maj"]


def test_pop909_annotations_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    root = extracted("pop909", tmp_path)
    next(root.rglob("001/chord_midi.txt")).write_text("zero\t1\tN\n")
    with pytest.raises(DatasetFilesError, match=r"001/chord_midi\.txt.*zero"):
        opened("pop909", root)[0]


def test_melodies_of_lead_sheets_are_monophonic(tmp_path: Path) -> None:
    sheet = m.Music(
        resolution=24,
        time_signatures=[m.TimeSignature(0, 4, 4)],
        chord_symbols=[m.ChordSymbol(0, "C", "major")],
        tracks=[m.Track(notes=[m.Note(0, 60, 48), m.Note(0, 67, 48), m.Note(48, 62, 48)])],
    )
    (tmp_path / "Wikifonia").mkdir()
    m.write(tmp_path / "Wikifonia/song.mxl", sheet)
    whole = opened("wikifonia", tmp_path, convert=True)
    assert len(whole[0].chord_symbols) == 1
    melodies = opened("wikifonia", tmp_path, melody_only=True, convert=True)
    assert [note.pitch for note in melodies[0].tracks[0].notes] == [67, 62]
    assert not melodies[0].chord_symbols
    assert opened("wikifonia", tmp_path)[0] == whole[0]
    assert melodies.on_the_fly()[0] == opened("wikifonia", tmp_path, melody_only=True)[0]


@pytest.mark.parametrize(
    ("content", "suffix"), [("performances", "Shi05M.mid"), ("midi-scores", "_score.mid"), ("scores", ".musicxml")]
)
def test_asap_gives_performances_or_scores(tmp_path: Path, content: str, suffix: str) -> None:
    dataset = opened("asap", extracted("asap", tmp_path), content=content, convert=True)
    assert len(dataset) == 2
    assert all(name.endswith(suffix) for name in piece_names(dataset))
    with pytest.raises(ValueError, match="content"):
        opened("asap", tmp_path, content="audio")


# --- splits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("maestro", {"train": [1], "test": [0], "validation": [2]}),
        ("nes", {"train": [1], "test": [0], "validation": [2]}),
        ("jsb", {"train": [1, 2], "test": [0], "validation": [3]}),
    ],
)
def test_official_splits_are_those_of_the_authors(key: str, expected: dict[str, list[int]], tmp_path: Path) -> None:
    dataset = opened(key, extracted(key, tmp_path))
    assert isinstance(dataset, OfficialSplit)
    assert dataset.official_split() == expected


@pytest.mark.parametrize("kind", KINDS)
def test_official_splits_hold_when_a_piece_could_not_be_converted(kind: str, tmp_path: Path) -> None:
    root = extracted("nes", tmp_path)
    next((root / "nesmdb_midi/test").iterdir()).write_bytes(b"broken")
    dataset = opened("nes", root, convert=True, kind=kind)
    assert isinstance(dataset, OfficialSplit)
    assert dataset.official_split() == {"train": [0], "test": [], "validation": [1]}


def test_pieces_outside_of_the_official_split_are_named(tmp_path: Path) -> None:
    root = extracted("maestro", tmp_path)
    table = next(root.rglob("*.csv"))
    table.write_text("\n".join(table.read_text().splitlines()[:-1]))
    dataset = opened("maestro", root)
    assert isinstance(dataset, OfficialSplit)
    with pytest.raises(DatasetFilesError, match="MIDI-Unprocessed_3"):
        dataset.official_split()


# --- downloads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["emopia", "nes"])
def test_archives_come_over_a_bad_connection(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muspy_core.datasets.downloads.time.sleep", lambda seconds: None)
    dataset = m.get_dataset(key)
    assert issubclass(dataset, RemoteFolderDataset)
    (remote,) = dataset.remotes()
    content = archive(key, remote.filename)
    with serving(content, "truncate", "die", "busy") as server:
        source = Remote(remote.filename, server.url, len(content), hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(dataset, "_sources", {key: source})
        with pytest.raises(RuntimeError, match="download_and_extract"):
            dataset(tmp_path / "new")
        fetched = dataset(tmp_path / "new", download_and_extract=True, cleanup=True, verbose=False)
    assert list(fetched) == list(opened(key, extracted(key, tmp_path / "by-hand")))


def test_converted_pieces_are_enough(tmp_path: Path) -> None:
    root = extracted("lmd", tmp_path)
    on_the_fly = list(opened("lmd", root, convert=True).on_the_fly())
    shutil.rmtree(root / "lmd_full")
    assert list(opened("lmd", root)) == on_the_fly


def test_a_half_extracted_archive_does_not_pass_for_the_data_set(tmp_path: Path) -> None:
    root = extracted("nes", tmp_path)
    (root / "nesmdb_midi.tar.gz").write_bytes(b"...")
    with pytest.raises(RuntimeError, match="not there"):
        opened("nes", root)


# --- real data ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "folder", "pieces"),
    [
        ("pop909", "pop909", 909),
        pytest.param("openscore-quartets", "openscore-quartets", 122, marks=pytest.mark.slow),  # whole movements
        ("openscore-lieder", "openscore-lieder", 1460),
        ("nmd", "nottingham/ABC_cleaned", 1034),
    ],
)
def test_real_data_sets_are_read_and_converted(
    key: str, folder: str, pieces: int, shared_data: Path, tmp_path: Path
) -> None:
    dataset = opened(key, shared_data / folder, use_converted=False)
    assert len(dataset) == pieces
    some = Subset(dataset, [0, pieces // 2])
    on_the_fly = list(some)
    assert all(any(len(track.notes) for track in music.tracks) for music in on_the_fly)
    for kind in KINDS:
        some.save(tmp_path / kind, kind, ignore_exceptions=False, verbose=False)
        assert list(MusicDataset(tmp_path / kind)) == on_the_fly
